"""The unfinished file on disk after the end of a process, and after that of a machine."""

from __future__ import annotations

import hashlib
import json
import random
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
    for offset in range(0, WRITTEN, NOTE_BYTES):
        part.write(DATA[offset : offset + NOTE_BYTES])
    part._release()
    return made


def held(target: Path, ref: ArtifactRef) -> PartFile:
    part = PartFile(target, ref)
    part.restore(go_on)
    assert part.read(0, part.done_bytes) == DATA[: part.done_bytes]
    assert part.sha256 == hashlib.sha256(DATA[: part.done_bytes]).hexdigest()
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


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 99, "held_bytes": 1}'])
def test_a_torn_note_is_no_claim(target: Path, ref: ArtifactRef, text: str) -> None:
    target.with_name("app.apk.part.json~").write_text(text)
    assert held(target, ref).done_bytes == SYNC_BYTES


def test_a_sidecar_that_claims_too_much_is_not_believed(target: Path, ref: ArtifactRef) -> None:
    target.with_name("app.apk.part.json~").unlink()
    sidecar = sidecar_path(target)
    data = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**data, "held_bytes": data["held_bytes"] + 1}))
    part = PartFile(target, ref)
    assert part.restore(go_on) == "the unfinished file was changed on disk"
    assert part.done_bytes == 0
    part.close()


def test_closing_claims_every_byte(target: Path, ref: ArtifactRef) -> None:
    part = PartFile(target, ref)
    part.restore(go_on)
    part.write(DATA[part.done_bytes :])
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
