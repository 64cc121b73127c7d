"""What the caller of the queue wants done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.models import Artifact
from tui.transfers.destination import ConflictRule


@dataclass(frozen=True, slots=True)
class Wish:
    """One download as it was asked for."""

    artifact: Artifact
    target: Path
    """The name it should get."""
    label: str
    """What the user sees as its name."""
    rule: ConflictRule = ConflictRule.RENAME
    unpack: bool = False
    """Unpack it afterwards, when it is a zip archive."""
    sha256: str | None = None
    """What the file's SHA-256 must be, in hex."""
