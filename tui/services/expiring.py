"""What providers will drop soon, as far as the catalog and the rules tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tui.models.rules import RetentionRule
from tui.models.totals import CatalogedArtifact
from tui.services.statistics import Statistics
from tui.stats.retention import Expiry, effective_rules, expiring


@dataclass(frozen=True, slots=True)
class Expiring:
    """What ends within a span."""

    count: int
    size_bytes: int
    items: tuple[tuple[CatalogedArtifact, Expiry], ...]
    """The first of them, soonest first, then the largest."""


def find_expiring(
    statistics: Statistics, configured: Sequence[RetentionRule], *, today: date, within: timedelta, limit: int
) -> Expiring:
    """The artifacts whose estimated last day is from today to the end of the span.

    Args:
        statistics: Of what the path names.
        configured: The user's retention rules.
        today: In UTC.
        within: Whole days.
        limit: Items at most; the sums count all.
    """
    figures, apps = statistics.figures, statistics.apps
    ending = expiring(statistics.days(), effective_rules(configured), first=today, last=today + within)
    items: list[tuple[CatalogedArtifact, Expiry]] = []
    for each in ending:
        if len(items) >= limit:
            break
        found = figures.of_day(apps, each.total, limit - len(items))
        items.extend((artifact, each.expiry) for artifact in found)
    return Expiring(
        count=sum(each.total.count for each in ending),
        size_bytes=sum(each.total.size_bytes for each in ending),
        items=tuple(items),
    )
