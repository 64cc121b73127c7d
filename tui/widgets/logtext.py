"""A long text with colours, of which only the lines on the screen are ever laid out; only what changed is painted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.sgr import styled

GUTTER: Final = 2
"""Cells left of a line, for the cursor."""
_KEPT: Final = 400
"""Lines whose layout is remembered."""


class Lines(Protocol):
    """Where the text comes from; it may grow."""

    @property
    def lines(self) -> int:
        """How many there are now."""
        ...

    def text(self, number: int) -> str:
        """One line, counted from 0: hostile text."""
        ...


class LogText(Widget, can_focus=True):
    """Shows lines, with a cursor, wrapped or cut, all of them or chosen ones.

    Args:
        source: The lines.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"logtext--cursor", "logtext--match"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="log.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="log.up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", id="log.page-down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", id="log.page-up", show=False),
        Binding("home,g", "edge(-1)", "Start", id="log.first", show=False),
        Binding("end,G", "edge(1)", "End", id="log.last", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor stands on another line, or the user went away from the end."""

    def __init__(self, source: Lines, id: str = "log-text") -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._source = source
        self._chosen: Sequence[int] | None = None
        self._needle = ""
        self._is_exact = False
        self._rows = 0
        self._cursor = 0
        self._top, self._top_part = 0, 0
        self._layouts: dict[int, list[Strip]] = {}
        self._places: list[tuple[int, int]] | None = None
        self._follows = False
        self._seen_rows = 0
        self.is_wrapped = True

    # What a screen asks -----------------------------------------------------------------------------------

    @property
    def cursor_line(self) -> int:
        """The number of the line under the cursor, from 0, among all lines."""
        return self._line_of(self._cursor) if self._rows else 0

    @property
    def current(self) -> str:
        """The line under the cursor: hostile text."""
        return self._source.text(self.cursor_line) if self._rows else ""

    @property
    def rows(self) -> int:
        """How many lines are shown: all, or those that were chosen."""
        return self._rows

    @property
    def is_at_end(self) -> bool:
        """Whether the cursor is on the last line."""
        return self._cursor >= self._rows - 1

    @property
    def new_lines(self) -> int:
        """Lines that came since the user went up from the end; 0 while they are seen as they come."""
        return max(0, self._rows - self._seen_rows) if self._follows and not self.is_at_end else 0

    # What a screen tells ----------------------------------------------------------------------------------

    def show(self, source: Lines) -> None:
        """Shows another text in its place; the cursor stays on its line number."""
        line = self.cursor_line
        self._source, self._chosen, self._layouts = source, None, {}
        self._rows = source.lines
        self._cursor, self._places = min(self._cursor, max(0, self._rows - 1)), None
        self._seen_rows = min(self._seen_rows, self._rows)
        self.go_to(self._rows - 1 if self._follows and self._rows else line)
        self._changed()

    def follow(self, *, follows: bool) -> None:
        """Stays at the end while lines come, or does not."""
        self._follows = follows
        if follows:
            self.action_edge(1)

    def choose(self, lines: Sequence[int] | None) -> None:
        """Shows only these lines, in ascending order (the sequence may grow); None shows all."""
        line = self.cursor_line
        self._chosen = lines
        self._rows = self._seen_rows = self._count()
        self._cursor = self._top = self._top_part = 0
        self._layouts, self._places = {}, None
        self.go_to(line)
        self._changed()

    def mark(self, needle: str) -> None:
        """Shows where this text stands; capitals matter only where there are some."""
        self._needle, self._is_exact, self._layouts = needle, needle != needle.lower(), {}
        self._changed()

    def wrap(self, *, wrapped: bool) -> None:
        """Wraps long lines, or cuts them."""
        self.is_wrapped, self._layouts, self._top_part = wrapped, {}, 0
        self._scroll_to_cursor()
        self._changed()

    def grown(self) -> None:
        """Looks whether there are more lines now."""
        rows, old = self._count(), self._rows
        was_at_end = self.is_at_end
        if old:
            self._layouts.pop(old - 1, None)  # the last one may have gone on
        self._rows = rows
        if self._follows and was_at_end:
            self._seen_rows = rows
            if rows > old:
                self._move_to(rows - 1)
                return
        self._places = None
        self._refresh_rows(range(max(0, old - 1), rows))

    def go_to(self, line: int) -> None:
        """Puts the cursor on a line, or on the next one that is shown, in the middle where it was not visible."""
        if not self._rows:
            return
        self._move_to(line if self._chosen is None else bisect_left(self._chosen, line))

    def _count(self) -> int:
        return self._source.lines if self._chosen is None else len(self._chosen)

    def _line_of(self, row: int) -> int:
        return row if self._chosen is None else self._chosen[row]

    # Moving -----------------------------------------------------------------------------------------------

    def _move_to(self, row: int) -> None:
        row = max(0, min(row, self._rows - 1))
        old, self._cursor = self._cursor, row
        if self.is_at_end:
            self._seen_rows = self._rows
        if self._is_visible(row):
            self._refresh_rows((old, row))
        else:
            self._scroll_to_cursor()
        self.post_message(self.Moved())

    def action_move(self, rows: int) -> None:
        """Moves the cursor; a line that is higher than the screen is gone through first."""
        if not self._rows:
            return
        if self._goes_on(rows):
            self._scroll(max(1, self.size.height // 2) * (1 if rows > 0 else -1))
            return
        self._move_to(self._cursor + rows)

    def _goes_on(self, rows: int) -> bool:
        """Whether the line under the cursor has parts below or above the screen, in that direction."""
        parts = [part for row, part in self._visible() if row == self._cursor]
        if not parts:
            return False
        return parts[-1] < len(self._parts(self._cursor)) - 1 if rows > 0 else parts[0] > 0

    def action_page(self, pages: int) -> None:
        """Moves by the height of the screen."""
        height = max(1, self.size.height - 1)
        if self.is_wrapped:
            self._scroll(pages * height)
            visible = self._visible()
            if visible:
                old, self._cursor = self._cursor, visible[-1 if pages > 0 else 0][0]
                if self.is_at_end:
                    self._seen_rows = self._rows
                self._refresh_rows((old, self._cursor))
                self.post_message(self.Moved())
        else:
            self._move_to(self._cursor + pages * height)

    def action_edge(self, end: int) -> None:
        """To the first line, or to the last that has come."""
        if self._rows:
            self._move_to(self._rows - 1 if end > 0 else 0)

    def _scroll(self, lines: int) -> None:
        """Moves the view by so many lines of the screen."""
        row, part = self._top, self._top_part + lines
        while part < 0 and row > 0:
            row -= 1
            part += len(self._parts(row))
        while row < self._rows - 1 and part >= (here := len(self._parts(row))):
            part -= here
            row += 1
        self._top, self._top_part = row, max(0, min(part, len(self._parts(row)) - 1))
        self._keep_full()
        self._changed()

    def _scroll_to_cursor(self) -> None:
        """Lays the cursor's line into the middle, at the end of the text to the bottom."""
        self._top, self._top_part = self._before(self._cursor, self.size.height // 2)
        self._keep_full()
        self._changed()

    def _keep_full(self) -> None:
        """No empty lines below the last one where there are lines above."""
        if self._rows:
            last = self._before(self._rows - 1, self.size.height - len(self._parts(self._rows - 1)))
            if (self._top, self._top_part) > last:
                self._top, self._top_part = last

    def _before(self, row: int, lines: int) -> tuple[int, int]:
        """The row and part that stand so many lines of the screen above a row."""
        while lines > 0 and row > 0:
            row -= 1
            lines -= len(self._parts(row))
        return row, max(0, -lines)

    def _visible(self) -> list[tuple[int, int]]:
        """Row and part of each line of the screen."""
        if self._places is None:
            places: list[tuple[int, int]] = []
            row, part = self._top, self._top_part
            while len(places) < self.size.height and row < self._rows:
                places += [(row, n) for n in range(part, len(self._parts(row)))]
                row, part = row + 1, 0
            self._places = places[: self.size.height]
        return self._places

    def _is_visible(self, row: int) -> bool:
        visible = self._visible()
        whole = len(self._parts(row)) if self._rows else 0
        shown = sum(1 for other, _ in visible if other == row)
        return shown == whole or (shown > 0 and shown == self.size.height)

    # Mouse and size ---------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._layouts = {}
        self._rows = self._count()
        self._scroll_to_cursor()

    def on_click(self, event: events.Click) -> None:
        visible = self._visible()
        if event.y < len(visible):
            self._move_to(visible[event.y][0])

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move(-3)

    # Painting ---------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._places = None
        self.refresh()

    def _refresh_rows(self, rows: Sequence[int]) -> None:
        width = self.size.width
        regions = [Region(0, y, width, 1) for y, (row, _) in enumerate(self._visible()) if row in rows]
        if regions:
            self.refresh(*regions)

    def _parts(self, row: int) -> list[Strip]:
        """A row as lines of the screen, without the gutter."""
        parts = self._layouts.get(row)
        if parts is None:
            if len(self._layouts) >= _KEPT:
                self._layouts.clear()
            parts = self._layouts[row] = self._lay_out(self._source.text(self._line_of(row)))
        return parts

    def _lay_out(self, line: str) -> list[Strip]:
        width = max(1, self.size.width - GUTTER)
        strip = Strip([Segment(text, style) for text, style in self._marked(styled(line))])
        length = strip.cell_length
        if length <= width:
            return [strip]
        if self.is_wrapped:
            return [strip.crop(at, min(at + width, length)) for at in range(0, length, width)]
        return [Strip.join([strip.crop(0, width - 1), Strip([Segment("…")])])]

    def _marked(self, pieces: list[tuple[str, Style]]) -> list[tuple[str, Style]]:
        """The pieces, cut where the needle begins and ends."""
        text = "".join(piece for piece, _ in pieces)
        searched = text if self._is_exact else text.lower()
        if not self._needle or len(searched) != len(text):
            return pieces
        cuts: set[int] = set()
        at = searched.find(self._needle)
        while at >= 0:
            cuts.update(range(at, at + len(self._needle)))
            at = searched.find(self._needle, at + len(self._needle))
        if not cuts:
            return pieces
        match = self.get_component_rich_style("logtext--match", partial=True)
        marked: list[tuple[str, Style]] = []
        at = 0
        for piece, style in pieces:
            start = 0
            for n in range(1, len(piece) + 1):
                if n == len(piece) or (at + n in cuts) != (at + start in cuts):
                    marked.append((piece[start:n], style + match if at + start in cuts else style))
                    start = n
            at += len(piece)
        return marked

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        visible, width = self._visible(), self.size.width
        if y >= len(visible):
            return Strip([Segment(" " * width, self.rich_style)], width)
        row, part = visible[y]
        at_cursor = row == self._cursor
        base = self.rich_style
        if at_cursor:
            base = base + self.get_component_rich_style("logtext--cursor", partial=True)
        gutter = Segment("▌ " if at_cursor else "  ")
        strip = Strip([gutter, *self._parts(row)[part]])
        return strip.adjust_cell_length(width).apply_style(base)
