"""The panel that shows what is known of the row under the cursor."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.columns import pad
from tui.widgets.facts import Facts


class DetailPanel(Widget):
    """Labelled lines; a change repaints only the lines that differ."""

    COMPONENT_CLASSES = {"detail--label"}  # noqa: RUF012  # Textual reads it from the class
    LABEL_CELLS = 13

    def __init__(self, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._lines: list[tuple[str, str]] = []
        self._facts: Facts = []

    @property
    def facts(self) -> Facts:
        """What is shown."""
        return self._facts

    def show(self, facts: Facts) -> None:
        """Shows other facts."""
        self._facts = facts
        self._relayout()

    def on_resize(self) -> None:
        self._relayout()

    def _relayout(self) -> None:
        old, self._lines = self._lines, self._wrapped()
        changed = [y for y in range(max(len(old), len(self._lines))) if _at(old, y) != _at(self._lines, y)]
        regions = [Region(0, y, self.size.width, 1) for y in changed if y < self.size.height]
        if regions:
            self.refresh(*regions)

    def _wrapped(self) -> list[tuple[str, str]]:
        room = max(8, self.size.width - self.LABEL_CELLS)
        lines: list[tuple[str, str]] = []
        for label, value in self._facts:
            pieces = [value[n : n + room] for n in range(0, len(value), room)][:3] or [""]
            lines.extend((label if n == 0 else "", piece) for n, piece in enumerate(pieces))
        return lines

    def render_line(self, y: int) -> Strip:
        """One labelled line."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip([Segment(" " * width, self.rich_style)], width)
        label, value = self._lines[y]
        label_cells = min(self.LABEL_CELLS, width)
        return Strip(
            [
                Segment(pad(label, label_cells), self.get_component_rich_style("detail--label")),
                Segment(pad(value, width - label_cells), self.rich_style),
            ],
            width,
        )


def _at(lines: list[tuple[str, str]], y: int) -> tuple[str, str] | None:
    return lines[y] if y < len(lines) else None
