"""The runs, actions and artifacts of demo-xcode-cloud, computed from their numbers when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from tui.demo import seeds
from tui.demo.contents import Content
from tui.demo.log_failures import Failure, LogSubject
from tui.demo.people import AUTHORS, MESSAGES
from tui.demo.xcode_cloud_products import (
    FILES,
    NOTARIZED,
    ActionSpec,
    ActionType,
    Completion,
    FileRecipe,
    ProductSpec,
    RunTale,
    WorkflowSpec,
)

PRODUCT_IDS: Final = seeds.IdCodec("ciProducts")
APP_IDS: Final = seeds.IdCodec("apps")
REPOSITORY_IDS: Final = seeds.IdCodec("scmRepositories")
WORKFLOW_IDS: Final = seeds.IdCodec("ciWorkflows")
REFERENCE_IDS: Final = seeds.IdCodec("scmGitReferences")
PULL_REQUEST_IDS: Final = seeds.IdCodec("scmPullRequests")
RUN_IDS: Final = seeds.IdCodec("ciBuildRuns")
ACTION_IDS: Final = seeds.IdCodec("ciBuildActions")
ARTIFACT_IDS: Final = seeds.IdCodec("ciArtifacts")
ISSUE_IDS: Final = seeds.IdCodec("ciIssues")
TEST_IDS: Final = seeds.IdCodec("ciTestResults")

SMALL_BITS: Final = 8
"""Width of a product, workflow, action or artifact index inside an id."""
_RUN_BITS: Final = 24

RETENTION: Final = timedelta(days=30)
"""Artifacts are kept this long after a run (Apple, configuring your first Xcode Cloud workflow)."""
_GRACE: Final = timedelta(days=7)
"""How long the demo still lists an expired artifact, without a download URL."""

_COMPLETIONS: Final = (
    *[Completion.SUCCEEDED] * 12,
    *[Completion.FAILED] * 3,
    Completion.ERRORED,
    *[Completion.CANCELED] * 2,
    Completion.SKIPPED,
)


@dataclass(frozen=True)
class Run:
    """One build run. Times are aware UTC."""

    product: ProductSpec
    number: int
    workflow: WorkflowSpec
    branch: str
    message: str
    author: str
    start_reason: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    ends_at: datetime
    """When it ends or ended; known to the demo before it happens."""
    completion: Completion | None
    failure: Failure | None = None
    cancel_reason: str | None = None

    @cached_property
    def id(self) -> str:
        """Its id."""
        return RUN_IDS.uuid(self._payload)

    @property
    def _payload(self) -> int:
        return self.product.index << _RUN_BITS | self.number

    @property
    def progress(self) -> str:
        """App Store Connect API, CiExecutionProgress."""
        if self.completion is not None:
            return "COMPLETE"
        return "PENDING" if self.started_at is None else "RUNNING"

    @property
    def commit(self) -> str:
        """The SHA-1 of its commit."""
        return seeds.hexadecimal(40, "run commit", self.product.index, self.number)

    @property
    def is_pull_request(self) -> bool:
        """Whether a pull request started it."""
        return self.start_reason.startswith("PULL_REQUEST")

    def actions(self, now: datetime) -> list[Action]:
        """What it did; one that was skipped or still waits has none."""
        if self.started_at is None:
            return []
        specs = self.workflow.actions
        share = (self.ends_at - self.started_at) / len(specs)
        return [
            Action(self, index, spec, self.started_at + share * index, self.started_at + share * (index + 1), now)
            for index, spec in enumerate(specs)
        ]


@dataclass(frozen=True)
class Action:
    """One action of a run."""

    run: Run
    index: int
    spec: ActionSpec
    begins_at: datetime
    ends_at: datetime
    now: datetime

    @cached_property
    def id(self) -> str:
        """Its id."""
        return ACTION_IDS.uuid(self._payload)

    @property
    def _payload(self) -> int:
        return (self.run.product.index << _RUN_BITS | self.run.number) << SMALL_BITS | self.index

    @property
    def started_at(self) -> datetime | None:
        """None while it waits, or when it was never reached."""
        return None if self.completion is Completion.SKIPPED or self.now < self.begins_at else self.begins_at

    @property
    def finished_at(self) -> datetime | None:
        """None until it is complete."""
        return self.ends_at if self.completion not in {None, Completion.SKIPPED} else None

    @property
    def completion(self) -> Completion | None:
        """None until it is complete: the run's word falls on the action that failed, later ones are skipped."""
        if self.run.completion is None:
            return Completion.SUCCEEDED if self.now >= self.ends_at else None
        if self.run.completion is Completion.SUCCEEDED:
            return Completion.SUCCEEDED
        failing = self._failing_index
        if self.index < failing:
            return Completion.SUCCEEDED
        return self.run.completion if self.index == failing else Completion.SKIPPED

    @property
    def failure(self) -> Failure | None:
        """Why it went red."""
        return self.run.failure if self.completion in {Completion.FAILED, Completion.ERRORED} else None

    @property
    def _failing_index(self) -> int:
        match self.run.failure:
            case Failure.TESTS | Failure.TIMEOUT:
                wanted = ActionType.TEST
            case Failure.SIGNING:
                wanted = ActionType.ARCHIVE
            case _:
                wanted = ActionType.BUILD
        types = [spec.action_type for spec in self.run.workflow.actions]
        return types.index(wanted) if wanted in types else 0

    @property
    def subject(self) -> LogSubject:
        """What its logs are about."""
        product = self.run.product
        return LogSubject(
            title=product.name,
            module=product.module,
            is_android=False,
            number=self.run.number,
            workflow=self.run.workflow.name,
            branch=self.run.branch,
            commit=self.run.commit[:8],
            failure=self.failure,
            action=self.spec.action_type.value,
        )

    def artifacts(self) -> list[FileArtifact]:
        """What is listed for it now."""
        finished = self.finished_at
        is_lost = self.completion is Completion.CANCELED or self.failure is Failure.LOST_RUNNER
        if finished is None or is_lost or self.now > finished + RETENTION + _GRACE:
            return []
        recipes = FILES[self.spec.action_type] + ((NOTARIZED,) if self.spec.platform == "MACOS" else ())
        return [
            FileArtifact(self, index, recipe)
            for index, recipe in enumerate(recipes)
            if recipe.on_failure or self.completion is Completion.SUCCEEDED
        ]

    @property
    def is_expired(self) -> bool:
        """Whether its artifacts can no longer be fetched."""
        return self.finished_at is not None and self.now > self.finished_at + RETENTION

    def child_id(self, codec: seeds.IdCodec, index: int) -> str:
        """The id of one of its issues, test results or artifacts."""
        return codec.uuid(self._payload << SMALL_BITS | index)


