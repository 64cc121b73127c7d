"""Public: every artifact that anyone with the link can install, as it was last listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.binding import BindingType

from tui.catalog.figures import Figures
from tui.models import Cursor, Page
from tui.models.filter import Fields
from tui.models.totals import CatalogedArtifact
from tui.paths import DigPath
from tui.screens.storage_views import NOT_LISTED, VIEW_KEYS, StorageScreen
from tui.services.statistics import Statistics, artifact_path
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.format import age, count, size
from tui.widgets.pane import Pane
from tui.widgets.rowlist import RowList

FIRST_ROWS: Final = 500
"""So many are shown before all are read: of a million artifacts many thousands may be public."""
_ALL: Final = Cursor("all")


@dataclass(frozen=True, slots=True)
class PublicRow:
    """An artifact with its path."""

    artifact: CatalogedArtifact
    path: str


_FIELDS: Fields[PublicRow] = Fields(
    haystack=lambda row: f"{row.path} {row.artifact.branch or ''}".lower(),
    texts={
        "kind": lambda row: str(row.artifact.kind),
        "account": lambda row: row.artifact.ref.account.lower(),
        "branch": lambda row: (row.artifact.branch or "").lower(),
        "workflow": lambda row: (row.artifact.workflow or "").lower(),
    },
    date=lambda row: row.artifact.created_at,
)


class PublicScreen(StorageScreen[PublicRow]):
    """Shows what is public; `p` switches the marked ones off."""

    HELP = """
# Public

Every artifact whose public install page was on when it was listed. `a` marks all that are shown and `p` switches the
marked ones off, after a question; `z` takes that back. Each is looked up at its provider before it is changed.
"""

    BINDINGS: ClassVar[list[BindingType]] = VIEW_KEYS

    def make_pane(self) -> Pane[PublicRow]:
        """Paths, newest first for each app."""
        columns: tuple[Column[PublicRow], ...] = (
            Column("path", "Path", lambda row: row.path, 34, grow=3, sort=lambda row: row.path),
            Column("branch", "Branch", lambda row: row.artifact.branch or "", 10, grow=1, drop=3,
                   tone=lambda _: "muted", sort=lambda row: row.artifact.branch),
            Column("size", "Size", lambda row: size(row.artifact.size_bytes), 8, align="right", drop=1,
                   sort=lambda row: row.artifact.size_bytes),
            Column("age", "Age", lambda row: age(row.artifact.created_at, self._now()), 3, align="right",
                   tone=lambda _: "muted", sort=lambda row: row.artifact.created_at),
            Column("seen", "Seen", lambda row: f"seen {age(row.artifact.seen_at, self._now())}", 8, align="right",
                   drop=2, tone=lambda _: "muted", sort=lambda row: row.artifact.seen_at),
        )  # fmt: skip
        rows = RowList[PublicRow](columns, key=lambda row: row.artifact.ref)
        return Pane[PublicRow](
            "Public", rows, _FIELDS, now=self._now, size_of=lambda row: row.artifact.size_bytes, id="public"
        )

    def reload(self, *, anew: bool) -> None:
        """Reads what is public."""

        def find(figures: Figures, limit: int | None) -> tuple[list[str], list[PublicRow]]:
            statistics = Statistics(figures, DigPath())
            names = statistics.names()
            rows = [
                PublicRow(artifact, artifact_path(artifact, names[artifact.ref.build_ref.app_ref]))
                for artifact in figures.public(statistics.apps, limit)
            ]
            return statistics.gaps(), rows

        async def page(cursor: Cursor | None) -> Page[PublicRow]:
            limit = FIRST_ROWS if anew and cursor is None else None
            gaps, rows = await self.read(lambda figures: find(figures, limit))
            self.note(f"As last listed. Partial: {' '.join(gaps)} {NOT_LISTED}" if gaps else "As last listed.")
            if len(rows) == limit:
                return Page(tuple(rows), next_cursor=_ALL)
            self.query_one(Crumbs).show("Public", count(len(rows), "artifact"))
            return Page(tuple(rows), total=len(rows))

        self.query_one(Crumbs).show("Public", "")
        self.fill_pages("install pages", page, ("Nothing is public, as far as it was listed.",), anew=anew)

    def artifact_of(self, row: PublicRow) -> tuple[CatalogedArtifact, str]:
        """The artifact of a row."""
        return row.artifact, row.path
