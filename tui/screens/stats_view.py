"""Statistics: what takes the space, parted in ways that `tab` changes, deeper with each `enter`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui.models.filter import Fields
from tui.models.totals import CatalogedArtifact
from tui.paths import join
from tui.screens.storage_views import NOT_LISTED, VIEW_KEYS, StorageScreen
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
from tui.widgets.treemap import Tile, Treemap

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
    """Shows groups as bars or as a treemap, and below them the artifacts."""

    HELP = """
# Statistics

Counts of what was listed, by account, app, workflow, branch, type, age and month; `tab` takes the next. `t` draws
them as a treemap, where the arrows go from box to box, or as bars again.
`enter` goes deeper, down to the largest artifacts; there `d`, `p`, `X` and `m` act on the marked ones.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "part(1)", "Part by", id="stats.next", tooltip="By the next of account, app, branch and so on"),
        Binding("shift+tab", "part(-1)", "Part by the one before", id="stats.previous", show=False),
        Binding("t", "toggle_map", "Map/bars", id="stats.treemap", tooltip="As a treemap, or as bars again"),
        *VIEW_KEYS,
    ]

    def __init__(self, *args: Any) -> None:
        self._trail: list[tuple[Scope, Hashable]] = []
        self._scope = Scope()
        self._most = 0
        self._return_to: Hashable | None = None
        self._map = Treemap(id="treemap")
        self._wants_map = False
        self._partial = ""
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

    def on_mount(self) -> None:
        self.pane.mount(self._map, after=self.pane.rows)

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

        is_of_builds = scope.by is Listing.HEALTH and scope.day is None
        empty = ("No build ended lately.",) if is_of_builds else ("No such artifacts were listed.",)
        self.query_one(Crumbs).show(self._where(), "")
        self.fill(self._subject(), load, empty, anew=anew)

    def _path(self) -> str:
        path = self._scope.path
        return join(*(part for part in (path.account, path.app) if part))

    def _where(self) -> str:
        return self._path() or "all accounts"

    def _subject(self) -> str:
        by, group = self._scope.by, self._scope.group
        if group is not None and by is Listing.HEALTH:
            when = f"last {PERIOD_DAYS} days" if self._scope.day is None else self._scope.day.isoformat()
            return f"workflow {group}, {when}"
        if group is not None:
            return f"{by} {group}" if isinstance(by, By) else _TITLES[by].lower()
        return f"by {by}" if isinstance(by, By) else _TITLES[by].lower()

    def _show_whole(self, found: StorageLines) -> None:
        self._most = max((line.size_bytes or 0 for line in found.lines), default=0)
        self.query_one(Crumbs).show(self._where(), f"{count(found.count, 'artifact')}, {size(found.size_bytes)}")
        self._partial = f"Partial: {' '.join(found.gaps)} {NOT_LISTED}" if found.gaps else ""
        self.note(self._partial)
        from textual.widgets import Sparkline

        points = found.growth.points[-_SPARK_POINTS:]
        self.query_one(Sparkline).data = [float(held) for _, held in points]
        self.query_one("#growth-words", Static).update(Content(growth_words(found.growth)))

    def chosen(self) -> list[tuple[CatalogedArtifact, str]]:
        """As in the list; small boxes that were gathered are no choice."""
        tile = self._map.current if self.pane.has_class("-map") else None
        if tile is None or not tile.is_others or self.pane.rows.marked:
            return super().chosen()
        self.notify("These are several; enter lists them.", severity="warning")
        return []

    def artifact_of(self, row: Line) -> tuple[CatalogedArtifact, str] | None:
        """The artifact of a line."""
        return None if row.artifact is None else (row.artifact, row.name)

    # Moving -----------------------------------------------------------------------------------------------

    @on(RowList.Moved)
    def _moved(self) -> None:
        if self._return_to is not None and self.pane.rows.go_to(self._return_to):
            self._return_to = None
        self._draw_map()

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

    # The treemap ------------------------------------------------------------------------------------------

    def action_toggle_map(self) -> None:
        """Shows the same lines as a treemap, or as bars again."""
        self._wants_map = not self._wants_map
        self._draw_map()

    @on(Pane.FilterSettled)
    @on(events.DescendantFocus, "Input")
    def _draw_map(self) -> None:
        """The lines that pass the filter, as boxes; the list where nothing has a size, and while a filter is typed.

        The list keeps cursor and marks for both, so that every key acts on the same row.
        """
        rows, is_typing = self.pane.rows, isinstance(self.focused, Input)
        marked = {line.key for line in rows.marked}
        lines = rows.shown_rows if self._wants_map and not is_typing else []
        tiles = [self._tile(line, is_marked=line.key in marked) for line in lines]
        self._map.show(tiles, rows.current.key if rows.current is not None else None)
        is_map = any(tile.weight for tile in tiles)
        self.pane.set_class(is_map, "-map")
        self._tell_tile()
        if self.focused in {None, self._map, rows}:
            self.set_focus(self._map if is_map else rows)

    def _tell_tile(self) -> None:
        """What the box under the cursor may have no room for."""
        tile = self._map.current
        told = f"{tile.name}: {', '.join(tile.words)}. " if tile is not None else ""
        self.note(f"{told}{self._partial}")

    def _tile(self, line: Line, *, is_marked: bool) -> Tile:
        name = self._short_name(line)
        if line.artifact is not None:
            folder, _, title = name.rpartition("/")
            return Tile(line.key, line.size_bytes or 0, title, (self._amount(line), folder), is_marked)
        weight = line.size_bytes or 0 if line.health is None else line.count
        held = count(line.count, "artifact" if line.health is None else "build")
        return Tile(line.key, weight, name, tuple(filter(None, (self._amount(line), _share(line), held))), is_marked)

    @on(Treemap.Moved)
    def _map_moved(self, event: Treemap.Moved) -> None:
        self.pane.rows.go_to(event.tile.key)
        self._tell_tile()

    @on(Treemap.Opened)
    def _map_opened(self, event: Treemap.Opened) -> None:
        if event.tile.is_others:  # they can only be told apart as lines
            self.action_toggle_map()
        else:
            self.pane.rows.action_open()

    @on(Treemap.Marked)
    def _map_marked(self, event: Treemap.Marked) -> None:
        marked = {line.key for line in self.pane.rows.marked}
        self.pane.rows.set_marks(marked ^ {event.tile.key})
        self._draw_map()


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
