"""What takes the space inside an archive: folder by folder, largest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.models import Cursor, Page
from tui.models.filter import Fields
from tui.peek import Entry
from tui.peek.folders import Share, shares
from tui.screens.help_toggle import HelpToggle
from tui.widgets.bars import bar, share
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.format import size
from tui.widgets.keybar import KeyBar
from tui.widgets.pane import Feed, Pane
from tui.widgets.rowlist import RowList

_FIELDS: Fields[Share] = Fields(haystack=lambda found: found.name.lower())
_BAR_CELLS = 24


class FolderSizesScreen(HelpToggle):
    """Shows folders as bars; gives the path of the file that was chosen.

    Args:
        entries: Of the archive.
        path: Of the artifact, for the line on top.
        now: The clock, aware UTC.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left,backspace", "back", "Back", id="sizes.back"),
        Binding("q,m", "close", "Close", id="sizes.close"),
        Binding("question_mark,f1", "toggle_help", "Help", id="app.help"),
    ]

    def __init__(self, entries: Sequence[Entry], path: str, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._entries, self._path, self._folder = entries, path, ""
        self._whole = self._largest = 0
        columns: tuple[Column[Share], ...] = (
            Column("name", "Name", lambda found: found.name + "/" * found.is_folder, 16, grow=1,
                   sort=lambda found: found.name),
            Column("bar", "", lambda found: bar(found.size_bytes, self._largest, _BAR_CELLS), _BAR_CELLS, drop=2,
                   tone=lambda _: "busy"),
            Column("share", "Share", lambda found: share(found.size_bytes, self._whole), 5, align="right",
                   sort=lambda found: found.size_bytes),
            Column("files", "Files", lambda found: f"{found.files:,}" if found.is_folder else "", 7, align="right",
                   drop=3, tone=lambda _: "muted", sort=lambda found: found.files),
            Column("packed", "Packed", lambda found: size(found.packed_bytes), 9, align="right", drop=1,
                   tone=lambda _: "muted", sort=lambda found: found.packed_bytes),
            Column("size", "Size", lambda found: size(found.size_bytes), 9, align="right",
                   sort=lambda found: found.size_bytes),
        )  # fmt: skip
        rows = RowList[Share](columns, key=lambda found: found.path)
        self.folders = Pane[Share](
            "Sizes", rows, _FIELDS, now=now, size_of=lambda found: found.size_bytes, has_titles=True, id="folders"
        )

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield self.folders
        yield KeyBar()

    def on_mount(self) -> None:
        self.folders.rows.focus()
        self._show("")

    def _show(self, folder: str) -> None:
        left, self._folder = self._folder, folder
        found = shares(self._entries, folder)
        self._whole = sum(share.size_bytes for share in found)
        self._largest = max((share.size_bytes for share in found), default=0)

        async def load(_: Cursor | None) -> Page[Share]:
            return Page(tuple(found), total=len(found))

        self.query_one(Crumbs).show(f"{self._path}//{folder}", "")
        feed = Feed[Share](folder or "/", load, kept=tuple(found))
        self.folders.show(folder or "/", [feed], empty=lambda: ("The archive is empty.",))
        if left.startswith(folder):
            self.folders.rows.go_to(left)

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        chosen = self.folders.rows.current
        if chosen is not None and chosen.is_folder:
            self._show(chosen.path)
        elif chosen is not None:
            self.dismiss(chosen.path)

    def action_back(self) -> None:
        """Clears the filter, else goes to the folder above, else back to the members."""
        if self.folders.drop_filter():
            return
        if self._folder:
            above = self._folder[:-1].rpartition("/")
            self._show(above[0] + above[1])
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        """Back to the members."""
        self.dismiss(None)
