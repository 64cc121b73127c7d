"""What the catalog knows of an account or app, summed up; asks no provider."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from tui.catalog.figures import Figures
from tui.catalog.store import Catalog
from tui.errors import DigsiteError, NotFound, PathError
from tui.folders import cache_dir
from tui.models import AppRef
from tui.models.totals import AppEntry, CatalogedArtifact, DayTotal
from tui.paths import DigPath, encode, join
from tui.stats import grouping
from tui.stats.grouping import NONE, By, Group
from tui.stats.growth import growth
from tui.stats.health import PERIOD_DAYS, Health, by_day, health
from tui.stats.overview import Overview


class Statistics:
    """The figures of what a path names.

    Args:
        figures: The catalog's.
        path: An account, an app, or nothing for all.

    Raises:
        NotFound: Nothing of that was ever listed.
        PathError: It names a build or an artifact, or several apps.
    """

    def __init__(self, figures: Figures, path: DigPath) -> None:
        self.figures = figures
        self.entries = _scope(figures, path)
        self.apps: Sequence[AppRef] = [entry.ref for entry in self.entries]

    def groups(self, by: By, today: date) -> list[Group]:
        """Counts and bytes by one thing."""
        match by:
            case By.ACCOUNT:
                return grouping.by_label(self.figures.by_app(self.apps), lambda total: str(total.app.account))
            case By.APP:
                return grouping.by_app(self.figures.by_app(self.apps), self.names())
            case By.WORKFLOW | By.BRANCH:
                field: Literal["workflow", "branch"] = "workflow" if by is By.WORKFLOW else "branch"
                return grouping.by_label(self.figures.labels(self.apps, field), lambda each: each.label or NONE)
            case By.KIND:
                return grouping.by_kind(self.days())
            case By.AGE:
                return grouping.by_age(self.days(), today)
            case By.MONTH:
                return grouping.by_month(self.days())

    def overview(self, today: date) -> Overview:
        """All groups, the growth and the health of builds."""
        groups = {by: self.groups(by, today) for by in By}
        return Overview(
            count=sum(group.count for group in groups[By.KIND]),
            size_bytes=sum(group.size_bytes for group in groups[By.KIND]),
            groups=groups,
            growth=growth(self.days(), today),
            health=self.health(today),
        )

    def days(self) -> list[DayTotal]:
        """Artifacts by day, provider and kind."""
        return self.figures.days(self.apps)

    def health(self, today: date) -> list[Health]:
        """Success rate and durations by workflow."""
        return health(self.figures.runs(self.apps, today - timedelta(days=2 * PERIOD_DAYS)), today)

    def health_by_day(self, workflow: str, today: date) -> list[tuple[date, Health]]:
        """The same of one workflow for each day of the last period, the newest first; `NONE` are builds without one."""
        name = "" if workflow == NONE else workflow
        runs = self.figures.runs(self.apps, today - timedelta(days=PERIOD_DAYS))
        return by_day([run for run in runs if run.workflow == name], today)

    def names(self) -> dict[AppRef, str]:
        """The path of each app."""
        taken = [(entry.ref.account, entry.title) for entry in self.entries]
        return {
            e.ref: join(e.ref.account, e.title if e.title and taken.count((e.ref.account, e.title)) == 1 else e.ref.app)
            for e in self.entries
        }

    def gaps(self) -> list[str]:
        """What these figures do not cover, in sentences; empty when they cover all that was listed."""
        never = sum(entry.seen_at is None for entry in self.entries)
        unlisted = sum(entry.unlisted for entry in self.entries)
        said = []
        if never:
            said.append(f"{never:,} of {len(self.entries):,} apps were never opened or indexed.")
        if unlisted:
            said.append(f"The artifacts of {unlisted:,} builds were never listed.")
        return said


def open_catalog() -> Catalog:
    """The catalog of this user.

    Raises:
        DigsiteError: It cannot be used; what was wrong with it.
    """
    catalog = Catalog(cache_dir() / "catalog.sqlite")
    if catalog.message is not None:
        catalog.close()
        raise DigsiteError(catalog.message, hint="Run: digsite index")
    return catalog


def artifact_path(artifact: CatalogedArtifact, app_path: str) -> str:
    """The path of an artifact, its id added where a title occurs twice."""
    build = str(artifact.build_number if artifact.build_number is not None else artifact.ref.build)
    title = artifact.title
    if not title or artifact.has_twin:
        title = f"{title}~{artifact.ref.artifact}" if title else str(artifact.ref.artifact)
    return f"{app_path}/{join(build)}/{encode(title)}"


def today_utc() -> date:
    """The day that ages and last days are counted from."""
    return datetime.now(UTC).date()


def _scope(figures: Figures, path: DigPath) -> list[AppEntry]:
    if path.build is not None:
        raise PathError("Statistics are of accounts and apps.", hint="Name ACCOUNT or ACCOUNT/APP.")
    entries = [entry for entry in figures.apps() if path.account in {None, entry.ref.account}]
    if path.app is not None:
        named = [e for e in entries if e.ref.app == path.app] or [e for e in entries if e.title == path.app]
        if len(named) > 1:
            ids = ", ".join(join(entry.ref.account, entry.ref.app) for entry in named)
            raise PathError(f"{len(named)} apps are called {path.app!r}.", hint=f"Choose one: {ids}.")
        entries = named
    if not entries:
        raise NotFound("Nothing of that was listed yet.", hint="Run: digsite index")
    return entries
