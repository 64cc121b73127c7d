"""The queue as the explorer and the command line use it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfers.conftest import Answer, FaultServer, Provider
from tui.errors import Destination
from tui.models import Artifact, Source
from tui.safe_text import unique_filenames
from tui.secret import Secret
from tui.storage import Storage
from tui.transfers.claim import part_path, sidecar_path
from tui.transfers.history import History
from tui.transfers.queue import TransferQueue
from tui.transfers.retry import RetryPolicy
from tui.transfers.snapshot import RateMeter, TransferState
from tui.transfers.transfer import Transfer

MB = 1 << 20
Make = Callable[..., Artifact]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def outside(root: Path, folder: Path) -> set[Path]:
    """All paths but those in the download folder and in digsite's own."""
    return {path for path in root.rglob("*") if folder not in path.parents and "home" not in path.parts}


async def half_sent(server: FaultServer) -> None:
    assert await asyncio.to_thread(server.half_sent.wait, 10)


async def test_cancel_keeps_the_part_and_retry_goes_on(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Make
) -> None:
    server.fill(2 * MB)
    server.plan = [Answer(pause=threading.Event())]
    transfer = queue.add(make_artifact(size=2 * MB), folder / "app.apk", label="app")
    await half_sent(server)
    await asyncio.to_thread(server.drain, folder / "app.apk")
    queue.cancel(transfer)
    (result,) = await queue.wait([transfer])
    assert result.state is TransferState.CANCELLED
    kept = part_path(folder / "app.apk").stat().st_size
    assert not (folder / "app.apk").exists()

    queue.retry(transfer)
    (result,) = await queue.wait([transfer])
    assert result.sha256 == server.sha256
    assert server.requests[-1].sent == 2 * MB - kept


async def test_cancel_can_remove_the_part(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Make
) -> None:
    server.fill(2 * MB)
    server.plan = [Answer(pause=threading.Event())]
    transfer = queue.add(make_artifact(size=2 * MB), folder / "app.apk", label="app")
    await half_sent(server)
    queue.cancel(transfer, keep_part=False)
    await queue.wait([transfer])
    assert names(folder) == []


async def test_pause_lets_another_one_run_and_resume_finishes(
    provider: Provider,
    storage: Storage,
    server: FaultServer,
    folder: Path,
    make_artifact: Make,
    history: History,
) -> None:
    queue = TransferQueue(provider.source, storage, jobs=1, history=history)
    server.fill(2 * MB)
    server.plan = [Answer(pause=threading.Event())]
    first = queue.add(make_artifact(size=2 * MB, artifact_id="1"), folder / "1.apk", label="1")
    second = queue.add(make_artifact(size=2 * MB, artifact_id="2"), folder / "2.apk", label="2")
    await half_sent(server)
    states = {t.id: t.state for t in queue.snapshot().transfers}
    assert states == {first: TransferState.RUNNING, second: TransferState.QUEUED}
    queue.pause(first)
    await queue.wait([second])
    states = {t.id: t.state for t in queue.snapshot().transfers}
    assert states == {first: TransferState.PAUSED, second: TransferState.DONE}
    queue.resume(first)
    (result,) = await queue.wait([first])
    assert result.sha256 == server.sha256


async def test_no_more_than_the_wanted_number_run_at_once(
    provider: Provider,
    storage: Storage,
    server: FaultServer,
    folder: Path,
    make_artifact: Make,
    history: History,
) -> None:
    running = most = 0
    full = asyncio.Event()

    async def counted(artifact: Artifact) -> Source:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            full.set()
        await full.wait()
        source = await provider.source(artifact)
        running -= 1
        return source

    server.fill(1000)
    queue = TransferQueue(counted, storage, jobs=3, history=history)
    for number in range(12):
        queue.add(make_artifact(size=1000, artifact_id=str(number)), folder / f"{number}.apk", label="x")
        active = [t for t in queue.snapshot().transfers if t.state is TransferState.RUNNING]
        assert len(active) <= 3
    snapshot = await queue.join()
    assert most == 3
    assert {t.state for t in snapshot.transfers} == {TransferState.DONE}
    assert len(names(folder)) == 12


async def test_closing_saves_what_arrived_and_the_next_start_goes_on(
    provider: Provider,
    storage: Storage,
    server: FaultServer,
    folder: Path,
    make_artifact: Make,
    history: History,
) -> None:
    server.fill(2 * MB)
    server.plan = [Answer(pause=threading.Event())]
    queue = TransferQueue(provider.source, storage, history=history)
    queue.add(make_artifact(size=2 * MB), folder / "app.apk", label="app")
    await half_sent(server)
    await asyncio.to_thread(server.drain, folder / "app.apk")
    await queue.aclose()
    kept = part_path(folder / "app.apk").stat().st_size
    assert kept == MB

    again = TransferQueue(provider.source, storage, history=history)
    (result,) = await again.wait([again.add(make_artifact(size=2 * MB), folder / "app.apk", label="app")])
    assert result.sha256 == server.sha256
    assert server.requests[-1].headers["range"] == f"bytes={kept}-"


