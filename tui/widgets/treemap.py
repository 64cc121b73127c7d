"""A treemap in terminal cells: the area of each box is its share of the whole."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.safe_text import clean
from tui.stats.treemap import Box, neighbour, treemap
from tui.widgets.columns import pad
from tui.widgets.format import count

_TONES: Final = 4
"""Neighbours seldom have the same; the edges part them without colour."""
_LEAST_LINE: Final = 6
"""Cells of a name, from which on a line is drawn behind it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """What a box stands for; all text is as it came."""

    key: Hashable
    weight: int
    name: str
    words: tuple[str, ...] = ()
    """The second line, the most important first; those that do not fit are left out."""
    is_marked: bool = False
    is_others: bool = False
    """Whether it stands for all that have no room; its key is that of the largest of them."""


class Treemap(Widget, can_focus=True):
    """Boxes with a cursor. Each is drawn with its upper and left edge, so that neighbours share theirs."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "treemap--cursor", "treemap--cursor-blurred", "treemap--others", *(f"treemap--tone-{n}" for n in range(_TONES)),
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0, -1)", "Up", id="treemap.up", show=False),
        Binding("down,j", "move(0, 1)", "Down", id="treemap.down", show=False),
        Binding("left", "move(-1, 0)", "To the left", id="treemap.left", show=False),
        Binding("right", "move(1, 0)", "To the right", id="treemap.right", show=False),
        Binding("enter,l", "open", "Open", id="treemap.open"),
        Binding("space", "mark", "Mark", id="treemap.mark"),
    ]

    @dataclass
    class _Told(Message):
        tile: Tile

    class Moved(_Told):
        """The user went to another tile."""

    class Opened(_Told):
        """The tile under the cursor was opened."""

    class Marked(_Told):
        """The tile under the cursor is to be marked, or no longer."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._tiles: Sequence[Tile] = ()
        self._drawn: list[Tile] = []
        self._boxes: list[Box] = []
        self._cursor = 0
        self._wanted: Hashable | None = None  # the cursor's tile; while there is no room, none is drawn

    @property
    def drawn(self) -> Sequence[Tile]:
        """The tiles that have a box; the last may be that of the others."""
        return self._drawn

    @property
    def current(self) -> Tile | None:
        """The tile under the cursor."""
        return self._drawn[self._cursor] if self._drawn else None

    def show(self, tiles: Sequence[Tile], current: Hashable | None) -> None:
        """Draws these, with the cursor on one of them; on the others where it is among those."""
        self._tiles, self._wanted = sorted(tiles, key=lambda tile: -tile.weight), current
        self._lay_out()

    def _lay_out(self) -> None:
        boxes = treemap([tile.weight for tile in self._tiles], self.size.width, self.size.height)
        shown, weighed = len(boxes), sum(tile.weight > 0 for tile in self._tiles)
        drawn = list(self._tiles[:shown])
        if 0 < shown < weighed:
            rest = self._tiles[shown - 1 :]
            words = (f"from {clean(rest[0].name)} on",)
            drawn[-1] = Tile(rest[0].key, sum(t.weight for t in rest), count(len(rest), "other"), words, is_others=True)
        keys = [tile.key for tile in drawn]
        is_other = bool(drawn) and any(tile.key == self._wanted for tile in self._tiles[shown:])
        cursor = keys.index(self._wanted) if self._wanted in keys else shown - 1 if is_other else 0
        if (drawn, boxes, cursor) != (self._drawn, self._boxes, self._cursor):
            before = self._cursor if (drawn, boxes) == (self._drawn, self._boxes) else None
            self._drawn, self._boxes, self._cursor = drawn, boxes, cursor
            self._repaint(before)

    def _repaint(self, before: int | None) -> None:
        """Paints what changed: where only the cursor moved, the edges of two boxes."""
        if before is None:
            self.refresh()
            return
        for box in (self._boxes[before], self._boxes[self._cursor]):
            self.refresh(Region(box.x, box.y, box.width, 1), Region(box.x, box.y, 1, box.height))

    # Cursor -----------------------------------------------------------------------------------------------

    def _move_to(self, number: int) -> None:
        if number != self._cursor:
            before, self._cursor = self._cursor, number
            self._wanted = self._drawn[number].key
            self._repaint(before)
            self.post_message(self.Moved(self._drawn[number]))

    def action_move(self, dx: int, dy: int) -> None:
        """To the neighbour on one side."""
        if self._boxes:
            self._move_to(neighbour(self._boxes, self._cursor, dx, dy))

    def action_open(self) -> None:
        """Opens the tile under the cursor."""
        if (tile := self.current) is not None:
            self.post_message(self.Opened(tile))

    def action_mark(self) -> None:
        """Marks the tile under the cursor; the others together have no mark."""
        if (tile := self.current) is not None and not tile.is_others:
            self.post_message(self.Marked(tile))

    def on_click(self, event: events.Click) -> None:
        number = next((n for n, box in enumerate(self._boxes) if box.holds(event.x, event.y)), None)
        if number is not None:
            self._move_to(number)
            if event.chain == 2:
                self.action_open()

    def on_resize(self) -> None:
        self._lay_out()
        if (tile := self.current) is not None:
            self.post_message(self.Moved(tile))  # now it is drawn, or among the others

    def on_focus(self) -> None:
        self._repaint(self._cursor if self._boxes else None)

    def on_blur(self) -> None:
        self._repaint(self._cursor if self._boxes else None)

    # Painting ---------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line through all boxes that it cuts."""
        cut = [number for number, box in enumerate(self._boxes) if box.y <= y < box.y + box.height]
        segments: list[Segment] = []
        for number in sorted(cut, key=lambda number: self._boxes[number].x):
            segments.extend(self._line_of(number, y - self._boxes[number].y))
        return Strip(segments or [Segment(" " * self.size.width, self.rich_style)]).crop(0, self.size.width)

    def _line_of(self, number: int, line: int) -> Iterator[Segment]:
        tile, width = self._drawn[number], self._boxes[number].width
        style = self.get_component_rich_style(
            "treemap--others" if tile.is_others else f"treemap--tone-{number % _TONES}"
        )
        edge, is_current = style, number == self._cursor
        if is_current:
            edge = self.get_component_rich_style("treemap--cursor" if self.has_focus else "treemap--cursor-blurred")
        if line == 0:
            yield from _title(tile, width, edge, is_current=is_current)
            return
        yield Segment("▌" if is_current else "│", edge)
        words = _fitting(tile.words, width - 2) if line == 1 else ""
        yield Segment(pad(f" {words}" if words else "", width - 1), style)


def _title(tile: Tile, width: int, style: Style, *, is_current: bool) -> Iterator[Segment]:
    """The upper edge, with the name in it."""
    corner, line = ("▌", "━") if is_current else ("╭", "─")
    name = f"{'•' if tile.is_marked else ' '}{clean(tile.name)} "
    if width > _LEAST_LINE and cell_len(name) < width:
        name += line * (width - 1 - cell_len(name))
    yield Segment(corner + pad(name, width - 1), style)


def _fitting(words: Sequence[str], width: int) -> str:
    """As many of the words as there is room for, from the first on."""
    shown = ""
    for word in words:
        longer = f"{shown}  {word}" if shown else word
        if cell_len(longer) > width:
            break
        shown = longer
    return shown
