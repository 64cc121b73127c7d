"""What a build tells beside its artifacts: its log, its issues, its tests; and what starts another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tui.models.artifact import Artifact, Source
from tui.models.build import Action
from tui.models.ids import AppRef, BuildRef, Cursor


class IssueKind(StrEnum):
    """How bad an issue is; in the order in which issues are shown."""

    ERROR = "error"
    TEST_FAILURE = "test failure"
    WARNING = "warning"
    ANALYZER_WARNING = "analyzer warning"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A place in the sources of the app."""

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that a build found wrong (Xcode Cloud `ciIssues`)."""

    kind: IssueKind
    message: str
    category: str | None = None
    place: SourceLine | None = None
    action: Action | None = None


class TestStatus(StrEnum):
    """The result of a test, the same words for every provider."""

    __test__ = False

    FAILED = "failed"
    MIXED = "mixed"
    """Failed on some destinations or in some repetitions."""
    PASSED = "passed"
    SKIPPED = "skipped"
    EXPECTED_FAILURE = "expected failure"
    UNKNOWN = "unknown"

    @property
    def is_failure(self) -> bool:
        """Whether it can make a build red."""
        return self in {TestStatus.FAILED, TestStatus.MIXED}


@dataclass(frozen=True, slots=True)
class TestRun:
    """One test on one destination."""

    __test__ = False

    destination: str
    """Device and OS, for people."""
    status: TestStatus
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test, with what it did on each destination."""

    __test__ = False

    name: str
    suite: str | None
    status: TestStatus
    message: str | None = None
    place: SourceLine | None = None
    runs: tuple[TestRun, ...] = ()
    action: Action | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds, of all destinations together."""
        known = [run.duration_s for run in self.runs if run.duration_s is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class LogChunk:
    """A piece of a running build's log; pieces come unordered and with gaps."""

    position: int
    text: str


@dataclass(frozen=True, slots=True)
class LogPart:
    """What there is of a log now.

    A finished Bitrise build has a `source`, a running one `chunks`; an Xcode Cloud build has `bundles`: zip files
    whose members are the logs.
    """

    chunks: tuple[LogChunk, ...] = ()
    source: Source | None = None
    bundles: tuple[Artifact, ...] = ()
    next_cursor: Cursor | None = None
    """Where to ask for what comes after; None when nothing will."""
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class Workflow:
    """What can be started."""

    id: str
    name: str
    is_enabled: bool = True


class GitRefKind(StrEnum):
    """What a build can be made of."""

    BRANCH = "branch"
    TAG = "tag"
    PULL_REQUEST = "pull request"


@dataclass(frozen=True, slots=True)
class GitRef:
    """A branch, tag or pull request that a workflow can be started with."""

    id: str
    name: str
    kind: GitRefKind


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A build that is wanted; of `branch`, `tag`, `commit`, `pull_request` what the user gave."""

    app: AppRef
    workflow: str
    """Its name or its id."""
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    pull_request: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    clean: bool = False
    rebuild: BuildRef | None = None
    """The build to repeat; the rest is then taken from it."""


class BuildVerb(StrEnum):
    """What a user may ask of a build or an app."""

    START = "start"
    REBUILD = "rebuild"
    ABORT = "abort"
    LOG = "log"
    ISSUES = "issues"
    TESTS = "tests"
