"""What commands print: tables for people, documents for programs, diagnostics on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from tui.ascii_glyphs import to_ascii, wanted
from tui.errors import DigsiteError
from tui.safe_text import clean

DOCUMENT_VERSION: Final = 1
"""Of every JSON document; a change that breaks a reader counts it up."""


def document(kind: str, **content: Any) -> None:
    """Prints one JSON document on stdout; everything that is not ASCII is escaped, so it cannot drive a terminal."""
    import click

    click.echo(json.dumps({"version": DOCUMENT_VERSION, "kind": kind, **content}, indent=2, ensure_ascii=True))


def table(rows: Sequence[Sequence[str]]) -> None:
    """Prints rows in aligned columns; the text may come from a server."""
    import click
    from rich.cells import cell_len

    from tui.widgets.columns import pad

    show = to_ascii if sys.stdout.isatty() and wanted(os.environ) else str
    cleaned = [[show(clean(cell)) for cell in row] for row in rows]
    widths = [max(cell_len(row[n]) for row in cleaned) for n in range(len(cleaned[0]))] if cleaned else []
    for row in cleaned:
        click.echo("  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())


def warn(text: str) -> None:
    """One line on stderr."""
    import click  # here and above: the explorer comes without

    click.echo(clean(text, 2000), err=True)


def report(error: DigsiteError) -> None:
    """An error on stderr: what failed and why, then what to do."""
    warn(f"digsite: {error.message}")
    if error.hint:
        warn(f"  {error.hint}")


def is_interactive() -> bool:
    """Whether a person can be asked: stdin and stderr are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()
