"""Publish and delete: sent once, on what was confirmed, noted, and told to the lists."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.services.fake_provider import FakeProvider, one_app
from tui.catalog.store import Catalog
from tui.errors import Conflict, NotFound, NotSupported, OutcomeUnknown, Unreachable
from tui.models import Artifact, Build
from tui.providers import Provider
from tui.services.changes import Changes
from tui.services.journal import Journal, JournalError
from tui.services.listings import Listings
from tui.services.session import Session


@pytest.fixture
def fake() -> FakeProvider:
    return one_app()


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


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_page_that_was_not_switched_is_a_failure(
    fake: FakeProvider, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enabled: bool
) -> None:
    async def as_before(artifact: Artifact, enabled: bool) -> Artifact:
        return artifact

    fake.all_artifacts[0] = artifact = replace(fake.all_artifacts[0], is_public=not enabled)
    listings, _, build = await listed(catalog, fake)
    monkeypatch.setattr(fake, "set_public", as_before)
    journal = tmp_path / "changes.jsonl"
    with pytest.raises(Conflict, match="left the public page of"):
        await Changes(Journal(journal), listings).publish(fake, artifact, enabled=enabled)  # type: ignore[arg-type]
    assert [json.loads(line)["state"] for line in journal.read_text().splitlines()] == ["sent", "failed"]
    assert kept(catalog, build)[0] == ("a", not enabled)


async def test_a_page_that_nobody_tells_of_is_unknown(
    fake: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(artifact: Artifact, enabled: bool) -> Artifact:
        return replace(artifact, is_public=None)

    monkeypatch.setattr(fake, "set_public", silent)
    journal = tmp_path / "changes.jsonl"
    with pytest.raises(OutcomeUnknown, match="does not tell"):
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


async def listed(catalog: Catalog, fake: FakeProvider) -> tuple[Listings, Session, Build]:
    """Lists that know the app, the build and every page of its artifacts."""

    class Opened(Session):
        async def provider(self) -> Provider:
            return fake  # type: ignore[return-value]  # the parts that are used here

    listings, session = Listings(catalog), Opened(fake.account)
    build = next(each for each in fake.all_builds if each.ref == fake.all_artifacts[0].ref.build_ref)
    catalog.keep_apps(fake.account.name, fake.all_apps, complete=True)
    await every_artifact(listings, session, build)
    return listings, session, build


async def every_artifact(listings: Listings, session: Session, build: Build) -> list[Artifact]:
    page = await listings.artifacts(session, build, None)
    artifacts = list(page.items)
    while page.next_cursor is not None:
        page = await listings.artifacts(session, build, page.next_cursor)
        artifacts.extend(page.items)
    return artifacts


def kept(catalog: Catalog, build: Build) -> list[tuple[str, bool | None]]:
    catalog.settle()
    found = catalog.artifacts(build.ref)
    assert found is not None
    return [(str(artifact.ref.artifact), artifact.is_public) for artifact in found.items]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog(tmp_path / "catalog.db")
    yield opened
    opened.close()


async def test_what_is_switched_is_so_in_the_catalog_and_on_the_next_list(catalog: Catalog, fake: FakeProvider) -> None:
    listings, session, build = await listed(catalog, fake)
    on_the_second_page = fake.all_artifacts[-1]
    await Changes(listings=listings).publish(fake, on_the_second_page, enabled=True)  # type: ignore[arg-type]
    assert kept(catalog, build) == [("a", False), ("b", False), ("c", True)]
    assert [artifact.is_public for artifact in await every_artifact(listings, session, build)] == [False, False, True]


async def test_what_is_deleted_is_in_no_list(catalog: Catalog, fake: FakeProvider) -> None:
    listings, session, build = await listed(catalog, fake)
    await Changes(listings=listings).delete(fake, fake.all_artifacts[-1])  # type: ignore[arg-type]
    assert kept(catalog, build) == [("a", False), ("b", False)]
    assert [str(artifact.ref.artifact) for artifact in await every_artifact(listings, session, build)] == ["a", "b"]


async def test_what_somebody_else_deleted_leaves_the_lists_as_well(catalog: Catalog, fake: FakeProvider) -> None:
    listings, session, build = await listed(catalog, fake)
    gone = fake.all_artifacts.pop(1)
    with pytest.raises(NotFound):
        await Changes(listings=listings).delete(fake, gone)  # type: ignore[arg-type]
    assert kept(catalog, build) == [("a", False), ("c", False)]
    assert [str(artifact.ref.artifact) for artifact in await every_artifact(listings, session, build)] == ["a", "c"]


async def test_a_change_that_did_not_happen_leaves_the_lists_alone(catalog: Catalog, fake: FakeProvider) -> None:
    listings, _, build = await listed(catalog, fake)
    fake.lose_answer, fake.carried_out = True, False
    changes = Changes(listings=listings)
    with pytest.raises(OutcomeUnknown):
        await changes.delete(fake, fake.all_artifacts[0])  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        await changes.publish(fake, fake.all_artifacts[1], enabled=True)  # type: ignore[arg-type]
    assert kept(catalog, build) == [("a", False), ("b", False), ("c", False)]


async def test_after_a_change_of_unknown_outcome_the_next_list_asks(
    catalog: Catalog, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(_: Artifact) -> Artifact:
        raise Unreachable("Nobody answers.")

    listings, session, build = await listed(catalog, fake)
    fake.lose_answer = True
    monkeypatch.setattr(fake, "artifact", nobody)
    with pytest.raises(OutcomeUnknown):
        await Changes(listings=listings).publish(fake, fake.all_artifacts[0], enabled=True)  # type: ignore[arg-type]
    assert [artifact.is_public for artifact in await every_artifact(listings, session, build)] == [True, False, False]
