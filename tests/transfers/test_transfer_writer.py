"""Bytes that are written behind their receiver's back: all there in the end, and claimed no sooner than written."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui.models import Artifact
from tui.transfers.claim import part_path, read_claims
from tui.transfers.part import BLOCK_BYTES, PartFile
from tui.transfers.spans import Span
from tui.transfers.writer import Writer

DATA = random.Random(5).randbytes(12 * BLOCK_BYTES + 1000)

DIRECT = pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="this system has no O_DIRECT")


@pytest.fixture
def part(folder: Path, make_artifact: Callable[..., Artifact], monkeypatch: pytest.MonkeyPatch) -> Iterator[PartFile]:
    """A new one, which counts as large."""
    monkeypatch.setattr("tui.transfers.part._SETTLING_BYTES", 0)
    made = PartFile(folder / "app.apk", make_artifact().ref)
    made.restore(lambda: None)
    made.size_bytes, made.validator = len(DATA), '"v1"'
    yield made
    made.close()


def receive(writer: Writer, start: int, end: int, most: int = BLOCK_BYTES) -> None:
    """Gives the writer these bytes of `DATA`, as much at once as it and `most` allow."""
    while start < end:
        room = writer.room(min(most, end - start))
        room[:] = DATA[start : start + len(room)]
        start += len(room)
        writer.write(room)


def receive_all(part: PartFile, span: Span | None = None) -> None:
    with Writer(part, span or part.spans.open(part.done_bytes)) as writer:
        receive(writer, writer.end, len(DATA))


def assert_complete(part: PartFile) -> None:
    while part.hash_next():
        pass
    assert part.sha256() == hashlib.sha256(DATA).hexdigest()
    assert part_path(part.target).read_bytes() == DATA


@pytest.fixture
def direct_writes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The offsets of what is written past the system's memory."""
    import fcntl

    offsets: list[int] = []
    real = os.pwrite

    def noted(descriptor: int, data: memoryview, offset: int) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            offsets.append(offset)
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", noted)
    return offsets


@DIRECT
def test_whole_blocks_go_past_the_memory_of_the_system_and_the_rest_through_it(
    part: PartFile, direct_writes: list[int]
) -> None:
    receive_all(part)
    assert_complete(part)
    if not direct_writes:
        pytest.skip("the file system of the temporary folder has no direct writes")
    assert direct_writes == [number * BLOCK_BYTES for number in range(12)]


@DIRECT
def test_a_file_that_is_not_large_stays_in_the_memory_of_the_system(
    part: PartFile, direct_writes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.transfers.part._SETTLING_BYTES", len(DATA))
    receive_all(part)
    assert_complete(part)
    assert direct_writes == []


def test_pieces_of_any_length_between_blocks_leave_no_gap(part: PartFile) -> None:
    with Writer(part, part.spans.open(0)) as writer:
        for end, most in ((100, 100), (3 * BLOCK_BYTES, BLOCK_BYTES), (3 * BLOCK_BYTES + 7, 3), (len(DATA), 1 << 30)):
            receive(writer, writer.end, end, most)
    assert_complete(part)


def test_what_follows_a_gap_is_hashed_when_the_gap_is_filled(part: PartFile) -> None:
    later = part.spans.open(4 * BLOCK_BYTES)
    with Writer(part, later) as writer:
        receive(writer, writer.end, len(DATA))
    part.spans.close(later)
    with Writer(part, part.spans.open(0)) as writer:
        receive(writer, 0, 4 * BLOCK_BYTES)
    assert_complete(part)


@DIRECT
@pytest.mark.parametrize("refused", ["opening", "writing"])
def test_a_file_system_without_direct_writes_gets_ordinary_ones(
    part: PartFile, direct_writes: list[int], refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    open_file, write = os.open, os.pwrite

    def refuse_to_open(path: Path, flags: int, *mode: int) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "not here")
        return open_file(path, flags, *mode)

    def refuse_to_write(descriptor: int, data: memoryview, offset: int) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            raise OSError(errno.EINVAL, "blocks are larger here")
        return write(descriptor, data, offset)

    if refused == "opening":
        monkeypatch.setattr(os, "open", refuse_to_open)
    else:
        monkeypatch.setattr(os, "pwrite", refuse_to_write)
    receive_all(part)
    assert_complete(part)
    assert direct_writes == []


@DIRECT
def test_a_direct_write_that_stops_short_is_completed(part: PartFile, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    write = os.pwrite

    def stop_short(descriptor: int, data: memoryview, offset: int) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            data = data[:4096]
        return write(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", stop_short)
    receive_all(part)
    assert_complete(part)


@DIRECT
def test_nothing_is_written_to_a_file_that_took_the_place_of_the_part(part: PartFile) -> None:
    path = part_path(part.target)
    path.rename(path.with_name("elsewhere"))
    path.write_text("planted")
    receive_all(part)
    assert path.read_text() == "planted"
    assert path.with_name("elsewhere").read_bytes() == DATA


def test_a_disk_that_refuses_keeps_what_came_before_and_goes_on_from_there(
    part: PartFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, limit = os.pwrite, 5 * BLOCK_BYTES

    def full(descriptor: int, data: memoryview, offset: int) -> int:
        if offset + len(data) > limit:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data, offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        span = part.spans.open(0)
        with pytest.raises(OSError, match="No space"):
            receive_all(part, span)
        part.spans.close(span)
    assert part.done_bytes == limit
    assert part.sha256() == hashlib.sha256(DATA[:limit]).hexdigest()
    receive_all(part)
    assert_complete(part)


def test_a_fault_of_ours_in_the_thread_is_told_and_nobody_waits_for_it(
    part: PartFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("ours")

    monkeypatch.setattr(part, "write_hashed", broken)
    with pytest.raises(LookupError, match="ours"):
        receive_all(part)


def fail_on_the_way(part: PartFile, blocks: int) -> None:
    with Writer(part, part.spans.open(0)) as writer:
        receive(writer, 0, blocks * BLOCK_BYTES)
        raise KeyError


def test_what_was_taken_is_there_after_an_error_elsewhere(part: PartFile) -> None:
    with pytest.raises(KeyError):
        fail_on_the_way(part, 5)
    assert part.done_bytes == 5 * BLOCK_BYTES
    assert part.sha256() == hashlib.sha256(DATA[: 5 * BLOCK_BYTES]).hexdigest()


def test_an_error_elsewhere_is_not_hidden_by_one_of_the_disk(part: PartFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(part, "write_hashed", broken)
    with pytest.raises(KeyError):
        fail_on_the_way(part, 1)


def test_blocks_that_a_slow_disk_has_not_taken_are_not_claimed(part: PartFile, monkeypatch: pytest.MonkeyPatch) -> None:
    write_hashed, disk = part.write_hashed, threading.Semaphore(2)

    def slow(span: Span, block: memoryview, digest: hashlib._Hash) -> None:
        disk.acquire()
        write_hashed(span, block, digest)
        written.release()

    written = threading.Semaphore(0)
    monkeypatch.setattr(part, "write_hashed", slow)
    with Writer(part, part.spans.open(0)) as writer:
        receive(writer, 0, 4 * BLOCK_BYTES)
        for _ in range(2):
            written.acquire()
        part.write_note()
        (claim,) = read_claims(part.target)
        disk.release(100)
        receive(writer, 4 * BLOCK_BYTES, len(DATA))
    assert claim.held_bytes == 2 * BLOCK_BYTES
    assert claim.prefix.sha256 == hashlib.sha256(DATA[: 2 * BLOCK_BYTES]).hexdigest()
    assert_complete(part)
