"""Faults of the disk: no room, no folder, taken names, planted links, parts that were changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfers.conftest import Answer, Download, FaultServer
from tests.transfers.test_transfer_faults import MB, assert_nothing_published, assert_published
from tui.errors import (
    Destination,
    DiskFull,
)
from tui.models import Artifact
from tui.transfers.claim import note_path, part_path, sidecar_path
from tui.transfers.destination import ConflictRule
from tui.transfers.part import discard_part
from tui.transfers.queue import TransferQueue
from tui.transfers.snapshot import TransferState

pytestmark = pytest.mark.usefixtures("size_class")


async def test_no_room_is_said_with_both_numbers_before_any_request(
    download: Download, server: FaultServer, folder: Path
) -> None:
    result = await download(size=1 << 60)
    assert_nothing_published(result, folder, DiskFull)
    assert f"{1 << 60:,}" in str(result.error)
    assert server.requests == []


async def test_a_disk_that_fills_up_is_named_and_the_part_is_kept(
    download: Download, server: FaultServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    server.fill(3 * MB)
    real = os.pwrite

    def full(descriptor: int, data: memoryview, offset: int) -> int:
        if offset + len(data) > 2 * MB:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data, offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        assert_nothing_published(await download(), folder, DiskFull)
    kept = part_path(folder / "app.apk").stat().st_size
    assert 0 < kept <= 2 * MB
    assert_published(await download(), server, folder)
    assert server.requests[-1].headers["range"] == f"bytes={kept}-"


async def test_a_missing_folder_is_made_and_a_forbidden_one_named_before_any_request(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Callable[..., Artifact]
) -> None:
    server.fill(10)
    (folder / "file").write_text("x")
    bad = queue.add(make_artifact(size=10), folder / "file" / "sub" / "app.apk", label="app")
    good = queue.add(make_artifact(size=10), folder / "a" / "b" / "app.apk", label="app")
    results = await queue.wait([bad, good])
    assert isinstance(results[0].error, Destination)
    assert results[1].state is TransferState.DONE
    assert len(server.requests) == 1


async def test_a_folder_that_vanishes_stops_with_its_name(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Callable[..., Artifact]
) -> None:
    server.fill(MB)
    go_on = threading.Event()
    server.plan = [Answer(pause=go_on)]
    target = folder / "sub" / "app.apk"
    transfer = queue.add(make_artifact(size=MB), target, label="app")
    await asyncio.to_thread(server.half_sent.wait, 10)
    target.parent.rename(folder / "moved")
    go_on.set()
    (result,) = await queue.wait([transfer])
    assert isinstance(result.error, Destination)
    assert not (folder / "moved" / "app.apk").exists()


async def test_the_same_file_is_not_fetched_again_and_a_changed_one_is(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    await download()
    again = await download()
    assert (again.state, again.note, again.sha256) == (TransferState.DONE, "already there", server.sha256)
    assert len(server.requests) == 1

    (folder / "app.apk").write_bytes(bytes(MB))  # same size, other bytes
    changed = await download()
    assert changed.target == folder / "app (2).apk"
    assert (folder / "app.apk").read_bytes() == bytes(MB)
    assert (await download()).note == "already there"


async def test_another_file_of_the_name_is_never_overwritten_unasked(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(100)
    (folder / "app.apk").write_text("mine")
    kept = await download(rule=ConflictRule.SKIP)
    assert isinstance(kept.error, Destination)
    assert (folder / "app.apk").read_text() == "mine"
    assert server.requests == []
    renamed = await download(rule=ConflictRule.RENAME)
    assert renamed.target == folder / "app (2).apk"
    assert (folder / "app.apk").read_text() == "mine"
    replaced = await download(rule=ConflictRule.OVERWRITE)
    assert replaced.target == folder / "app.apk"
    assert (folder / "app.apk").read_bytes() == server.body


async def test_a_name_taken_during_the_download_is_not_overwritten(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Callable[..., Artifact]
) -> None:
    server.fill(MB)
    go_on = threading.Event()
    server.plan = [Answer(pause=go_on)]
    transfer = queue.add(make_artifact(size=MB), folder / "app.apk", label="app")
    await asyncio.to_thread(server.half_sent.wait, 10)
    (folder / "app.apk").write_text("mine")
    go_on.set()
    (result,) = await queue.wait([transfer])
    assert (folder / "app.apk").read_text() == "mine"
    assert result.target == folder / "app (2).apk"
    assert result.target.read_bytes() == server.body


@pytest.mark.parametrize("rule", list(ConflictRule))
@pytest.mark.parametrize("suffix", ["", ".part", ".part.json"])
async def test_a_planted_link_is_never_written_through(
    download: Download, server: FaultServer, folder: Path, tmp_path: Path, rule: ConflictRule, suffix: str
) -> None:
    server.fill(100)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (folder / f"app.apk{suffix}").symlink_to(victim)
    await download(rule=rule)
    assert victim.read_text() == "precious"


async def test_a_part_that_is_a_second_name_of_another_file_is_not_written_to(
    download: Download, server: FaultServer, folder: Path, tmp_path: Path
) -> None:
    server.fill(100)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    part_path(folder / "app.apk").hardlink_to(victim)
    assert_published(await download(), server, folder)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("damage", ["flip", "truncate", "sidecar", "no sidecar"])
async def test_a_part_that_was_changed_on_disk_is_not_trusted(
    download: Download, server: FaultServer, folder: Path, damage: str
) -> None:
    server.fill(MB)
    server.plan, server.always = [Answer(cut_after=600_000)], Answer(cut_after=0)
    await download()
    part, sidecar = part_path(folder / "app.apk"), sidecar_path(folder / "app.apk")
    match damage:
        case "flip":
            data = bytearray(part.read_bytes())
            data[1000] ^= 1
            part.write_bytes(data)
        case "truncate":
            part.write_bytes(part.read_bytes()[:-1])
        case "sidecar":
            sidecar.write_text('{"version": 1, "artifact": [], "synced_bytes": "x"')
        case _:
            sidecar.unlink()
    server.always = Answer()
    assert_published(await download(), server, folder)


async def test_the_sidecar_holds_no_url(download: Download, server: FaultServer, folder: Path) -> None:
    server.fill(MB)
    server.plan, server.always = [Answer(cut_after=600_000)], Answer(cut_after=0)
    result = await download()
    files = [path for path in folder.parent.rglob("*") if path.is_file()]
    assert sidecar_path(folder / "app.apk") in files
    for path in files:
        assert b"SENTINEL" not in path.read_bytes()
        assert b"http" not in path.read_bytes() or path.suffix == ".part"
    assert "SENTINEL" not in repr(result)


async def test_the_unfinished_file_of_another_build_is_left_alone(
    queue: TransferQueue, server: FaultServer, folder: Path, make_artifact: Callable[..., Artifact]
) -> None:
    server.fill(MB)
    server.plan, server.always = [Answer(cut_after=600_000)], Answer(cut_after=0)
    await queue.wait([queue.add(make_artifact(size=MB, artifact_id="A1"), folder / "app.apk", label="1")])
    server.always = Answer()
    second = queue.add(make_artifact(size=MB, artifact_id="A2"), folder / "app.apk", label="2")
    (result,) = await queue.wait([second])
    assert result.target == folder / "app (2).apk"
    assert part_path(folder / "app.apk").stat().st_size == 600_000


@pytest.mark.parametrize("rule", list(ConflictRule))
async def test_an_unfinished_file_of_another_program_is_left_alone(
    download: Download, server: FaultServer, folder: Path, rule: ConflictRule
) -> None:
    """Firefox, too, calls what it is loading `NAME.part`."""
    server.fill(MB)
    theirs = part_path(folder / "app.apk")
    theirs.write_bytes(b"not ours" * 100)
    for _ in range(2):
        result = await download(rule=rule)
        if rule is ConflictRule.RENAME:
            assert (result.state, result.target) == (TransferState.DONE, folder / "app (2).apk")
            assert result.target.read_bytes() == server.body
        else:
            assert isinstance(result.error, Destination)
            assert "another program" in str(result.error)
    assert theirs.read_bytes() == b"not ours" * 100
    assert not sidecar_path(folder / "app.apk").exists()
    assert len(server.requests) == (rule is ConflictRule.RENAME)


async def test_an_unfinished_file_of_another_program_survives_a_look_and_a_cancel(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    await download()
    theirs = part_path(folder / "app.apk")
    theirs.write_bytes(b"not ours")
    assert (await download()).note == "already there"
    assert theirs.read_bytes() == b"not ours"
    discard_part(folder / "app.apk")
    assert theirs.read_bytes() == b"not ours"


async def test_a_part_that_a_kill_left_empty_is_taken(download: Download, server: FaultServer, folder: Path) -> None:
    server.fill(MB)
    part_path(folder / "app.apk").touch()
    assert_published(await download(), server, folder)


async def test_a_part_that_a_kill_left_as_a_second_name_of_the_finished_file_is_only_removed(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    await download()
    part_path(folder / "app.apk").hardlink_to(folder / "app.apk")
    note_path(folder / "app.apk").write_text("{}")
    result = await download()
    assert result.note == "already there"
    assert_published(result, server, folder)
