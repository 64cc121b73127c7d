"""Counts and bytes by kind, age, month and label."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from tui.models import AppRef, ArtifactKind
from tui.models.totals import DayTotal, LabelTotal, Members

T = TypeVar("T", DayTotal, LabelTotal)

_AGES: Final = ((7, "under 7 days"), (30, "7 to 29 days"), (90, "30 to 89 days"), (180, "90 to 179 days"))
_OLDER: Final = "180 days and older"
_UNKNOWN: Final = "unknown"
NONE: Final = "none"
"""The label of builds without a branch or workflow."""


class By(StrEnum):
    """What artifacts are counted by."""

    ACCOUNT = "account"
    APP = "app"
    WORKFLOW = "workflow"
    BRANCH = "branch"
    KIND = "kind"
    AGE = "age"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Group:
    """One line of a table."""

    label: str
    count: int
    size_bytes: int


def by_kind(days: Iterable[DayTotal]) -> list[Group]:
    """By type, the most bytes first."""
    return _largest_first(_summed(days, lambda day: str(day.kind)))


def by_month(days: Iterable[DayTotal]) -> list[Group]:
    """By month as `2026-11`, in order; the unknown at the end."""
    return sorted(_summed(days, lambda day: f"{day.day:%Y-%m}" if day.day else _UNKNOWN), key=lambda group: group.label)


def by_age(days: Iterable[DayTotal], today: date) -> list[Group]:
    """By age in days, the youngest first; the unknown at the end."""

    def age(total: DayTotal) -> str:
        if total.day is None:
            return _UNKNOWN
        passed = (today - total.day).days
        return next((label for days, label in _AGES if passed < days), _OLDER)

    order = [*(label for _, label in _AGES), _OLDER, _UNKNOWN]
    return sorted(_summed(days, age), key=lambda group: order.index(group.label))


def by_label(totals: Iterable[LabelTotal], name: Callable[[LabelTotal], str]) -> list[Group]:
    """By a name of our choice, the most bytes first."""
    return _largest_first(_summed(totals, name))


def by_app(totals: Iterable[LabelTotal], names: Mapping[AppRef, str]) -> list[Group]:
    """By app, the most bytes first."""
    return by_label(totals, lambda total: names[total.app])


def members(by: By, label: str, today: date) -> Members:
    """Which artifacts one line counts, where it counts by anything but account and app.

    Args:
        by: What it counts by.
        label: Of the line; `NONE` are the builds without a branch or workflow.
        today: The day that ages were counted from.
    """
    name = "" if label == NONE else label
    match by:
        case By.BRANCH:
            return Members(branch=name)
        case By.WORKFLOW:
            return Members(workflow=name)
        case By.KIND:
            return Members(kind=ArtifactKind(label))
    if label == _UNKNOWN:
        return Members(is_undated=True)
    if by is By.MONTH:
        first = date.fromisoformat(f"{label}-01")
        return Members(first=first, last=first.replace(day=monthrange(first.year, first.month)[1]))
    younger = 0
    for days, name in _AGES:
        if name == label:
            last = today - timedelta(days=younger) if younger else None
            return Members(first=today - timedelta(days=days - 1), last=last)
        younger = days
    return Members(last=today - timedelta(days=younger))


def _summed(totals: Iterable[T], label: Callable[[T], str]) -> list[Group]:
    sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for total in totals:
        count, size_bytes = sums[label(total)]
        sums[label(total)] = count + total.count, size_bytes + total.size_bytes
    return [Group(name, count, size_bytes) for name, (count, size_bytes) in sums.items()]


def _largest_first(groups: list[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: (-group.size_bytes, group.label))
