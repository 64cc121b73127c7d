"""Paths that name one thing, several things, or nothing, on a provider that holds what a test gives it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tui.errors import Conflict, NotFound, NotSupported, OutcomeUnknown, PathError, Unreachable
from tui.models import (
    Account,
    AccountName,
    App,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    BuildQuery,
    BuildRef,
    Cursor,
    Page,
    Status,
    Verb,
)
from tui.paths import DigPath
from tui.providers import Provider
from tui.services.changes import Changes
from tui.services.journal import Journal, JournalError
from tui.services.resolve import Resolver
from tui.services.session import Session

ACME = AccountName("acme")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def app(name: str, title: str) -> App:
    return App(AppRef(ACME, AppId(name)), title, "fake")


def build(number: int, status: Status = Status.SUCCEEDED, branch: str = "main") -> Build:
    return Build(BuildRef(ACME, AppId("one"), BuildId(f"b{number}")), number, status, "", branch=branch)


def artifact(name: str, title: str, size: int = 10) -> Artifact:
    ref = ArtifactRef(ACME, AppId("one"), BuildId("b3"), ArtifactId(name))
    return Artifact(ref, title, ArtifactKind.FILE, "file", size_bytes=size, is_public=False)


@dataclass
class FakeProvider:
    """Lists in pages of two, as a stranger's plug-in might."""

    account: Account = field(default_factory=lambda: Account(ACME, "fake"))
    all_apps: list[App] = field(default_factory=list[App])
    all_builds: list[Build] = field(default_factory=list[Build])
    all_artifacts: list[Artifact] = field(default_factory=list[Artifact])
    refused: str | None = None
    lose_answer: bool = False
    carried_out: bool = True
    calls: list[str] = field(default_factory=list[str])

    @staticmethod
    def _page(items: Iterable[Any], cursor: Cursor | None) -> Page[Any]:
        listed, start = list(items), int(cursor or 0)
        more = Cursor(str(start + 2)) if start + 2 < len(listed) else None
        return Page(tuple(listed[start : start + 2]), next_cursor=more)

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        return self._page(self.all_apps, cursor)

    async def app(self, ref: AppRef) -> App:
        raise NotFound("none")

    async def builds(self, app: AppRef, query: BuildQuery, cursor: Cursor | None = None) -> Page[Build]:
        matching = [
            b
            for b in self.all_builds
            if query.number in {None, b.number}
            and query.branch in {None, b.branch}
            and query.status in {None, b.status}
        ]
        return self._page(matching, cursor)

    async def build(self, ref: BuildRef) -> Build:
        for found in self.all_builds:
            if found.ref.build == ref.build:
                return found
        raise NotFound("none")

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        return self._page(self.all_artifacts, cursor)

    async def artifact(self, artifact: Artifact) -> Artifact:
        self.calls.append("show")
        for found in self.all_artifacts:
            if found.ref == artifact.ref:
                return found
        raise NotFound("gone")

    def refusal(self, verb: Verb, artifact: Artifact) -> str | None:
        return self.refused

    async def set_public(self, artifact: Artifact, enabled: bool) -> Artifact:
        self.calls.append("patch")
        changed = replace(artifact, is_public=enabled)
        if self.carried_out:
            self.all_artifacts = [changed if a.ref == artifact.ref else a for a in self.all_artifacts]
        if self.lose_answer:
            raise OutcomeUnknown("The answer was lost.")
        return changed

    async def delete(self, ref: ArtifactRef) -> None:
        self.calls.append("delete")
        if self.carried_out:
            self.all_artifacts = [a for a in self.all_artifacts if a.ref != ref]
        if self.lose_answer:
            raise OutcomeUnknown("The answer was lost.")

    async def aclose(self) -> None:
        pass


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider(
        all_apps=[app("one", "One"), app("two", "Twin"), app("three", "Twin")],
        all_builds=[
            build(5, Status.RUNNING),
            build(4, Status.FAILED),
            build(3),
            build(2, branch="feature/x"),
            build(1),
        ],
        all_artifacts=[artifact("a", "app.apk"), artifact("b", "log.txt"), artifact("c", "log.txt")],
    )


