"""A screen that is closed while it still waits for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

Drive = Callable[..., Any]


class Headline(Static):
    """Says when it is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.is_gone = asyncio.Event()

    def on_unmount(self) -> None:
        self.is_gone.set()


class Leaving(Static):
    """Goes last: the answer comes when the headline is gone already and the screen is still there."""

    def __init__(self, headline: Headline, answer: asyncio.Event, over: asyncio.Event) -> None:
        super().__init__()
        self._headline, self._answer, self._over = headline, answer, over

    async def on_unmount(self) -> None:
        await self._headline.is_gone.wait()
        self._answer.set()
        await self._over.wait()


class Waiting(Screen[None]):
    """Shows an answer when it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.answer, self.over, self.is_asking = asyncio.Event(), asyncio.Event(), False

    def compose(self) -> ComposeResult:
        headline = Headline()
        yield headline
        yield Leaving(headline, self.answer, self.over)

    def on_mount(self) -> None:
        self._load()

    @work
    async def _load(self) -> None:
        self.is_asking = True
        try:
            await self.answer.wait()
            self.query_one(Headline).update("answered")
        finally:
            self.over.set()


async def test_an_answer_that_comes_while_the_screen_closes_is_no_error(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        screen = Waiting()
        await d.app.push_screen(screen)
        await d.until(lambda: screen.is_asking)
        await d.app.pop_screen()
        await d.until(lambda: not screen.is_attached)
        await d.loaded()
