"""Walks accounts into the catalog: apps, builds since a day, and the artifacts of each finished build.

What is in the catalog already is not asked for again, so a walk that stopped goes on where it was.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import process_time
from typing import Final

from tui.catalog.rows import as_kept
from tui.catalog.store import Catalog
from tui.errors import DigsiteError, RateLimited
from tui.models import AccountName, App, Artifact, Build, BuildQuery, Cursor
from tui.providers import Provider
from tui.services.resolve import list_apps
from tui.services.session import Session
from tui.threads import in_daemon_thread

KEPT_BUDGET: Final = 0.2
"""The share of the hourly call limit that is left to others: the user, and what runs beside."""
_ACTIONS_ESTIMATE: Final = 3
"""Calls for a build of a provider that lists artifacts by action: one for the actions, one for each of two."""


class BudgetSpent(DigsiteError):
    """The calls of this hour are nearly used up; what is left is not for a walk."""


@dataclass(frozen=True, slots=True)
class Step:
    """One app: its builds whose artifacts are still to be listed."""

    session: Session
    app: App
    builds: tuple[Build, ...]


@dataclass
class Plan:
    """What a walk will cost."""

    steps: list[Step] = field(default_factory=list[Step])
    apps: int = 0
    builds: int = 0
    """All that are in the span, those with known artifacts too."""
    failures: list[tuple[AccountName, DigsiteError]] = field(default_factory=list[tuple[AccountName, DigsiteError]])

    @property
    def wanted(self) -> int:
        """Builds whose artifacts are still to be listed."""
        return sum(len(step.builds) for step in self.steps)

    @property
    def calls(self) -> int:
        """About so many calls."""
        return sum(len(step.builds) * _calls_a_build(step.session) for step in self.steps)

    def calls_left(self) -> int | None:
        """What the least of the providers' hourly limits has left; None where none tells."""
        budgets = [step.session.opened.budget for step in self.steps if step.session.opened]
        return min((budget.remaining for budget in budgets if budget), default=None)


@dataclass
class Walked:
    """What a walk brought."""

    builds: int = 0
    artifacts: int = 0
    failures: list[tuple[AccountName, DigsiteError]] = field(default_factory=list[tuple[AccountName, DigsiteError]])


class Indexer:
    """Fills the catalog.

    Args:
        catalog: What is known already, and where the rest goes.
        report: Told in one line how far it is.
    """

    def __init__(self, catalog: Catalog, report: Callable[[str], None]) -> None:
        self._catalog = catalog
        self._report = report
        self._worked_s = process_time()

    async def plan(self, sessions: Sequence[Session], *, app: App | None, since: datetime | None) -> Plan:
        """Lists apps and builds, which is cheap, and finds what is still missing; one account may fail.

        Args:
            sessions: The accounts.
            app: Only this one of the only account.
            since: Builds created from here on, aware UTC; None takes all that the provider lists.
        """
        plan = Plan()
        for session in sessions:
            try:
                await self._plan_account(plan, session, app, since)
            except DigsiteError as error:
                plan.failures.append((session.account.name, error))
        await in_daemon_thread(self._catalog.settle, name="catalog")
        return plan

    async def walk(self, plan: Plan) -> Walked:
        """Lists the artifacts of every build that is planned; stops an account when its calls run low."""
        walked = Walked()
        spent: set[AccountName] = set()
        for step in plan.steps:
            account = step.session.account.name
            if account in spent:
                continue
            try:
                await self._walk_app(step, walked, plan.wanted)
            except DigsiteError as error:
                walked.failures.append((account, error))
                spent.add(account)
        await in_daemon_thread(self._catalog.settle, name="catalog")
        return walked

    async def _plan_account(self, plan: Plan, session: Session, only: App | None, since: datetime | None) -> None:
        provider = await session.provider()
        if only is None:
            listed = await list_apps(provider)
            apps = list(listed.items)
            self._catalog.keep_apps(session.account.name, apps, complete=listed.gap is None)
            if listed.gap is not None:
                plan.failures.append((session.account.name, listed.gap))
        else:
            apps = [only]
            self._catalog.keep_apps(session.account.name, apps, complete=False)
        for app in apps:
            plan.apps += 1
            missing: list[Build] = []
            await self._list_builds(plan, provider, app, since, missing)
            plan.steps.append(Step(session, app, tuple(missing)))

    async def _list_builds(
        self, plan: Plan, provider: Provider, app: App, since: datetime | None, missing: list[Build]
    ) -> None:
        cursor: Cursor | None = None
        while True:
            check_budget(provider)
            page = await provider.builds(app.ref, BuildQuery(after=since), cursor)
            recent = [as_kept(b) for b in page.items if since is None or b.created_at is None or b.created_at >= since]
            self._catalog.keep_builds(app.ref, recent)
            plan.builds += len(recent)
            figures = self._catalog.figures
            missing.extend(b for b in recent if b.status.is_finished and not figures.is_listed(b.ref))
            await self._rest()
            self._report(f"{plan.builds:,} builds of {plan.apps:,} apps listed")
            cursor = page.next_cursor
            if cursor is None or len(recent) < len(page.items):
                return

    async def _walk_app(self, step: Step, walked: Walked, wanted: int) -> None:
        provider = await step.session.provider()
        for build in step.builds:
            check_budget(provider)
            artifacts = await _whole_list(provider, build)
            if artifacts is not None:
                self._catalog.keep_artifacts(build, artifacts)
                walked.artifacts += len(artifacts)
            walked.builds += 1
            await self._rest()
            self._report(f"{walked.builds:,} of {wanted:,} builds, {walked.artifacts:,} artifacts")

    async def _rest(self) -> None:
        """Rests as long as it has worked, so that what people wait for comes first.

        A lower priority alone does not do it: Linux weighs that within a session only (sched(7), autogroup).
        """
        await sleep(process_time() - self._worked_s)
        self._worked_s = process_time()


async def _whole_list(provider: Provider, build: Build) -> list[Artifact] | None:
    """All artifacts of a build; None where the list has gaps, which would look like deletions."""
    found: list[Artifact] = []
    cursor: Cursor | None = None
    while True:
        page = await provider.artifacts(build, cursor)
        if page.unreadable or page.note:
            return None
        found.extend(page.items)
        if (cursor := page.next_cursor) is None:
            return found


def _calls_a_build(session: Session) -> int:
    provider = session.opened
    return _ACTIONS_ESTIMATE if provider is not None and provider.capabilities.groups_by_action else 1


def check_budget(provider: Provider, kept: float = KEPT_BUDGET) -> None:
    """Stops work in the background before it takes the calls that others need.

    Args:
        provider: Whose limit it is.
        kept: The share of the limit that is left to others.

    Raises:
        BudgetSpent: No more than that is left.
    """
    budget = provider.budget
    if budget is not None and budget.remaining < budget.limit * kept:
        raise BudgetSpent(
            f"{budget.remaining:,} of {budget.limit:,} calls of this hour are left, which are for other work.",
            hint="Run it again in an hour: it goes on where it stopped.",
        )


def is_passing(error: DigsiteError) -> bool:
    """Whether the same walk can go on later."""
    return isinstance(error, BudgetSpent | RateLimited)
