"""Expiring: what providers will drop soon, soonest first, with the rule that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType

from tui.catalog.figures import Figures
from tui.models.filter import Fields
from tui.models.totals import CatalogedArtifact
from tui.paths import DigPath
from tui.screens.storage_views import NOT_LISTED, VIEW_KEYS, StorageScreen
from tui.services.expiring import Expiring, find_expiring
from tui.services.statistics import Statistics, artifact_path
from tui.stats.retention import Expiry
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.format import count, size
from tui.widgets.pane import Pane
from tui.widgets.rowlist import RowList

_SPANS: Final = (7, 14, 30, 90)
"""Days ahead that `tab` goes through."""
_SHOWN: Final = 1000
_SOON_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class ExpiringRow:
    """An artifact with its last day."""

    artifact: CatalogedArtifact
    path: str
    expiry: Expiry
    days_left: int


_FIELDS: Fields[ExpiringRow] = Fields(
    haystack=lambda row: f"{row.path} {row.artifact.branch or ''} {row.expiry.rule.source}".lower(),
    texts={
        "kind": lambda row: str(row.artifact.kind),
        "account": lambda row: row.artifact.ref.account.lower(),
        "branch": lambda row: (row.artifact.branch or "").lower(),
        "workflow": lambda row: (row.artifact.workflow or "").lower(),
        "public": lambda row: "yes" if row.artifact.is_public else "no",
    },
    date=lambda row: row.artifact.created_at,
)


class ExpiringScreen(StorageScreen[ExpiringRow]):
    """Shows what ends within a span."""

    HELP = """
# Expiring

No API tells the last day of an artifact: it follows from the providers' rules, or from `[[retention.rules]]` in
config.toml. `enter` opens the artifact, `m` pins it, `d` downloads the marked ones; `tab` looks further ahead.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "span(1)", "Days ahead", id="expiring.span", tooltip="7, 14, 30 or 90 days ahead"),
        Binding("shift+tab", "span(-1)", "Fewer days ahead", id="expiring.shorter", show=False),
        *VIEW_KEYS,
    ]

    def __init__(self, *args: Any) -> None:
        self._days = _SPANS[1]
        self._told = ""
        super().__init__(*args)

    def make_pane(self) -> Pane[ExpiringRow]:
        """Days and paths."""
        columns: tuple[Column[ExpiringRow], ...] = (
            Column("left", "Left", lambda row: "today" if not row.days_left else f"{row.days_left}d", 5, align="right",
                   tone=lambda row: "bad" if row.days_left <= _SOON_DAYS else "warn", sort=lambda row: row.days_left),
            Column("day", "Last day", lambda row: row.expiry.last_day.isoformat(), 10, drop=2,
                   tone=lambda _: "muted", sort=lambda row: row.expiry.last_day),
            Column("path", "Path", lambda row: row.path, 34, grow=3, sort=lambda row: row.path),
            Column("size", "Size", lambda row: size(row.artifact.size_bytes), 8, align="right", drop=1,
                   sort=lambda row: row.artifact.size_bytes),
            Column("rule", "Rule", lambda row: row.expiry.rule.source, 24, grow=2, drop=3, tone=lambda _: "muted",
                   sort=lambda row: row.expiry.rule.source),
        )  # fmt: skip
        rows = RowList[ExpiringRow](columns, key=lambda row: row.artifact.ref)
        return Pane[ExpiringRow](
            "Expiring", rows, _FIELDS, now=self._now, size_of=lambda row: row.artifact.size_bytes, id="expiring"
        )

    def reload(self, *, anew: bool) -> None:
        """Reads what ends within the span."""
        today, within, rules = self._now().date(), timedelta(days=self._days), self._services.config.retention_rules

        def find(figures: Figures) -> tuple[Expiring, list[str], list[ExpiringRow]]:
            statistics = Statistics(figures, DigPath())
            found = find_expiring(statistics, rules, today=today, within=within, limit=_SHOWN)
            names = statistics.names()
            rows = [
                ExpiringRow(a, artifact_path(a, names[a.ref.build_ref.app_ref]), end, (end.last_day - today).days)
                for a, end in found.items
            ]
            return found, statistics.gaps(), rows

        async def load() -> Sequence[ExpiringRow]:
            found, gaps, rows = await self.read(find)
            more = [f"The first {len(rows):,} are shown."] if found.count > len(rows) else []
            partial = [f"Partial: {' '.join(gaps)} {NOT_LISTED}"] if gaps else []
            self._told = " ".join([*more, *partial])
            self._tell()
            self.query_one(Crumbs).show("Expiring", f"{count(found.count, 'artifact')}, {size(found.size_bytes)}")
            return rows

        self.query_one(Crumbs).show("Expiring", "")
        span = f"within {count(self._days, 'day')}"
        self.fill(span, load, (f"Nothing ends {span}.", "tab looks further ahead."), anew=anew)

    @on(RowList.Moved)
    def _tell(self) -> None:
        """Where the day comes from, which a narrow list has no room for."""
        row = self.pane.rows.current
        rule = f"Estimated from {row.expiry.rule.source}. " if row is not None else ""
        self.note(f"{rule}{self._told}")

    def artifact_of(self, row: ExpiringRow) -> tuple[CatalogedArtifact, str]:
        """The artifact of a row."""
        return row.artifact, row.path

    def action_span(self, steps: int) -> None:
        """Looks further ahead, or less far."""
        self._days = _SPANS[(_SPANS.index(self._days) + steps) % len(_SPANS)]
        self.reload(anew=True)
