"""How figures, times and states read, the same in the explorer and on the command line. Imports no Textual."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from tui.models import Artifact, Build, Status

GLYPHS: Final = {
    Status.QUEUED: "◌",
    Status.RUNNING: "▶",
    Status.ON_HOLD: "‖",
    Status.SUCCEEDED: "✓",
    Status.FAILED: "✗",
    Status.ERRORED: "!",
    Status.ABORTED: "■",
    Status.SKIPPED: "»",
    Status.UNKNOWN: "?",
}
"""One cell wide each; always shown with the word, never colour alone."""

_NO_SIZE: Final = 10**30
"""No file and no sum of files has so many bytes; an archive or a plug-in may claim it all the same."""


def size(size_bytes: int | None) -> str:
    """A size in decimal units: `24.8 MB`; `?` when unknown."""
    if size_bytes is None or abs(size_bytes) >= _NO_SIZE:
        return "?"
    import humanize  # not before there is a size to show: the first paint waits for imports

    return humanize.naturalsize(size_bytes).replace("Bytes", "B").replace("Byte", "B")


def exact_size(size_bytes: int | None) -> str:
    """`24.8 MB (24,812,345 bytes)`."""
    if size_bytes is None or abs(size_bytes) >= _NO_SIZE:
        return "unknown"
    return f"{size(size_bytes)} ({size_bytes:,} bytes)"


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in one unit: `now`, `5m`, `3h`, `12d`, `8w`, `2y`; empty when unknown."""
    if moment is None:
        return ""
    seconds = (now - moment).total_seconds()
    if seconds < 60:
        return "now"
    for unit, length, limit in (("m", 60, 60), ("h", 3600, 24), ("d", 86400, 60), ("w", 604800, 104)):
        if seconds / length < limit:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds // 31557600)}y"


def timestamp(moment: datetime | None) -> str:
    """A moment in the user's own time zone, to the minute; empty when unknown."""
    if moment is None:
        return ""
    with suppress(OverflowError, ValueError, OSError):  # at an end of the calendar no other zone has a day for it
        moment = moment.astimezone()
    return moment.strftime("%Y-%m-%d %H:%M")


def duration(seconds: float | None) -> str:
    """`42s`, `7m 05s`, `1h 12m`; empty when unknown, and nothing where the end is before the start."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def remaining(seconds: float | None) -> str:
    """Time left of a transfer; `--` while it cannot be told."""
    return "--" if seconds is None or seconds > timedelta(days=9).total_seconds() else duration(seconds)


def status(build: Build) -> str:
    """Glyph and word; an unknown state shows the server's own word too."""
    word = f"unknown ({build.status_raw})" if build.status is Status.UNKNOWN else str(build.status)
    return f"{GLYPHS[build.status]} {word}"


def build_name(build: Build) -> str:
    """`#2341`, or the start of its id where it has no number."""
    return f"#{build.number}" if build.number is not None else str(build.ref.build)[:8]


def kind(artifact: Artifact) -> str:
    """What a file is, in the server's word where digsite knows no better one."""
    if artifact.kind.value == "file" and artifact.kind_raw not in {"", "file"}:
        return artifact.kind_raw
    return str(artifact.kind)


def count(number: int, noun: str) -> str:
    """`1 file`, `1,240 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
