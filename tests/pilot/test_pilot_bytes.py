"""What a list does for a key: only what can be seen, however many rows there are and whatever stands in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

from tui.models.filter import Fields, parse_filter
from tui.widgets.columns import Column, fit, pad
from tui.widgets.detail import DetailPanel
from tui.widgets.facts import Facts
from tui.widgets.rowlist import RowList

Drive = Callable[..., Any]
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HEIGHT = 30
STRANGE = (
    "x" * 10_000,
    "日本語" * 40,
    "👩‍👩‍👧 family 📔 ❤️",
    "e\u0301" * 30,
    "नमस्ते दुनिया",
    "דליל" * 12,
    "\x1b[31mred\x07\u202e",
    "",
    "日",
)


class Counted:
    """A list of numbers that notes what is asked of its rows."""

    def __init__(self, rows: int) -> None:
        self.asked: Counter[str] = Counter()
        self.list = RowList[int](
            (
                Column("name", "Name", self._text, 12, grow=1, sort=lambda n: n),
                Column("size", "Size", lambda n: f"{n:,}", 9, align="right"),
            ),
            key=self._key,
        )
        self.list.replace(range(rows))
        self.asked.clear()

    def _text(self, n: int) -> str:
        self.asked["text"] += 1
        return f"row {n}"

    def _key(self, n: int) -> int:
        self.asked["key"] += 1
        return n


class ListApp(App[None]):
    def __init__(self, rows: RowList[Any]) -> None:
        super().__init__()
        self.rows = rows

    def compose(self) -> ComposeResult:
        yield self.rows


async def asked_for(rows: int) -> dict[str, Counter[str]]:
    """What is asked of the rows to open a list, to move in it, and to take a page in."""
    counted = Counted(rows)
    result = {}
    async with ListApp(counted.list).run_test(size=(60, HEIGHT)) as pilot:
        await pilot.pause()

        async def after(name: str, act: Callable[[], Any]) -> None:
            counted.asked.clear()
            act()
            await pilot.pause()
            result[name] = Counter(counted.asked)

        result["open"] = Counter(counted.asked)
        counted.list.focus()
        await pilot.pause()
        await after("down", lambda: counted.list.action_move(1))
        await after("page", lambda: counted.list.action_page(1))
        await after("end", lambda: counted.list.action_edge(1))
        await after("append", lambda: counted.list.append(range(rows, rows + 50)))
    return result


async def test_a_million_rows_ask_for_no_more_than_a_hundred() -> None:
    few, many = await asked_for(100), await asked_for(1_000_000)
    assert many == few
    assert few["open"]["text"] <= 3 * HEIGHT
    assert few["down"]["text"] == 2
    assert few["page"]["text"] <= HEIGHT
    assert few["append"]["key"] <= 50 + 2 * HEIGHT


async def test_typing_a_filter_reads_each_row_once() -> None:
    counted = Counted(10_000)
    read: Counter[int] = Counter()

    def haystack(n: int) -> str:
        read[n] += 1
        return f"row {n}"

    fields: Fields[int] = Fields(haystack=haystack)
    async with ListApp(counted.list).run_test(size=(60, HEIGHT)):
        for text in ("9", "99", "99 !1", "99", "9", ""):
            counted.list.set_filter(parse_filter(text, fields, now=NOW))
        assert counted.list.shown == 10_000
        assert set(read.values()) == {1}
        assert len(read) == 10_000


async def test_a_filter_sees_rows_as_they_are_now() -> None:
    """What was read of a row is not kept beyond the row."""
    names = {1: "old", 2: "other"}
    rows = RowList[tuple[int, str]]((Column("name", "Name", lambda row: row[1], 9),), key=lambda row: row[0])
    fields: Fields[tuple[int, str]] = Fields(haystack=lambda row: row[1])
    async with ListApp(rows).run_test(size=(60, HEIGHT)):
        rows.replace(names.items())
        rows.set_filter(parse_filter("new", fields, now=NOW))
        assert rows.shown == 0
        rows.append([(1, "new"), (3, "newest")])
        assert rows.shown == 2
        rows.update_row((2, "new too"))
        rows.set_filter(parse_filter("new", fields, now=NOW))
        assert rows.shown == 3
        rows.replace([(2, "gone")])
        assert rows.shown == 0


@pytest.mark.parametrize("width", [8, 20, 44, 118])
async def test_columns_stand_right_whatever_the_text(width: int) -> None:
    rows = RowList[str](
        (
            Column("title", "Title", lambda text: text, 5, grow=1),
            Column("end", "End", lambda _: "END", 3, align="right"),
        ),
        key=lambda text: text,
    )
    async with ListApp(rows).run_test(size=(width, HEIGHT)) as pilot:
        rows.replace(STRANGE)
        await pilot.pause()
        for y in range(len(STRANGE)):
            line = rows.render_line(y)
            assert line.cell_length == cell_len(line.text) == width, STRANGE[y][:20]
            if width >= 20:
                assert line.text.endswith("END"), STRANGE[y][:20]


@pytest.mark.parametrize("text", STRANGE)
@pytest.mark.parametrize("width", [0, 1, 2, 3, 7, 40])
def test_a_cell_is_as_wide_as_it_should_be(text: str, width: int) -> None:
    for align in ("left", "right"):
        assert cell_len(pad(text, width, align)) == width


def test_columns_never_take_more_than_there_is() -> None:
    columns: list[Column[int]] = [Column(str(n), str(n), str, 6, grow=n, drop=n) for n in range(5)]
    for width in range(6, 60):
        shown = fit(columns, width)
        assert sum(cells for _, cells in shown) + len(shown) - 1 <= width


async def test_a_held_arrow_renders_the_detail_once_it_rests(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Facts] = []
    show = DetailPanel.show
    async with drive() as d:
        await d.open_app("acme-monorepo")
        await d.until(lambda: d.explorer.shown_facts == d.explorer.facts())

        def noted(panel: DetailPanel, facts: Facts) -> None:
            shown.append(facts)
            show(panel, facts)

        monkeypatch.setattr(DetailPanel, "show", noted)
        rows = d.explorer.builds.rows
        for _ in range(25):
            rows.action_move(1)
        await d.until(lambda: d.explorer.shown_facts == d.explorer.facts())
        assert len(shown) == 1


async def test_scrolling_moves_by_half_a_pane(drive: Drive) -> None:
    """So that most keys move a bar and nothing else."""
    async with drive() as d:
        await d.open_app("acme-monorepo")
        rows = d.explorer.builds.rows
        tops = []
        for _ in range(rows.size.height + 3):
            await d.press("down")
            tops.append(rows._top)
        jumps = [b - a for a, b in pairwise(tops) if a != b]
        assert jumps in ([rows.size.height // 2], [rows.size.height // 2 + 1])
