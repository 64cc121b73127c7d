"""What is known of an unfinished download, in small files beside it: the sidecar and, between syncs, the note."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tui.models import AccountName, AppId, ArtifactId, ArtifactRef, BuildId

_VERSION: Final = 1
_MAX_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Claim:
    """What the sidecar says: these bytes of that object are on disk. No URL: that is a credential."""

    artifact: ArtifactRef
    size_bytes: int | None
    validator: str | None
    md5: str | None
    held_bytes: int
    """How many, from the start."""
    sha256: str
    """Of these bytes."""


def part_path(target: Path) -> Path:
    """Where the bytes of an unfinished download are."""
    return target.with_name(f"{target.name}.part")


def sidecar_path(target: Path) -> Path:
    """Where what is known of them is."""
    return target.with_name(f"{target.name}.part.json")


def read_claims(target: Path) -> list[Claim]:
    """What the note and the sidecar of a target say, the sidecar last; those that make no sense are left out."""
    files = (_read_json(path) for path in (_note_path(target), sidecar_path(target)))
    return [claim for claim in map(_parse_claim, files) if claim is not None]


def _parse_claim(data: Mapping[str, object]) -> Claim | None:
    ref, held, digest = data.get("artifact"), data.get("held_bytes"), data.get("sha256")
    if data.get("version") != _VERSION or not isinstance(ref, dict):
        return None
    if not isinstance(held, int) or held < 0 or not isinstance(digest, str):
        return None
    names = [ref.get(key) for key in ("account", "app", "build", "artifact")]
    account, app, build, artifact = (name if isinstance(name, str) else "" for name in names)
    size, validator, md5 = data.get("size_bytes"), data.get("validator"), data.get("md5")
    return Claim(
        artifact=ArtifactRef(AccountName(account), AppId(app), BuildId(build), ArtifactId(artifact)),
        size_bytes=size if isinstance(size, int) else None,
        validator=validator if isinstance(validator, str) else None,
        md5=md5 if isinstance(md5, str) else None,
        held_bytes=held,
        sha256=digest,
    )


def write_claim(target: Path, claim: Claim) -> None:
    """Replaces the sidecar, durably and all or nothing; the note is gone then."""
    _write(_note_path(target), claim, durable=True)
    _note_path(target).replace(sidecar_path(target))


def write_note(target: Path, claim: Claim) -> None:
    """Notes what was written but need not be on disk yet; the sidecar stays."""
    _write(_note_path(target), claim, durable=False)


def _note_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json~")


def remove_claims(target: Path) -> None:
    """Removes sidecar and note."""
    _note_path(target).unlink(missing_ok=True)
    sidecar_path(target).unlink(missing_ok=True)


def _read_json(path: Path) -> dict[str, object]:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            data = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def holder(target: Path) -> str:
    """Who wrote the sidecar last, in words."""
    found = _read_json(sidecar_path(target)).get("holder")
    pid, host = (found.get("pid"), found.get("host")) if isinstance(found, dict) else (None, None)
    if not isinstance(pid, int) or not isinstance(host, str):
        return "another process"
    if pid == os.getpid() and host == socket.gethostname():
        return "another transfer of this program"
    return f"process {pid} on {host}"


def _write(path: Path, claim: Claim, *, durable: bool) -> None:
    data = {
        "version": _VERSION,
        **asdict(claim),
        "holder": {"pid": os.getpid(), "host": socket.gethostname()},
    }
    path.unlink(missing_ok=True)  # and made anew: never written through a link
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        os.write(descriptor, json.dumps(data).encode())
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
