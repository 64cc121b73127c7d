"""Blocking work in threads: whatever it ends with, its caller hears of it."""

from __future__ import annotations

import asyncio

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
