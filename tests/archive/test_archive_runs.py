"""Runs over the demo: incremental, sharing the work, and true after a crash at any step."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tui.archive.claims import CLAIM_LIFE
from tui.archive.layout import APP, MANIFEST
from tui.archive.manifest import Manifest, TornManifest
from tui.archive.opening import open_store
from tui.archive.reader import Reader, Trouble
from tui.archive.state import Sent, State
from tui.archive.store import Store, StoreDown
from tui.cli.demo import demo_sessions
from tui.demo.servers import DemoServers
from tui.errors import RateLimited, Unreachable
from tui.models import Artifact, ArtifactKind, Source
from tui.models.rules import ArchiveRule
from tui.providers.bitrise.provider import BitriseProvider
from tui.services.archive_jobs import Summary
from tui.services.archiving import Archiver
from tui.storage import Body, Storage

in_a_folder = pytest.mark.parametrize("destination", ["folder"], indirect=True)


@pytest.fixture
def servers() -> Iterator[DemoServers]:
    with DemoServers() as demo:
        yield demo


@dataclass
class Box:
    """One build box: the demo's accounts, its own memory, an archive."""

    servers: DemoServers
    store: Store
    state: Path
    rule: ArchiveRule

    async def run(self, *, dry_run: bool = False, store: Store | None = None) -> Summary:
        async with self.archiver(dry_run=dry_run) as archiver:
            return await archiver.run([(self.rule, store or self.store)])

    @asynccontextmanager
    async def archiver(self, *, dry_run: bool = False, storage: Storage | None = None) -> AsyncIterator[Archiver]:
        sessions = demo_sessions(self.servers)
        state = State(self.state)
        try:
            yield Archiver(
                sessions,
                storage or Storage(allow_loopback=True),
                state,
                retention=(),
                jobs=4,
                dry_run=dry_run,
                report=lambda _: None,
            )
        finally:
            state.close()
            for session in sessions:
                await session.aclose()

    def downloads(self) -> int:
        return sum(request.server == "storage" for request in self.servers.requests)


@pytest.fixture
def box(servers: DemoServers, store: Store, tmp_path: Path, destination: str) -> Box:
    """Two builds of the demo's app for travellers, whose files are few and small."""
    return Box(servers, store, tmp_path / "state.sqlite", rule(destination))


def rule(destination: str) -> ArchiveRule:
    kinds = frozenset({ArtifactKind.LOGS, ArtifactKind.TEST_RESULTS, ArtifactKind.FILE})
    return ArchiveRule(
        destination, account="demo-bitrise", app="acme-android", branch="release/*", kinds=kinds, newest=1
    )


def manifests(store: Store) -> dict[str, Manifest]:
    return {folder: m for folder, m, _ in Reader(store).manifests("") if m is not None}


def troubles(store: Store) -> list[Trouble]:
    reader = Reader(store)
    return [f.trouble for folder, m, names in reader.manifests("") for f in reader.check(folder, m, names)]


def contents(store: Store) -> dict[str, bytes]:
    return {key: store.read(key) for key, _ in store.objects("")}


async def test_everything_wanted_is_there_as_the_vendor_serves_it(box: Box) -> None:
    plan = await box.run(dry_run=True)
    assert plan.count("wanted") > 4
    assert contents(box.store) == {}
    done = await box.run()
    assert done.failures == []
    assert done.count("copied") == plan.count("wanted")
    assert {item.path for item in done.items} == {item.path for item in plan.items}
    for folder, manifest in manifests(box.store).items():
        assert folder.startswith("demo-bitrise/acme-android/")
        assert folder.endswith(f"/{manifest.build.number}")
        assert f"{manifest.build.branch}".startswith("release/")
        for entry in manifest.entries:
            data = box.store.read(f"{folder}/{entry.file}")
            assert entry.file == entry.artifact.title
            assert hashlib.sha256(data).hexdigest() == entry.sha256
            assert entry.sha256 == box.servers.data.sha256(entry.artifact.ref.artifact)
    assert troubles(box.store) == []
    text = json.dumps([data.decode("latin-1") for key, data in contents(box.store).items() if key.endswith(MANIFEST)])
    assert "signature" not in text.lower()
    assert box.servers.environment()["BITRISE_TOKEN"] not in text