@pytest.fixture
def resolver(fake: FakeProvider) -> Resolver:
    class Opened(Session):
        async def provider(self) -> Provider:
            return fake  # type: ignore[return-value]  # the parts that a resolver and changes use

    return Resolver({ACME: Opened(fake.account)})


async def numbers(resolver: Resolver, path: str) -> Any:
    found = await resolver.find(DigPath.parse(path))
    return found.build.number if found.build else None


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("acme/one/3", 3),
        ("acme/One/3", 3),
        ("acme/one/b2", 2),
        ("acme/one/latest", 4),
        ("acme/one/latest-green", 3),
        ("acme/one/latest-green@feature%2Fx", 2),
        ("acme/one/latest@feature%2Fx", 2),
    ],
)
async def test_a_build_by_number_id_or_newest(resolver: Resolver, path: str, number: int) -> None:
    assert await numbers(resolver, path) == number


async def test_an_ambiguous_app_title_is_refused_with_the_ids(resolver: Resolver) -> None:
    with pytest.raises(PathError, match="2 apps of acme are called 'Twin'") as raised:
        await resolver.find(DigPath.parse("acme/Twin"))
    assert "acme/two" in str(raised.value.hint)
    assert "acme/three" in str(raised.value.hint)
    found = await resolver.find(DigPath.parse("acme/three"))
    assert found.path == "acme/three", "an ambiguous title is not printed as a path"


@pytest.mark.parametrize("path", ["nobody", "acme/none", "acme/one/99", "acme/one/latest@none", "acme/one/3/none"])
async def test_what_does_not_exist_is_not_found(resolver: Resolver, path: str) -> None:
    with pytest.raises(NotFound):
        await resolver.find(DigPath.parse(path))


async def test_artifacts_by_title_id_both_or_glob(resolver: Resolver) -> None:
    async def ids(pattern: str) -> list[str]:
        found = await resolver.find(DigPath.parse(f"acme/one/3/{pattern}"))
        return [str(a.ref.artifact) for a in found.artifacts]

    assert await ids("app.apk") == ["a"]
    assert await ids("log.txt") == ["b", "c"]
    assert await ids("c") == ["c"]
    assert await ids("log.txt~c") == ["c"]
    assert await ids("*.txt") == ["b", "c"]
    assert await ids("*") == ["a", "b", "c"]


async def test_every_printed_path_names_its_artifact_alone(resolver: Resolver) -> None:
    found = await resolver.find(DigPath.parse("acme/one/3/*"))
    for wanted in found.artifacts:
        again = await resolver.find(DigPath.parse(found.path_of(wanted, found.siblings)))
        assert again.artifacts == (wanted,)


async def test_publish_whose_answer_is_lost_is_looked_up(fake: FakeProvider) -> None:
    fake.lose_answer = True
    result = await Changes().publish(fake, fake.all_artifacts[0], enabled=True)  # type: ignore[arg-type]
    assert result.is_public is True
    assert fake.calls == ["patch", "show"]


async def test_publish_that_did_not_happen_is_not_repeated(fake: FakeProvider) -> None:
    fake.lose_answer, fake.carried_out = True, False
    with pytest.raises(OutcomeUnknown):
        await Changes().publish(fake, fake.all_artifacts[0], enabled=True)  # type: ignore[arg-type]
    assert fake.calls == ["patch", "show"]


