"""The products of the account demo-xcode-cloud: workflows, branches, and what each action leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tui.demo.contents import MIB, Kind
from tui.demo.ios_app import KIB
from tui.demo.log_failures import Failure


class Completion(StrEnum):
    """How a run or an action ended (App Store Connect API, CiCompletionStatus)."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ERRORED = "ERRORED"
    CANCELED = "CANCELED"
    SKIPPED = "SKIPPED"


class ActionType(StrEnum):
    """App Store Connect API, CiActionType."""

    BUILD = "BUILD"
    ANALYZE = "ANALYZE"
    TEST = "TEST"
    ARCHIVE = "ARCHIVE"


@dataclass(frozen=True)
class FileRecipe:
    """One artifact of an action; `{name}`, `{number}`, `{version}` and `{action}` in the title are filled in."""

    title: str
    file_type: str
    kind: Kind
    low: int
    high: int
    on_failure: bool = True


_LOGS: Final = FileRecipe("Build {number} Logs for {name} {action}.zip", "LOG_BUNDLE", Kind.LOGS, 60 * KIB, 900 * KIB)
_RESULTS: Final = FileRecipe("{name}.xcresult.zip", "RESULT_BUNDLE", Kind.RESULTS, MIB, 6 * MIB)
_SCREENSHOTS: Final = FileRecipe("Screenshots.zip", "SCREENSHOT", Kind.RECORDINGS, 2 * MIB, 5 * MIB)
"""A type that Apple's list does not have, though clients in the field meet it."""

FILES: Final[Mapping[ActionType, tuple[FileRecipe, ...]]] = {
    ActionType.BUILD: (
        _LOGS,
        _RESULTS,
        FileRecipe(
            "{name} Build {number} Products.zip", "XCODEBUILD_PRODUCTS", Kind.PRODUCTS, 20 * MIB, 34 * MIB, False
        ),
    ),
    ActionType.ANALYZE: (_LOGS, _RESULTS),
    ActionType.TEST: (
        _LOGS,
        _RESULTS,
        FileRecipe("{name} Build {number} Test Products.zip", "TEST_PRODUCTS", Kind.PRODUCTS, 12 * MIB, 22 * MIB),
        _SCREENSHOTS,
    ),
    ActionType.ARCHIVE: (
        _LOGS,
        FileRecipe("{name} {version} app-store.zip", "ARCHIVE_EXPORT", Kind.EXPORT, 24 * MIB, 38 * MIB, False),
        FileRecipe("{name} {version} ad-hoc.zip", "ARCHIVE_EXPORT", Kind.EXPORT, 24 * MIB, 38 * MIB, False),
        FileRecipe("{name}.xcarchive.zip", "ARCHIVE", Kind.XCARCHIVE, 70 * MIB, 120 * MIB, False),
    ),
}
NOTARIZED: Final = FileRecipe(
    "{name} {version} notarized.zip", "STAPLED_NOTARIZED_ARCHIVE", Kind.XCARCHIVE, 30 * MIB, 52 * MIB, False
)


@dataclass(frozen=True)
class ActionSpec:
    """One action of a workflow."""

    name: str
    action_type: ActionType
    platform: str = "IOS"
    is_required: bool = True


_BUILD: Final = ActionSpec("Build - iOS", ActionType.BUILD)
_ANALYZE: Final = ActionSpec("Analyze - iOS", ActionType.ANALYZE, is_required=False)
_TEST: Final = ActionSpec("Test - iOS", ActionType.TEST)
_ARCHIVE: Final = ActionSpec("Archive - iOS", ActionType.ARCHIVE)
_ARCHIVE_MAC: Final = ActionSpec("Archive - macOS", ActionType.ARCHIVE, "MACOS")


@dataclass(frozen=True)
class WorkflowSpec:
    """One workflow."""

    name: str
    description: str
    actions: tuple[ActionSpec, ...]
    branches: tuple[str, ...]
    """Names of git references; `v1.2` and the like are tags."""
    start_reason: str = "GIT_REF_CHANGE"
    weight: int = 1
    is_enabled: bool = True


@dataclass(frozen=True)
class RunTale:
    """A run that is told by hand; every field replaces the drawn one."""

    completion: Completion | None = None
    workflow: int | None = None
    failure: Failure | None = None
    message: str | None = None
    branch: str | None = None
    cancel_reason: str | None = None


