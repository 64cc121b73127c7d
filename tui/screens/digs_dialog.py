"""The saved digs, to open one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.assets import stylesheet
from tui.digs import Dig, read_dig
from tui.widgets.columns import Column
from tui.widgets.rowlist import RowList

_Named = tuple[str, Dig]


class DigsDialog(ModalScreen[Dig | None]):
    """Gives back the dig that was chosen, or None.

    Args:
        digs: The saved ones by name, as config.toml has them.
    """

    CSS_PATH = stylesheet("search")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,ampersand", "cancel", "Cancel", id="digs.cancel")]

    def __init__(self, digs: Mapping[str, str]) -> None:
        super().__init__()
        self._digs = [(name, read_dig(text)) for name, text in digs.items()]
        columns: tuple[Column[_Named], ...] = (
            Column("name", "Name", lambda row: f"@{row[0]}", 12, sort=lambda row: row[0]),
            Column("path", "Path", lambda row: row[1].path, 16, grow=1, sort=lambda row: row[1].path),
            Column("filter", "Filter", lambda row: row[1].filter, 12, grow=1, drop=1, tone=lambda _: "muted"),
        )
        self.rows = RowList[_Named](columns, key=lambda row: row[0], id="digs")

    def compose(self) -> ComposeResult:
        yield Static("Saved digs · enter opens one · esc cancels", classes="dialog--title")
        yield self.rows

    def on_mount(self) -> None:
        self.rows.set_placeholder(
            "None yet. In config.toml:",
            "",
            "[digs]",
            'red = "acme/acme-android?branch:main status:failed"',
            "",
            "On the command line it is @red: digsite ls @red",
        )
        self.rows.append(self._digs)
        self.rows.focus()

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        if self.rows.current is not None:
            self.dismiss(self.rows.current[1])

    def action_cancel(self) -> None:
        """Closes without a choice."""
        self.dismiss(None)
