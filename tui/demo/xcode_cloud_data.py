"""The state of demo-xcode-cloud: generated runs, runs that go on while the demo runs, and those a user started."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from tui.demo import seeds
from tui.demo.log_failures import Failure
from tui.demo.people import AUTHORS, MESSAGES
from tui.demo.xcode_cloud_products import PRODUCTS, Completion, ProductSpec, WorkflowSpec
from tui.demo.xcode_cloud_runs import (
    ACTION_IDS,
    APP_IDS,
    PRODUCT_IDS,
    PULL_REQUEST_IDS,
    REFERENCE_IDS,
    REPOSITORY_IDS,
    SMALL_BITS,
    WORKFLOW_IDS,
    Action,
    FileArtifact,
    Run,
    RunHistory,
    action_key,
    artifact_key,
    run_key,
)

LIVE_PERIOD: Final = timedelta(seconds=300)
"""How long each run of a live product takes; the next one starts when it ends."""
_LIVE_AGE: Final = timedelta(seconds=130)
_LIVE_PENDING: Final = timedelta(seconds=160)
_STARTED_PENDING: Final = timedelta(seconds=6)
_STARTED_RUNS: Final = timedelta(seconds=120)


class XcodeCloudData:
    """Everything the account demo-xcode-cloud can see.

    Args:
        opened_at: When the demo began; generated runs end at the midnight (UTC) before it.
        clock: Gives the present moment, aware UTC.
    """

    def __init__(self, opened_at: datetime, clock: Callable[[], datetime]) -> None:
        midnight = opened_at.replace(hour=0, minute=0, second=0, microsecond=0)
        self.opened_at: Final = opened_at
        self.now: Final = clock
        self._histories = {product.index: RunHistory(product, midnight) for product in PRODUCTS}
        self._later: dict[int, list[Run]] = {product.index: [] for product in PRODUCTS}
        self._live_count = 0

    def product(self, product_id: str) -> ProductSpec | None:
        """One product by its id."""
        return _indexed(PRODUCT_IDS.decode(product_id))

    def app_product(self, app_id: str) -> ProductSpec | None:
        """The product of an app."""
        product = _indexed(APP_IDS.decode(app_id))
        return product if product is not None and product.bundle_id is not None else None

    def repository_product(self, repository_id: str) -> ProductSpec | None:
        """The product of a repository."""
        return _indexed(REPOSITORY_IDS.decode(repository_id))

    def workflow(self, workflow_id: str) -> tuple[ProductSpec, WorkflowSpec] | None:
        """One workflow and its product."""
        payload = WORKFLOW_IDS.decode(workflow_id)
        if payload is None:
            return None
        product = _indexed(payload >> SMALL_BITS)
        index = payload & ((1 << SMALL_BITS) - 1)
        if product is None or index >= len(product.workflows):
            return None
        return product, product.workflows[index]

    def branch(self, reference_id: str) -> tuple[ProductSpec, str] | None:
        """A git reference's name, and the product of its repository."""
        return self._referenced(REFERENCE_IDS.decode(reference_id))

    def finding(self, codec: seeds.IdCodec, key: str) -> tuple[Action, int] | None:
        """The action that an issue or a test result belongs to, and its position there."""
        payload = codec.decode(key)
        if payload is None:
            return None
        rest, index = divmod(payload, 1 << SMALL_BITS)
        action = self.action(ACTION_IDS.uuid(rest))
        return None if action is None else (action, index)

    def pull_request(self, request_id: str) -> tuple[ProductSpec, str] | None:
        """The branch of a pull request, and the product of its repository."""
        return self._referenced(PULL_REQUEST_IDS.decode(request_id))

    def runs(self, product: ProductSpec) -> list[Run]:
        """All runs of a product, oldest first."""
        history = self._histories[product.index]
        finished = [run for run in map(history.run, history.numbers()) if run is not None]
        return finished + [_at(run, self.now()) for run in self._advance(product)]

    def run(self, run_id: str) -> Run | None:
        """One run by its id."""
        key = run_key(run_id)
        return None if key is None else self._numbered(*key)

    def action(self, action_id: str) -> Action | None:
        """One action by its id."""
        key = action_key(action_id)
        return None if key is None else self._action(*key)

    def artifact(self, artifact_id: str) -> FileArtifact | None:
        """One artifact by its id."""
        key = artifact_key(artifact_id)
        action = None if key is None else self._action(*key[:3])
        if action is None:
            return None
        return next((each for each in action.artifacts() if each.id == artifact_id), None)

    def start(self, product: ProductSpec, workflow: WorkflowSpec, branch: str, *, reason: str = "MANUAL") -> Run:
        """A new run, pending."""
        now = self.now()
        starts = now + _STARTED_PENDING
        number = self._next_number(product)
        run = _later(product, number, workflow, branch, reason, now, starts, starts + _STARTED_RUNS)
        self._later[product.index].append(run)
        return _at(run, now)

    def _referenced(self, payload: int | None) -> tuple[ProductSpec, str] | None:
        if payload is None:
            return None
        product = _indexed(payload >> SMALL_BITS)
        index = payload & ((1 << SMALL_BITS) - 1)
        names = branches(product) if product is not None else []
        return (product, names[index]) if product is not None and index < len(names) else None

    def _action(self, product_index: int, number: int, index: int) -> Action | None:
        run = self._numbered(product_index, number)
        actions = [] if run is None else run.actions(self.now())
        return actions[index] if index < len(actions) else None

    def _numbered(self, product_index: int, number: int) -> Run | None:
        product = _indexed(product_index)
        if product is None:
            return None
        finished = self._histories[product_index].run(number)
        if finished is not None:
            return finished
        later = next((run for run in self._advance(product) if run.number == number), None)
        return None if later is None else _at(later, self.now())

    def _next_number(self, product: ProductSpec) -> int:
        later = self._advance(product)
        return later[-1].number + 1 if later else product.newest + 1

    def _advance(self, product: ProductSpec) -> list[Run]:
        later = self._later[product.index]
        while product.is_live:
            index = self._live_count
            starts = self.opened_at - _LIVE_AGE + index * LIVE_PERIOD
            if starts - _LIVE_PENDING > self.now():
                break
            number = later[-1].number + 1 if later else product.newest + 1
            workflow = product.workflows[(0, 1, 2)[index % 3]]
            branch = workflow.branches[index % len(workflow.branches)]
            run = _later(
                product, number, workflow, branch, workflow.start_reason, starts - _LIVE_PENDING, starts,
                starts + LIVE_PERIOD,
            )  # fmt: skip
            if index % 3 == 1:
                run = dataclasses.replace(run, completion=Completion.FAILED, failure=Failure.TESTS)
            later.append(run)
            self._live_count += 1
        return later


