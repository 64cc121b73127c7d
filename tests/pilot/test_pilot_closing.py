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


class Leaving(Static):
    """Takes its time to go, in which the answer comes."""

    def __init__(self, answer: asyncio.Event) -> None:
        super().__init__()
        self._answer = answer

    async def on_unmount(self) -> None:
        self._answer.set()
        for _ in range(20):
            await asyncio.sleep(0)  # turns of the loop, no time: the other children go meanwhile


class Waiting(Screen[None]):
    """Shows an answer when it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.answer, self.is_asking = asyncio.Event(), False

    def compose(self) -> ComposeResult:
        yield Static(id="headline")
        yield Leaving(self.answer)

    def on_mount(self) -> None:
        self._load()

    @work
    async def _load(self) -> None:
        self.is_asking = True
        await self.answer.wait()
        self.query_one("#headline", Static).update("answered")


async def test_an_answer_that_comes_while_the_screen_closes_is_no_error(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        screen = Waiting()
        await d.app.push_screen(screen)
        await d.until(lambda: screen.is_asking)
        await d.app.pop_screen()
        await d.until(lambda: not screen.is_attached)
        await d.loaded()
