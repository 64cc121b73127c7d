"""The unfinished file on disk after the end of a process, and after that of a machine."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.errors import Destination
from tui.models import Artifact, ArtifactRef
from tui.transfers.claim import part_path, sidecar_path
from tui.transfers.part import NOTE_BYTES, SYNC_BYTES, PartFile, discard_part

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
        if part.done_bytes == SYNC_BYTES:
            part.sync()
    part._release()
    return made


def held(target: Path, ref: ArtifactRef) -> PartFile:
    part = PartFile(target, ref)
    part.restore(go_on)
    assert part.read(0, part.done_bytes) == DATA[: part.done_bytes]
    assert part.spans.proofs() == [(0, part.done_bytes, zlib.crc32(DATA[: part.done_bytes]))]
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
    "text", ["", "{", "[]", '{"version": 2}', '{"version": 2, "artifact": {}, "spans": [[5, 1, 0]]}', '{"version": 99}']
)
def test_a_torn_note_is_no_claim(target: Path, ref: ArtifactRef, text: str) -> None:
    target.with_name("app.apk.part.json~").write_text(text)
    assert held(target, ref).done_bytes == SYNC_BYTES


def test_a_sidecar_that_claims_too_much_is_not_believed(target: Path, ref: ArtifactRef) -> None:
    target.with_name("app.apk.part.json~").unlink()
    sidecar = sidecar_path(target)
    data = json.loads(sidecar.read_text())
    ((start, end, crc),) = data["spans"]
    sidecar.write_text(json.dumps({**data, "spans": [[start, end + 1, crc]]}))
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
    part._release()
    with part_path(target).open("r+b") as file:
        file.seek(4 * NOTE_BYTES + 7)
        file.write(b"?")
    part = PartFile(target, ref)
    part.restore(go_on)
    assert [(start, end) for start, end, _ in part.spans.proofs()] == [
        (0, NOTE_BYTES),
        (6 * NOTE_BYTES, 7 * NOTE_BYTES),
    ]
    assert list(part.spans.gaps(len(DATA))) == [(NOTE_BYTES, 6 * NOTE_BYTES), (7 * NOTE_BYTES, len(DATA))]
    part.close()