async def test_closing_does_not_wait_for_a_provider_that_hangs(
    storage: Storage, folder: Path, make_artifact: Make, history: History
) -> None:
    asked = asyncio.Event()
    cancelled = asyncio.Event()

    async def hang(artifact: Artifact) -> Source:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    queue = TransferQueue(hang, storage, history=history)
    queue.add(make_artifact(size=5), folder / "app.apk", label="app")
    await asked.wait()
    await queue.aclose()
    assert queue.snapshot().transfers[0].state is TransferState.CANCELLED
    await cancelled.wait()  # a turn of the loop or two later


async def test_the_same_download_is_queued_once(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Make
) -> None:
    server.fill(MB)
    ids = [queue.add(make_artifact(size=MB), folder / "app.apk", label="app") for _ in range(3)]
    assert len(set(ids)) == 1
    await queue.join()
    assert len(server.requests) == 1


async def test_two_artifacts_of_one_name_both_arrive(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Make
) -> None:
    server.fill(MB)
    ids = [
        queue.add(make_artifact(size=MB, artifact_id=str(number)), folder / "app.apk", label="app")
        for number in range(4)
    ]
    results = await queue.wait(ids)
    assert {result.state for result in results} == {TransferState.DONE}
    assert len({result.target for result in results}) == 4
    assert {result.target.read_bytes() for result in results} == {server.body}


async def test_two_queues_on_one_target_say_who_holds_it(
    queue: TransferQueue,
    provider: Provider,
    storage: Storage,
    server: FaultServer,
    folder: Path,
    make_artifact: Make,
    history: History,
) -> None:
    server.fill(2 * MB)
    go_on = threading.Event()
    server.plan = [Answer(pause=go_on)]
    first = queue.add(make_artifact(size=2 * MB), folder / "app.apk", label="app")
    await half_sent(server)
    other = TransferQueue(provider.source, storage, history=history, policy=RetryPolicy())
    (refused,) = await other.wait([other.add(make_artifact(size=2 * MB), folder / "app.apk", label="app")])
    assert isinstance(refused.error, Destination)
    assert "another transfer of this program" in str(refused.error)
    go_on.set()
    (result,) = await queue.wait([first])
    assert result.sha256 == server.sha256


async def test_the_snapshot_sums_up_what_is_left(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Make
) -> None:
    server.fill(2 * MB)
    go_on = threading.Event()
    server.plan = [Answer(pause=go_on)]
    queue.add(make_artifact(size=2 * MB), folder / "app.apk", label="app")
    await half_sent(server)
    snapshot = queue.snapshot()
    assert (snapshot.active, snapshot.waiting, snapshot.size_bytes) == (1, 0, 2 * MB)
    assert 0 <= snapshot.done_bytes <= 2 * MB
    go_on.set()
    snapshot = await queue.join()
    assert (snapshot.active, snapshot.done_bytes, snapshot.size_bytes) == (0, 0, 0)
    queue.clear_finished()
    assert queue.snapshot().transfers == ()


HOSTILE = [
    "../../etc/passwd", "..", ".", "", "/etc/passwd", "a/b", "a\\b", "C:\\x.apk", "nul\0byte", "~root", "-rf",
    "\x1b]52;c;x\x07.apk", "[bold]x[/", "new\nline.apk", "\u202egpj.apk", "x" * 300 + ".apk", "\ud800.apk", "CON",
    "same.apk", "SAME.apk", "x.part", "x.part.json", ".hidden", "foo..bar",
]  # fmt: skip


async def test_hostile_titles_stay_inside_the_folder(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Make, tmp_path: Path
) -> None:
    server.fill(100)
    safe = unique_filenames((title, str(number)) for number, title in enumerate(HOSTILE))
    before = outside(tmp_path, folder)
    for number, title in enumerate(HOSTILE):
        artifact = make_artifact(title, size=100, artifact_id=str(number))
        queue.add(artifact, folder / safe[str(number)], label=title)
    snapshot = await queue.join()
    assert {t.state for t in snapshot.transfers} == {TransferState.DONE}
    assert names(folder) == sorted(safe.values())
    assert len(safe) == len(HOSTILE)
    assert outside(tmp_path, folder) == before