@dataclass(frozen=True)
class ProductSpec:
    """One product. Run `newest` is the last finished one; `count` runs are kept, one about every `step_s`."""

    index: int
    name: str
    product_type: str
    bundle_id: str | None
    repository: str
    module: str
    version: str
    newest: int
    count: int
    step_s: int
    workflows: tuple[WorkflowSpec, ...]
    tales: Mapping[int, RunTale] = field(default_factory=dict[int, RunTale])
    """By distance from `newest`."""
    is_live: bool = False
    created_days: int = 700


_FEATURES: Final = ("feature/login", "feature/widgets", "fix/crash-on-rotate", "feature/offline-cart")

DEFAULT: Final = WorkflowSpec(
    "Pull Requests", "Builds, analyzes and tests every pull request.", (_BUILD, _ANALYZE, _TEST), _FEATURES,
    "PULL_REQUEST_UPDATE", weight=5,
)  # fmt: skip
MAIN: Final = WorkflowSpec(
    "Main", "Builds and tests what was merged.", (_BUILD, _TEST), ("main",), weight=4
)  # fmt: skip
RELEASE: Final = WorkflowSpec(
    "Release", "Tests, archives and sends to TestFlight.", (_TEST, _ARCHIVE), ("release/4.2", "release/4.1", "v4.1.0"),
    weight=2,
)  # fmt: skip
NIGHTLY: Final = WorkflowSpec(
    "Nightly", "Everything, every night.", (_BUILD, _ANALYZE, _TEST, _ARCHIVE), ("main",), "SCHEDULE", weight=2
)  # fmt: skip
MAC: Final = WorkflowSpec("Mac Release", "Archives and notarizes.", (_ARCHIVE_MAC,), ("main", "v1.1"))
DISABLED: Final = WorkflowSpec("Old UI Tests", "", (_TEST,), ("main",), "MANUAL", is_enabled=False)

_NEWER: Final = "AUTOMATICALLY_BY_NEWER_BUILD"
_TALES: Final = {
    0: RunTale(Completion.SUCCEEDED, 3, message="Nightly"),
    1: RunTale(Completion.FAILED, 0, Failure.TESTS, "Make the login form work with password managers"),
    2: RunTale(Completion.SUCCEEDED, 2, message="Release notes for 4.2.0"),
    3: RunTale(Completion.ERRORED, 1, Failure.DEPENDENCIES, "Bump swift-composable-architecture to 2.0"),
    4: RunTale(Completion.CANCELED, 0, message="Add a widget for open orders", cancel_reason=_NEWER),
    5: RunTale(Completion.FAILED, 2, Failure.SIGNING, "Rotate the distribution certificate"),
    6: RunTale(Completion.SKIPPED, 1, message="Explain the release process in the README [ci skip]"),
    7: RunTale(Completion.CANCELED, 1, message="Prefetch images", cancel_reason="MANUALLY_BY_USER"),
    8: RunTale(Completion.FAILED, 0, Failure.COMPILE, "Fix crash when the screen rotates"),
    9: RunTale(Completion.FAILED, 1, Failure.TIMEOUT, "Wait for the first sync before the tour"),
    10: RunTale(Completion.ERRORED, 0, Failure.LOST_RUNNER, "Draw the map on its own layer"),
    11: RunTale(Completion.SUCCEEDED, 0, message="Make the login form wider"),
    12: RunTale(Completion.SUCCEEDED, 3, message="Nightly"),
}

PRODUCTS: Final = (
    ProductSpec(1, "Acme", "APP", "com.acme.ios", "acme-ios", "Acme", "4.2.0", 611, 500, 16_000,
                (DEFAULT, MAIN, RELEASE, NIGHTLY, DISABLED), _TALES, is_live=True),
    ProductSpec(2, "Weather", "APP", "com.acme.weather", "weather-ios", "Weather", "1.9.3", 148, 148, 70_000,
                (DEFAULT, MAIN, MAC), {0: RunTale(Completion.SUCCEEDED, 2, message="Notarize the Mac app")}),
    ProductSpec(3, "AcmeKit", "FRAMEWORK", None, "AcmeKit", "AcmeKit", "3.2.1", 77, 70, 120_000, (DEFAULT, MAIN)),
    ProductSpec(4, "日記帳 Diary 📔", "APP", "com.acme.diary", "diary", "Diary", "0.9.0", 19, 19, 200_000,
                (MAIN, RELEASE), {0: RunTale(Completion.SUCCEEDED, 1, message="絵文字の検索を直す 🔍")}),
    ProductSpec(5, "Prototype", "APP", "com.acme.prototype", "prototype", "Prototype", "0.1.0", 0, 0, 1,
                (MAIN,), created_days=2),
)  # fmt: skip