def branches(product: ProductSpec) -> list[str]:
    """The names of all git references of a product's repository, the default branch first."""
    names = ["main"]
    for workflow in product.workflows:
        names += [name for name in workflow.branches if name not in names]
    return names


def _indexed(index: int | None) -> ProductSpec | None:
    return next((product for product in PRODUCTS if product.index == index), None)


def _later(
    product: ProductSpec,
    number: int,
    workflow: WorkflowSpec,
    branch: str,
    reason: str,
    created_at: datetime,
    starts_at: datetime,
    ends_at: datetime,
) -> Run:
    """A run as it will be when it has ended."""
    return Run(
        product=product,
        number=number,
        workflow=workflow,
        branch=branch,
        message=seeds.pick(MESSAGES, "later", product.index, number),
        author=seeds.pick(AUTHORS, "later", product.index, number),
        start_reason=reason,
        created_at=created_at,
        started_at=starts_at,
        finished_at=ends_at,
        ends_at=ends_at,
        completion=Completion.SUCCEEDED,
    )


def _at(run: Run, now: datetime) -> Run:
    """A later run as it is at a moment."""
    if run.finished_at is None or now >= run.finished_at:
        return run
    started_at = run.started_at if run.started_at is not None and now >= run.started_at else None
    return dataclasses.replace(run, started_at=started_at, finished_at=None, completion=None, failure=None)