async def test_no_file_system_links_still_never_clobbers(
    queue: TransferQueue,
    server: FaultServer,
    folder: Path,
    make_artifact: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import errno
    import os

    def no_links(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    server.fill(MB)
    go_on = threading.Event()
    server.plan = [Answer(pause=go_on)]
    transfer = queue.add(make_artifact(size=MB), folder / "app.apk", label="app")
    await half_sent(server)
    (folder / "app.apk").write_text("mine")
    go_on.set()
    (result,) = await queue.wait([transfer])
    assert (folder / "app.apk").read_text() == "mine"
    assert result.target.read_bytes() == server.body
    assert not sidecar_path(folder / "app.apk").exists()


async def test_a_broken_history_costs_only_the_shortcut(
    provider: Provider, storage: Storage, server: FaultServer, folder: Path, make_artifact: Make, tmp_path: Path
) -> None:
    broken = tmp_path / "transfers.sqlite"
    broken.write_bytes(b"not a database" * 100)
    server.fill(100)
    queue = TransferQueue(provider.source, storage, history=History(broken))
    (result,) = await queue.wait([queue.add(make_artifact(size=100), folder / "app.apk", label="app")])
    assert result.state is TransferState.DONE


def test_the_rate_is_that_of_the_last_seconds() -> None:
    now = 0.0
    meter = RateMeter(lambda: now)
    meter.start(1000)
    done = 1000
    for _ in range(200):
        now += 0.25
        done += 25
        meter.add(done)
    assert meter.rate(done) == pytest.approx(100)
    now += 92.25  # nothing arrives any more
    assert 0 < meter.rate(done) < 10


@pytest.mark.parametrize("how", ["pause", "cancel", "aclose"])
async def test_a_stop_after_the_last_byte_was_read_is_no_fault(
    provider: Provider,
    storage: Storage,
    server: FaultServer,
    folder: Path,
    make_artifact: Make,
    history: History,
    how: str,
) -> None:
    """While the limit of the rate holds it back the connection has been given back already."""
    server.fill(4096)
    queue = TransferQueue(provider.source, storage, history=history, limit_rate=100)
    transfer = queue.add(make_artifact(size=4096), folder / "app.apk", label="app")

    def wait_for_the_last_byte() -> None:
        while queue.snapshot().transfers[0].done_bytes < 4096:
            os.sched_yield()

    await asyncio.to_thread(wait_for_the_last_byte)
    if how == "pause":
        queue.pause(transfer)
        while queue.snapshot().transfers[0].state is not TransferState.PAUSED:
            await queue.changed()
    elif how == "cancel":
        queue.cancel(transfer)
        (result,) = await queue.wait([transfer])
        assert result.state is TransferState.CANCELLED
    await queue.aclose()
    assert queue.snapshot().transfers[0].state is TransferState.CANCELLED
    assert part_path(folder / "app.apk").stat().st_size == 4096


async def test_closing_stops_the_others_where_one_cannot_be_stopped(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.fill(2 * MB)
    go_on = threading.Event()
    server.always = Answer(pause=go_on)
    ids = [
        queue.add(make_artifact(size=2 * MB, artifact_id=name), folder / name, label=name)
        for name in ("first", "second")
    ]
    await half_sent(server)
    stop = Transfer.stop

    def fail(transfer: Transfer, *, discard: bool = False) -> None:
        if transfer.target.name == "first":
            go_on.set()  # so that it ends by itself
            raise RuntimeError("a fault of ours")
        stop(transfer, discard=discard)

    monkeypatch.setattr(Transfer, "stop", fail)
    await queue.aclose()
    (_, second) = await queue.wait(ids)
    assert second.state is TransferState.CANCELLED


async def test_a_download_that_is_asked_for_again_while_it_is_cancelled_starts_again(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Make
) -> None:
    server.fill(2 * MB)
    server.plan = [Answer(pause=threading.Event())]
    first = queue.add(make_artifact(size=2 * MB), folder / "app.apk", label="app")
    await half_sent(server)
    queue.cancel(first)
    again = queue.add(make_artifact(size=2 * MB), folder / "app.apk", label="as wished now")
    (result,) = await queue.wait([again])
    assert (result.state, result.sha256, result.label) == (TransferState.DONE, server.sha256, "as wished now")
    assert len(queue.snapshot().transfers) == 1


async def test_a_download_can_be_cancelled_before_the_storage_has_answered(
    storage: Storage, folder: Path, make_artifact: Make, history: History
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:

        async def source(artifact: Artifact) -> Source:
            return Source(url=Secret(f"http://127.0.0.1:{silent.getsockname()[1]}/x"), size_bytes=5)

        queue = TransferQueue(source, storage, history=history)
        transfer = queue.add(make_artifact(size=5), folder / "app.apk", label="app")
        connection, _ = await asyncio.to_thread(silent.accept)
        with connection:
            assert await asyncio.to_thread(connection.recv, 10)
            queue.cancel(transfer)
            async with asyncio.timeout(20):  # the storage client itself would wait for 30 s
                (result,) = await queue.wait([transfer])
    assert result.state is TransferState.CANCELLED
    assert names(folder) == []
    await queue.aclose()
