"""What is left of an error in digsite itself: a report in a file, and two lines for the user.

Textual shows the locals of every frame, tokens included, and ends with exit code 0 (measured on 8.2.8). The report has
the traceback alone; what an exception says goes through the same redaction as the log.
"""

from __future__ import annotations

import os
import platform
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final

from tui import __version__, folders
from tui.log import redact
from tui.safe_text import clean, clean_lines

KEPT_REPORTS: Final = 10
_MAX_CHARS: Final = 200_000


def write_report(error: BaseException) -> Path | None:
    """Writes the report into the state folder; None when that cannot be written. Old ones go."""
    now = datetime.now(UTC)
    folder = folders.state_dir()
    path = folder / f"crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    try:
        folders.write_private(path, _text(error, now))
        for old in sorted(folder.glob("crash-*.txt"))[:-KEPT_REPORTS]:
            old.unlink(missing_ok=True)
    except OSError:
        return None
    return path


def explain(error: BaseException) -> str:
    """Writes the report and says so: for the terminal, after it was given back."""
    path = write_report(error)
    where = f"Report, without secrets: {path}" if path else "No report could be written to the state folder."
    return f"digsite ended because of an error in itself ({clean(type(error).__name__, 80)}).\n{clean(where, 1000)}"


def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: Python exits with 1 after it."""
    if isinstance(error, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    with suppress(OSError, ValueError):  # stderr may be gone
        print(explain(error), file=sys.stderr)  # noqa: T201


def _text(error: BaseException, now: datetime) -> str:
    lines = [
        f"digsite {__version__}, {now:%Y-%m-%d %H:%M:%S} UTC",
        f"Python {platform.python_version()} on {platform.platform()}",
        f"TERM={os.environ.get('TERM', '')} LANG={os.environ.get('LANG', '')}",
        f"arguments: {sys.argv[1:]!r}",
        "",
        *traceback.TracebackException.from_exception(error, capture_locals=False).format(),
    ]
    return clean_lines(redact("\n".join(lines)), _MAX_CHARS) + "\n"
