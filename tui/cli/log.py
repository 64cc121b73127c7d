"""`digsite log`: the log of a build."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from tui.cli.output import warn
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import PathError
from tui.paths import DigPath
from tui.services import open_services
from tui.services.build_logs import POLL_S, QUIET_POLL_S, BuildLog


@click.command(name="log")
@click.argument("path")
@click.option("--follow", "-f", is_flag=True, help="Go on until the build ends.")
@click.option("--member", help="Which log of a bundle (Xcode Cloud): its name, or a part of it.")
def command(path: str, follow: bool, member: str | None) -> None:
    """Write the log of the build at PATH to stdout.

    On a terminal with its colours and nothing else that a terminal obeys; redirected as it is.
    """
    run(_log(parse_path(path), follow=follow, member=member))


async def _log(path: DigPath, *, follow: bool, member: str | None) -> None:
    if path.build is None or path.artifact is not None:
        raise PathError("log wants a build.", hint="digsite ls shows what there is; latest is the newest finished one.")
    async with open_services(load_config()) as services:
        found = await services.resolver.find(path)
        if found.build is None:
            raise PathError("log wants a build.")
        log = services.log(found.build)
        output = _Output()
        await log.read(output.write, member=member)
        if log.member is not None and len(log.members) > 1:
            warn(f"{log.member.path}; {len(log.members) - 1} more, see --member:")
            for other in log.members:
                if other is not log.member:
                    warn(f"  {other.path}")
        if follow and not log.is_complete:
            await _follow(log, output)
        output.end()


async def _follow(log: BuildLog, output: _Output) -> None:
    """Until the build ends; then what its pieces did not have."""
    pause = POLL_S
    while not log.is_complete:
        await asyncio.sleep(pause)
        has_news = await log.more(output.write)
        pause = POLL_S if has_news else min(pause * 1.5, QUIET_POLL_S)
    if log.has_gaps:
        output.end()
        warn("Pieces of the log were missing; here it is whole:")
        await log.read(output.write)
    else:
        await log.read(output.write, skip=output.taken_bytes)


class _Output:
    """Stdout: a terminal gets whole lines made harmless, anything else the bytes."""

    def __init__(self) -> None:
        self.taken_bytes = 0
        self._is_terminal = sys.stdout.isatty()
        self._colours = not os.environ.get("NO_COLOR")
        self._rest = b""

    def write(self, data: bytes) -> None:
        """Takes the next bytes."""
        self.taken_bytes += len(data)
        if not self._is_terminal:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._print(lines)

    def end(self) -> None:
        """Writes what is left of a last line."""
        if self._rest:
            self._print([self._rest])
            self._rest = b""
        sys.stdout.flush()

    def _print(self, lines: list[bytes]) -> None:
        from tui.peek.loglines import line_text
        from tui.widgets.sgr import for_terminal

        for line in lines:
            sys.stdout.write(for_terminal(line_text(line), colours=self._colours) + "\n")
