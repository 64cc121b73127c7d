"""Blocking work in threads: whatever it ends with, its caller hears of it."""

from __future__ import annotations

import asyncio
import threading
import weakref

import pytest

from tui.errors import NotFound
from tui.threads import in_daemon_thread


class Panic(BaseException):
    """What a library that is not written in Python may raise."""


@pytest.mark.parametrize(
    ("raised", "heard"),
    [
        (NotFound("gone"), NotFound),
        (Panic("broken"), Panic),
        (StopIteration("3"), RuntimeError),
        (asyncio.CancelledError(), asyncio.CancelledError),
    ],
)
async def test_whatever_is_raised_reaches_the_caller(raised: BaseException, heard: type[BaseException]) -> None:
    def work() -> None:
        raise raised

    async with asyncio.timeout(20):
        with pytest.raises(heard):
            await in_daemon_thread(work, name="test")


async def test_what_it_gives() -> None:
    assert await in_daemon_thread(lambda: 3, name="test") == 3


async def test_threads_are_used_again_and_forget_what_they_did() -> None:
    class Large:
        """Something that a thread must not keep."""

    seen: list[tuple[threading.Thread, str]] = []
    forgotten = threading.Event()

    def look() -> None:
        seen.append((threading.current_thread(), threading.current_thread().name))

    held = [Large()]
    gone = weakref.ref(held[0], lambda _: forgotten.set())
    async with asyncio.timeout(20):
        await in_daemon_thread(look, name="first")
        await in_daemon_thread(held.pop, name="gives")
        assert await asyncio.to_thread(forgotten.wait, 10), gone
        for _ in range(50):
            await in_daemon_thread(look, name="other")
    assert seen[0][1] == "first"
    assert {name for _, name in seen[1:]} == {"other"}
    assert len({thread for thread, _ in seen}) < 10
    assert all(thread.daemon for thread, _ in seen)


async def test_as_many_at_once_as_are_asked_for_and_few_are_kept() -> None:
    together = threading.Barrier(40)

    def work() -> threading.Thread:
        together.wait(20)
        return threading.current_thread()

    def end(threads: list[threading.Thread]) -> None:
        while sum(thread.is_alive() for thread in threads) > 8:
            for thread in threads:
                thread.join(0.01)

    async with asyncio.timeout(20):
        threads = await asyncio.gather(*(in_daemon_thread(work, name="many") for _ in range(40)))
        await asyncio.to_thread(end, threads)
    assert len(set(threads)) == 40