@dataclass(frozen=True)
class FileArtifact:
    """One artifact of an action."""

    action: Action
    index: int
    recipe: FileRecipe

    @cached_property
    def id(self) -> str:
        """Its id."""
        return self.action.child_id(ARTIFACT_IDS, self.index)

    @property
    def title(self) -> str:
        """Its file name."""
        product, run = self.action.run.product, self.action.run
        return self.recipe.title.format(
            name=product.name, number=run.number, version=product.version, action=self.action.spec.name
        )

    @property
    def size(self) -> int:
        """In bytes."""
        run = self.action.run
        return seeds.growing(self.recipe.low, self.recipe.high, run.product.newest - run.number, "file size", self.id)

    @property
    def content(self) -> Content:
        """What its bytes depend on."""
        product = self.action.run.product
        identifier = product.bundle_id or f"com.acme.{product.module}"
        built_at = self.action.ends_at
        return Content(self.recipe.kind, self.size, self.id, identifier, product.version, built_at, self.action.subject)


def run_key(run_id: str) -> tuple[int, int] | None:
    """Product index and run number out of a run's id."""
    payload = RUN_IDS.decode(run_id)
    return None if payload is None else divmod(payload, 1 << _RUN_BITS)


def action_key(action_id: str) -> tuple[int, int, int] | None:
    """Product index, run number and position out of an action's id."""
    payload = ACTION_IDS.decode(action_id)
    if payload is None:
        return None
    run, index = divmod(payload, 1 << SMALL_BITS)
    return (*divmod(run, 1 << _RUN_BITS), index)


def artifact_key(artifact_id: str) -> tuple[int, int, int, int] | None:
    """Product index, run number, action and position out of an artifact's id."""
    payload = ARTIFACT_IDS.decode(artifact_id)
    if payload is None:
        return None
    action, index = divmod(payload, 1 << SMALL_BITS)
    run, action_index = divmod(action, 1 << SMALL_BITS)
    return (*divmod(run, 1 << _RUN_BITS), action_index, index)


class RunHistory:
    """The finished runs of one product up to a day's first moment."""

    def __init__(self, product: ProductSpec, midnight: datetime) -> None:
        self.product = product
        self._end = midnight - timedelta(minutes=100)
        self._workflows = tuple(
            index for index, each in enumerate(product.workflows) for _ in range(each.weight * each.is_enabled)
        )

    @property
    def first(self) -> int:
        """The number of the oldest run that is kept."""
        return self.product.newest - self.product.count + 1

    def numbers(self) -> Iterator[int]:
        """The numbers of all runs, oldest first."""
        return iter(range(self.first, self.product.newest + 1))

    def run(self, number: int) -> Run | None:
        """One run; None when there is none of that number."""
        product = self.product
        if not product.count or not self.first <= number <= product.newest:
            return None
        key = ("run", product.index, number)
        tale = product.tales.get(product.newest - number, RunTale())
        index = seeds.pick(self._workflows, "workflow", *key) if tale.workflow is None else tale.workflow
        workflow = product.workflows[index]
        completion = tale.completion or seeds.pick(_COMPLETIONS, "completion", *key)
        created = self._end - timedelta(
            seconds=(product.newest - number) * product.step_s + seeds.between(0, product.step_s // 2, "at", *key),
            milliseconds=seeds.between(0, 999, "ms", *key),
        )
        started = created + timedelta(milliseconds=seeds.between(9_000, 90_000, "waited", *key))
        took = timedelta(milliseconds=seeds.between(240_000, 1_900_000, "took", *key))
        was_skipped = completion is Completion.SKIPPED
        is_red = completion in {Completion.FAILED, Completion.ERRORED}
        failure = tale.failure or seeds.pick((Failure.TESTS, Failure.COMPILE, Failure.DEPENDENCIES), "failure", *key)
        cancel_reason = tale.cancel_reason or "AUTOMATICALLY_BY_NEWER_BUILD"
        return Run(
            product=product,
            number=number,
            workflow=workflow,
            branch=tale.branch or seeds.pick(workflow.branches, "branch", *key),
            message=tale.message or seeds.pick(MESSAGES, "message", *key),
            author=seeds.pick(AUTHORS, "author", *key),
            start_reason=workflow.start_reason,
            created_at=created,
            started_at=None if was_skipped else started,
            finished_at=None if was_skipped else started + took,
            ends_at=started + took,
            completion=completion,
            failure=failure if is_red else None,
            cancel_reason=cancel_reason if completion is Completion.CANCELED else None,
        )
