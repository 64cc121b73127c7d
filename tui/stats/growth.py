"""How the bytes that are there grew, day by day, and where a straight line leads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tui.models.totals import DayTotal

FITTED_DAYS: Final = 60
"""The line follows the last so many days."""
AHEAD_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes at the end of each day, of what is there now."""

    points: tuple[tuple[date, int], ...]
    bytes_per_day: float | None
    """The slope of the line; None with fewer than two days."""
    forecast_bytes: int | None
    """After `AHEAD_DAYS`, if nothing is deleted."""


def growth(days: Iterable[DayTotal], today: date) -> Growth:
    """The growth up to today; artifacts of an unknown day are left out."""
    added: dict[date, int] = defaultdict(int)
    for total in days:
        if total.day is not None:
            added[min(total.day, today)] += total.size_bytes
    if not added:
        return Growth((), None, None)
    points, held, day = [], 0, min(added)
    while day <= today:
        held += added.get(day, 0)
        points.append((day, held))
        day += timedelta(days=1)
    slope = _slope([size for _, size in points[-FITTED_DAYS:]])
    forecast = None if slope is None else max(0, round(held + slope * AHEAD_DAYS))
    return Growth(tuple(points), slope, forecast)


def _slope(values: Sequence[int]) -> float | None:
    """Of the straight line with the least squares through values one day apart."""
    count = len(values)
    if count < 2:
        return None
    middle, mean = (count - 1) / 2, sum(values) / count
    spread = sum((x - middle) ** 2 for x in range(count))
    return sum((x - middle) * (value - mean) for x, value in enumerate(values)) / spread