def unwrite(box: Box) -> None:
    """As if the run had been killed right before it wrote its manifests."""
    box.state = box.state.with_name("killed.sqlite")
    state = State(box.state)
    for folder, manifest in manifests(box.store).items():
        for entry in manifest.entries:
            sent = Sent(entry.artifact.ref.artifact, entry.size_bytes, entry.sha256)
            state.add_sent(box.store.name, f"{folder}/{entry.file}", sent)
        box.store.delete(f"{folder}/{MANIFEST}")
    state.close()


async def test_a_second_run_moves_nothing_and_asks_for_no_artifact(box: Box) -> None:
    await box.run()
    before = contents(box.store)
    box.servers.requests.clear()
    again = await box.run()
    assert (again.items, again.failures, again.moved_bytes) == ([], [], 0)
    assert box.downloads() == 0
    assert not [r for r in box.servers.requests if "artifacts" in r.path]
    assert contents(box.store) == before


@in_a_folder
async def test_another_machine_finds_everything_archived(box: Box, tmp_path: Path) -> None:
    await box.run()
    before = contents(box.store)
    box.servers.requests.clear()
    box.state = tmp_path / "other.sqlite"
    again = await box.run()
    assert (again.items, again.moved_bytes) == ([], 0)
    assert box.downloads() == 0
    assert contents(box.store) == before


