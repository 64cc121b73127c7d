"""A dialog in which one row of a list is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.safe_text import clean
from tui.widgets.rowlist import RowList

T = TypeVar("T")


class ListDialog(ModalScreen[Any], Generic[T]):
    """As high as its list, as far as the window has room. Gives back `answer` of the row that was chosen, or None.

    Its keys, that for `cancel` among them, come with what it asks for.

    Args:
        title: What is to be chosen.
        rows: The list, empty yet.
        choices: What is in it.
        empty: Lines that stand there when there is none.
    """

    def __init__(self, title: str, rows: RowList[T], choices: Sequence[T], empty: Sequence[str] = ()) -> None:
        super().__init__()
        self._title, self._choices, self._empty = title, choices, empty
        self.rows = rows

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -list"):
            yield Static(Content(clean(self._title)), classes="dialog--title")
            yield self.rows
            yield Static("enter chooses · esc cancels", classes="dialog--prompt")

    def on_mount(self) -> None:
        self.rows.set_placeholder(*self._empty)
        self.rows.append(self._choices)
        self.rows.refresh(layout=True)
        self.rows.focus()

    def answer(self, row: T) -> Any:
        """What it gives back for a row."""
        return row

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        if self.rows.current is not None:
            self.dismiss(self.answer(self.rows.current))

    def action_cancel(self) -> None:
        """Closes without a choice."""
        self.dismiss(None)
