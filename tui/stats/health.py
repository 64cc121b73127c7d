"""How builds fare: the share that succeeds, and whether they become slower."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tui.models import AppRef, Status
from tui.models.totals import RunTotal

PERIOD_DAYS: Final = 30
"""The last so many days are compared with as many before them."""
_JUDGED: Final = frozenset({Status.SUCCEEDED, Status.FAILED, Status.ERRORED})
"""An aborted or skipped build says nothing about the code."""


@dataclass(frozen=True, slots=True)
class Health:
    """One workflow of one app in the last period."""

    app: AppRef
    workflow: str
    runs: int
    """Finished builds that succeeded or failed."""
    success_rate: float | None
    """From 0 to 1; None without such builds."""
    mean_s: float | None
    """Mean duration in seconds."""
    trend: float | None
    """Share by which the mean duration changed against the period before: 0.2 is a fifth slower."""


def health(totals: Iterable[RunTotal], today: date) -> list[Health]:
    """Every workflow that ran in the last period; the most builds first."""
    border = today - timedelta(days=PERIOD_DAYS)
    now: dict[tuple[AppRef, str], list[RunTotal]] = defaultdict(list)
    before: dict[tuple[AppRef, str], list[RunTotal]] = defaultdict(list)
    for total in totals:
        if total.status in _JUDGED:
            (now if total.day > border else before)[total.app, total.workflow].append(total)
    found = [_health(runs, _mean(before[key])) for key, runs in now.items()]
    return sorted(found, key=lambda each: (-each.runs, each.workflow))


def by_day(totals: Iterable[RunTotal], today: date) -> list[tuple[date, Health]]:
    """One workflow day by day in the last period, the newest first; days have no trend.

    Args:
        totals: Of one workflow of one app.
        today: In UTC.
    """
    border = today - timedelta(days=PERIOD_DAYS)
    days: dict[date, list[RunTotal]] = defaultdict(list)
    for total in totals:
        if total.day > border and total.status in _JUDGED:
            days[total.day].append(total)
    return [(day, _health(runs, None)) for day, runs in sorted(days.items(), reverse=True)]


def _health(runs: Sequence[RunTotal], earlier_s: float | None) -> Health:
    """Of the builds of one workflow, beside the mean duration before."""
    count = sum(run.count for run in runs)
    good = sum(run.count for run in runs if run.status is Status.SUCCEEDED)
    mean = _mean(runs)
    trend = mean / earlier_s - 1 if mean is not None and earlier_s else None
    return Health(runs[0].app, runs[0].workflow, count, good / count if count else None, mean, trend)


def _mean(runs: Iterable[RunTotal]) -> float | None:
    """Of successful builds: a failed one often ends early."""
    good = [run for run in runs if run.status is Status.SUCCEEDED]
    timed = sum(run.timed for run in good)
    return sum(run.seconds for run in good) / timed if timed else None
