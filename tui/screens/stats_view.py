"""Statistics: what takes the space, parted in ways that `tab` changes, deeper with each `enter`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.models.filter import Fields
from tui.models.totals import CatalogedArtifact
from tui.paths import join
from tui.screens.storage_views import NOT_LISTED, StorageScreen
from tui.services.storage_lines import Line, Listing, Scope, StorageLines, read_lines
from tui.stats.grouping import By
from tui.stats.growth import AHEAD_DAYS, Growth
from tui.stats.health import PERIOD_DAYS
from tui.widgets.bars import bar
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.format import age, count, duration, size
from tui.widgets.pane import Pane
from tui.widgets.rowlist import RowList

_FIELDS: Fields[Line] = Fields(haystack=lambda line: line.name.lower())
_BAR_CELLS = 24
_SPARK_POINTS = 180
_TITLES = {
    Listing.LARGEST: "Largest",
    Listing.OLDEST: "Oldest",
    Listing.DUPLICATES: "Same title and size",
    Listing.HEALTH: f"Builds of the last {PERIOD_DAYS} days",
}


class StatsScreen(StorageScreen[Line]):
    """Shows groups as bars, and below them the artifacts."""

    HELP = """
# Statistics

Counts of what was listed, by account, app, workflow, branch, type, age and month; `tab` takes the next.
`enter` goes deeper, down to the largest artifacts; there `d`, `p`, `X` and `m` act on the marked ones.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "part(1)", "Part by", id="stats.next", tooltip="By the next of account, app, branch and so on"),
        Binding("shift+tab", "part(-1)", "Part by the one before", id="stats.previous", show=False),
    ]

    def __init__(self, *args: Any) -> None:
        self._trail: list[tuple[Scope, Hashable]] = []
        self._scope = Scope()
        self._most = 0
        self._return_to: Hashable | None = None
        super().__init__(*args)

    def make_pane(self) -> Pane[Line]:
        """Names with their bars."""
        columns: tuple[Column[Line], ...] = (
            Column("name", "Name", self._short_name, 22, grow=1, sort=lambda line: line.name.casefold()),
            Column("bar", "Bar", self._bar, _BAR_CELLS, drop=2, tone=self._tone),
            Column("share", "Share", _share, 4, align="right", drop=1),
            Column("count", "Count", lambda line: "" if line.artifact is not None else f"{line.count:,}", 9,
                   align="right", drop=3, tone=lambda _: "muted", sort=lambda line: line.count),
            Column("size", "Size", self._amount, 14, align="right", sort=lambda line: line.size_bytes),
        )  # fmt: skip
        rows = RowList[Line](columns, key=lambda line: line.key)
        return Pane[Line]("Statistics", rows, _FIELDS, now=self._now, id="statistics")

    def compose_head(self) -> ComposeResult:
        """How the space grew."""
        from textual.widgets import Sparkline  # only where it is shown

        with Horizontal(id="growth"):
            yield Sparkline([], id="growth-plot")
            yield Static("", id="growth-words", markup=False)

    def _short_name(self, line: Line) -> str:
        """Without what the line on top says already."""
        name = line.name.removeprefix(f"{self._path()}/")
        return f"{name}/" if line.inside is not None and line.inside.group is None else name

    def _bar(self, line: Line) -> str:
        if line.health is not None:
            return bar(round(1000 * (line.share or 0)), 1000, _BAR_CELLS)
        return bar(line.size_bytes or 0, self._most, _BAR_CELLS)

    def _tone(self, line: Line) -> str:
        if line.health is None or line.share is None:
            return "busy"
        return "good" if line.share >= 0.9 else "warn" if line.share >= 0.5 else "bad"

    def _amount(self, line: Line) -> str:
        if line.health is not None:
            trend = "" if line.health.trend is None else f" {line.health.trend:+.0%}"
            return f"{duration(line.health.mean_s)}{trend}"
        if line.artifact is not None and self._scope.by is Listing.OLDEST:
            return f"{age(line.artifact.created_at, self._now())} {size(line.size_bytes)}"
        return size(line.size_bytes)

    # What is shown ----------------------------------------------------------------------------------------

    @property
    def scope(self) -> Scope:
        """What is looked at."""
        return self._scope

    def reload(self, *, anew: bool) -> None:
        """Reads the lines of the scope."""
        scope, today = self._scope, self._now().date()

        async def load() -> Sequence[Line]:
            found = await self.read(lambda figures: read_lines(figures, scope, today))
            self._show_whole(found)
            return found.lines

        empty = ("No such artifacts were listed.",) if scope.by is not Listing.HEALTH else ("No build ended lately.",)
        self.query_one(Crumbs).show(self._where(), "")
        self.fill(self._subject(), load, empty, anew=anew)

    def _path(self) -> str:
        path = self._scope.path
        return join(*(part for part in (path.account, path.app) if part))

    def _where(self) -> str:
        return self._path() or "all accounts"

    def _subject(self) -> str:
        by, group = self._scope.by, self._scope.group
        if group is not None:
            return f"{by} {group}" if isinstance(by, By) else _TITLES[by].lower()
        return f"by {by}" if isinstance(by, By) else _TITLES[by].lower()

    def _show_whole(self, found: StorageLines) -> None:
        self._most = max((line.size_bytes or 0 for line in found.lines), default=0)
        self.query_one(Crumbs).show(self._where(), f"{count(found.count, 'artifact')}, {size(found.size_bytes)}")
        self.note(f"Partial: {' '.join(found.gaps)} {NOT_LISTED}" if found.gaps else "")
        from textual.widgets import Sparkline

        points = found.growth.points[-_SPARK_POINTS:]
        self.query_one(Sparkline).data = [float(held) for _, held in points]
        self.query_one("#growth-words", Static).update(Content(growth_words(found.growth)))

    def artifact_of(self, row: Line) -> tuple[CatalogedArtifact, str] | None:
        """The artifact of a line."""
        return None if row.artifact is None else (row.artifact, row.name)

    # Moving -----------------------------------------------------------------------------------------------

    @on(RowList.Changed)
    def _changed(self) -> None:
        if self._return_to is not None and self.pane.rows.go_to(self._return_to):
            self._return_to = None

    def open_row(self, row: Line) -> None:
        """Goes into a group."""
        if row.inside is not None:
            self._trail.append((self._scope, row.key))
            self._scope, self._return_to = row.inside, None
            self.reload(anew=True)

    def step_back(self) -> bool:
        """Back to the groups above, with the cursor where it was."""
        if not self._trail:
            return False
        self._scope, self._return_to = self._trail.pop()
        self.reload(anew=True)
        return True

    def action_part(self, steps: int) -> None:
        """Parts the same scope in another way."""
        choices = self._scope.choices()
        at = (choices.index(self._scope.by) + steps) % len(choices)
        self._scope, self._return_to = Scope(self._scope.path, choices[at]), None
        self.reload(anew=True)


def growth_words(growth: Growth) -> str:
    """The forecast in a sentence."""
    if growth.forecast_bytes is None or growth.bytes_per_day is None:
        return "Growth: too few days to tell."
    sign = "-" if growth.bytes_per_day < 0 else "+"
    per_day = size(abs(round(growth.bytes_per_day)))
    return (
        f"{sign}{per_day} a day: {size(growth.forecast_bytes)} in {AHEAD_DAYS} days, if nothing is deleted or expires."
    )


def _share(line: Line) -> str:
    if line.share is None:
        return ""
    return "<1%" if 0 < line.share < 0.005 else f"{line.share:.0%}"
