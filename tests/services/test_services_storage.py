"""Indexing within its budget, pins, and pruning that leaves what is in doubt."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from tui.archive.opening import open_store
from tui.archive.reader import Reader
from tui.archive.state import State
from tui.catalog.store import Catalog
from tui.cli.demo import demo_sessions
from tui.demo.bitrise_builds import BitriseBuild
from tui.demo.servers import DemoServers
from tui.errors import DigsiteError, ProviderError
from tui.models import (
    AccountName,
    AppId,
    ArtifactId,
    ArtifactRef,
    Budget,
    BuildId,
    BuildRef,
)
from tui.models.rules import ArchiveRule
from tui.paths import DigPath
from tui.services.archiving import Archiver
from tui.services.changes import Changes
from tui.services.indexing import BudgetSpent, Indexer, check_budget, is_passing
from tui.services.journal import Journal
from tui.services.pins import Pin, Pins, PinsUnreadable
from tui.services.pruning import Candidate, Pruner
from tui.services.resolve import Resolver
from tui.services.session import Session
from tui.storage import Storage

BUILD = BuildRef(AccountName("acme"), AppId("a"), BuildId("b"))
ARTIFACT = ArtifactRef(AccountName("acme"), AppId("a"), BuildId("b"), ArtifactId("x"))


@pytest.fixture
def servers() -> Iterator[DemoServers]:
    with DemoServers() as demo:
        yield demo


@pytest.fixture
async def sessions(servers: DemoServers) -> AsyncIterator[dict[AccountName, Session]]:
    opened = {session.account.name: session for session in demo_sessions(servers)}
    yield opened
    for session in opened.values():
        await session.aclose()


def silent(_: str) -> None:
    pass


async def test_a_walk_that_broke_goes_on_where_it_was(
    servers: DemoServers, sessions: dict[AccountName, Session], tmp_path: Path
) -> None:
    found = await Resolver(sessions).find(DigPath.parse("demo-bitrise/acme-android"))
    since = datetime.now(UTC) - timedelta(days=3)
    catalog = Catalog(tmp_path / "catalog.sqlite")
    indexer = Indexer(catalog, silent)
    plan = await indexer.plan([found.session], app=found.app, since=since)
    (step,) = plan.steps
    servers.faults.fail("bitrise", "GET", f"/builds/{step.builds[3].ref.build}/artifacts", 403)
    walked = await indexer.walk(plan)
    assert (walked.builds, len(walked.failures)) == (3, 1)
    servers.requests.clear()
    rest = await indexer.plan([found.session], app=found.app, since=since)
    assert plan.wanted - 3 <= rest.wanted <= plan.wanted - 2  # one may have ended meanwhile
    assert (await indexer.walk(rest)).failures == []
    listed = [r.path for r in servers.requests if r.path.endswith("/artifacts")]
    assert len(listed) == len(set(listed)) == rest.wanted
    assert step.builds[0].ref.build not in " ".join(listed)
    catalog.close()


async def test_a_walk_rests_as_long_as_it_works(
    sessions: dict[AccountName, Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_s = count(0.0, 0.25)  # looked at before and after each rest
    rests_s: list[float] = []

    async def sleep(seconds: float) -> None:
        rests_s.append(seconds)

    monkeypatch.setattr("tui.services.indexing.process_time", lambda: next(worked_s))
    monkeypatch.setattr("tui.services.indexing.sleep", sleep)
    found = await Resolver(sessions).find(DigPath.parse("demo-bitrise/acme-android"))
    catalog = Catalog(tmp_path / "catalog.sqlite")
    indexer = Indexer(catalog, silent)
    plan = await indexer.plan([found.session], app=found.app, since=datetime.now(UTC) - timedelta(days=3))
    assert rests_s, "a page of builds was listed"
    pages = len(rests_s)
    await indexer.walk(plan)
    assert rests_s == [0.25] * (pages + plan.wanted)
    catalog.close()


async def test_a_walk_holds_no_long_message_of_the_builds_ahead(
    sessions: dict[AccountName, Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = property(lambda _: "Fix the login\n" * 10_000, lambda _self, _value: None)
    monkeypatch.setattr(BitriseBuild, "message", long, raising=False)
    found = await Resolver(sessions).find(DigPath.parse("demo-bitrise/acme-android"))
    catalog = Catalog(tmp_path / "catalog.sqlite")
    since = datetime.now(UTC) - timedelta(days=7)
    plan = await Indexer(catalog, silent).plan([found.session], app=found.app, since=since)
    (step,) = plan.steps
    assert 0 < max(len(build.commit_message or "") for build in step.builds) <= 2000
    catalog.close()


async def test_one_account_that_fails_leaves_the_others(
    servers: DemoServers, sessions: dict[AccountName, Session], tmp_path: Path
) -> None:
    servers.faults.fail("bitrise", "GET", "/apps", 401, times=5)
    catalog = Catalog(tmp_path / "catalog.sqlite")
    plan = await Indexer(catalog, silent).plan(
        list(sessions.values()), app=None, since=datetime.now(UTC) - timedelta(days=1)
    )
    assert [account for account, _ in plan.failures] == ["demo-bitrise"]
    assert {step.session.account.name for step in plan.steps} == {"demo-xcode-cloud"}
    assert plan.calls_left() is not None
    catalog.close()


async def test_a_list_of_apps_with_gaps_takes_no_app_away(
    servers: DemoServers, sessions: dict[AccountName, Session], tmp_path: Path
) -> None:
    account = AccountName("demo-bitrise")
    catalog = Catalog(tmp_path / "catalog.sqlite")
    indexer, since = Indexer(catalog, silent), datetime.now(UTC) + timedelta(days=1)
    assert not (await indexer.plan([sessions[account]], app=None, since=since)).failures
    before = catalog.apps(account)
    assert before is not None
    some = json.dumps({"data": [{"slug": before.items[0].ref.app, "title": "One"}, {}]}).encode()
    servers.faults.fail("bitrise", "GET", "/apps$", 200, body=some)
    plan = await indexer.plan([sessions[account]], app=None, since=since)
    assert [(name, "may be incomplete" in error.message) for name, error in plan.failures] == [(account, True)]
    assert len(plan.steps) == 1
    after = catalog.apps(account)
    assert after is not None
    assert {app.ref for app in after.items} == {app.ref for app in before.items}
    catalog.close()


class _Limited:
    """As much of a provider as the budget needs."""

    def __init__(self, remaining: int) -> None:
        self.budget = Budget(limit=1000, remaining=remaining, seen_at=datetime.now(UTC))


def test_background_work_leaves_calls_to_others() -> None:
    check_budget(_Limited(200))  # type: ignore[arg-type]
    with pytest.raises(BudgetSpent) as raised:
        check_budget(_Limited(199))  # type: ignore[arg-type]
    assert is_passing(raised.value)
    check_budget(_Limited(50), 0.05)  # type: ignore[arg-type]


def test_pins_are_kept_and_taken_away(tmp_path: Path) -> None:
    pins = Pins(tmp_path / "state" / "pins.json")
    assert pins.all() == []
    pins.add([Pin(BUILD, "acme/a/1"), Pin(ARTIFACT, "acme/a/1/x")])
    pins.add([Pin(BUILD, "acme/a/1")])
    assert [pin.path for pin in Pins(tmp_path / "state" / "pins.json").all()] == ["acme/a/1", "acme/a/1/x"]
    pins.remove([ARTIFACT])
    assert pins.holds(ARTIFACT)  # with its build
    assert not pins.holds(replace(ARTIFACT, build=BuildId("other")))
    pins.remove([BUILD])
    assert not pins.holds(ARTIFACT)


@pytest.mark.parametrize("text", ["", "[]", '{"pins": [{}]}', '{"pins": 3}'])
def test_pins_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pins.json").write_text(text)
    with pytest.raises(PinsUnreadable):
        Pins(tmp_path / "pins.json").holds(ARTIFACT)


@pytest.fixture
async def pruner(sessions: dict[AccountName, Session], tmp_path: Path) -> Pruner:
    """Of an archive that holds the newest builds of the release branches."""
    store = open_store(str(tmp_path / "archive"))
    state = State(tmp_path / "state.sqlite")
    rule = ArchiveRule(store.name, account="demo-bitrise", app="acme-android", branch="release/*", newest=2)
    archiver = Archiver(
        sessions.values(),
        Storage(allow_loopback=True),
        state,
        retention=(),
        jobs=4,
        dry_run=False,
        report=lambda _: None,
    )
    assert (await archiver.run([(rule, store)])).failures == []
    state.close()
    return Pruner(store, Changes(Journal(tmp_path / "journal.jsonl")), Pins(tmp_path / "pins.json"))


async def test_prune_rereads_pins_copies_and_originals_right_before(
    pruner: Pruner, servers: DemoServers, sessions: dict[AccountName, Session], tmp_path: Path
) -> None:
    found = await Resolver(sessions).find(DigPath.parse("demo-bitrise/acme-android"))
    plan = await pruner.plan(found, older_than=timedelta(days=1), keep=1)
    pinned, missing, lost_answer, fine, *_ = plan.candidates
    Pins(tmp_path / "pins.json").add([Pin(pinned.artifact.ref, pinned.path)])
    (tmp_path / "archive" / missing.folder / missing.entry.file).unlink()
    servers.faults.fail("bitrise", "DELETE", lost_answer.artifact.ref.artifact, 0)
    told: list[tuple[str, bool]] = []

    def report(candidate: Candidate, error: DigsiteError | None) -> None:
        told.append((candidate.artifact.ref.artifact, error is None))

    servers.requests.clear()
    failures = await pruner.prune(found.provider, [pinned, missing, lost_answer, fine], report)
    assert [done for _, done in told] == [False, False, True, True]
    assert len(failures) == 2
    deletions = [r.path.rpartition("/")[2] for r in servers.requests if r.method == "DELETE"]
    assert deletions == [lost_answer.artifact.ref.artifact, fine.artifact.ref.artifact]
    journal = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert {line["artifact"] for line in journal} == set(deletions)
    again = await pruner.plan(found, older_than=timedelta(days=1), keep=1)
    assert again.pinned == 1
    assert not {c.artifact.ref for c in again.candidates} & {lost_answer.artifact.ref, fine.artifact.ref}


async def test_prune_keeps_the_newest_of_a_branch_and_stops_when_it_may_not(
    pruner: Pruner, servers: DemoServers, sessions: dict[AccountName, Session]
) -> None:
    found = await Resolver(sessions).find(DigPath.parse("demo-bitrise/acme-android"))
    everything = await pruner.plan(found, older_than=timedelta(0), keep=0)
    kept = await pruner.plan(found, older_than=timedelta(0), keep=10_000)
    assert everything.candidates
    assert kept.candidates == ()
    servers.faults.fail("bitrise", "DELETE", "", 403, times=5)
    servers.requests.clear()
    failures = await pruner.prune(found.provider, everything.candidates, lambda *_: None)
    assert len(failures) == 1
    assert sum(request.method == "DELETE" for request in servers.requests) == 1


async def test_prune_plans_nothing_from_a_list_that_broke(
    pruner: Pruner, servers: DemoServers, sessions: dict[AccountName, Session], tmp_path: Path
) -> None:
    found = await Resolver(sessions).find(DigPath.parse("demo-bitrise/acme-android"))
    servers.faults.fail("bitrise", "GET", "/builds", 403)
    with pytest.raises(ProviderError):
        await pruner.plan(found, older_than=timedelta(0), keep=0)
    empty = Pruner(open_store(str(tmp_path / "empty")), Changes(), Pins(tmp_path / "pins.json"))
    assert (await empty.plan(found, older_than=timedelta(0), keep=0)).candidates == ()
    assert list(Reader(open_store(str(tmp_path / "empty"))).manifests("")) == []
