"""A screen of labelled lines under headings: each can be read whole and copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui.safe_text import clean, clean_lines
from tui.screens.help_toggle import HelpToggle
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.dialogs import TextDialog
from tui.widgets.keybar import KeyBar
from tui.widgets.rowlist import RowList


class PanelLine(NamedTuple):
    """One line; all text is as it came."""

    section: str
    label: str
    text: str
    tone: str = ""
    """Names a style of `RowList`."""


_Numbered = tuple[int, PanelLine]


class PanelScreen(HelpToggle):
    """Shows lines.

    Args:
        path: Of what they are about, for the line on top.
        label_cells: How wide labels are at least.
    """

    NAME: ClassVar[str]
    """What is shown, for the frame around it."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left,backspace", "close", "Back", id="panel.back"),
        Binding("y", "copy", "Copy line", id="panel.copy"),
        Binding("question_mark,f1", "toggle_help", "Help", id="app.help"),
        Binding("q", "close", "Close", id="panel.close"),
    ]

    def __init__(self, path: str, label_cells: int) -> None:
        super().__init__()
        self._path = path
        columns: tuple[Column[_Numbered], ...] = (
            Column("label", "Label", lambda row: row[1].label, label_cells, grow=1, tone=lambda _: "muted"),
            Column("text", "Text", lambda row: row[1].text, 20, grow=14, tone=lambda row: row[1].tone),
        )
        self.rows = RowList[_Numbered](columns, key=lambda row: row[0], group=lambda row: row[1].section)

    @property
    def lines(self) -> list[PanelLine]:
        """What is shown."""
        return [line for _, line in self.rows.rows]

    @property
    def headline(self) -> str:
        """What stands above the lines."""
        return str(self.query_one("#headline", Static).content)

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Static("", id="headline", markup=False)
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(self.NAME)
            yield self.rows
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Crumbs).show(self._path, "")
        self.rows.focus()

    def show_headline(self, text: str, *, is_bad: bool) -> None:
        """What is most worth knowing."""
        headline = self.query_one("#headline", Static)
        headline.update(Content(clean(text, 600)))
        headline.set_class(not is_bad, "-calm")

    def show_lines(self, lines: Sequence[PanelLine]) -> None:
        """Shows other lines; the cursor stays where it is."""
        self.rows.replace(enumerate(lines))

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        current = self.rows.current
        if current is not None:
            line = current[1]
            self.app.push_screen(TextDialog(line.label or line.section, clean_lines(line.text)))

    def action_copy(self) -> None:
        """Copies the line under the cursor, with its place where it has one."""
        current = self.rows.current
        if current is not None:
            text = clean(current[1].text, 4000)
            self.app.copy_to_clipboard(text)
            self.notify(clean(f"Sent to the terminal's clipboard: {text}", 200), markup=False)

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss(None)
