"""The queue outlives the program, however it ends, and belongs to one program at a time."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfers.conftest import Answer, FaultServer, Provider
from tui.errors import NotFound
from tui.models import AccountName, Artifact
from tui.storage import Storage
from tui.transfers.claim import claimed_bytes
from tui.transfers.destination import ConflictRule
from tui.transfers.history import History
from tui.transfers.lock import try_lock
from tui.transfers.queue import TransferQueue
from tui.transfers.retry import RetryPolicy
from tui.transfers.snapshot import TransferState
from tui.transfers.store import QueueStore

MB = 1 << 20
ACME = (AccountName("acme"),)
Make = Callable[..., Artifact]
Queue = Callable[[], TransferQueue]

CHILD = """
import asyncio, sys
from pathlib import Path
from tui.models import AccountName, AppId, Artifact, ArtifactId, ArtifactKind, ArtifactRef, BuildId, Source
from tui.secret import Secret
from tui.storage import Storage
from tui.transfers.queue import TransferQueue
from tui.transfers.store import QueueStore

url, target, size, database = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])

async def source(artifact):
    return Source(url=Secret(url), size_bytes=size)

async def main():
    queue = TransferQueue(source, Storage(allow_loopback=True), jobs=1)
    left = await queue.keep(QueueStore(database), ["acme"])
    if left:
        for transfer in left:
            queue.resume(transfer)
    else:
        for number in range(3):
            ref = ArtifactRef(AccountName("acme"), AppId("app"), BuildId("b1"), ArtifactId(str(number)))
            artifact = Artifact(ref=ref, title="a", kind=ArtifactKind.APK, kind_raw="x", size_bytes=size)
            queue.add(artifact, target.with_name(f"{number}.apk"), label=str(number))
    print(len(left), flush=True)
    await queue.join()
    await queue.aclose()

asyncio.run(main())
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "home" / "state" / "transfers.sqlite"


@pytest.fixture
def new_queue(provider: Provider, storage: Storage, history: History) -> Queue:
    return lambda: TransferQueue(
        provider.source, storage, history=history, policy=RetryPolicy(first_delay_s=0.0, max_delay_s=0.0)
    )


async def test_what_is_unfinished_at_the_end_is_there_at_the_next_start(
    new_queue: Queue, server: FaultServer, folder: Path, make_artifact: Make, database: Path
) -> None:
    server.fill(2 * MB)
    server.plan = [Answer(pause=threading.Event())]
    artifact = make_artifact("títle \ud800", size=2 * MB)
    queue = new_queue()
    assert await queue.keep(QueueStore(database), ACME) == ()
    queue.add(artifact, folder / "app.apk", label="app", rule=ConflictRule.OVERWRITE, unpack=True)
    assert await asyncio.to_thread(server.half_sent.wait, 10)
    await queue.aclose()
    kept = claimed_bytes(folder / "app.apk")

    queue = new_queue()
    (transfer,) = await queue.keep(QueueStore(database), ACME)
    (seen,) = queue.snapshot().transfers
    assert (seen.state, seen.note, seen.label) == (TransferState.PAUSED, "interrupted", "app")
    assert (seen.artifact, seen.target, seen.done_bytes) == (artifact, folder / "app.apk", kept)
    assert len(server.requests) == 1  # nothing goes on by itself
    queue.resume(transfer)
    (result,) = await queue.wait([transfer])
    assert (result.state, result.sha256) == (TransferState.DONE, server.sha256)
    await queue.aclose()
    assert await new_queue().keep(QueueStore(database), ACME) == ()


async def test_a_failed_transfer_keeps_its_reason_and_can_be_tried_again(
    new_queue: Queue, server: FaultServer, provider: Provider, folder: Path, make_artifact: Make, database: Path
) -> None:
    server.fill(100)
    provider.errors = [NotFound("It expired.")]
    queue = new_queue()
    await queue.keep(QueueStore(database), ACME)
    await queue.wait([queue.add(make_artifact(size=100), folder / "app.apk", label="app")])
    await queue.aclose()
    queue = new_queue()
    (transfer,) = await queue.keep(QueueStore(database), ACME)
    (seen,) = queue.snapshot().transfers
    assert (seen.state, str(seen.error)) == (TransferState.FAILED, "It expired.")
    queue.retry(transfer)
    (result,) = await queue.wait([transfer])
    assert result.state is TransferState.DONE


async def test_cancelled_and_cleared_ones_are_forgotten_and_the_order_is_kept(
    new_queue: Queue, provider: Provider, folder: Path, make_artifact: Make, database: Path
) -> None:
    provider.errors = [NotFound("Gone.")]
    queue = new_queue()
    await queue.keep(QueueStore(database), ACME)
    queue.set_limits(jobs=1, limit_rate=None)
    failing = queue.add(make_artifact(size=5, artifact_id="f"), folder / "f.apk", label="f")
    await queue.wait([failing])
    queue.set_limits(jobs=0, limit_rate=None)
    a, b, c = (queue.add(make_artifact(size=5, artifact_id=n), folder / n, label=n) for n in "abc")
    queue.cancel(b)
    queue.clear_finished()
    queue.move(c, -5)
    assert [t.label for t in queue.snapshot().transfers] == ["c", "a"]
    await queue.aclose()
    queue = new_queue()
    await queue.keep(QueueStore(database), ACME)
    assert [t.label for t in queue.snapshot().transfers] == ["c", "a"]
    assert a != c
    await queue.aclose()


