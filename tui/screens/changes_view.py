"""What changed: between two builds by artifact, and between two artifacts by file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.models import Artifact, Cursor, Page
from tui.models.filter import Fields
from tui.peek.diff import Change, ChangeKind, Pair, totals
from tui.safe_text import clean
from tui.screens.help_toggle import HelpToggle
from tui.services.comparing import BuildComparison, Comparing
from tui.widgets.bars import signed_size
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.dialogs import TextDialog
from tui.widgets.format import build_name, exact_size, size
from tui.widgets.keybar import KeyBar
from tui.widgets.pane import Feed, Pane
from tui.widgets.rowlist import RowList

_GLYPHS = {
    ChangeKind.ADDED: "+ added",
    ChangeKind.REMOVED: "- removed",
    ChangeKind.GREW: "▲ grew",
    ChangeKind.SHRANK: "▼ shrank",
    ChangeKind.CHANGED: "× changed",
    ChangeKind.SAME: "= same",
}
_TONES = {
    ChangeKind.ADDED: "warn",
    ChangeKind.REMOVED: "busy",
    ChangeKind.GREW: "bad",
    ChangeKind.SHRANK: "good",
    ChangeKind.CHANGED: "",
    ChangeKind.SAME: "muted",
}


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    change: Change
    pair: Pair[Artifact, Artifact] | None = None
    """Where it is an artifact's line."""


_FIELDS: Fields[_Line] = Fields(
    haystack=lambda line: f"{line.change.name} {line.change.kind}".lower(),
    texts={"change": lambda line: str(line.change.kind)},
)


class ChangesScreen(HelpToggle):
    """Shows added, removed, grown and shrunk things, what changed most first.

    Args:
        comparing: To compare with.
        what: Two builds, already compared, or two artifacts, whose directories are then read.
        paths: Of both.
        now: The clock, aware UTC.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left,backspace", "back", "Back", id="changes.back"),
        Binding("y", "copy", "Copy name", id="changes.copy"),
        Binding("q", "close", "Close", id="changes.close"),
        Binding("question_mark,f1", "toggle_help", "Help", id="app.help"),
    ]

    def __init__(
        self,
        comparing: Comparing,
        what: BuildComparison | tuple[Artifact, Artifact],
        paths: tuple[str, str],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__()
        self._comparing, self._what, self._paths, self._now = comparing, what, paths, now
        columns: tuple[Column[_Line], ...] = (
            Column("kind", "Change", lambda line: _GLYPHS[line.change.kind], 9,
                   tone=lambda line: _TONES[line.change.kind], sort=lambda line: line.change.kind),
            Column("name", "Name", lambda line: line.change.name, 18, grow=1, sort=lambda line: line.change.name),
            Column("before", "Before", lambda line: _size(line.change.before_bytes), 9, align="right", drop=2,
                   tone=lambda _: "muted", sort=lambda line: line.change.before_bytes),
            Column("after", "After", lambda line: _size(line.change.after_bytes), 9, align="right", drop=1,
                   sort=lambda line: line.change.after_bytes),
            Column("delta", "Difference", lambda line: signed_size(line.change.delta_bytes), 10, align="right",
                   tone=lambda line: _TONES[line.change.kind], sort=lambda line: line.change.delta_bytes),
        )  # fmt: skip
        rows = RowList[_Line](columns, key=lambda line: line.number)
        self.changes = Pane[_Line]("Changes", rows, _FIELDS, now=now, has_titles=True, id="changes")

    @property
    def lines(self) -> list[Change]:
        """What is shown."""
        return [line.change for line in self.changes.rows.rows]

    @property
    def headline(self) -> str:
        """The totals."""
        return str(self.query_one("#changes-sum", Static).content)

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Static("", id="changes-sum", markup=False)
        yield self.changes
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Crumbs).show(f"{self._paths[0]}  →  {self._paths[1]}", "")
        self.changes.rows.focus()
        feed = Feed[_Line]("comparison", self._load)
        self.changes.show("", [feed], empty=lambda: ("Nothing changed: all files are the same.",))

    async def _load(self, _: Cursor | None) -> Page[_Line]:
        if isinstance(self._what, BuildComparison):
            found = [(item.change, item.pair) for item in self._what.artifacts]
            lines = [_Line(number, change, pair) for number, (change, pair) in enumerate(found)]
            names = f"{build_name(self._what.before)} → {build_name(self._what.after)}"
            self._sum_up(names, [line.change for line in lines], "")
        else:
            compared = await self._comparing.files(*self._what)
            lines = [_Line(n, change) for n, change in enumerate(compared.files) if change.kind is not ChangeKind.SAME]
            archives = f"archive {size(compared.before.size_bytes)} → {size(compared.after.size_bytes)}"
            cost = f"unpacked sizes · {size(compared.moved_bytes)} read"
            self._sum_up(archives, compared.files, cost)
        return Page(tuple(lines), total=len(lines))

    def _sum_up(self, names: str, changes: list[Change] | tuple[Change, ...], side: str) -> None:
        sums = totals(changes)
        parts = [f"{number:,} {kind}" for kind, number in sums.counts.items() if number]
        total = f"{size(sums.before_bytes)} → {size(sums.after_bytes)}, {signed_size(sums.delta_bytes)}"
        lines = [f"{names}   {'files' if side else 'in all'} {total}", " · ".join([*parts, side] if side else parts)]
        self.query_one("#changes-sum", Static).update(Content("\n".join(clean(line) for line in lines)))

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        line = self.changes.rows.current
        if line is None:
            return
        pair = line.pair
        if pair is not None and pair.before is not None and pair.after is not None:
            paths = (f"{self._paths[0]}/{pair.before.title}", f"{self._paths[1]}/{pair.after.title}")
            self.app.push_screen(ChangesScreen(self._comparing, (pair.before, pair.after), paths, self._now))
            return
        change = line.change
        sizes = [f"Before  {exact_size(change.before_bytes)}"] if change.before_bytes is not None else []
        sizes += [f"After   {exact_size(change.after_bytes)}"] if change.after_bytes is not None else []
        self.app.push_screen(TextDialog(_GLYPHS[change.kind], "\n".join([clean(change.name), "", *sizes])))

    @on(Pane.ErrorAsked)
    def _error_asked(self, event: Pane.ErrorAsked) -> None:
        self.app.push_screen(TextDialog(type(event.error).__name__, clean(str(event.error))))

    def action_back(self) -> None:
        """Clears the filter, else goes back."""
        if not self.changes.drop_filter():
            self.dismiss(None)

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """Copies the name under the cursor."""
        line = self.changes.rows.current
        if line is not None:
            self.app.copy_to_clipboard(clean(line.change.name))
            self.notify(clean(f"Sent to the terminal's clipboard: {line.change.name}"), markup=False)


def _size(size_bytes: int | None) -> str:
    return "" if size_bytes is None else size(size_bytes)
