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
    """Whose artifacts: `bitrise`, `xcode-cloud`, or a plug-in's."""
    days: int
    """For how many days they are kept."""
    source: str
    """Whose rule it is, for people."""
    kinds: frozenset[ArtifactKind] = frozenset()
    """Only artifacts of these types."""
    is_intermediate: bool | None = None
    """Only intermediate artifacts of Bitrise, or only others."""
    since: date | None = None
    """For artifacts of this UTC day and later."""
    until: date | None = None
    """For artifacts of this UTC day and before; a day that two rules name is under both."""


@dataclass(frozen=True, slots=True)
class ArchiveRule:
    """Which artifacts are archived where. Globs are case-sensitive; empty sets hold for all."""

    destination: str
    """An absolute folder, or the URL of a bucket: `s3://bucket/prefix`, `gs://` or `az://`."""
    account: str = "*"
    """Glob of the account's name."""
    app: str = "*"
    """Glob of the app's title, or of its id."""
    workflow: str = "*"
    """Glob of the workflow's name."""
    branch: str = "*"
    """Glob of the branch."""
    statuses: frozenset[Status] = frozenset({Status.SUCCEEDED})
    """Of the build, which must be over; `"any"` for all that are."""
    kinds: frozenset[ArtifactKind] = frozenset()
    """Only artifacts of these types."""
    newest: int | None = None
    """Only so many builds of each branch, the newest that match."""
    min_age: timedelta = timedelta(0)
    """Least time since the end of the build: `"12h"`, `"3d"`, `"2w"`."""
