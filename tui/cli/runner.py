"""Runs a command's coroutine so that a signal ends it in order and shows in the exit code."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any, TypeVar

from tui.cli.exit_codes import EndedBySignal
from tui.cli.unlock import ask_for_secrets

T = TypeVar("T")

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that end a command; Windows has no SIGHUP."""


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


def collect_again() -> None:
    """Ends what `main` began: memory is collected, but for what was imported and made by now, which stays."""
    gc.freeze()
    gc.enable()


def hear_signals(tell: Callable[[int], None]) -> None:
    """Has the running loop call a function with the number of each signal that ends a program.

    asyncio alone learns of a signal by a byte in its wake-up socket, and of nothing when that is full: after a long
    paste a SIGTERM was lost. Here the handler itself tells; the socket only wakes the loop.
    """
    loop = asyncio.get_running_loop()

    def heard(number: int, _frame: FrameType | None) -> None:
        with suppress(RuntimeError):  # the loop has just closed: the program is ending
            loop.call_soon_threadsafe(tell, number)

    for number in ENDING:
        with suppress(NotImplementedError):  # Windows: ctrl+c arrives as KeyboardInterrupt instead
            loop.add_signal_handler(number, _woken)
            signal.signal(number, heard)


def _woken() -> None:
    """What is to be done is told by the handler."""


async def _guarded(work: Coroutine[Any, Any, T]) -> T:
    collect_again()
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def end(number: int) -> None:
        received.append(number)
        task.cancel()

    hear_signals(end)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise EndedBySignal(received[0]) from None
        raise
