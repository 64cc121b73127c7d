"""One line with the keys that work here and now, made from the bindings themselves."""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.columns import pad

_LAST: Final = {"Help": 1, "Close": 2, "Quit": 2}
"""What stands at the end of the line, in this order."""


class Hint(NamedTuple):
    """One key and what it does."""

    key: str
    shown_key: str
    description: str

    @property
    def cells(self) -> int:
        """Cells it takes with its blanks."""
        return len(self.shown_key) + len(self.description) + 3


class KeyBar(Widget):
    """The footer. A single widget, repainted only when the keys change; a click presses the key."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keybar--key"}

    def __init__(self, id: str = "keys") -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._hints: list[Hint] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self.call_after_refresh(self._bindings_changed, self.screen)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        hints = [
            Hint(binding.key, self.app.get_key_display(binding), binding.description)
            for binding in _first_of_each_action(screen)
        ]
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Keys and words, as many as fit."""
        width, used = self.size.width, 0
        key_style = self.get_component_rich_style("keybar--key")
        segments: list[Segment] = []
        for hint in self._fitting() if y == 0 else ():
            segments += [Segment(f" {hint.shown_key}", key_style), Segment(f" {hint.description} ", self.rich_style)]
            used += hint.cells
        segments.append(Segment(pad("", width - used), self.rich_style))
        return Strip(segments).crop(0, width)

    def _fitting(self) -> list[Hint]:
        """As many as there is room for; help and quit, the last two, always."""
        first, last = self._hints[:-2], self._hints[-2:]
        room = self.size.width - sum(hint.cells for hint in last)
        shown = []
        for hint in first:
            room -= hint.cells
            if room < 0:
                break
            shown.append(hint)
        return [*shown, *last]

    def on_click(self, event: events.Click) -> None:
        x = 0
        for hint in self._fitting():
            x += hint.cells
            if event.x < x:
                self.app.simulate_key(hint.key)
                return


def _first_of_each_action(screen: Screen[object]) -> list[Binding]:
    bindings: dict[tuple[str, str], Binding] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.show and active.enabled and binding.description:
            told = (binding.action, binding.description)
            # Which of an action's keys comes first depends on what else is focused; enter is the one that people know.
            if told not in bindings or binding.key == "enter":
                bindings[told] = binding
    # A screen's own keys come after those it has from what it is made of; the ways out and help still end the line.
    return sorted(bindings.values(), key=lambda binding: _LAST.get(binding.description, 0))
