"""Runs a command's coroutine so that a signal ends it in order and shows in the exit code."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from tui.cli.unlock import ask_for_secrets

T = TypeVar("T")

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that end a command; Windows has no SIGHUP."""


class EndedBySignal(BaseException):
    """A signal ended the command; the program exits with 128 and its number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.exit_code = 128 + number


def run(work: Coroutine[Any, Any, T], *, asks: bool = True) -> T:
    """Runs a coroutine to its end.

    Args:
        work: What to do.
        asks: Whether it opens accounts, so that what no store has is asked for first.

    Raises:
        EndedBySignal: SIGINT, SIGTERM or SIGHUP came; the coroutine was cancelled and has cleaned up.
    """
    if asks:
        try:
            ask_for_secrets()
        except BaseException:
            work.close()
            raise
    return asyncio.run(_guarded(work))


async def _guarded(work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def end(number: int) -> None:
        received.append(number)
        task.cancel()

    for number in ENDING:
        with suppress(NotImplementedError):  # Windows: ctrl+c arrives as KeyboardInterrupt instead
            loop.add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise EndedBySignal(received[0]) from None
        raise
