"""The choice between the logs of a build's bundles."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.services.build_logs import LogMember
from tui.widgets.columns import Column
from tui.widgets.format import size
from tui.widgets.list_dialog import ListDialog
from tui.widgets.rowlist import RowList


class MembersDialog(ListDialog[LogMember]):
    """Gives back the log that was chosen, or None.

    Args:
        members: What there is, the one that tells most first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "cancel", "Cancel", id="members.cancel")]

    def __init__(self, members: tuple[LogMember, ...]) -> None:
        columns: tuple[Column[LogMember], ...] = (
            Column("name", "Name", lambda member: member.name, 20, grow=1, sort=lambda member: member.name),
            Column("size", "Size", lambda member: size(member.size_bytes), 9, align="right"),
        )
        rows = RowList[LogMember](columns, key=lambda member: member.path, group=lambda m: m.bundle.title)
        super().__init__("Logs of this build", rows, members)
