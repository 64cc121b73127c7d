"""The saved digs, to open one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.digs import Dig, read_dig
from tui.widgets.columns import Column
from tui.widgets.list_dialog import ListDialog
from tui.widgets.rowlist import RowList

_Named = tuple[str, Dig]


class DigsDialog(ListDialog[_Named]):
    """Gives back the name of the dig that was chosen, or None.

    Args:
        digs: The saved ones by name, as config.toml has them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,ampersand", "cancel", "Cancel", id="digs.cancel")]

    def __init__(self, digs: Mapping[str, str]) -> None:
        columns: tuple[Column[_Named], ...] = (
            Column("name", "Name", lambda row: f"@{row[0]}", 12, sort=lambda row: row[0]),
            Column("path", "Path", lambda row: row[1].path, 16, grow=1, sort=lambda row: row[1].path),
            Column("filter", "Filter", lambda row: row[1].filter, 12, grow=1, drop=1, tone=lambda _: "muted"),
        )
        empty = (
            "None yet. In config.toml:",
            "",
            "[digs]",
            'red = "acme/acme-android?branch:main status:failed"',
            "",
            "On the command line it is @red: digsite ls @red",
        )
        rows = RowList[_Named](columns, key=lambda row: row[0], id="digs")
        super().__init__("Saved digs", rows, [(name, read_dig(text)) for name, text in digs.items()], empty)

    def answer(self, row: _Named) -> str:
        """The name."""
        return row[0]
