"""The line on top: where you are, which account, and what is left of its call limit."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.safe_text import clean
from tui.widgets.columns import cut_start, pad

_PATH_CELLS: Final = 36
"""What of a path is shown before anything beside it."""


def _side(parts: list[str]) -> str:
    return f" {' · '.join(parts)} " if parts else ""


class Crumbs(Widget):
    """Breadcrumb on the left, account and budget on the right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"crumbs--name", "crumbs--side"}

    def __init__(self, id: str = "crumbs") -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._path = ""
        self._side = ""

    @property
    def path(self) -> str:
        """The path shown."""
        return self._path

    def show(self, path: str, side: str) -> None:
        """Shows another place."""
        if (path, side) != (self._path, self._side):
            self._path, self._side = path, side
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Name, path and side; the side gives up its last parts before the path is cut by much."""
        width = self.size.width
        name, parts = " digsite ", clean(self._side).split(" · ") if self._side else []
        while parts and cell_len(name) + cell_len(_side(parts)) + min(cell_len(self._path) + 2, _PATH_CELLS) > width:
            parts.pop()
        side = _side(parts)
        room = max(0, width - len(name) - cell_len(side))
        return Strip(
            [
                Segment(name, self.get_component_rich_style("crumbs--name")),
                Segment(pad(f" {cut_start(clean(self._path), room - 2)}", room), self.rich_style),
                Segment(side, self.get_component_rich_style("crumbs--side")),
            ]
        ).crop(0, width)
