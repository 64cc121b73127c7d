"""A line of tabs: names side by side, the active one marked as a list marks the row under its cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.safe_text import clean
from tui.widgets.columns import pad

_WIDEST: Final = 24
"""Cells of a name; a longer one is cut."""


class TabStrip(Widget):
    """Tabs in their order. Where they do not all fit, it is scrolled to the active one and `…` stands for the rest.

    Args:
        names: What the tabs are called.
        id: Of the widget.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tabs--active"}

    @dataclass
    class Chosen(Message):
        """A tab was clicked."""

        index: int

    def __init__(self, names: Sequence[str], *, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._labels = [_label(name) for name in names]
        self._active = 0

    @property
    def active(self) -> int:
        """The index of the active tab."""
        return self._active

    def show(self, active: int) -> None:
        """Marks another tab as the active one."""
        if active != self._active:
            self._active = active
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The tabs that fit."""
        width, used = self.size.width, 0
        segments: list[Segment] = []
        for index, text in self._fitting(width):
            style = self.get_component_rich_style("tabs--active") if index == self._active else self.rich_style
            segments.append(Segment(text, style))
            used += cell_len(text)
        segments.append(Segment(" " * max(0, width - used), self.rich_style))
        return Strip(segments).crop(0, width)

    def _fitting(self, width: int) -> Iterator[tuple[int | None, str]]:
        """Index and text of what is shown from left to right; None for the marks of what is not."""
        first, last = self._window(width)
        if first:
            yield None, "…"
        for index in range(first, last):
            label = self._labels[index]
            yield index, f"▌{label[1:]}" if index == self._active else label
        if last < len(self._labels):
            yield None, "…"

    def _window(self, width: int) -> tuple[int, int]:
        """From and to which tab there is room: as many as fit with the active one, from the first where it can be."""
        widths = [cell_len(label) for label in self._labels]
        first, last = 0, len(widths)
        while first < self._active and sum(widths[first : self._active + 1]) + 2 > width:
            first += 1
        while last > self._active + 1 and sum(widths[first:last]) + (first > 0) + (last < len(widths)) > width:
            last -= 1
        return first, last

    def on_click(self, event: events.Click) -> None:
        event.stop()
        right = 0
        for index, text in self._fitting(self.size.width):
            right += cell_len(text)
            if event.x < right:
                if index is not None:
                    self.post_message(self.Chosen(index))
                return


def _label(name: str) -> str:
    text = clean(name)
    return f" {pad(text, min(cell_len(text), _WIDEST))} "
