"""Asks one line on the terminal in the middle of a run, so that a signal still ends it."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from tui.cli.output import warn
from tui.safe_text import clean
from tui.threads import in_daemon_thread


async def ask(question: str) -> str:
    """What is typed, without the blanks around it.

    Raises:
        click.Abort: The input has ended.
    """
    click.echo(f"{clean(question, 2000)}: ", err=True, nl=False)
    try:
        line = await in_daemon_thread(_read_line, name="question")
    except asyncio.CancelledError:
        warn("")  # what the shell says next begins a line
        raise
    if not line:
        warn("")
        raise click.Abort
    return line.decode(errors="replace").strip()


def _read_line() -> bytes:
    """Past the buffer of `sys.stdin`: its lock is held while a thread waits in it, and Python crashes at its end."""
    line = b""
    try:
        while not line.endswith(b"\n") and (piece := os.read(sys.stdin.fileno(), 4096)):
            line += piece
    except OSError:  # the terminal is gone
        return b""
    return line