async def test_a_look_that_fails_says_nothing_of_a_publish(
    fake: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(_: Artifact) -> Artifact:
        raise Unreachable("Nobody answers.")

    fake.lose_answer = True
    monkeypatch.setattr(fake, "artifact", nobody)
    journal = tmp_path / "changes.jsonl"
    with pytest.raises(OutcomeUnknown, match="answer was lost"):
        await Changes(Journal(journal)).publish(fake, fake.all_artifacts[0], enabled=True)  # type: ignore[arg-type]
    assert [json.loads(line)["state"] for line in journal.read_text().splitlines()] == ["sent", "unknown"]


async def test_delete_whose_answer_is_lost_is_looked_up(fake: FakeProvider) -> None:
    fake.lose_answer = True
    await Changes().delete(fake, fake.all_artifacts[0])  # type: ignore[arg-type]
    assert fake.calls == ["show", "delete", "show"]


async def test_delete_that_did_not_happen_is_not_repeated(fake: FakeProvider) -> None:
    fake.lose_answer, fake.carried_out = True, False
    with pytest.raises(OutcomeUnknown):
        await Changes().delete(fake, fake.all_artifacts[0])  # type: ignore[arg-type]
    assert fake.calls.count("delete") == 1


async def test_what_changed_since_it_was_listed_is_not_deleted(fake: FakeProvider) -> None:
    listed = fake.all_artifacts[0]
    fake.all_artifacts[0] = replace(listed, size_bytes=11)
    with pytest.raises(Conflict, match="changed on the server"):
        await Changes().delete(fake, listed)  # type: ignore[arg-type]
    assert "delete" not in fake.calls


async def test_a_refused_change_sends_nothing(fake: FakeProvider) -> None:
    fake.refused = "It has no pages."
    with pytest.raises(NotSupported, match="no pages"):
        await Changes().publish(fake, fake.all_artifacts[0], enabled=True)  # type: ignore[arg-type]
    assert fake.calls == []


def journal_lines(path: Path) -> list[tuple[str, str, str]]:
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [(entry["change"], entry["state"], entry["artifact"]) for entry in entries]


async def test_each_change_is_noted_before_it_is_sent_and_after(fake: FakeProvider, tmp_path: Path) -> None:
    path = tmp_path / "state" / "changes.jsonl"
    changes = Changes(Journal(path))
    first, second = fake.all_artifacts[:2]
    await changes.publish(fake, first, enabled=True)  # type: ignore[arg-type]
    await changes.delete(fake, replace(first, is_public=True))  # type: ignore[arg-type]
    fake.lose_answer, fake.carried_out = True, False
    with pytest.raises(OutcomeUnknown):
        await changes.delete(fake, second)  # type: ignore[arg-type]
    assert journal_lines(path) == [
        ("public on", "sent", "a"),
        ("public on", "done", "a"),
        ("delete", "sent", "a"),
        ("delete", "done", "a"),
        ("delete", "sent", "b"),
        ("delete", "unknown", "b"),
    ]
    assert path.stat().st_mode & 0o077 == 0


async def test_without_a_journal_nothing_is_sent(fake: FakeProvider, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be written"):
        await Changes(Journal(tmp_path / "file" / "x")).delete(fake, fake.all_artifacts[0])  # type: ignore[arg-type]
    assert "delete" not in fake.calls


async def test_one_change_of_an_artifact_at_a_time(fake: FakeProvider) -> None:
    changes, started, gate = Changes(), asyncio.Event(), asyncio.Event()

    class Slow(FakeProvider):
        async def set_public(self, artifact: Artifact, enabled: bool) -> Artifact:
            started.set()
            await gate.wait()
            return await super().set_public(artifact, enabled)

    slow = Slow(all_artifacts=fake.all_artifacts)
    first, other = slow.all_artifacts[:2]
    running = asyncio.create_task(changes.publish(slow, first, enabled=True))  # type: ignore[arg-type]
    await started.wait()
    with pytest.raises(Conflict, match="under way"):
        await changes.publish(slow, first, enabled=False)  # type: ignore[arg-type]
    gate.set()
    await changes.publish(slow, other, enabled=True)  # type: ignore[arg-type]
    await running
    assert slow.calls == ["patch", "patch"]
    await changes.publish(slow, first, enabled=False)  # type: ignore[arg-type]
