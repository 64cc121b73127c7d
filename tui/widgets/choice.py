"""A question with more than two answers, over the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ItemGrid, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.safe_text import clean

BUTTON_CELLS: Final = 16
"""Columns of an answer; where they do not all fit side by side, they stand in several lines."""


class Choice(NamedTuple):
    """One answer."""

    name: str
    """What the dialog gives back."""
    key: str
    """The letter that chooses it."""
    label: str


class ChoiceDialog(ModalScreen[str | None]):
    """Asks which of several things to do; gives back a choice's name, or None.

    Args:
        title: The question.
        lines: What it is about.
        choices: The answers; the first has the focus, so it should change least.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="choice.cancel"),
        Binding("left,up,shift+tab", "app.focus_previous", "Previous", show=False, id="choice.previous"),
        Binding("right,down,tab", "app.focus_next", "Next", show=False, id="choice.next"),
    ]

    def __init__(self, title: str, lines: Sequence[str], choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title, self._lines, self._choices = title, lines, choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self._title)), classes="dialog--title")
            with VerticalScroll(classes="dialog--body", can_focus=False):
                yield Static(Content("\n".join(clean(line) for line in self._lines)))
            keys = " · ".join(f"{choice.key} {choice.label.lower()}" for choice in self._choices)
            yield Static(Content(f"{keys} · esc cancels"), classes="dialog--prompt")
            with ItemGrid(classes="dialog--buttons", min_column_width=BUTTON_CELLS):
                for choice in self._choices:
                    yield Button(Content(choice.label), id=f"choice-{choice.name}", compact=True)

    def on_mount(self) -> None:
        self.query(Button).first().focus()

    def on_key(self, event: events.Key) -> None:
        for choice in self._choices:
            if event.key == choice.key:
                event.stop()
                self.dismiss(choice.name)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss((event.button.id or "").removeprefix("choice-"))

    def action_cancel(self) -> None:
        """Closes without an answer."""
        self.dismiss(None)