@in_a_folder
@pytest.mark.parametrize("error", [RateLimited("Wait.", retry_after_s=0.0), Unreachable("Nobody answers.")], ids=type)
async def test_a_provider_that_has_no_link_at_first_is_asked_again(
    box: Box, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    wanted = await box.run(dry_run=True)
    refused: set[Artifact] = set()
    real = BitriseProvider.source

    async def source(self: BitriseProvider, artifact: Artifact) -> Source:
        if artifact not in refused:
            refused.add(artifact)
            raise error
        return await real(self, artifact)

    monkeypatch.setattr(BitriseProvider, "source", source)
    done = await box.run()
    assert (done.failures, done.count("copied")) == ([], wanted.count("wanted"))
    assert len(refused) == wanted.count("wanted")
    assert troubles(box.store) == []


@in_a_folder
async def test_no_link_is_asked_for_what_is_there_or_after_a_stop(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Artifact] = []
    real = BitriseProvider.source

    async def source(self: BitriseProvider, artifact: Artifact) -> Source:
        asked.append(artifact)
        return await real(self, artifact)

    monkeypatch.setattr(BitriseProvider, "source", source)
    first = await box.run()
    assert len(asked) == first.count("copied")
    asked.clear()
    unwrite(box)
    again = await box.run()
    assert (again.count("adopted"), again.moved_bytes, asked) == (first.count("copied"), 0, [])
    for key in contents(box.store):
        box.store.delete(key)
    box.state = box.state.with_name("another.sqlite")
    async with box.archiver() as archiver:
        archiver._stop.set()
        stopped = await archiver.run([(box.rule, box.store)])
    assert (stopped.items, asked) == ([], [])


class Fragile:
    """A store that dies at its nth change, before or after it."""

    def __init__(self, inner: Store, dies_at: int, *, after: bool) -> None:
        self._inner = inner
        self._left = dies_at
        self._after = after
        self._lock = threading.Lock()
        self.changes = 0

    def __getattr__(self, name: str) -> object:
        method = getattr(self._inner, name)
        if name not in {"create", "write", "upload", "delete"}:
            return method

        def change(*args: object, **named: object) -> object:
            with self._lock:
                self.changes += 1
                dies = self._left == self.changes
                if self._left and self.changes > self._left:
                    raise StoreDown("dead")
            if dies and not self._after:
                raise StoreDown("killed")
            result = method(*args, **named)
            if dies:
                raise StoreDown("killed")
            return result

        return change


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_after_a_crash_at_any_step_the_next_run_makes_it_whole(
    servers: DemoServers, tmp_path: Path, after: bool
) -> None:
    whole = tmp_path / "whole"
    one = replace(rule(str(whole)), branch="release/4.0")
    box = Box(servers, open_store(str(whole)), tmp_path / "state0", one)
    counting = Fragile(box.store, 0, after=after)
    await box.run(store=counting)  # type: ignore[arg-type]
    wanted = {key: data for key, data in contents(box.store).items() if not key.endswith((MANIFEST, APP))}
    assert counting.changes > 6
    for step in range(1, counting.changes + 1):
        root = tmp_path / f"archive{step}"
        box = Box(servers, open_store(str(root)), tmp_path / f"state{step}", replace(one, destination=str(root)))
        broken = await box.run(store=Fragile(box.store, step, after=after))  # type: ignore[arg-type]
        assert all(m is not None for _, m, names in Reader(box.store).manifests("") if MANIFEST in names)
        assert set(troubles(box.store)) <= {Trouble.EXTRA}
        servers.requests.clear()
        there = {key for key in contents(box.store) if not key.endswith((MANIFEST, APP))}
        age_claims(box.store)
        mended = await box.run()
        assert mended.failures == [], step
        assert box.downloads() == len(wanted) - len(there)
        assert mended.moved_bytes == sum(len(data) for key, data in wanted.items() if key not in there)
        assert {k: d for k, d in contents(box.store).items() if not k.endswith((MANIFEST, APP))} == wanted
        assert troubles(box.store) == []
        assert broken.failures


class Forgetful:
    """A store that proves every upload, and then loses the largest."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        method = getattr(self._inner, name)

        def counted(*args: object, **named: object) -> object:
            self.asked.append(name)
            if name == "objects" and "upload" in self.asked:
                files = [(size, key) for key, size in method(*args) if not key.endswith((MANIFEST, APP))]
                for _, key in sorted(files)[-1:]:
                    self._inner.delete(key)
            return method(*args, **named)

        return counted if callable(method) else method


async def test_what_the_store_lost_again_is_in_no_manifest(box: Box) -> None:
    store = Forgetful(box.store)
    broken = await box.run(store=store)  # type: ignore[arg-type]
    assert "does not hold" in broken.failures[0][1].message
    assert manifests(box.store) == {}
    assert "size" not in set(store.asked[: store.asked.index("upload")])  # what is there is asked once a build
    mended = await box.run()
    assert mended.failures == []
    assert mended.count("copied") == len(broken.failures)
    assert troubles(box.store) == []


def age_claims(store: Store) -> None:
    """Claims of an archiver that died on another machine, an hour ago."""
    root = Path(store.name) / ".digsite" / "claims"
    old = {"host": "elsewhere", "pid": 1, "at": (datetime.now(UTC) - CLAIM_LIFE - timedelta(seconds=1)).isoformat()}
    for path in root.rglob("*.json"):
        path.write_text(json.dumps(old))


async def test_two_archivers_share_the_work(servers: DemoServers, destination: str, tmp_path: Path) -> None:
    wide = replace(rule(destination), newest=3)
    boxes = [Box(servers, open_store(destination), tmp_path / f"state{n}", wide) for n in range(2)]
    first, second = await asyncio.gather(*(box.run() for box in boxes))
    assert first.failures + second.failures == []
    total = manifests(boxes[0].store)
    entries = [entry for manifest in total.values() for entry in manifest.entries]
    assert first.count("copied") + second.count("copied") == len(entries)
    assert first.moved_bytes + second.moved_bytes == sum(entry.size_bytes for entry in entries)
    assert troubles(boxes[0].store) == []
    rest = await boxes[0].run()
    assert (rest.items, rest.busy) == ([], 0)


async def test_a_claim_of_another_archiver_is_respected_until_it_is_old(box: Box, destination: str) -> None:
    await box.run()
    (folder,) = list(manifests(box.store))[:1]
    unwrite(box)
    claim = f".digsite/claims/{folder}.json"
    box.store.write(claim, json.dumps({"host": "elsewhere", "pid": 1, "at": datetime.now(UTC).isoformat()}).encode())
    busy = await box.run()
    assert busy.busy == 1
    assert [item for item in busy.items if f"/{folder.rpartition('/')[2]}/" in item.path] == []
    old = datetime.now(UTC) - CLAIM_LIFE - timedelta(seconds=1)
    box.store.write(claim, json.dumps({"host": "elsewhere", "pid": 1, "at": old.isoformat()}).encode())
    done = await box.run()
    assert done.busy == 0
    assert done.count("adopted") > 0
    assert done.moved_bytes == 0
    assert box.store.size(claim) is None


@in_a_folder
async def test_a_torn_manifest_is_found_and_written_anew_without_moving_a_byte(box: Box) -> None:
    await box.run()
    folder, manifest = next(iter(manifests(box.store).items()))
    data = manifest.to_json()
    assert max(line.count(b'"sha256"') for line in data.splitlines()) == 1  # people read it, too
    for torn in (data[:-20], data.replace(b'"size_bytes": ', b'"size_bytes": 1', 1), b"", b"[]", b"\xff"):
        with pytest.raises(TornManifest):
            Manifest.from_json(torn)
    box.store.write(f"{folder}/{MANIFEST}", data[:-20])
    assert troubles(box.store) == [Trouble.TORN]
    box.state = box.state.with_name("fresh.sqlite")
    mended = await box.run()
    assert mended.moved_bytes == 0
    assert troubles(box.store) == []


@in_a_folder
async def test_verify_finds_what_is_missing_changed_and_extra(box: Box) -> None:
    await box.run()
    folder, manifest = next(iter(manifests(box.store).items()))
    first, second, *_ = manifest.entries
    box.store.delete(f"{folder}/{first.file}")
    data = bytearray(box.store.read(f"{folder}/{second.file}"))
    data[len(data) // 2] ^= 1
    box.store.write(f"{folder}/{second.file}", bytes(data))
    box.store.write(f"{folder}/stranger", b"x")
    assert sorted(troubles(box.store)) == [Trouble.CHANGED, Trouble.EXTRA, Trouble.MISSING]


@in_a_folder
async def test_an_artifact_that_is_gone_is_lost_and_the_others_go_on(box: Box) -> None:
    plan = await box.run(dry_run=True)
    box.servers.faults.fail("storage", "GET", r"gradle-build\.log|mapping", 404, times=1)
    box.servers.faults.fail("storage", "GET", "", 404, times=1)
    done = await box.run()
    assert done.count("lost") >= 1
    assert done.count("lost") + done.count("copied") == plan.count("wanted")
    lost = [lost for manifest in manifests(box.store).values() for lost in manifest.lost]
    assert len(lost) == done.count("lost")
    again = await box.run()
    assert again.count("copied") == done.count("lost")  # its days are not over: it was missing for a moment
    assert [lost for manifest in manifests(box.store).values() for lost in manifest.lost] == []
    assert (await box.run()).items == []


@in_a_folder
async def test_a_link_that_breaks_is_continued(box: Box) -> None:
    box.servers.faults.cut_body_after = 300_000
    done = await box.run()
    assert (done.failures, done.count("failed")) == ([], 0)
    box.servers.faults.cut_body_after = None
    assert troubles(box.store) == []
    for manifest in manifests(box.store).values():
        for entry in manifest.entries:
            assert entry.sha256 == box.servers.data.sha256(entry.artifact.ref.artifact)


@in_a_folder
async def test_an_app_that_cannot_be_listed_prunes_and_forgets_nothing(box: Box) -> None:
    await box.run()
    before = contents(box.store)
    box.servers.faults.fail("bitrise", "GET", "/builds", 403, times=10)
    failed = await box.run()
    assert failed.failures
    assert contents(box.store) == before


@in_a_folder
async def test_hostile_titles_stay_in_the_archive(servers: DemoServers, destination: str, tmp_path: Path) -> None:
    wanted = ArchiveRule(destination, account="demo-bitrise", app="Hostile names", newest=1)
    box = Box(servers, open_store(destination), tmp_path / "state", wanted)
    done = await box.run()
    assert (done.failures, done.count("failed")) == ([], 0)
    assert troubles(box.store) == []
    for folder, manifest in manifests(box.store).items():
        assert folder.count("/") == 2
        names = [entry.file.casefold() for entry in manifest.entries]
        assert len(set(names)) == len(names)
        assert MANIFEST not in names
    box.state = tmp_path / "fresh"
    assert (await box.run()).items == []


def unfinished(destination: str) -> list[Path]:
    return [path for path in (Path(destination) / ".digsite").rglob("*") if path.is_file()]


class Watched(Storage):
    """Tells the loop in which it was made that a download was answered."""

    def __init__(self) -> None:
        super().__init__(allow_loopback=True)
        self.answered, self._loop = asyncio.Event(), asyncio.get_running_loop()

    def open(self, *args: Any, **options: Any) -> Body:
        body = super().open(*args, **options)
        self._loop.call_soon_threadsafe(self.answered.set)
        return body


@in_a_folder
async def test_a_cancelled_run_leaves_no_half_file_and_no_claim(box: Box, destination: str) -> None:
    box.servers.faults.bytes_per_second = 20_000
    storage = Watched()
    async with box.archiver(storage=storage) as archiver:
        task = asyncio.create_task(archiver.run([(box.rule, box.store)]))
        await storage.answered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    box.servers.faults.bytes_per_second = None
    assert unfinished(destination) == []
    done = await box.run()
    assert (done.failures, done.busy) == ([], 0)
    assert troubles(box.store) == []


@in_a_folder
async def test_a_changed_rule_looks_again(box: Box) -> None:
    await box.run()
    box.rule = replace(box.rule, newest=2)
    more = await box.run()
    assert more.count("copied") > 0
    assert len(manifests(box.store)) > 2
