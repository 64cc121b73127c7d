"""Lists of checksums as `sha256sum` writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tui.errors import ConfigError, Mismatch
from tui.models import ArtifactRef
from tui.safe_text import clean

_LINE: Final = re.compile(r"(\\?)([0-9A-Fa-f]{64}) [ *](.+)")
_MAX_BYTES: Final = 16 << 20


def expected_sums(listing: Path, targets: Mapping[ArtifactRef, Path]) -> dict[ArtifactRef, str]:
    """The SHA-256, in hex, that the list gives for each target, found by its file name.

    Raises:
        ConfigError: The list cannot be read, or is none.
        Mismatch: It has no sum for a target, or two.
    """
    sums = _read(listing)
    found: dict[ArtifactRef, str] = {}
    for ref, target in targets.items():
        known = sums.get(target.name, set())
        if len(known) != 1:
            what = "no sum" if not known else "two sums"
            raise Mismatch(f"{listing} has {what} for {clean(target.name)}.", hint="Nothing was downloaded.")
        found[ref] = next(iter(known))
    return found


def _read(listing: Path) -> dict[str, set[str]]:
    """Sums by the last part of the names in the list."""
    try:
        with listing.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise ConfigError(f"{listing} cannot be read: {error.strerror}.") from error
    sums: dict[str, set[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"{listing}, line {number}: not a line of sha256sum.")
        name = match[3].replace("\\n", "\n").replace("\\\\", "\\") if match[1] else match[3]
        sums.setdefault(name.rpartition("/")[2], set()).add(match[2].lower())
    return sums
