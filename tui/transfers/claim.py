"""What is known of an unfinished download, in small files beside it: the sidecar and, between syncs, the note."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from tui.models import AccountName, AppId, ArtifactId, ArtifactRef, BuildId
from tui.transfers.spans import Proof

_VERSION: Final = 3
_MAX_BYTES: Final = 1 << 20
_CREATE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Prefix(NamedTuple):
    """Bytes from the start up to but not with `end`, and their SHA-256 in hex."""

    end: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What the sidecar says: these bytes of that object are on disk. No URL: that is a credential."""

    artifact: ArtifactRef
    size_bytes: int | None
    validator: str | None
    md5: str | None
    prefix: Prefix
    spans: tuple[Proof, ...]
    """Further ones, in order; the first may begin within the prefix."""

    @property
    def held_bytes(self) -> int:
        """How many."""
        return self.prefix.end + sum(span.end - max(span.start, self.prefix.end) for span in self.spans)


def part_path(target: Path) -> Path:
    """Where the bytes of an unfinished download are."""
    return target.with_name(f"{target.name}.part")


def sidecar_path(target: Path) -> Path:
    """Where what is known of them is."""
    return target.with_name(f"{target.name}.part.json")


def note_path(target: Path) -> Path:
    """Where bytes are claimed that were written but need not be on disk yet."""
    return target.with_name(f"{target.name}.part.json~")


def read_claims(target: Path) -> list[Claim]:
    """What the note and the sidecar of a target say, in this order; those that make no sense are left out."""
    files = (_read_json(path) for path in (note_path(target), sidecar_path(target)))
    return [claim for claim in map(_parse_claim, files) if claim is not None]


def claimed_bytes(target: Path) -> int:
    """How much of a target an earlier run says to have left; not checked."""
    return max((claim.held_bytes for claim in read_claims(target)), default=0)


def _parse_claim(data: Mapping[str, object]) -> Claim | None:
    ref, listed, prefix = data.get("artifact"), data.get("spans"), _parse_prefix(data.get("prefix"))
    if data.get("version") != _VERSION or not isinstance(ref, dict) or not isinstance(listed, list) or prefix is None:
        return None
    spans = [span for entry in listed if (span := _parse_span(entry)) is not None]
    if len(spans) < len(listed) or any(a.end > b.start for a, b in pairwise(spans)):
        return None
    if spans and spans[0].end <= prefix.end:
        return None
    names = [ref.get(key) for key in ("account", "app", "build", "artifact")]
    account, app, build, artifact = (name if isinstance(name, str) else "" for name in names)
    size, validator, md5 = data.get("size_bytes"), data.get("validator"), data.get("md5")
    return Claim(
        artifact=ArtifactRef(AccountName(account), AppId(app), BuildId(build), ArtifactId(artifact)),
        size_bytes=size if isinstance(size, int) else None,
        validator=validator if isinstance(validator, str) else None,
        md5=md5 if isinstance(md5, str) else None,
        prefix=prefix,
        spans=tuple(spans),
    )


def _parse_prefix(entry: object) -> Prefix | None:
    if not isinstance(entry, list) or len(entry) != 2:
        return None
    end, sha256 = entry
    return Prefix(end, sha256) if isinstance(end, int) and end >= 0 and isinstance(sha256, str) else None


def _parse_span(entry: object) -> Proof | None:
    if not isinstance(entry, list) or len(entry) != 3 or not all(isinstance(number, int) for number in entry):
        return None
    span = Proof(*entry)
    return span if 0 < span.start < span.end else None


def write_claim(target: Path, claim: Claim) -> None:
    """Replaces the sidecar, durably and all or nothing."""
    path = sidecar_path(target)
    fresh = _fresh_path(target)
    fresh.unlink(missing_ok=True)  # and made anew: never written through a link
    descriptor = os.open(fresh, _CREATE_FLAGS, 0o666)
    try:
        os.write(descriptor, claim_text(claim))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)


def _fresh_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json~new")


def open_note(target: Path, claim: Claim) -> int:
    """Makes the note anew and gives its descriptor; the former one is there until this one is.

    Raises:
        OSError: The folder cannot be written.
    """
    fresh = _fresh_path(target)
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, _CREATE_FLAGS, 0o666)
    try:
        os.write(descriptor, claim_text(claim))
        fresh.replace(note_path(target))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_claimed(target: Path) -> bool:
    """Whether digsite left word of the target's part, even where that makes no sense any more."""
    return os.path.lexists(note_path(target)) or os.path.lexists(sidecar_path(target))


def claim_text(claim: Claim) -> bytes:
    """A claim as it stands in both files."""
    data = {
        "version": _VERSION,
        **asdict(claim),
        "holder": {"pid": os.getpid(), "host": socket.gethostname()},
    }
    return json.dumps(data).encode()


def remove_claims(target: Path) -> None:
    """Removes sidecar and note."""
    note_path(target).unlink(missing_ok=True)
    sidecar_path(target).unlink(missing_ok=True)
    _fresh_path(target).unlink(missing_ok=True)


def _read_json(path: Path) -> dict[str, object]:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            data = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def holder(target: Path) -> str:
    """Who wrote the claims last, in words."""
    found = (_read_json(note_path(target)) or _read_json(sidecar_path(target))).get("holder")
    pid, host = (found.get("pid"), found.get("host")) if isinstance(found, dict) else (None, None)
    if not isinstance(pid, int) or not isinstance(host, str):
        return "another process"
    if pid == os.getpid() and host == socket.gethostname():
        return "another transfer of this program"
    return f"process {pid} on {host}"
