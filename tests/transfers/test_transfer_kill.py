"""A real process, killed: what it left on disk is continued, and its lock is gone with it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfers.conftest import Answer, FaultServer
from tui.models import Artifact
from tui.transfers.claim import part_path
from tui.transfers.part import NOTE_BYTES
from tui.transfers.queue import TransferQueue
from tui.transfers.snapshot import TransferState

MB = 1 << 20

CHILD = """
import asyncio, sys
from pathlib import Path
from tui.models import AccountName, AppId, Artifact, ArtifactId, ArtifactKind, ArtifactRef, BuildId, Source
from tui.secret import Secret
from tui.storage import Storage
from tui.transfers.queue import TransferQueue

url, target, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
ref = ArtifactRef(AccountName("acme"), AppId("app"), BuildId("b1"), ArtifactId("A1"))
artifact = Artifact(ref=ref, title="app.apk", kind=ArtifactKind.APK, kind_raw="x", size_bytes=size)

async def source(artifact):
    return Source(url=Secret(url), size_bytes=size)

async def main():
    queue = TransferQueue(source, Storage(allow_loopback=True))
    (result,) = await queue.wait([queue.add(artifact, target, label="app")])
    print(result.state, result.error or "")
    await queue.aclose()

asyncio.run(main())
"""


def start(server: FaultServer, target: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url(), str(target), str(len(server.body))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_download_goes_on_and_fetches_little_twice(
    server: FaultServer, folder: Path, how: signal.Signals
) -> None:
    server.fill(30 * MB)
    kills = 3
    for _ in range(kills):
        server.half_sent.clear()
        server.plan = [Answer(pause=threading.Event())]
        with start(server, folder / "app.apk") as child:
            assert server.half_sent.wait(20)
            server.drain(folder / "app.apk")
            child.send_signal(how)
            child.communicate()
        assert not (folder / "app.apk").exists()
    with start(server, folder / "app.apk") as child:
        out, err = child.communicate()
    assert out.split()[0] == "done", err
    assert hashlib.sha256((folder / "app.apk").read_bytes()).hexdigest() == server.sha256
    assert server.sent <= len(server.body) + kills * NOTE_BYTES
    assert [path.name for path in folder.iterdir()] == ["app.apk"]


async def test_a_second_process_says_who_holds_the_file_until_that_one_is_gone(
    server: FaultServer, folder: Path, queue: TransferQueue, make_artifact: Callable[..., Artifact]
) -> None:
    server.fill(4 * MB)
    server.plan = [Answer(pause=threading.Event())]
    target = folder / "app.apk"
    with start(server, target) as child:
        assert server.half_sent.wait(20)
        (refused,) = await queue.wait([queue.add(make_artifact(size=4 * MB), target, label="app")])
        assert f"process {child.pid} on " in str(refused.error)
        assert part_path(target).exists()
        child.kill()
        child.communicate()
    (result,) = await queue.wait([queue.add(make_artifact(size=4 * MB), target, label="app")])
    assert result.state is TransferState.DONE
    assert result.sha256 == server.sha256
