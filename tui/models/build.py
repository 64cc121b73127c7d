"""Apps, builds and actions as both vendors have them. Every attribute a server may leave out is optional."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tui.models.ids import ActionId, AppRef, BuildRef


class Status(StrEnum):
    """The state of a build, the same words for every provider."""

    QUEUED = "queued"
    RUNNING = "running"
    ON_HOLD = "on-hold"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ERRORED = "errored"
    ABORTED = "aborted"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def is_finished(self) -> bool:
        """Whether the build will not change any more; an unknown state counts as not finished."""
        return self not in {Status.QUEUED, Status.RUNNING, Status.ON_HOLD, Status.UNKNOWN}


@dataclass(frozen=True, slots=True)
class App:
    """A Bitrise app or an Xcode Cloud product."""

    ref: AppRef
    title: str
    provider: str
    kind: str | None = None
    """Bitrise `project_type`, Xcode Cloud `productType`, as the server spells it."""
    bundle_id: str | None = None
    owner: str | None = None
    repo_url: str | None = None
    web_url: str | None = None
    is_disabled: bool = False
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssueCounts:
    """What a run found; None where the server did not count."""

    errors: int | None = None
    warnings: int | None = None
    test_failures: int | None = None
    analyzer_warnings: int | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """A Bitrise build or an Xcode Cloud build run. Times are aware UTC."""

    ref: BuildRef
    number: int | None
    status: Status
    status_raw: str
    """The server's own word or number, shown when `status` is UNKNOWN."""
    branch: str | None = None
    tag: str | None = None
    workflow: str | None = None
    commit_sha: str | None = None
    commit_message: str | None = None
    author: str | None = None
    trigger: str | None = None
    """Who or what started it: a person's name, `push`, `MANUAL`, ..."""
    pull_request: int | None = None
    pull_request_url: str | None = None
    target_branch: str | None = None
    """Where a pull request wants to be merged."""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str | None = None
    """Why it was aborted or cancelled."""
    stack: str | None = None
    machine: str | None = None
    """Bitrise `machine_type_id`."""
    credit_cost: int | None = None
    """Bitrise credits."""
    web_url: str | None = None
    commit_url: str | None = None
    issues: IssueCounts | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds from the start on a worker to the end; None while that is unknown."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0.0, (self.finished_at - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True)
class BuildQuery:
    """Which builds are asked for. Times are aware UTC; a provider filters on its own side what the server cannot."""

    branch: str | None = None
    workflow: str | None = None
    status: Status | None = None
    number: int | None = None
    after: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One action of an Xcode Cloud build run; Bitrise builds have none."""

    id: ActionId
    name: str
    kind: str | None
    """BUILD, ANALYZE, TEST, ARCHIVE, as the server spells it."""
    status: Status
    status_raw: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    issues: IssueCounts | None = None