async def test_two_programs_keep_their_own_and_other_accounts_stay_stored(
    new_queue: Queue, folder: Path, make_artifact: Make, database: Path
) -> None:
    first, second = new_queue(), new_queue()
    first.set_limits(jobs=0, limit_rate=None)
    await first.keep(QueueStore(database), ACME)
    first.add(make_artifact(size=5), folder / "app.apk", label="app")
    assert await second.keep(QueueStore(database), ACME) == ()
    await first.aclose()
    other = new_queue()
    assert await other.keep(QueueStore(database), [AccountName("other")]) == ()
    third = new_queue()
    assert len(await third.keep(QueueStore(database), ACME)) == 1
    for queue in (second, other, third):
        await queue.aclose()


async def test_no_url_and_no_query_is_stored(
    new_queue: Queue, server: FaultServer, folder: Path, make_artifact: Make, database: Path
) -> None:
    server.fill(2 * MB)
    server.plan = [Answer(pause=threading.Event())]
    queue = new_queue()
    await queue.keep(QueueStore(database), ACME)
    queue.add(make_artifact(size=2 * MB), folder / "app.apk", label="app")
    assert await asyncio.to_thread(server.half_sent.wait, 10)
    await queue.aclose()
    for content in _contents(database.parent, folder):
        assert b"SENTINEL" not in content
        assert b"http" not in content


async def test_an_unreadable_store_costs_only_the_memory(
    new_queue: Queue, server: FaultServer, folder: Path, make_artifact: Make, tmp_path: Path
) -> None:
    broken = tmp_path / "queue.sqlite"
    broken.write_bytes(b"not a database" * 100)
    server.fill(100)
    queue = new_queue()
    assert await queue.keep(QueueStore(broken), ACME) == ()
    (result,) = await queue.wait([queue.add(make_artifact(size=100), folder / "app.apk", label="app")])
    assert result.state is TransferState.DONE
    await queue.aclose()


async def test_a_row_of_another_version_is_left_out(new_queue: Queue, database: Path) -> None:
    queue = new_queue()
    await queue.keep(QueueStore(database), ACME)
    await queue.aclose()
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO queue VALUES ('k', 'nobody', 1, 'acme', '{\"artifact\": 5}')")
    connection.close()
    queue = new_queue()
    assert await queue.keep(QueueStore(database), ACME) == ()
    await queue.aclose()


def test_after_a_kill_the_next_program_goes_on(server: FaultServer, folder: Path, database: Path) -> None:
    server.fill(2 * MB)
    server.plan = [Answer(pause=threading.Event())]
    command = [sys.executable, "-c", CHILD, server.url(), str(folder / "x"), str(2 * MB), str(database)]
    with subprocess.Popen(command, env={**os.environ}, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert server.half_sent.wait(20)
            assert child.stdout is not None
            assert child.stdout.readline() == "0\n"
            while _rows(database) < 3:
                assert child.poll() is None
        finally:
            child.send_signal(signal.SIGKILL)
    done = subprocess.run(command, env={**os.environ}, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "3\n"
    assert sorted(path.name for path in folder.iterdir()) == ["0.apk", "1.apk", "2.apk"]
    assert {path.read_bytes() for path in folder.iterdir()} == {server.body}
    assert _rows(database) == 0


def _contents(*folders: Path) -> list[bytes]:
    return [path.read_bytes() for folder in folders for path in folder.iterdir()]


def _rows(database: Path) -> int:
    connection = sqlite3.connect(database, timeout=10)
    try:
        return int(connection.execute("SELECT COUNT(*) FROM queue").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0
    finally:
        connection.close()


async def test_no_program_leaves_its_lock_behind(
    new_queue: Queue, folder: Path, make_artifact: Make, database: Path
) -> None:
    database.parent.mkdir(parents=True)
    dead = database.with_name("queue-dead.lock")
    dead.touch()  # of a program that was killed with an empty queue
    alive, other = new_queue(), new_queue()
    await alive.keep(QueueStore(database), ACME)
    (lock,) = database.parent.glob("queue-*.lock")
    assert lock != dead
    await other.keep(QueueStore(database), ACME)
    assert lock.exists()
    alive.set_limits(jobs=0, limit_rate=None)
    alive.add(make_artifact(size=5), folder / "app.apk", label="app")
    for queue in (alive, other):
        await queue.aclose()
    assert list(database.parent.glob("queue-*.lock")) == []
    third = new_queue()
    assert len(await third.keep(QueueStore(database), ACME)) == 1
    await third.aclose()


async def test_a_lock_that_another_program_takes_for_a_dead_one_is_not_relied_on(
    new_queue: Queue, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([True])

    def looked_at_first(descriptor: int) -> bool:
        """Another program locks the new file, removes it and is gone, before its maker locks it."""
        if next(looks, False):
            for path in database.parent.glob("queue-*.lock"):
                path.unlink()
        return try_lock(descriptor)

    monkeypatch.setattr("tui.transfers.store.try_lock", looked_at_first)
    queue = new_queue()
    await queue.keep(QueueStore(database), ACME)
    assert len(list(database.parent.glob("queue-*.lock"))) == 1
    await queue.aclose()
