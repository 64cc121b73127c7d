"""The unfinished file on disk after the end of a process, and after that of a machine."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import Destination
from tui.models import AccountName, AppId, Artifact, ArtifactId, ArtifactRef, BuildId
from tui.transfers.claim import Claim, Prefix, part_path, remove_claims, sidecar_path
from tui.transfers.part import NOTE_BYTES, SYNC_BYTES, PartFile, discard_part
from tui.transfers.proving import prove
from tui.transfers.retry import Stopped
from tui.transfers.spans import Spans

WRITTEN = SYNC_BYTES + 2 * NOTE_BYTES + 1000
DATA = random.Random(3).randbytes(WRITTEN)


def go_on() -> None:
    """The caller does not want to stop."""


@pytest.fixture
def ref(make_artifact: Callable[..., Artifact]) -> ArtifactRef:
    return make_artifact().ref


@pytest.fixture
def target(folder: Path, ref: ArtifactRef) -> Path:
    """What a killed process leaves: a synced block, notes after it, and some bytes nobody speaks of."""
    made = folder / "app.apk"
    part = PartFile(made, ref)
    part.restore(go_on)
    part.size_bytes, part.validator = 1 << 30, '"v1"'
    span = part.spans.open(0)
    for offset in range(0, WRITTEN, NOTE_BYTES):
        part.write(span, DATA[offset : offset + NOTE_BYTES])
        follow(part)
        if part.done_bytes == SYNC_BYTES:
            part.sync()
    part._release()
    return made


def follow(part: PartFile) -> None:
    while part.hash_next():
        pass
    if part.unnoted_bytes >= NOTE_BYTES:
        part.write_note()


def held(target: Path, ref: ArtifactRef) -> PartFile:
    part = PartFile(target, ref)
    part.restore(go_on)
    assert part.read(0, part.done_bytes) == DATA[: part.done_bytes]
    assert part.sha256() == hashlib.sha256(DATA[: part.done_bytes]).hexdigest()
    part.close()
    return part


def test_after_a_kill_the_last_note_counts(target: Path, ref: ArtifactRef) -> None:
    part = held(target, ref)
    assert part.done_bytes == SYNC_BYTES + 2 * NOTE_BYTES
    assert (part.size_bytes, part.validator) == (1 << 30, '"v1"')
    assert part_path(target).stat().st_size == part.done_bytes


def test_after_a_power_failure_the_last_sync_counts(target: Path, ref: ArtifactRef) -> None:
    with part_path(target).open("r+b") as file:  # blocks that never reached the disk come back as zeros
        file.seek(SYNC_BYTES)
        file.write(bytes(WRITTEN - SYNC_BYTES))
    assert held(target, ref).done_bytes == SYNC_BYTES


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 3}',
        '{"version": 3, "artifact": {}, "spans": []}',
        '{"version": 3, "artifact": {}, "prefix": [-1, ""], "spans": []}',
        '{"version": 3, "artifact": {}, "prefix": [0, ""], "spans": [[5, 1, 0]]}',
        '{"version": 99}',
    ],
)
def test_a_torn_note_is_no_claim(target: Path, ref: ArtifactRef, text: str) -> None:
    target.with_name("app.apk.part.json~").write_text(text)
    assert held(target, ref).done_bytes == SYNC_BYTES


def test_a_sidecar_that_claims_too_much_is_not_believed(target: Path, ref: ArtifactRef) -> None:
    target.with_name("app.apk.part.json~").unlink()
    sidecar = sidecar_path(target)
    data = json.loads(sidecar.read_text())
    end, sha256 = data["prefix"]
    sidecar.write_text(json.dumps({**data, "prefix": [end + 1, sha256]}))
    part = PartFile(target, ref)
    assert part.restore(go_on) == "the unfinished file was changed on disk"
    assert part.done_bytes == 0
    part.close()


def test_closing_claims_every_byte(target: Path, ref: ArtifactRef) -> None:
    part = PartFile(target, ref)
    part.restore(go_on)
    span = part.spans.open(part.done_bytes)
    part.write(span, DATA[part.done_bytes :])
    part.spans.close(span)
    part.close()
    assert held(target, ref).done_bytes == WRITTEN


def test_a_file_system_that_takes_no_advice_loses_nothing(
    folder: Path, ref: ArtifactRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    advised: list[tuple[int, int]] = []

    def refuse(_descriptor: int, start: int, length: int, _advice: int) -> None:
        advised.append((start, length))
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    monkeypatch.setattr("tui.transfers.part._RELEASE_BYTES", NOTE_BYTES)
    monkeypatch.setattr("tui.transfers.part._SETTLING_BYTES", 2 * NOTE_BYTES)
    part = PartFile(folder / "app.apk", ref)
    part.restore(go_on)
    span = part.spans.open(0)
    for offset in range(0, WRITTEN, NOTE_BYTES):
        part.write(span, DATA[offset : offset + NOTE_BYTES])
        follow(part)
        assert all(start + length <= part.done_bytes for start, length in advised), "bytes that are not there yet"
    assert part.sha256() == hashlib.sha256(DATA).hexdigest()
    assert advised[0][0] == 0
    assert all(after < before + length for (before, length), (after, _) in pairwise(advised)), "a gap was left out"
    part.close()


def test_a_part_is_not_discarded_while_somebody_works_on_it(target: Path, ref: ArtifactRef) -> None:
    part = PartFile(target, ref)
    discard_part(target)
    assert part_path(target).exists()
    part.close()
    discard_part(target)
    assert not list(target.parent.iterdir())


def test_a_part_that_was_moved_away_is_not_published(target: Path, ref: ArtifactRef) -> None:
    part = PartFile(target, ref)
    part.restore(go_on)
    part_path(target).rename(target.with_name("elsewhere"))
    part_path(target).write_text("planted")
    with pytest.raises(Destination, match="moved or replaced"):
        part.publish(target, overwrite=True)
    assert not target.exists()
    part.close()


def test_spans_of_several_connections_survive_and_a_damaged_one_is_fetched_again(
    folder: Path, ref: ArtifactRef
) -> None:
    target = folder / "app.apk"
    part = PartFile(target, ref)
    part.restore(go_on)
    part.size_bytes, part.validator = len(DATA), '"v1"'
    for start in (0, 4 * NOTE_BYTES, 6 * NOTE_BYTES):
        part.write(part.spans.open(start), DATA[start : start + NOTE_BYTES])
    follow(part)
    part._release()
    with part_path(target).open("r+b") as file:
        file.seek(4 * NOTE_BYTES + 7)
        file.write(b"?")
    part = PartFile(target, ref)
    part.restore(go_on)
    assert list(part.spans.gaps(len(DATA))) == [(NOTE_BYTES, 6 * NOTE_BYTES), (7 * NOTE_BYTES, len(DATA))]
    part.close()


@given(st.data())
def test_what_was_claimed_is_all_there_again_however_far_it_was_hashed(data: st.DataObject) -> None:
    """Spans in any places, hashed to any point, of which some bytes may have changed: the rest is known again."""
    size, content = 3000, random.Random(1).randbytes(3000)
    cuts = [0, *sorted(data.draw(st.sets(st.integers(1, size - 1), max_size=6))), size]
    pieces = list(pairwise(cuts))
    there = [piece for piece in pieces if piece[0] == 0 or data.draw(st.booleans())]
    spans = Spans()
    for start, end in there:
        span = spans.open(start)
        spans.grow(span, content[start:end])
        if data.draw(st.booleans()):
            spans.close(span)
    hashed = data.draw(st.integers(0, spans.prefix))
    prefix = Prefix(hashed, hashlib.sha256(content[:hashed]).hexdigest())
    ref = ArtifactRef(AccountName("a"), AppId("b"), BuildId("c"), ArtifactId("d"))
    claim = Claim(ref, size, None, None, prefix, tuple(spans.proofs(beyond=hashed)))
    damaged = data.draw(st.none() | st.integers(0, size - 1))
    disk = bytearray(content)
    if damaged is not None:
        disk[damaged] ^= 1
    proved = prove([claim], lambda offset, count: bytes(disk[offset : offset + count]), size, go_on)
    assert proved.digest.digest() == hashlib.sha256(content[: proved.hashed_bytes]).digest()
    assert proved.hashed_bytes in {0, hashed}
    known = {*range(proved.hashed_bytes)}
    for start, end, crc in proved.spans:
        assert crc == zlib.crc32(content[start:end])
        assert not known & {*range(start, end)}
        known |= {*range(start, end)}
    claimed = {*range(hashed)} | {at for span in claim.spans for at in range(span.start, span.end)}
    assert claim.held_bytes == len(claimed)
    assert known <= claimed
    if damaged is None:
        assert known == claimed
    else:
        assert damaged not in known


class Killed(BaseException):
    """Ends a step where the process could."""


def test_a_stop_while_bytes_are_proved_keeps_them(target: Path, ref: ArtifactRef) -> None:
    def stop() -> None:
        raise Stopped

    part = PartFile(target, ref)
    with pytest.raises(Stopped):
        part.restore(stop)
    part.close()
    assert held(target, ref).done_bytes == SYNC_BYTES + 2 * NOTE_BYTES


def test_there_is_never_a_moment_without_a_claim(
    target: Path, ref: ArtifactRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> int:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", killed)
        part = PartFile(target, ref)
        with pytest.raises(Killed):
            part.restore(go_on)
        part._release()
    assert held(target, ref).done_bytes == SYNC_BYTES + 2 * NOTE_BYTES


def test_a_kill_while_a_part_is_discarded_leaves_nothing_that_looks_foreign(
    target: Path, ref: ArtifactRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove_and_die(path: Path) -> None:
        remove_claims(path)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("tui.transfers.part.remove_claims", remove_and_die)
        with pytest.raises(Killed):
            discard_part(target)
    assert part_path(target).exists()
    part = PartFile(target, ref)
    assert part.restore(go_on) is None
    part.close()
    assert not list(target.parent.iterdir())
