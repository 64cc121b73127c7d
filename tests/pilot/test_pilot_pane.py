"""A pane and its pages, by themselves: what a faulty server or an impatient user can do to a list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.errors import Unreachable
from tui.models import Cursor, Page
from tui.models.filter import Fields
from tui.widgets.columns import Column
from tui.widgets.pane import Feed, Pane
from tui.widgets.rowlist import RowList

NOW = datetime(2026, 11, 21, tzinfo=UTC)
FIELDS: Fields[int] = Fields(haystack=lambda n: f"row {n}")


def page(numbers: Iterable[int], after: int | None = None) -> Page[int]:
    return Page(tuple(numbers), next_cursor=None if after is None else Cursor(str(after)))


@dataclass
class Gate:
    """A fetch that answers when the test says so."""

    answer: Page[int] | Exception
    opened: asyncio.Event
    asked: int = 0
    cancelled: bool = False

    async def __call__(self, cursor: Cursor | None) -> Page[int]:
        self.asked += 1
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class OnePane(App[None]):
    CSS = ".pane--filter, .pane--error { display: none; } RowList { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        columns: tuple[Column[int], ...] = (Column("n", "N", lambda n: f"row {n}", 8, grow=1, sort=lambda n: n),)
        self.pane = Pane[int]("Rows", RowList(columns, key=lambda n: n), FIELDS, now=lambda: NOW, id="pane")

    def compose(self) -> ComposeResult:
        yield self.pane

    def show(self, *feeds: Feed[int]) -> None:
        self.pane.show("", feeds, empty=lambda: ("Nothing.",))


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await pilot.pause()


def serve(pages: dict[str | None, Page[int]]) -> Any:
    async def fetch(cursor: Cursor | None) -> Page[int]:
        return pages[cursor]

    return fetch


async def test_rows_that_a_later_page_repeats_are_there_once() -> None:
    app = OnePane()
    async with app.run_test(size=(40, 60)) as pilot:
        app.show(Feed("x", serve({None: page(range(10), 10), "10": page([8, 9, 10, 11])})))
        await until(pilot, lambda: len(app.pane.rows.rows) == 12)
        assert list(app.pane.rows.rows) == list(range(12))


async def test_a_server_that_sends_pages_in_a_circle_is_left() -> None:
    app = OnePane()
    async with app.run_test(size=(40, 60)) as pilot:
        app.show(Feed("x", serve({None: page([1], 1), "1": page([2], 2), "2": page([3], 1)})))
        await until(pilot, lambda: len(app.pane.rows.rows) == 3 and not app.pane.is_loading)
        assert "incomplete" in str(app.pane.border_subtitle)


async def test_empty_pages_are_not_followed_for_ever() -> None:
    asked = 0

    async def fetch(cursor: Cursor | None) -> Page[int]:
        nonlocal asked
        asked += 1
        return page([], asked)

    app = OnePane()
    async with app.run_test(size=(40, 60)) as pilot:
        app.show(Feed("x", fetch))
        await until(pilot, lambda: asked >= 3 and not app.pane.is_loading)
        await pilot.pause()
        assert asked == 3


async def test_rows_that_come_in_above_ask_for_no_further_page() -> None:
    asked = 0

    async def fetch(cursor: Cursor | None) -> Page[int]:
        nonlocal asked
        asked += 1
        last = int(cursor or 10_000)
        return page(range(last, last - 50, -1), last - 50)

    app = OnePane()
    async with app.run_test(size=(40, 20)) as pilot:
        app.show(Feed("x", fetch))
        await until(pilot, lambda: len(app.pane.rows.rows) == 50)
        app.pane.rows.focus()
        await pilot.press("s", "G")  # the newest is last: each page comes in above it
        await until(pilot, lambda: not app.pane.is_loading)
        before = asked
        await pilot.press("G")
        for _ in range(20):
            await until(pilot, lambda: not app.pane.is_loading)
            await pilot.pause()
        assert asked <= before + 1
        assert app.pane.rows.current == 10_000


async def test_a_sentence_instead_of_rows_is_shown_whole() -> None:
    app = OnePane()
    async with app.run_test(size=(24, 20)) as pilot:
        app.pane.show("", [Feed("x", serve({None: page([])}))], empty=lambda: ("The build has not finished yet.",))
        await until(pilot, lambda: not app.pane.is_loading)
        lines = [app.pane.rows.render_line(y).text.strip() for y in range(5)]
        assert " ".join(lines).split() == ["The", "build", "has", "not", "finished", "yet."]


async def test_a_page_that_comes_after_the_pane_was_left_is_dropped_and_its_request_cancelled() -> None:
    app = OnePane()
    async with app.run_test(size=(40, 20)) as pilot:
        slow = Gate(page([1, 2, 3]), asyncio.Event())
        app.show(Feed("slow", slow))
        await until(pilot, lambda: slow.asked)
        app.show(Feed("quick", serve({None: page([7])})))
        await until(pilot, lambda: list(app.pane.rows.rows) == [7])
        assert slow.cancelled
        slow.opened.set()
        await pilot.pause()
        assert list(app.pane.rows.rows) == [7]


async def test_an_answer_that_is_deaf_to_cancelling_is_dropped() -> None:
    app = OnePane()
    opened = asyncio.Event()

    async def deaf(cursor: Cursor | None) -> Page[int]:
        while not opened.is_set():
            with suppress(asyncio.CancelledError):
                await opened.wait()
        return page([1, 2, 3])

    async with app.run_test(size=(40, 20)) as pilot:
        app.show(Feed("deaf", deaf))
        await pilot.pause()
        app.show(Feed("quick", serve({None: page([7])})))
        await until(pilot, lambda: list(app.pane.rows.rows) == [7])
        opened.set()
        await pilot.pause()
        await pilot.pause()
        assert list(app.pane.rows.rows) == [7]


async def test_a_resize_in_the_middle_of_a_page() -> None:
    app = OnePane()
    async with app.run_test(size=(40, 20)) as pilot:
        gate = Gate(page(range(5)), asyncio.Event())
        app.show(Feed("x", gate))
        for size in ((10, 3), (200, 60), (1, 1), (40, 20)):
            await pilot.resize_terminal(*size)
        gate.opened.set()
        await until(pilot, lambda: list(app.pane.rows.rows) == list(range(5)))
        assert gate.asked == 1


async def test_one_failing_feed_leaves_the_rows_of_the_other() -> None:
    app = OnePane()
    async with app.run_test(size=(40, 20)) as pilot:
        broken = Gate(Unreachable("host is away."), asyncio.Event())
        broken.opened.set()
        app.show(Feed("bad", broken), Feed("good", serve({None: page([1, 2])})))
        await until(pilot, lambda: app.pane.errors and app.pane.rows.rows)
        assert list(app.pane.rows.rows) == [1, 2]
        assert broken.asked == 1, "an error is not asked again by itself"


async def test_kept_rows_stand_until_the_page_is_there_and_those_that_are_gone_go() -> None:
    app = OnePane()
    async with app.run_test(size=(40, 20)) as pilot:
        gate = Gate(page([2, 4]), asyncio.Event())
        app.show(Feed("x", gate, kept=(1, 2, 3), kept_at=NOW))
        await pilot.pause()
        assert list(app.pane.rows.rows) == [1, 2, 3]
        assert app.pane.as_of == NOW
        app.pane.rows.focus()
        await pilot.press("j")
        assert app.pane.rows.current == 2
        gate.opened.set()
        await until(pilot, lambda: not app.pane.is_loading)
        assert list(app.pane.rows.rows) == [2, 4]
        assert app.pane.rows.current == 2, "the cursor stays with its row"
        assert app.pane.as_of is None


@pytest.mark.parametrize("rows", [100_000])
async def test_many_marks(rows: int) -> None:
    app = OnePane()
    async with app.run_test(size=(40, 20)) as pilot:
        app.show(Feed("x", serve({None: page(range(rows))})))
        await until(pilot, lambda: len(app.pane.rows.rows) == rows)
        app.pane.rows.focus()
        await pilot.press("a")
        assert len(app.pane.rows.marked) == rows
        assert f"{rows:,} marked" in str(app.pane.border_subtitle)
        await pilot.press("u")
        assert app.pane.rows.marked == []


async def test_rows_of_the_catalog_stay_so_until_there_is_an_answer() -> None:
    app = OnePane()
    fails = Gate(Unreachable("no"), asyncio.Event())
    fails.opened.set()
    async with app.run_test(size=(40, 20)) as pilot:
        app.show(Feed("x", fails, kept=(1, 2), kept_at=NOW))
        for _ in range(2):
            await until(pilot, lambda: app.pane.errors and not app.pane.is_loading)
            assert app.pane.as_of == NOW
            fails.asked = 0
            app.pane.refresh_rows([Feed("x", fails)])
            await until(pilot, lambda: fails.asked)
        app.pane.refresh_rows([Feed("x", serve({None: page([1])}))])
        assert app.pane.as_of == NOW
        await until(pilot, lambda: list(app.pane.rows.rows) == [1])
        assert app.pane.as_of is None
