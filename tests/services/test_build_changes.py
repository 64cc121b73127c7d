"""Start and abort: sent once, noted, and looked up where the answer was lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tui.errors import Conflict, NotSupported, OutcomeUnknown, PathError, Unreachable
from tui.models import AccountName, AppId, AppRef, Build, BuildId, BuildRef, Page, Status
from tui.models.inspection import BuildVerb, GitRefKind, StartRequest
from tui.providers import Provider
from tui.services.builds import BuildChanges
from tui.services.journal import Journal
from tui.services.start_choices import COMMIT, StartChoice, last_choice, parse_environment, remember_choice

APP = AppRef(AccountName("acme"), AppId("app"))


def build(number: int, status: Status = Status.RUNNING, workflow: str = "primary", branch: str = "main") -> Build:
    ref = BuildRef(APP.account, APP.app, BuildId(f"b{number}"))
    return Build(ref, number, status, str(status), branch=branch, workflow=workflow)


@dataclass
class FakeProvider:
    """A provider whose answers get lost."""

    listed: list[Build] = field(default_factory=lambda: [build(1, Status.SUCCEEDED)])
    loses: bool = False
    others: list[Build] = field(default_factory=list)
    takes: bool = True
    error: Exception | None = None
    sent: list[object] = field(default_factory=list)
    goes_away: bool = False
    """Answers nothing any more once a change was sent."""
    gate: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def build_refusal(self, verb: BuildVerb, build: Build | None = None) -> str | None:
        return "It has ended." if verb is BuildVerb.ABORT and build and build.status.is_finished else None

    def _look(self) -> None:
        if self.goes_away and self.sent:
            raise Unreachable("Nobody answers.")

    async def builds(self, app: AppRef) -> Page[Build]:
        self._look()
        return Page(tuple(self.listed))

    async def build(self, ref: BuildRef) -> Build:
        self._look()
        return next(one for one in self.listed if one.ref == ref)

    async def start(self, request: StartRequest) -> Build:
        self.sent.append(request)
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        new = build(2, Status.QUEUED, branch=request.branch or "main")
        self.listed = [*self.others, *([new] if self.takes else []), *self.listed]
        if self.loses:
            raise OutcomeUnknown("The answer was lost.")
        return new

    async def abort(self, ref: BuildRef, reason: str) -> None:
        self.sent.append((ref, reason))
        if self.takes:
            self.listed = [build(one.number or 0, Status.ABORTED) if one.ref == ref else one for one in self.listed]
        if self.loses:
            raise OutcomeUnknown("The answer was lost.")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "changes.jsonl"


@pytest.fixture
def changes(journal: Path) -> BuildChanges:
    return BuildChanges(Journal(journal))


def text_of(journal: Path) -> str:
    return journal.read_text() if journal.exists() else ""


def noted(journal: Path) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    return [(line["change"], line["state"]) for line in lines]


WANTED = StartRequest(APP, "primary", branch="main", environment={"TOKEN": "hush-hush"})


def given(fake: Any) -> Provider:
    return cast("Provider", fake)


async def test_a_start_is_noted_without_its_environment(changes: BuildChanges, journal: Path) -> None:
    fake = FakeProvider()
    started = await changes.start(given(fake), WANTED)
    assert started.number == 2
    assert noted(journal) == [("start", "sent"), ("start", "done")]
    assert "hush" not in text_of(journal)


async def test_a_look_that_fails_says_nothing_of_the_change(changes: BuildChanges, journal: Path) -> None:
    running = build(1)
    tried: tuple[Callable[[FakeProvider], Awaitable[Build]], ...] = (
        lambda fake: changes.start(given(fake), WANTED),
        lambda fake: changes.abort(given(fake), running),
    )
    for number, change in enumerate(tried):
        with pytest.raises(OutcomeUnknown, match="answer was lost"):
            await change(FakeProvider(listed=[running], loses=True, goes_away=True))
        assert noted(journal)[2 * number + 1][1] == "unknown"


async def test_a_lost_rebuild_is_not_taken_for_a_build_of_another_workflow(changes: BuildChanges) -> None:
    fake = FakeProvider(loses=True, takes=False, others=[build(3, workflow="nightly")])
    with pytest.raises(OutcomeUnknown):
        await changes.start(given(fake), StartRequest(APP, "primary", rebuild=build(1).ref))


async def test_a_lost_answer_is_looked_up_and_nothing_is_sent_again(changes: BuildChanges, journal: Path) -> None:
    fake = FakeProvider(loses=True, others=[build(3, workflow="nightly")])
    started = await changes.start(given(fake), WANTED)
    assert started.number == 2
    assert len(fake.sent) == 1
    assert noted(journal)[-1] == ("start", "done")


@pytest.mark.parametrize("fake", [FakeProvider(loses=True, takes=False), FakeProvider(loses=True, others=[build(3)])])
async def test_an_outcome_that_cannot_be_told_is_said(changes: BuildChanges, journal: Path, fake: FakeProvider) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await changes.start(given(fake), WANTED)
    assert "newest builds" in str(caught.value)
    assert len(fake.sent) == 1
    assert noted(journal)[-1] == ("start", "unknown")


async def test_a_failure_is_noted(changes: BuildChanges, journal: Path) -> None:
    with pytest.raises(Unreachable):
        await changes.start(given(FakeProvider(error=Unreachable("no"))), WANTED)
    assert noted(journal)[-1] == ("start", "failed")


async def test_one_start_at_a_time(changes: BuildChanges) -> None:
    fake = FakeProvider(gate=asyncio.Event())
    first = asyncio.ensure_future(changes.start(given(fake), WANTED))
    await fake.reached.wait()
    with pytest.raises(Conflict):
        await changes.start(given(fake), WANTED)
    assert fake.gate is not None
    fake.gate.set()
    assert (await first).number == 2
    assert len(fake.sent) == 1


async def test_an_abort_whose_answer_was_lost_is_looked_up(changes: BuildChanges) -> None:
    fake = FakeProvider(listed=[build(1)], loses=True)
    assert (await changes.abort(given(fake), build(1), "why")).status is Status.ABORTED
    fake = FakeProvider(listed=[build(1)], loses=True, takes=False)
    with pytest.raises(OutcomeUnknown):
        await changes.abort(given(fake), build(1))
    assert len(fake.sent) == 1


async def test_what_is_refused_is_not_sent(changes: BuildChanges, journal: Path) -> None:
    fake = FakeProvider()
    with pytest.raises(NotSupported, match="ended"):
        await changes.abort(given(fake), build(1, Status.SUCCEEDED))
    assert fake.sent == []
    assert text_of(journal) == ""


# What a user chooses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "ref", "wanted"),
    [
        (str(GitRefKind.BRANCH), " main ", {"branch": "main"}),
        (str(GitRefKind.TAG), "v1", {"tag": "v1"}),
        (COMMIT, "abc123", {"commit": "abc123"}),
        (str(GitRefKind.PULL_REQUEST), "#12 Its title", {"pull_request": 12}),
        (str(GitRefKind.PULL_REQUEST), "12", {"pull_request": 12}),
    ],
)
def test_a_choice_becomes_a_request(kind: str, ref: str, wanted: dict[str, object]) -> None:
    request = StartChoice("primary", kind, ref).request(APP, {"A": "1"})
    given = {name: getattr(request, name) for name in ("branch", "tag", "commit", "pull_request")}
    assert {name: value for name, value in given.items() if value is not None} == wanted
    assert request.environment == {"A": "1"}


@pytest.mark.parametrize(
    "choice", [StartChoice("", ref="main"), StartChoice("x"), StartChoice("x", "pull request", "main")]
)
def test_an_incomplete_choice_is_refused(choice: StartChoice) -> None:
    with pytest.raises(PathError):
        choice.request(APP)


def test_variables() -> None:
    assert parse_environment(["A=1", "B=x=y", "C="]) == {"A": "1", "B": "x=y", "C": ""}
    for wrong in ("hunter2", "=hunter2", "hunter 2=1"):
        with pytest.raises(PathError) as caught:
            parse_environment([wrong])
        assert wrong not in str(caught.value), "it may be a secret that lacks its name"


def test_the_last_choice_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path))
    assert last_choice(APP) == StartChoice()
    chosen = StartChoice("release", str(GitRefKind.TAG), "v1", is_clean=True)
    remember_choice(APP, chosen)
    assert last_choice(APP) == chosen
    assert last_choice(AppRef(AccountName("acme"), AppId("other"))) == StartChoice()
    (tmp_path / "state" / "starts.json").write_text('{"acme/app": {"workflow": 3, "kind": "no", "ref": "main"}}')
    assert last_choice(APP) == StartChoice(ref="main")
