"""The titles of a list's columns, in a line above it."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.columns import GAP, pad
from tui.widgets.rowlist import GUTTER, RowList


class ColumnTitles(Widget):
    """One line; a title that is wider than its column is left out.

    Args:
        rows: The list below, of the same width.
    """

    def __init__(self, rows: RowList[Any]) -> None:
        super().__init__()
        self._rows = rows
        self._shown = ""

    def look(self) -> None:
        """Follows the list's columns."""
        if self._text() != self._shown:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The titles, each over its column."""
        self._shown = self._text()
        width = self.size.width
        return Strip([Segment(pad(self._shown, width), self.rich_style)], width)

    def _text(self) -> str:
        titles = (
            pad(column.title if cell_len(column.title) <= cells else "", cells, column.align)
            for column, cells in self._rows.columns_in(self.size.width)
        )
        return " " * GUTTER + (" " * GAP).join(titles)
