"""Figures over many artifacts or builds, as the catalog sums them up. Bytes count files of known size only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tui.models.artifact import ArtifactKind
from tui.models.build import Status
from tui.models.ids import AppRef, ArtifactRef


@dataclass(frozen=True, slots=True)
class AppEntry:
    """An app as the catalog knows it, and how much of it was listed."""

    ref: AppRef
    title: str
    provider: str
    builds: int
    """Listed builds."""
    unlisted: int
    """Those of them that are finished and whose artifacts were never listed."""
    seen_at: datetime | None
    """When builds were last listed, aware UTC; None when never."""


@dataclass(frozen=True, slots=True)
class DayTotal:
    """Artifacts of one day, provider and kind, of all apps that were asked about."""

    day: date | None
    """UTC day of the end of their builds; None where that is unknown."""
    provider: str
    kind: ArtifactKind
    is_intermediate: bool
    count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LabelTotal:
    """Artifacts of one app and one branch, or one workflow; or of a whole app."""

    app: AppRef
    label: str
    """Empty where the builds have none."""
    count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Members:
    """Which artifacts are of a group. What is None holds for all."""

    branch: str | None = None
    """Empty for those whose builds have none; as `workflow`."""
    workflow: str | None = None
    kind: ArtifactKind | None = None
    first: date | None = None
    """Of this UTC day and later."""
    last: date | None = None
    """Of this UTC day and before."""
    is_undated: bool = False
    """Only those whose day is unknown."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Artifacts of one app with the same title and the same size; the same content is likely, not proved."""

    title: str
    size_bytes: int
    """Of each."""
    count: int
    examples: tuple[CatalogedArtifact, ...]
    """The newest of them."""

    @property
    def wasted_bytes(self) -> int:
        """What all but one of them take."""
        return self.size_bytes * (self.count - 1)


@dataclass(frozen=True, slots=True)
class RunTotal:
    """Finished builds of one app, workflow, day and status."""

    app: AppRef
    workflow: str
    day: date
    status: Status
    count: int
    timed: int
    """Those whose duration is known."""
    seconds: int
    """The sum of those durations."""


@dataclass(frozen=True, slots=True)
class CatalogedArtifact:
    """One artifact as the catalog knows it, with the names around it."""

    ref: ArtifactRef
    title: str
    kind: ArtifactKind
    kind_raw: str
    size_bytes: int | None
    is_public: bool | None
    is_intermediate: bool
    created_at: datetime | None
    provider: str
    app_title: str
    build_number: int | None
    branch: str | None
    workflow: str | None
    seen_at: datetime
    """When it was listed; aware UTC."""
    has_twin: bool
    """Whether another artifact of its build has the same title."""
