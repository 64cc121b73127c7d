"""Rules of the user, and the vendors' own: how long artifacts are kept there, and which of them are archived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tui.models.artifact import ArtifactKind
from tui.models.build import Status


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """For how many days a provider keeps some of its artifacts. What is None or empty holds for all."""

    provider: str
    days: int
    source: str
    """Whose rule it is, for people."""
    kinds: frozenset[ArtifactKind] = frozenset()
    is_intermediate: bool | None = None
    since: date | None = None
    """For artifacts of this UTC day and later."""
    until: date | None = None
    """For artifacts of this UTC day and before; a day that two rules name is under both."""


@dataclass(frozen=True, slots=True)
class ArchiveRule:
    """Which artifacts are archived where. Globs are case-sensitive; empty sets hold for all."""

    destination: str
    """An absolute folder, or the URL of a bucket: `s3://bucket/prefix`."""
    account: str = "*"
    app: str = "*"
    """Of the title, or the id."""
    workflow: str = "*"
    branch: str = "*"
    statuses: frozenset[Status] = frozenset({Status.SUCCEEDED})
    kinds: frozenset[ArtifactKind] = frozenset()
    newest: int | None = None
    """Only so many builds of each branch, the newest that match."""
    min_age: timedelta = timedelta(0)
    """Since the end of the build."""
