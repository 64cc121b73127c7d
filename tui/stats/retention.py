"""How long artifacts are there: the vendors' rules of today, and the estimated last day of an artifact.

Neither API tells the day, so it is always an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tui.models import ArtifactKind
from tui.models.rules import RetentionRule
from tui.models.totals import DayTotal

_CHANGE: Final = date(2026, 3, 31)
"""Bitrise's rules are others from here on (Bitrise docs, artifact-retention-policy)."""
_INSTALLABLE: Final = frozenset({ArtifactKind.IPA, ArtifactKind.APK, ArtifactKind.AAB})
_OTHER: Final = frozenset(ArtifactKind) - _INSTALLABLE
_BITRISE: Final = "Bitrise docs, artifact-retention-policy"

BUILT_IN: Final = (
    RetentionRule("bitrise", 150, f"{_BITRISE}: installable files, from 2026-03-31", _INSTALLABLE, False, _CHANGE),
    RetentionRule("bitrise", 90, f"{_BITRISE}: other files, from 2026-03-31", _OTHER, False, _CHANGE),
    RetentionRule(
        "bitrise", 7, f"{_BITRISE}: pipeline intermediates, from 2026-03-31", is_intermediate=True, since=_CHANGE
    ),
    RetentionRule("bitrise", 365, f"{_BITRISE}: before 2026-03-31", until=_CHANGE),
    RetentionRule("xcode-cloud", 30, "Xcode Cloud: about 30 days, as observed"),
)
"""The vendors' rules as of November 2026.

Bitrise's 7 days for HTML reports are not among them: those are shown beside the artifacts of a build and are none of
them (Bitrise docs, viewing-html-reports); a file that happens to be HTML is kept as any other.
"""


@dataclass(frozen=True, slots=True)
class Expiry:
    """The last UTC day on which an artifact is expected to be there, and the rule that says so."""

    last_day: date
    rule: RetentionRule


@dataclass(frozen=True, slots=True)
class ExpiringDay:
    """Artifacts of one day and kind that end together."""

    expiry: Expiry
    total: DayTotal


def effective_rules(configured: Sequence[RetentionRule]) -> tuple[RetentionRule, ...]:
    """The user's rules, and the built-in ones of providers that they do not name."""
    named = {rule.provider for rule in configured}
    return (*configured, *(rule for rule in BUILT_IN if rule.provider not in named))


def expiry(
    provider: str, kind: ArtifactKind, day: date, rules: Iterable[RetentionRule], *, is_intermediate: bool = False
) -> Expiry | None:
    """The last day of an artifact; of several rules that hold for it, the earliest day counts.

    Args:
        provider: The provider's name.
        kind: What it is.
        day: The UTC day its build ended.
        rules: Those of `effective_rules`.
        is_intermediate: Whether it only hands files from one stage of a pipeline to the next.
    """
    ends = [
        Expiry(day + timedelta(days=rule.days), rule)
        for rule in rules
        if rule.provider == provider
        and (not rule.kinds or kind in rule.kinds)
        and rule.is_intermediate in {None, is_intermediate}
        and (rule.since is None or day >= rule.since)
        and (rule.until is None or day <= rule.until)
    ]
    return min(ends, key=lambda end: end.last_day, default=None)


def longest_days(provider: str, rules: Iterable[RetentionRule]) -> int | None:
    """After so many days nothing of a provider is left; None where no rule tells of all that it may have."""
    own = [rule for rule in rules if rule.provider == provider]
    borders = {border for rule in own for border in (rule.since, rule.until) if border is not None} or {_CHANGE}
    days = {border + timedelta(days=aside) for border in borders for aside in (-1, 0, 1)}  # each stands for a time
    ends = [
        expiry(provider, kind, day, own, is_intermediate=is_intermediate)
        for kind in ArtifactKind
        for is_intermediate in (False, True)
        for day in days
    ]
    return max((end.rule.days for end in ends if end is not None), default=None) if None not in ends else None


def expiring(days: Iterable[DayTotal], rules: Sequence[RetentionRule], *, first: date, last: date) -> list[ExpiringDay]:
    """What ends from one day to another, both included; soonest first."""
    found = []
    for total in days:
        if total.day is None:
            continue
        end = expiry(total.provider, total.kind, total.day, rules, is_intermediate=total.is_intermediate)
        if end is not None and first <= end.last_day <= last:
            found.append(ExpiringDay(end, total))
    return sorted(found, key=lambda each: (each.expiry.last_day, each.total.day or first))
