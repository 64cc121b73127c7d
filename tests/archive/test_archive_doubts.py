"""What an archive does not take on trust: what killed runs left, lists with gaps, a passing 404, damaged manifests."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.archive.vendor import NOW, Place, built, place
from tests.services.fake_provider import ACME, app
from tui.archive.claims import CLAIM_LIFE, Claims
from tui.archive.layout import APP, MANIFEST, claim_key
from tui.archive.manifest import LaterManifest, TornManifest, _checksum, _document
from tui.archive.opening import open_store
from tui.archive.reader import Trouble
from tui.archive.restoring import locate
from tui.archive.state import State
from tui.archive.store import StoreDown
from tui.errors import Conflict, Destination, NotFound, Unreachable
from tui.models import (
    Account,
    AppId,
    Artifact,
    ArtifactId,
    ArtifactKind,
    BuildId,
    BuildRef,
    Cursor,
    Page,
    Source,
    Status,
)
from tui.models.rules import RetentionRule
from tui.paths import DigPath
from tui.services.chosen import outcome


async def test_a_twin_of_one_size_is_not_taken_for_its_brother(tmp_path: Path) -> None:
    new, old = built(2, 1), built(1, 40)
    box = place(tmp_path, new, old)
    one, two = box.vendor.put(old, "id1", "app.ipa", b"AAAA"), box.vendor.put(old, "id2", "app.ipa", b"BBBB")
    await box.keep(old, one)
    box.unwrite()
    await box.keep(old, two)
    assert box.held() == {"id2": b"BBBB"}
    done = await box.run()
    assert (done.failures, box.held(), box.troubles()) == ([], {"id1": b"AAAA", "id2": b"BBBB"}, [])


async def test_what_a_lost_machine_left_is_compared_with_what_the_provider_has(tmp_path: Path) -> None:
    build = built(1, 1)
    box = place(tmp_path, build)
    box.vendor.put(build, "a", "a.ipa", b"right")
    box.vendor.put(build, "c", "c.ipa", b"whole")
    await box.run()
    box.unwrite()
    next(box.archive.rglob("a.ipa")).write_bytes(b"wrong")
    done = await box.run()
    assert {item.what for item in done.items} == {"copied", "adopted"}
    assert box.held() == {"a": b"right", "c": b"whole"}
    assert next(box.archive.rglob("c.ipa")).read_bytes() == b"whole"
    assert box.troubles() == [Trouble.EXTRA]


@pytest.mark.parametrize(
    "pages",
    [
        lambda new: [Page((new,), None, note="The list may be incomplete: the server's pages go in a circle.")],
        lambda new: [Page((new,), Cursor("1")), Page((), None, note="The list may be incomplete.")],
        lambda new: [Page((new,), None, unreadable=1)],
    ],
    ids=["circle", "empty pages", "unreadable"],
)
async def test_a_list_of_builds_with_gaps_fails_and_is_walked_again(tmp_path: Path, pages: Any) -> None:
    new, old = built(2, 1), built(1, 2)
    box = place(tmp_path, new, old)
    box.vendor.put(new, "new", "new.ipa", b"new")
    box.vendor.put(old, "old", "old.ipa", b"old")
    box.vendor.pages = pages(new)
    assert [path for path, _ in (await box.run()).failures] == ["acme/One"]
    assert set(box.held()) == {"new"}
    box.vendor.pages = ()
    assert (await box.run()).failures == []
    assert set(box.held()) == {"new", "old"}


async def test_what_was_missing_for_a_moment_is_asked_for_again(tmp_path: Path) -> None:
    build = built(1, 1)
    box = place(tmp_path, build)
    artifact = box.vendor.put(build, "a", "a.ipa", b"data")
    away = box.vendor.path(artifact).rename(tmp_path / "away")
    assert (await box.run()).count("lost") == 1
    assert (await box.run()).items == []  # told once
    with pytest.raises(NotFound):
        outcome(await box.keep(build, artifact))
    away.rename(box.vendor.path(artifact))
    assert (await box.run()).count("copied") == 1
    assert box.held() == {"a": b"data"}
    assert [lost for manifest in box.manifests().values() for lost in manifest.lost] == []


async def test_what_is_missing_after_its_days_is_not_asked_for_again(tmp_path: Path) -> None:
    build = built(1, 20)
    box = place(tmp_path, build)
    box.vendor.path(box.vendor.put(build, "a", "a.ipa", b"data")).unlink()
    seven = (RetentionRule("fake", 7, "config.toml", frozenset({ArtifactKind.IPA})),)
    assert (await box.run(retention=seven)).count("lost") == 1
    box.vendor.calls.clear()
    await box.run(retention=seven)
    assert box.vendor.calls == []


async def test_the_explorer_is_not_told_that_what_is_gone_was_archived(tmp_path: Path) -> None:
    build, empty = built(1, 1), built(2, 1)
    box = place(tmp_path, build, empty)
    gone, there = box.vendor.put(build, "a", "a.ipa", b"1"), box.vendor.put(build, "c", "c.ipa", b"2")
    box.vendor.files[build.ref.build].remove(gone)
    with pytest.raises(NotFound, match="gone"):
        outcome(await box.keep(build, gone))
    with pytest.raises(NotFound, match="gone"):
        outcome(await box.keep(build, gone, there))
    assert set(box.held()) == {"c"}
    assert outcome(await box.keep(empty)) == "nothing to archive"
    assert outcome(await box.keep(build, there)) == "archived already"


async def test_an_archive_that_is_not_mounted_is_a_failure(tmp_path: Path) -> None:
    build, empty = built(1, 1), built(2, 1)
    box = place(tmp_path, build, empty)
    box.vendor.put(build, "a", "a.ipa", b"1")
    await box.run()
    box.archive.rename(tmp_path / "elsewhere")
    box.archive.mkdir()
    done = await box.run()
    assert isinstance(done.failures[0][1], StoreDown)
    assert "mounted" in (done.failures[0][1].hint or "")
    assert list(box.archive.iterdir()) == []


async def test_a_run_that_found_nothing_to_archive_makes_no_alarm(tmp_path: Path) -> None:
    box = place(tmp_path, built(1, 1))
    for _ in range(2):
        assert (await box.run()).failures == []


def test_a_folder_that_cannot_be_read_is_not_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    (tmp_path / "acme" / "One").mkdir(parents=True)
    real = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path).name == "One":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)
    with pytest.raises(StoreDown, match="Permission denied"):
        list(open_store(str(tmp_path)).objects(""))


async def test_of_a_damaged_manifest_what_is_whole_is_kept(tmp_path: Path) -> None:
    build = built(1, 1)
    box = place(tmp_path, build)
    gone = box.vendor.put(build, "a", "a.ipa", b"data")
    box.vendor.put(build, "c", "c.ipa", b"data2")
    await box.run()
    box.vendor.files[build.ref.build].remove(gone)  # pruned, or expired
    path = next(box.archive.rglob(MANIFEST))
    whole = path.read_bytes()
    for number, damaged in enumerate((whole.replace(b'"succeeded"', b'"succeedad"', 1), whole[:-40])):
        path.write_bytes(damaged)
        box.machine = f"another-{number}"
        done = await box.run()
        assert (done.failures, done.moved_bytes) == ([], 0)
        assert box.held() == {"a": b"data", "c": b"data2"}
        assert box.troubles() == []
        assert damaged in {each.read_bytes() for each in (box.archive / ".digsite" / "torn").rglob("*.json")}
    torn = path.read_bytes().replace(b'"a.ipa"', b'"b.ipa"', 1)  # that line is lost, the other is not
    path.write_bytes(torn)
    await box.keep(build)
    assert set(box.held()) == {"c"}


async def test_a_manifest_of_a_later_digsite_is_left_alone(tmp_path: Path) -> None:
    build = built(1, 1)
    box = place(tmp_path, build)
    artifact = box.vendor.put(build, "a", "a.ipa", b"data")
    await box.run()
    path = next(box.archive.rglob(MANIFEST))
    content = json.loads(path.read_bytes())
    content.pop("checksum")
    content.update(version=2, more="field")
    later = _document({**content, "checksum": _checksum(content)}).encode()
    path.write_bytes(later)
    box.machine = "another"
    assert isinstance((await box.run()).failures[0][1], LaterManifest)
    with pytest.raises(LaterManifest, match="later digsite"):
        outcome(await box.keep(build, artifact))
    assert path.read_bytes() == later


async def test_keep_counts_builds_by_their_dates_and_each_once(tmp_path: Path) -> None:
    newest, second, third = built(3, 10), built(2, 11), built(1, 90)
    box = place(tmp_path, third, newest, newest, second)
    for build in (newest, second, third):
        box.vendor.put(build, f"a{build.number}", "a.ipa", b"x")
        box.vendor.files[build.ref.build] *= 2
    assert (await box.run()).failures == []
    assert [each.artifact.ref.artifact for each in (await box.plan(keep=2)).candidates] == ["a1"]
    assert [each.artifact.ref.artifact for each in (await box.plan(keep=1)).candidates] == ["a2", "a1"]
    box.vendor.all_builds[0] = replace(third, created_at=None)
    assert (await box.plan(keep=1)).candidates == ()  # which is the newest is not known


@pytest.mark.parametrize(
    ("rule", "days_ago"),
    [
        (RetentionRule("bitrise", 60, "config.toml", frozenset({ArtifactKind.APK})), 100),
        (RetentionRule("bitrise", 7, "config.toml", is_intermediate=True), 20),
    ],
    ids=["types", "intermediate"],
)
async def test_a_retention_rule_for_some_files_hides_no_others(
    tmp_path: Path, rule: RetentionRule, days_ago: float
) -> None:
    build = built(1, days_ago)
    box = place(tmp_path, build)
    box.vendor.account = Account(ACME, "bitrise")
    box.vendor.put(build, "a", "a.ipa", b"x")
    await box.run(retention=(rule,))
    assert set(box.held()) == {"a"}


async def test_a_provider_without_an_answer_stops_one_item_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.services.archiving._SOURCE_TIMEOUT_S", 0.05)
    slow, quick = built(2, 1), built(1, 2)
    box = place(tmp_path, slow, quick)
    box.vendor.put(slow, "slow", "a.ipa", b"x")
    box.vendor.put(quick, "quick", "a.ipa", b"y")
    asked: list[Artifact] = []
    real = box.vendor.source

    async def source(artifact: Artifact) -> Source:
        if artifact.ref.artifact == "slow":
            asked.append(artifact)
            if len(asked) == 1:
                raise Unreachable("Nobody answers.")
            await asyncio.Event().wait()
        return await real(artifact)

    monkeypatch.setattr(box.vendor, "source", source)
    done = await box.run()
    assert (done.count("failed"), done.failures) == (1, [])
    assert set(box.held()) == {"quick"}


@pytest.mark.parametrize("at", [datetime(1, 1, 1, tzinfo=UTC), NOW + timedelta(days=400)], ids=["year 1", "to come"])
async def test_an_odd_date_hides_nothing(tmp_path: Path, at: datetime) -> None:
    odd = replace(built(2, 1, status=Status.RUNNING), created_at=at)
    box = place(tmp_path, odd)
    await box.run()
    late = built(3, 0)
    box.vendor.all_builds.insert(0, late)
    box.vendor.put(late, "late", "late.ipa", b"y")
    await box.run()
    assert set(box.held()) == {"late"}


async def test_two_builds_of_one_number_stay_two(tmp_path: Path) -> None:
    one, two = built(7, 1, ident="x"), built(7, 2, ident="y")
    box = place(tmp_path, one, two)
    box.vendor.put(one, "a1", "a.ipa", b"one")
    box.vendor.put(two, "a2", "a.ipa", b"two")
    for _ in range(2):  # the second finds the number taken, at once or in the next run
        await box.run()
    assert box.held() == {"a1": b"one", "a2": b"two"}
    assert len(box.manifests()) == 2
    assert [each.artifact.ref.artifact for each in (await box.plan(keep=1)).candidates] == ["a2"]


async def test_a_renamed_app_stays_where_it_is(tmp_path: Path) -> None:
    new, old = built(2, 1), built(1, 40)
    box = place(tmp_path, new, old)
    box.vendor.put(old, "a", "a.ipa", b"x")
    await box.run()
    box.vendor.all_apps = [app("one", "Renamed")]
    box.machine = "another"
    assert (await box.run()).moved_bytes == 0
    assert [path.name for path in (box.archive / "acme").iterdir()] == ["One"]
    assert len((await box.plan(keep=1)).candidates) == 1


async def test_a_file_that_changed_is_copied_once(tmp_path: Path) -> None:
    build = built(1, 1)
    box = place(tmp_path, build)
    artifact = box.vendor.put(build, "a", "a.ipa", b"x")
    await box.keep(build)
    box.vendor.path(artifact).write_bytes(b"longer")
    box.vendor.files[build.ref.build] = [replace(artifact, size_bytes=6)]
    moved = [(await box.keep(build)).moved_bytes for _ in range(2)]
    assert moved == [6, 0]
    assert box.held() == {"a": b"longer"}
    assert [len(manifest.entries) for manifest in box.manifests().values()] == [1]


async def test_a_build_that_just_ended_may_still_get_its_files(tmp_path: Path) -> None:
    build = built(1, 0)
    box = place(tmp_path, build)
    await box.run()
    box.vendor.put(build, "a", "a.ipa", b"x")
    await box.run()
    assert set(box.held()) == {"a"}


async def test_a_damaged_app_document_is_found_and_hides_nothing(tmp_path: Path) -> None:
    build = built(1, 1)
    box = place(tmp_path, build)
    box.vendor.put(build, "a", "a.ipa", b"x")
    await box.run()
    document = next(box.archive.rglob(APP))
    assert list(box.reader.check_whole(["acme/One/1"])) == []
    for content, trouble in ((b'{"version', Trouble.CHANGED), (None, Trouble.MISSING)):
        if content is None:
            document.unlink()
        else:
            document.write_bytes(content)
        assert [(f.key, f.trouble) for f in box.reader.check_whole([])] == [(f"acme/One/{APP}", trouble)]
        assert [each.app.title for each in box.reader.apps()] == ["One"]
        assert locate(box.reader, DigPath.parse("acme/One/1/a.ipa")).entries


async def test_a_build_that_vanished_is_found(tmp_path: Path) -> None:
    box = place(tmp_path, built(1, 1))
    box.vendor.put(box.vendor.all_builds[0], "a", "a.ipa", b"x")
    await box.run()
    state = State(tmp_path / "this.sqlite")
    written = state.held(str(box.archive))
    state.close()
    assert written == ["acme/One/1"]
    for path in (box.archive / "acme/One/1").iterdir():
        path.unlink()
    (box.archive / "acme/One/1").rmdir()
    (finding,) = box.reader.check_whole(written)
    assert (finding.key, finding.trouble) == (f"acme/One/1/{MANIFEST}", Trouble.MISSING)


async def test_a_damaged_manifest_hides_no_other_build(tmp_path: Path) -> None:
    one, two = built(2, 1), built(1, 2)
    box = place(tmp_path, one, two)
    box.vendor.put(one, "a", "a.ipa", b"x")
    box.vendor.put(two, "c", "c.ipa", b"y")
    await box.run()
    (box.archive / "acme/One/2" / MANIFEST).write_bytes(b"{")
    assert locate(box.reader, DigPath.parse("acme/One/b1")).folders == ("acme/One/1",)
    assert locate(box.reader, DigPath.parse("acme/One/2")).folders == ("acme/One/2",)
    with pytest.raises(TornManifest):
        locate(box.reader, DigPath.parse("acme/One/2/a.ipa"))


async def test_a_title_of_two_apps_is_not_guessed(tmp_path: Path) -> None:
    build = built(2, 1)
    box = place(tmp_path, build)
    box.vendor.put(build, "a", "a.ipa", b"one")
    await box.run()
    twin = replace(build, ref=BuildRef(ACME, AppId("two"), BuildId("z2")))
    other = Place(tmp_path, replace(box.vendor, all_apps=[app("two", "One")], all_builds=[twin], files={}), "other")
    held = other.vendor.put(twin, "q", "a.ipa", b"two")
    other.vendor.files["z2"] = [replace(held, ref=replace(held.ref, app=AppId("two")))]
    await other.run()
    with pytest.raises(Conflict) as caught:
        locate(box.reader, DigPath.parse("acme/One/2/a.ipa"))
    assert "two" in (caught.value.hint or "")
    assert locate(box.reader, DigPath.parse("acme/two/2/a.ipa")).entries[0][1].artifact.ref.artifact == "q"


async def test_what_another_writer_wrote_over_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = built(1, 1)
    box = place(tmp_path, build)
    box.vendor.put(build, "a", "a.ipa", b"1")
    await box.run()
    (folder, base), ours = next(iter(box.manifests().items())), box.reader
    entry = base.entries[0]

    def having(ident: str) -> Any:
        artifact = replace(entry.artifact, ref=replace(entry.artifact.ref, artifact=ArtifactId(ident)))
        return replace(base, entries=(replace(entry, artifact=artifact, file=f"{ident}.ipa"),))

    real, late = ours.store.write, [base.merged(having("theirs")).to_json()]

    def write(key: str, data: bytes) -> None:
        real(key, data)
        if late:  # they had read before we wrote
            real(key, late.pop())

    monkeypatch.setattr(ours.store, "write", write)
    ours.write_manifest(folder, having("ours"))
    assert {each.artifact.ref.artifact for each in box.manifests()[folder].entries} == {"a", "ours", "theirs"}


def test_a_claim_that_is_kept_stays_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(str(tmp_path))
    mine, theirs = Claims(store), Claims(store)
    assert mine.take("a/b/1")

    def age() -> None:
        old = {"host": "elsewhere", "pid": 1, "at": (datetime.now(UTC) - CLAIM_LIFE * 2).isoformat()}
        store.write(claim_key("a/b/1"), json.dumps(old).encode())

    age()
    mine.refresh()
    assert not theirs.take("a/b/1")
    age()  # it was not kept: the machine slept
    assert theirs.take("a/b/1")
    monkeypatch.setitem(mine._held, "a/b/1", datetime.now(UTC) - CLAIM_LIFE)
    mine.release_all()
    assert store.size(claim_key("a/b/1")) is not None
    theirs.release_all()
    assert store.size(claim_key("a/b/1")) is None


def test_a_memory_that_another_program_holds_is_not_thrown_away(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "state.sqlite"
    ref = BuildRef(ACME, AppId("one"), BuildId("b1"))
    state = State(path)
    state.add_done("d", "r", ref)
    state.close()
    with sqlite3.connect(path, timeout=0) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Destination, match="locked"):
            State(path, patience_s=0)
    other.close()
    state = State(path)
    assert state.is_done("d", "r", ref)
    state.close()
    path.write_bytes(b"not a database at all" * 100)
    state = State(path)
    assert not state.is_done("d", "r", ref)
    state.close()


def test_what_cannot_be_remembered_ends_no_run(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite")
    state._connection.execute("PRAGMA query_only = ON")  # as a full disk
    state.add_done("d", "r", BuildRef(ACME, AppId("one"), BuildId("b1")))
    state.add_run("{}")
    assert state.last_run() is None
    state.close()
