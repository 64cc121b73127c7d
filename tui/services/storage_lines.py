"""The lines of the view of statistics: groups of what is there, and the artifacts behind each."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from tui.catalog.figures import Figures, Order
from tui.models import AppRef
from tui.models.totals import CatalogedArtifact, Duplicates, Members
from tui.paths import DigPath, encode
from tui.services.statistics import Statistics, artifact_path
from tui.stats.grouping import NONE, By, members
from tui.stats.growth import Growth, growth
from tui.stats.health import Health

_SHOWN: Final = 200
"""Artifacts of one list."""


_EVERYTHING: Final = DigPath()


class Listing(StrEnum):
    """What else is listed, beside groups."""

    LARGEST = "largest"
    OLDEST = "oldest"
    DUPLICATES = "duplicates"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at, and how it is parted."""

    path: DigPath = _EVERYTHING
    """An account, an app, or nothing for all."""
    by: By | Listing = By.ACCOUNT
    group: str | None = None
    """Of `by`, whose artifacts are listed, or the days of a workflow; None for the groups themselves."""
    day: date | None = None
    """Of a workflow, in UTC, whose artifacts are listed."""

    def choices(self) -> list[By | Listing]:
        """All ways to part it: an app has neither accounts nor apps."""
        narrow = {By.ACCOUNT} if self.path.account else set[By]()
        narrow |= {By.APP} if self.path.app else set[By]()
        return [*(by for by in By if by not in narrow), *Listing]


@dataclass(frozen=True, slots=True)
class Line:
    """A group, an artifact, artifacts that are alike, or the builds of a workflow, of all days or of one."""

    key: Hashable
    name: str
    """An artifact's is its path."""
    count: int
    size_bytes: int | None
    share: float | None = None
    """Of the whole, from 0 to 1; of builds, those that succeeded."""
    inside: Scope | None = None
    """What it is made of."""
    artifact: CatalogedArtifact | None = None
    health: Health | None = None


@dataclass(frozen=True, slots=True)
class StorageLines:
    """What the view shows at once."""

    lines: tuple[Line, ...]
    count: int
    """Artifacts of the whole scope."""
    size_bytes: int
    growth: Growth
    gaps: tuple[str, ...]
    """What is missing in these figures, in sentences."""


def read_lines(figures: Figures, scope: Scope, today: date) -> StorageLines:
    """Reads what a scope consists of; blocks.

    Raises:
        NotFound: Nothing of it was listed.
        PathError: The path names no account or app, or several.
    """
    statistics = Statistics(figures, scope.path)
    days = statistics.days()
    whole = sum(day.size_bytes for day in days)
    return StorageLines(
        lines=tuple(_lines(statistics, scope, whole, today)),
        count=sum(day.count for day in days),
        size_bytes=whole,
        growth=growth(days, today),
        gaps=tuple(statistics.gaps()),
    )


def _lines(statistics: Statistics, scope: Scope, whole: int, today: date) -> Iterator[Line]:
    names, figures, apps = statistics.names(), statistics.figures, statistics.apps
    match scope.by:
        case Listing.HEALTH:
            yield from _health_lines(statistics, scope, whole, today)
        case Listing.DUPLICATES if scope.group is None:
            yield from (_alike_line(each, scope, names, whole) for each in figures.duplicates(apps, _SHOWN))
        case Listing.DUPLICATES:
            chosen = [each for each in figures.duplicates(apps, _SHOWN) if _alike(each) == scope.group]
            yield from _artifact_lines([artifact for each in chosen for artifact in each.examples], names, whole)
        case Listing.LARGEST | Listing.OLDEST:
            order: Order = "largest" if scope.by is Listing.LARGEST else "oldest"
            yield from _artifact_lines(figures.top(apps, order, _SHOWN), names, whole)
        case _ if scope.group is not None:
            found = figures.largest_of(apps, members(scope.by, scope.group, today), _SHOWN)
            yield from _artifact_lines(found, names, whole)
        case _:
            for group in statistics.groups(scope.by, today):
                share = group.size_bytes / whole if whole else None
                yield Line(
                    group.label,
                    group.label,
                    group.count,
                    group.size_bytes,
                    share,
                    _inside(scope, scope.by, group.label),
                )


def _inside(scope: Scope, by: By, label: str) -> Scope:
    match by:
        case By.ACCOUNT:
            return Scope(DigPath(label), By.APP)
        case By.APP:
            return Scope(DigPath.parse(label), By.BRANCH)
        case _:
            return Scope(scope.path, by, label)


def _artifact_lines(artifacts: Sequence[CatalogedArtifact], names: dict[AppRef, str], whole: int) -> Iterator[Line]:
    for artifact in artifacts:
        path = artifact_path(artifact, names[artifact.ref.build_ref.app_ref])
        share = (artifact.size_bytes or 0) / whole if whole else None
        yield Line(artifact.ref, path, 1, artifact.size_bytes, share, artifact=artifact)


def _alike(group: Duplicates) -> str:
    return f"{group.examples[0].ref.app}/{group.title}/{group.size_bytes}" if group.examples else group.title


def _alike_line(group: Duplicates, scope: Scope, names: dict[AppRef, str], whole: int) -> Line:
    inside = Scope(scope.path, Listing.DUPLICATES, _alike(group))
    share = group.wasted_bytes / whole if whole else None
    apps = {names[artifact.ref.build_ref.app_ref] for artifact in group.examples}
    name = "/*/".join((*apps, encode(group.title)))
    return Line(inside.group, name, group.count, group.wasted_bytes, share, inside)


def _health_lines(statistics: Statistics, scope: Scope, whole: int, today: date) -> Iterator[Line]:
    """Workflows, the days of one, or the artifacts of one day."""
    names = statistics.names()
    if scope.group is None:
        yield from (_health_line(each, names) for each in statistics.health(today))
    elif scope.day is None:
        yield from (_day_line(*each, scope) for each in statistics.health_by_day(scope.group, today))
    else:
        of_day = Members(workflow="" if scope.group == NONE else scope.group, first=scope.day, last=scope.day)
        yield from _artifact_lines(statistics.figures.largest_of(statistics.apps, of_day, _SHOWN), names, whole)


def _health_line(health: Health, names: dict[AppRef, str]) -> Line:
    name = f"{names[health.app]} · {health.workflow or 'no workflow'}"
    inside = Scope(DigPath.parse(names[health.app]), Listing.HEALTH, health.workflow or NONE)
    return Line((health.app, health.workflow), name, health.runs, None, health.success_rate, inside, health=health)


def _day_line(day: date, health: Health, scope: Scope) -> Line:
    inside = replace(scope, day=day)
    return Line(day, day.isoformat(), health.runs, None, health.success_rate, inside, health=health)
