"""Large files over several connections: never a wrong byte, hardly one twice, and one connection where it must be."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from tests.transfers.conftest import Answer, Download, FaultServer, Provider
from tests.transfers.test_transfer_kill import start
from tui.models import Artifact
from tui.storage import Storage
from tui.transfers.claim import claimed_bytes, part_path
from tui.transfers.history import History
from tui.transfers.part import NOTE_BYTES
from tui.transfers.queue import TransferQueue
from tui.transfers.retry import RetryPolicy
from tui.transfers.snapshot import TransferSnapshot, TransferState

MB = 1 << 20
SIZE = 65 * MB


def assert_whole(result: TransferSnapshot, server: FaultServer, folder: Path) -> None:
    assert result.state is TransferState.DONE, result.error
    assert hashlib.sha256((folder / "app.apk").read_bytes()).hexdigest() == server.sha256 == result.sha256
    assert [path.name for path in folder.iterdir()] == ["app.apk"]


async def test_a_large_file_comes_in_parts_each_fetched_once(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(SIZE)
    assert_whole(await download(), server, folder)
    assert server.sent == SIZE
    assert len(server.requests) > 4
    assert all(request.headers["range"].startswith("bytes=") for request in server.requests)
    assert {request.headers.get("if-range") for request in server.requests[1:]} == {'"v1"'}


async def test_four_connections_run_at_once(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Callable[..., Artifact]
) -> None:
    server.fill(SIZE)
    go_on = threading.Event()
    server.always = Answer(pause=go_on)
    transfer = queue.add(make_artifact(size=SIZE), folder / "app.apk", label="app")

    def wait_for_four() -> None:
        while len(server.requests) < 4:
            assert server.half_sent.wait(10)

    await asyncio.to_thread(wait_for_four)
    go_on.set()
    (result,) = await queue.wait([transfer])
    assert_whole(result, server, folder)


@pytest.mark.parametrize("reset", [False, True])
async def test_breaks_on_any_connection_cost_only_what_was_on_its_way(
    download: Download, server: FaultServer, folder: Path, reset: bool
) -> None:
    server.fill(SIZE)
    server.plan = [Answer(cut_after=3 * MB + 17 * n, reset=reset) for n in range(9)]
    assert_whole(await download(), server, folder)
    if not reset:
        assert server.sent == SIZE


async def test_a_server_that_ignores_ranges_gets_one_connection(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(SIZE)
    server.always = Answer(ignore_range=True)
    assert_whole(await download(), server, folder)
    assert len(server.requests) == 1


async def test_without_a_validator_there_is_one_connection(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(SIZE)
    server.etag = None
    assert_whole(await download(), server, folder)
    assert server.sent <= SIZE + 64 * 1024


async def test_refusals_of_further_connections_leave_the_work_to_the_first(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(SIZE)
    server.plan = [Answer(), *[Answer(status=503)] * 9]
    assert_whole(await download(), server, folder)


async def test_a_further_connection_that_gets_another_part_or_object_writes_nothing(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(SIZE)
    server.plan = [Answer(), Answer(range_start=5), Answer(ignore_range=True), Answer(drop_content_range=True)]
    assert_whole(await download(), server, folder)


async def test_an_object_that_changes_meanwhile_is_never_mixed(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(SIZE, seed=1)
    server.plan = [Answer(cut_after=2 * MB)] * 4
    server.always = Answer(cut_after=0)
    await download()
    server.fill(SIZE, seed=2)
    server.etag, server.always = '"v2"', Answer()
    result = await download()
    assert_whole(result, server, folder)
    assert result.note == "started over: it changed on the server"


async def test_expiring_links_are_replaced_for_every_connection(
    download: Download, server: FaultServer, folder: Path, provider: Provider
) -> None:
    server.fill(SIZE)
    expired = Answer(status=403, text=b"<Error><Code>AccessDenied</Code></Error>")
    server.plan = [Answer(cut_after=2 * MB), expired, Answer(cut_after=2 * MB), Answer(), expired, Answer()]
    assert_whole(await download(), server, folder)
    assert provider.asked >= 2


async def test_pause_ends_all_connections_and_resume_fetches_only_the_rest(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Callable[..., Artifact]
) -> None:
    server.fill(SIZE)
    server.always = Answer(pause=threading.Event())
    transfer = queue.add(make_artifact(size=SIZE), folder / "app.apk", label="app")
    assert await asyncio.to_thread(server.half_sent.wait, 10)
    queue.pause(transfer)
    while queue.snapshot().transfers[0].state is not TransferState.PAUSED:
        await queue.changed()
    kept = claimed_bytes(folder / "app.apk")
    server.always = Answer()
    before = len(server.requests)
    queue.resume(transfer)
    (result,) = await queue.wait([transfer])
    assert_whole(result, server, folder)
    assert sum(request.sent for request in server.requests[before:]) == SIZE - kept


def test_killed_with_several_connections_it_goes_on_with_the_bytes_on_disk(server: FaultServer, folder: Path) -> None:
    server.fill(SIZE)
    target = folder / "app.apk"
    for _ in range(3):
        server.plan = [Answer(pause=threading.Event()) for _ in range(4)]
        enough = claimed_bytes(target) + 2 * MB
        with start(server, target) as child:
            try:
                while claimed_bytes(target) < enough:
                    assert child.poll() is None
            finally:
                child.send_signal(signal.SIGKILL)
            child.communicate()
        assert not target.exists()
    server.plan = []
    before = len(server.requests)
    kept = claimed_bytes(target)
    with start(server, target) as child:
        out, err = child.communicate()
    assert out.split()[0] == "done", err
    assert hashlib.sha256(target.read_bytes()).hexdigest() == server.sha256
    assert kept > 4 * MB
    assert sum(request.sent for request in server.requests[before:]) <= SIZE - kept + NOTE_BYTES


async def test_answers_that_do_not_tell_the_size_any_more_leave_every_byte_to_one_connection(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(SIZE)
    server.plan = [Answer(cut_after=3 * MB)]
    server.always = Answer(unknown_total=True)
    assert_whole(await download(), server, folder)
    assert server.sent == SIZE


async def test_what_a_further_connection_still_gets_of_the_former_object_is_not_written(
    provider: Provider,
    storage: Storage,
    server: FaultServer,
    folder: Path,
    make_artifact: Callable[..., Artifact],
    history: History,
) -> None:
    """The first connection has no byte yet when the object changes, so for it there is nothing to start over."""
    has_helper = threading.Event()
    part = part_path(folder / "app.apk")

    def change_the_object() -> None:
        server.fill(SIZE, seed=2)
        server.etag = '"v2"'
        has_helper.set()
        deadline = monotonic() + 20
        while part.stat().st_size == 0:
            assert monotonic() < deadline
            os.sched_yield()

    server.fill(SIZE, seed=1)
    server.plan = [Answer(cut_after=0, between=lambda: has_helper.wait(20)), Answer(between=change_the_object)]
    server.always = Answer(ignore_if_range=True)
    policy = RetryPolicy(first_delay_s=0.0, max_delay_s=0.0)
    queue = TransferQueue(provider.source, storage, connections=2, history=history, policy=policy)
    (result,) = await queue.wait([queue.add(make_artifact(size=SIZE), folder / "app.apk", label="app")])
    assert_whole(result, server, folder)
    await queue.aclose()
