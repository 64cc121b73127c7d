"""The one list widget of all panes and views: any number of rows, and only what changed is painted.

A plain widget that keeps its own offset, because a scroll of a `ScrollView` repaints the whole pane and an
`OptionList` repaints itself at each move. It renders a row when it becomes visible, repaints two rows when the
cursor moves, and scrolls by half a pane, so that most keys move a bar and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.models.filter import RowFilter
from tui.safe_text import clean
from tui.widgets.columns import GAP, Column, fit, pad
from tui.widgets.rows import Rows
from tui.widgets.strips import line, merged, wrapped

T = TypeVar("T")

GUTTER: Final = 2
"""Cells left of a row: one for the cursor, one for the mark; so both are seen without colour."""
GONE: Final = "gone on server"
"""What a row says that the server does not have any more, in place of its other columns."""
NEAR_END: Final = 15
"""Rows before the end at which the next page is asked for."""


class RowList(Widget, Generic[T], can_focus=True):
    """Rows of one type in columns, with a cursor, marks, a filter, a sort order and group headings.

    Args:
        columns: What is shown; the first drawn is the first given.
        key: A row's identity: stable over refreshes, unique in the list.
        group: The heading a row stands under while the list is not sorted; rows of a group must be neighbours.
        order: Sorts the rows where the user chose no column; None leaves them as they came.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rowlist--cursor", "rowlist--cursor-blurred", "rowlist--heading", "rowlist--muted", "rowlist--match",
        "rowlist--good", "rowlist--bad", "rowlist--busy", "rowlist--warn",
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="list.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="list.up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", id="list.page-down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", id="list.page-up", show=False),
        Binding("home,g", "edge(-1)", "First", id="list.first", show=False),
        Binding("end,G", "edge(1)", "Last", id="list.last", show=False),
        Binding("enter,l,right", "open", "Open", id="list.open"),
        Binding("space", "mark", "Mark", id="list.mark"),
        Binding("v", "mark_range", "Mark range", id="list.mark-range", show=False),
        Binding("a", "mark_all", "Mark all shown", id="list.mark-all", show=False),
        Binding("u", "mark_none", "Unmark all", id="list.mark-none", show=False),
        Binding("s", "sort_next", "Sort", id="list.sort", show=False),
        Binding("S", "sort_reverse", "Reverse the sort", id="list.sort-reverse", show=False),
    ]

    @dataclass
    class _Told(Message):
        rows: RowList[Any]

        def __post_init__(self) -> None:
            super().__post_init__()
            # Textual takes the widget whose handler runs for the sender, and stops a message at a parent that sent it:
            # what a pane's filter moves would never be told to the screen.
            self.set_sender(self.rows)

        @property
        def control(self) -> RowList[Any]:
            """The list that tells."""
            return self.rows

    class Moved(_Told):
        """The cursor stands on another row, or on none."""

    class Opened(_Told):
        """The row under the cursor was opened."""

    class NearEnd(_Told):
        """The cursor comes near the end of what is loaded."""

    class Changed(_Told):
        """Count, marks or order changed."""

    @dataclass
    class Marked(_Told):
        """The user marked rows, or took marks away."""

        before: frozenset[Hashable]
        """What was marked until now, for `set_marks`."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        key: Callable[[T], Hashable],
        group: Callable[[T], str | None] | None = None,
        order: Callable[[T], Any] | None = None,
        id: str | None = None,  # noqa: A002  # Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self.key = key
        self._columns = columns
        self._shown_columns: list[Column[T]] | None = None  # None: to be found out at the next line
        self._model = Rows(columns, key, group, order)
        self._anchor: Hashable | None = None
        self._cursor = 0
        self._top = 0
        self._tail = ""
        self._placeholder: tuple[str, ...] = ()
        self._placed = False  # until the user moves it, the cursor stays on the first row, whatever is inserted

    # What a pane asks -------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[T]:
        """All rows that are loaded, in the order they came."""
        return self._model.items

    @property
    def column_keys(self) -> set[str]:
        """Names of the columns that it shows."""
        return {column.key for column in self._columns}

    @property
    def shown(self) -> int:
        """How many rows pass the filter."""
        return self._model.shown

    @property
    def current(self) -> T | None:
        """The row under the cursor."""
        return self._model.at(self._cursor)

    @property
    def shown_rows(self) -> list[T]:
        """The rows that pass the filter, in the order they are shown."""
        return [row for position in range(len(self._model)) if (row := self._model.at(position)) is not None]

    @property
    def marked(self) -> list[T]:
        """The marked rows, those that the filter hides included, in the order they came."""
        return self._model.marked

    @property
    def is_placed(self) -> bool:
        """Whether the user has moved the cursor."""
        return self._placed

    @property
    def sort_title(self) -> str:
        """The sorted column with an arrow; empty in the server's order."""
        sort = self._model.sort
        return f"{sort.title} {'▼' if self._model.reverse else '▲'}" if sort else ""

    def find(self, key: Hashable) -> T | None:
        """The row of that identity, if it is loaded."""
        return self._model.find(key)

    # What a pane tells ------------------------------------------------------------------------------------

    def replace(self, rows: Iterable[T]) -> None:
        """Shows these rows instead; cursor and marks stay with their rows where those are still there."""
        with self._rearranged():
            self._model.replace(rows)

    def append(self, rows: Iterable[T]) -> None:
        """Adds a page; a row that is already there is brought up to date in its place."""
        before, here, at = len(self._model), self._here(), self._cursor
        if self._model.append(rows):
            self._arranged(here, at)
            return
        if self._has_other_columns():
            self.refresh()
        self._refresh_lines(range(before - self._top, self.size.height))
        if not before:
            self.post_message(self.Moved(self))
        self.post_message(self.Changed(self))

    def update_row(self, row: T) -> None:
        """Brings one row up to date in its place."""
        if self._model.update(row):
            if self._has_other_columns():
                self.refresh()
            position = self._model.position_of(self.key(row))
            if position is not None:
                self._refresh_lines((position - self._top,))
            if position == self._cursor:
                self.post_message(self.Moved(self))
            self.post_message(self.Changed(self))

    def is_gone(self, key: Hashable) -> bool:
        """Whether the server does not have this row any more."""
        return key in self._model.gone

    def set_gone(self, keys: Iterable[Hashable], *, gone: bool) -> None:
        """Greys rows out that the server does not have any more, or takes that back; such a row has no mark."""
        concerned = {key for key in keys if (key in self._model.gone) is not gone and self.find(key) is not None}
        if concerned:
            self._model.gone ^= concerned
            self._model.marks -= concerned
            self.refresh()
            self.post_message(self.Changed(self))

    def take_away(self, keys: Iterable[Hashable]) -> None:
        """Takes rows away; the cursor goes to the nearest neighbour."""
        gone = set(keys)
        self.replace([row for row in self.rows if self.key(row) not in gone])

    def set_filter(self, row_filter: RowFilter[T]) -> None:
        """Shows only the rows that match."""
        with self._rearranged():
            self._model.filter = row_filter
            self._model.arrange()

    def set_tail(self, text: str) -> None:
        """The line after the last row: `loading…`, `more…`, or nothing."""
        if text != self._tail:
            self._tail = text
            self._refresh_lines((len(self._model) - self._top,))

    def set_placeholder(self, *lines: str) -> None:
        """What is said where there is no row at all."""
        if lines != self._placeholder:
            self._placeholder = lines
            if not len(self._model):
                self.refresh()

    def go_to(self, key: Hashable) -> bool:
        """Puts the cursor on a row; False when it is not shown."""
        position = self._model.position_of(key)
        if position is None:
            return False
        self._move_to(position)
        self._placed = True
        return True

    def unmark(self, keys: Iterable[Hashable]) -> None:
        """Takes marks away from rows that were dealt with."""
        self.set_marks(self._model.marks - set(keys))

    # Cursor -----------------------------------------------------------------------------------------------

    def _here(self) -> Hashable | None:
        row = self.current
        return None if row is None else self.key(row)

    @contextmanager
    def _rearranged(self) -> Iterator[None]:
        """Around a change of the view: the cursor comes back to its row, else to the nearest."""
        here, at = self._here(), self._cursor
        yield
        self._arranged(here, at)

    def _arranged(self, here: Hashable | None, at: int) -> None:
        self._placed = self._placed and len(self._model) > 0
        position = self._model.position_of(here) if here is not None and self._placed else 0
        self._cursor = self._model.skip_heading(at if position is None else position, 1)
        self._clamp_top()
        self.refresh()
        self.post_message(self.Moved(self))
        self.post_message(self.Changed(self))
        if len(self._model) < self.size.height:  # a row of a page that came in above must not ask for the next page
            self._tell_near_end()

    def _move_to(self, target: int, direction: int = 1) -> None:
        if not len(self._model):
            return
        target = self._model.skip_heading(target, direction)
        old, height = self._cursor, max(1, self.size.height)
        if target == old:
            self._tell_near_end()
            return
        self._cursor, self._placed = target, True
        first_row = target == 1 and self._model.heading_at(0) is not None
        if self._top <= target < self._top + height and not (first_row and self._top):
            self._refresh_lines((old - self._top, target - self._top))
        else:
            half = height // 2 if abs(target - old) == 1 else 0
            self._set_top(0 if first_row else target - half if target < self._top else target - height + 1 + half)
        self.post_message(self.Moved(self))
        self._tell_near_end()

    def _set_top(self, top: int) -> None:
        self._top = top
        self._clamp_top()
        self.refresh()

    def _clamp_top(self) -> None:
        height = self.size.height
        if not height:  # nothing is laid out yet, and a heading over the first row is not to be left behind
            return
        last = max(0, len(self._model) + (1 if self._tail else 0) - height)
        self._top = max(0, min(self._top, last))
        if not self._top <= self._cursor < self._top + height:
            self._top = max(0, min(self._cursor - height // 2, last))

    def _tell_near_end(self) -> None:
        rows = len(self._model)
        if self._cursor >= rows - NEAR_END or self._top + self.size.height >= rows:
            self.post_message(self.NearEnd(self))

    def action_move(self, rows: int) -> None:
        """Moves the cursor by so many rows."""
        self._move_to(self._cursor + rows, 1 if rows > 0 else -1)

    def action_page(self, pages: int) -> None:
        """Moves by a pane's height."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_edge(self, end: int) -> None:
        """To the first row, or to the last that is loaded."""
        self._move_to(len(self._model) - 1 if end > 0 else 0, -end)

    def action_open(self) -> None:
        """Opens the row under the cursor."""
        if self.current is not None:
            self.post_message(self.Opened(self))

    # Marks and sort ---------------------------------------------------------------------------------------

    def set_marks(self, keys: Iterable[Hashable]) -> None:
        """Marks these rows and no others, as far as they are loaded."""
        marks = {key for key in keys if self.find(key) is not None}
        if marks != self._model.marks:
            self._model.marks = marks
            self.refresh()
            self.post_message(self.Changed(self))

    def _mark_by_hand(self, marks: set[Hashable]) -> None:
        if marks != self._model.marks:
            self.post_message(self.Marked(self, frozenset(self._model.marks)))
            self.set_marks(marks)

    def action_mark(self) -> None:
        """Marks or unmarks the row and moves on."""
        if (key := self._here()) is not None:
            self.post_message(self.Marked(self, frozenset(self._model.marks)))
            self._model.marks ^= {key}
            self._refresh_lines((self._cursor - self._top,))
            self.post_message(self.Changed(self))
            self.action_move(1)

    def action_mark_range(self) -> None:
        """Starts a range here, or marks from where it was started up to here."""
        here = self._here()
        start = self._model.position_of(self._anchor) if self._anchor is not None else None
        if here is None:
            return
        if start is None:
            self._anchor = here
            self._mark_by_hand(self._model.marks | {here})
            return
        self._anchor = None
        low, high = sorted((start, self._cursor))
        self._mark_by_hand(self._model.marks | self._model.keys_between(low, high))

    def action_mark_all(self) -> None:
        """Marks every row that passes the filter."""
        self._mark_by_hand(self._model.marks | self._model.keys_between(0, len(self._model)))

    def action_mark_none(self) -> None:
        """Takes all marks away."""
        self._anchor = None
        self._mark_by_hand(set())

    def action_sort_next(self) -> None:
        """Sorts by the next column that can be sorted; after the last comes the server's order."""
        with self._rearranged():
            self._model.sort_next()

    def action_sort_reverse(self) -> None:
        """Turns the sort order round."""
        if self._model.sort is not None:
            with self._rearranged():
                self._model.reverse = not self._model.reverse
                self._model.arrange()

    # Mouse and size ---------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        position = self._top + event.y
        if self._model.at(position) is not None:
            self._move_to(position)
            if event.chain == 2:
                self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move(-3)

    def on_resize(self) -> None:
        self._clamp_top()
        self._tell_near_end()

    def on_focus(self) -> None:
        self._refresh_lines((self._cursor - self._top,))

    def on_blur(self) -> None:
        self._refresh_lines((self._cursor - self._top,))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(len(self._model), len(wrapped(self._placeholder, width - 2)) + 2 if not len(self._model) else 1)

    # Painting ---------------------------------------------------------------------------------------------

    def _refresh_lines(self, lines: Iterable[int]) -> None:
        size = self.size
        regions = [Region(0, y, size.width, 1) for y in lines if 0 <= y < size.height]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """One line of the pane: a row, a heading, the tail, or a line of the placeholder."""
        width, position, model = self.size.width, self._top + y, self._model
        if position < len(model):
            row = model.at(position)
            if row is not None:
                return self._render_row(row, width, at_cursor=position == self._cursor)
            heading = clean(model.heading_at(position) or "")
            return line(heading, width, self.get_component_rich_style("rowlist--heading"))
        if position == len(model) and self._tail and len(model):
            return line("  " + self._tail, width, self._muted)
        if not len(model) and 1 <= y <= len(told := wrapped(self._placeholder, width - 2)):
            return line("  " + told[y - 1], width, self._muted)
        return Strip([Segment(" " * width, self.rich_style)], width)

    def refresh(self, *regions: Region, **changes: bool) -> Self:
        """Paints the list anew, or only these regions of it."""
        if not regions:
            self._shown_columns = None
        return super().refresh(*regions, **changes)

    def columns_in(self, width: int) -> list[tuple[Column[T], int]]:
        """Which columns are shown in a list of `width` cells, and how wide each is; they start after the gutter."""
        if self._shown_columns is None:
            self._shown_columns = self._wanted_columns()
        return fit(self._shown_columns, width - GUTTER)

    def _wanted_columns(self) -> list[Column[T]]:
        return [each for each in self._columns if not each.is_sparse or any(map(each.text, self._model.items))]

    def _has_other_columns(self) -> bool:
        """Whether a column came to be needed, or is no longer."""
        return any(each.is_sparse for each in self._columns) and self._wanted_columns() != self._shown_columns

    @property
    def _muted(self) -> Style:
        return self.get_component_rich_style("rowlist--muted")

    def _gone_text(self, row: T, width: int) -> str:
        name = max(self._columns, key=lambda column: column.grow)
        return f"{pad(clean(name.text(row)), max(0, width - len(GONE) - GAP))}{' ' * GAP}{GONE}"

    def _render_row(self, row: T, width: int, *, at_cursor: bool) -> Strip:
        base, cover = self.rich_style, None
        if at_cursor:
            name = "rowlist--cursor" if self.has_focus else "rowlist--cursor-blurred"
            cover = self.get_component_rich_style(name)
        gutter = ("▌" if at_cursor else " ") + ("•" if self.key(row) in self._model.marks else " ")
        pieces: list[tuple[str, Style]] = [(gutter, cover or base)]
        if self.key(row) in self._model.gone:
            return line(gutter + self._gone_text(row, width - GUTTER), width, cover or self._muted)
        for n, (column, cells) in enumerate(self.columns_in(width)):
            tone = column.tone(row) if column.tone is not None else ""
            style = cover or (self.get_component_rich_style(f"rowlist--{tone}") if tone else base)
            text = pad(clean(column.text(row)), cells, column.align)
            if n:
                pieces.append((" " * GAP, cover or base))
            pieces.extend(self._highlighted(text, style) if not at_cursor else [(text, style)])
        used = GUTTER + sum(cells + GAP for _, cells in self.columns_in(width)) - GAP
        pieces.append((" " * max(0, width - used), cover or base))
        return Strip([Segment(text, style) for text, style in merged(pieces)]).crop(0, width)

    def _highlighted(self, text: str, style: Style) -> list[tuple[str, Style]]:
        needle = self._model.filter.needle
        at = text.lower().find(needle) if needle else -1
        if at < 0 or len(text.lower()) != len(text):
            return [(text, style)]
        end = at + len(needle)
        match = style + self.get_component_rich_style("rowlist--match", partial=True)
        return [(text[:at], style), (text[at:end], match), (text[end:], style)]
