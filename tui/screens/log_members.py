"""The choice between the logs of a build's bundles."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.services.build_logs import LogMember
from tui.widgets.columns import Column
from tui.widgets.format import size
from tui.widgets.rowlist import RowList


class MembersDialog(ModalScreen[LogMember | None]):
    """Lets the user choose a log.

    Args:
        members: What there is, the one that tells most first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "cancel", "Cancel", id="members.cancel")]

    def __init__(self, members: tuple[LogMember, ...]) -> None:
        super().__init__()
        self._members = members
        columns: tuple[Column[LogMember], ...] = (
            Column("name", "Name", lambda member: member.name, 20, grow=1, sort=lambda member: member.name),
            Column("size", "Size", lambda member: size(member.size_bytes), 9, align="right"),
        )
        self.rows = RowList[LogMember](columns, key=lambda member: member.path, group=lambda m: m.bundle.title)

    def compose(self) -> ComposeResult:
        yield Static("Logs of this build · enter reads one · esc cancels", classes="dialog--title")
        yield self.rows

    def on_mount(self) -> None:
        self.rows.append(self._members)
        self.rows.focus()

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.dismiss(self.rows.current)

    def action_cancel(self) -> None:
        """Closes without a choice."""
        self.dismiss(None)
