"""`digsite [PATH]`: the explorer itself."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.cli import exit_codes
from tui.cli.output import warn
from tui.cli.runner import collect_again, hear_signals
from tui.cli.unlock import ask_for_secrets
from tui.threads import processor_turn

if TYPE_CHECKING:
    from tui.paths import DigPath
    from tui.services.session import Session

STARTED_S: Final = 2.0
"""After this time memory is collected again, but for what was made by then."""


def open_explorer(path: str | None, *, with_catalog: bool = True) -> int:
    """Opens the explorer at a path, or a saved dig, as it was typed; gives the exit code.

    Raises:
        PathError: It cannot be read, or there is no such dig.
        DigsiteError: There is no such account, or config.toml is wrong.
    """
    if path is None:
        return explore(None, with_catalog=with_catalog)
    from tui.cli.paths import parse_list

    start, start_filter = parse_list(path)
    return explore(start, start_filter=start_filter, with_catalog=with_catalog)


def explore(
    start: DigPath | None,
    sessions: Sequence[Session] | None = None,
    *,
    start_filter: str = "",
    with_catalog: bool = True,
    catalog_path: Path | None = None,
) -> int:
    """Runs the explorer; gives the exit code.

    Args:
        start: Where to open.
        sessions: Stand in for the configured accounts (the demo's).
        start_filter: What is filtered there.
        with_catalog: Whether listings are shown from the catalog first, and kept there.
        catalog_path: Where it is; by default in the cache folder.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        warn("digsite: the explorer needs a terminal.")
        warn("  In a script use: digsite ls, show, get, share, rm (see digsite --help).")
        return exit_codes.USAGE
    if sessions is None and start is not None and start.account is not None:
        _refuse_unknown_account(start.account)
    if sessions is None:
        ask_for_secrets()
    with processor_turn():  # for the keys
        code, wants_demo = asyncio.run(
            _run(start, sessions, start_filter=start_filter, with_catalog=with_catalog, catalog_path=catalog_path)
        )
    if wants_demo:
        from tui.cli.demo import open_demo

        return open_demo(port=0)
    return code


def _refuse_unknown_account(name: str) -> None:
    """A mistyped verb looks like a path: say so before a screen opens."""
    from tui.config import load_config
    from tui.services import configured_sessions
    from tui.services.resolve import Resolver

    sessions, _ = configured_sessions(load_config())
    Resolver({session.account.name: session for session in sessions}).session(name)


async def _run(
    start: DigPath | None,
    sessions: Sequence[Session] | None,
    *,
    start_filter: str,
    with_catalog: bool,
    catalog_path: Path | None,
) -> tuple[int, bool]:
    from tui.app import DigsiteApp
    from tui.config import load_config
    from tui.services import open_services

    config = load_config()
    async with open_services(config, sessions, with_catalog=with_catalog, catalog_path=catalog_path) as services:
        app = DigsiteApp(services, start=start, start_filter=start_filter)
        asyncio.get_running_loop().call_later(STARTED_S, collect_again)
        hear_signals(app.end_by_signal)
        result = await app.run_async()
        return app.return_code or exit_codes.DONE, result == "demo"
