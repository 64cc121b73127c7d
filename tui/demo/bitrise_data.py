"""The state of demo-bitrise: generated builds, builds that go on while the demo runs, and what a user changed."""

from __future__ import annotations

import bisect
import dataclasses
import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tui.demo.bitrise_apps import APPS, RUNNING, SUCCESS, AppSpec, BitriseStatus, Outcome, Shape, failed
from tui.demo.bitrise_builds import (
    BitriseArtifact,
    BitriseBuild,
    BuildFilter,
    History,
    app_slug,
    artifact_key,
    build_key,
)
from tui.demo.log_failures import Failure
from tui.demo.people import AUTHORS, MESSAGES

LIVE_PERIOD: Final = timedelta(seconds=240)
"""How long each build of a live app runs; the next one starts when it ends."""
_LIVE_AGE: Final = timedelta(seconds=70)
"""How long the first one has run when the demo opens."""
_LIVE_QUEUED: Final = timedelta(seconds=175)
"""How long a live build waits; less than a period, so at most one waits behind the one that runs."""
_STARTED_QUEUED: Final = timedelta(seconds=5)
_STARTED_RUNS: Final = timedelta(seconds=90)


@dataclass(frozen=True)
class _Later:
    """A build that began after the demo opened; its state is a function of time."""

    number: int
    shape: Shape
    message: str
    author: str
    triggered_at: datetime
    starts_at: datetime
    ends_at: datetime
    outcome: Outcome
    commit: str | None = None

    def at(self, app: AppSpec, now: datetime) -> BitriseBuild:
        is_over = now >= self.ends_at
        return BitriseBuild(
            app=app,
            number=self.number,
            shape=self.shape,
            outcome=self.outcome if is_over else RUNNING,
            message=self.message,
            author=self.author,
            triggered_at=self.triggered_at,
            started_at=self.starts_at if now >= self.starts_at else None,
            finished_at=self.ends_at if is_over else None,
            ends_at=self.ends_at,
            ends_in=None if is_over else self.outcome.failure,
            asked_commit=self.commit,
        )


@dataclass(frozen=True)
class Selection:
    """The builds that a query asks for, newest first; drawn ones are made only for a page."""

    told: Sequence[BitriseBuild]
    drawn: Sequence[int]
    make: Callable[[int], BitriseBuild | None]

    def __len__(self) -> int:
        return len(self.told) + len(self.drawn)

    def __iter__(self) -> Iterator[BitriseBuild]:
        yield from self.told
        yield from (build for build in map(self.make, self.drawn) if build is not None)

    def page(self, start: int, limit: int) -> list[BitriseBuild]:
        """The builds at positions from `start` on."""
        told = list(self.told[start : start + limit])
        first = max(0, start - len(self.told))
        numbers = self.drawn[first : first + limit - len(told)]
        return told + [build for build in map(self.make, numbers) if build is not None]

    def position(self, number: int) -> int:
        """Where a build stands, or would stand if it were asked for."""
        for position, build in enumerate(self.told):
            if build.number == number:
                return position
        return len(self.told) + bisect.bisect_left(self.drawn, -number, key=lambda each: -each)


class BitriseData:
    """Everything the account demo-bitrise can see.

    Args:
        opened_at: When the demo began; generated builds end at the midnight (UTC) before it.
        clock: Gives the present moment, aware UTC.
    """

    def __init__(self, opened_at: datetime, clock: Callable[[], datetime]) -> None:
        midnight = opened_at.replace(hour=0, minute=0, second=0, microsecond=0)
        self.opened_at: Final = opened_at
        self.now: Final = clock
        self.histories: Final = {app.index: History(app, midnight) for app in APPS}
        self._slugs = {app_slug(app): app for app in APPS}
        self._later: dict[int, list[_Later]] = {app.index: [] for app in APPS}
        self._live_count = 0
        self._aborted: dict[tuple[int, int], tuple[Outcome, datetime]] = {}
        self._deleted: set[str] = set()
        self._public: dict[str, bool] = {}

    def app(self, slug: str) -> AppSpec | None:
        """One app by its slug."""
        return self._slugs.get(slug)

    def last_build_at(self, app: AppSpec) -> datetime | None:
        """When its newest build was triggered."""
        newest = self.select(app, BuildFilter()).page(0, 1)
        return newest[0].triggered_at if newest else None

    def select(self, app: AppSpec, query: BuildFilter, *, running_first: bool = False) -> Selection:
        """The builds of an app that a query asks for."""
        history = self.histories[app.index]
        numbers = [later.number for later in reversed(self._advance(app))]
        numbers += range(app.newest, max(history.first_told, history.first) - 1, -1)
        told = [build for build in map(self._maker(app), numbers) if build is not None and query.admits(build)]
        if running_first:
            told.sort(key=lambda build: build.status is not BitriseStatus.NOT_FINISHED)
        return Selection(told, query.numbers(history), self._maker(app))

    def build(self, app: AppSpec, slug: str) -> BitriseBuild | None:
        """One build by its slug."""
        build = self.any_build(slug)
        return build if build is not None and build.app is app else None

    def any_build(self, slug: str) -> BitriseBuild | None:
        """One build of any app by its slug."""
        key = build_key(slug)
        app = self._indexed(key[0]) if key is not None else None
        return self._numbered(app, key[1]) if key is not None and app is not None else None

    def artifacts(self, build: BitriseBuild) -> list[BitriseArtifact]:
        """What is listed for a build now."""
        return [
            artifact
            for artifact in (BitriseArtifact(build, *each) for each in enumerate(build.recipes()))
            if artifact.slug not in self._deleted and not artifact.is_forgotten(self.now())
        ]

    def artifact(self, slug: str) -> BitriseArtifact | None:
        """One artifact by its slug."""
        key = artifact_key(slug)
        app = self._indexed(key[0]) if key is not None else None
        build = self._numbered(app, key[1]) if app is not None and key is not None else None
        if build is None:
            return None
        return next((each for each in self.artifacts(build) if each.slug == slug), None)

    def is_public(self, artifact: BitriseArtifact) -> bool:
        """Whether its install page is on."""
        return self._public.get(artifact.slug, artifact.recipe.is_public)

    def set_public(self, artifact: BitriseArtifact, enabled: bool) -> None:
        """Switches the install page."""
        self._public[artifact.slug] = enabled

    def delete(self, artifact: BitriseArtifact) -> None:
        """For as long as the demo runs."""
        self._deleted.add(artifact.slug)

    def everything(self, query: BuildFilter, first: BitriseBuild | None) -> tuple[int, Iterator[BitriseBuild]]:
        """How many builds of all apps a query asks for, and those from `first` on, newest first."""
        total = sum(len(self.select(app, query)) for app in APPS)
        if first is not None:
            query = dataclasses.replace(query, before=first.triggered_at + timedelta(microseconds=1))
        builds = heapq.merge(
            *(self.select(app, query) for app in APPS), key=lambda build: build.triggered_at, reverse=True
        )
        return total, itertools.dropwhile(lambda build: first is not None and build.slug != first.slug, builds)

    def start(self, app: AppSpec, shape: Shape, message: str | None, commit: str | None = None) -> BitriseBuild:
        """A new build, queued."""
        now = self.now()
        later = self._advance(app)
        number = later[-1].number + 1 if later else app.newest + 1
        starts = now + _STARTED_QUEUED
        ends = starts + _STARTED_RUNS
        added = _Later(number, shape, message or MESSAGES[0], AUTHORS[0], now, starts, ends, SUCCESS, commit)
        later.append(added)
        return added.at(app, now)

    def abort(self, build: BitriseBuild, reason: str, *, with_success: bool) -> None:
        """Ends a build that is not finished."""
        status = BitriseStatus.ABORTED_WITH_SUCCESS if with_success else BitriseStatus.ABORTED
        outcome = Outcome(status, abort_reason=reason)
        self._aborted[build.app.index, build.number] = (outcome, self.now())

    def _indexed(self, index: int) -> AppSpec | None:
        return next((app for app in APPS if app.index == index), None)

    def _maker(self, app: AppSpec) -> Callable[[int], BitriseBuild | None]:
        return lambda number: self._numbered(app, number)

    def _numbered(self, app: AppSpec, number: int) -> BitriseBuild | None:
        now = self.now()
        build = self.histories[app.index].build(number)
        if build is None:
            later = next((each for each in self._advance(app) if each.number == number), None)
            build = later.at(app, now) if later is not None else None
        aborted = self._aborted.get((app.index, number))
        if build is not None and aborted is not None:
            outcome, at = aborted
            build = dataclasses.replace(build, outcome=outcome, finished_at=at, ends_in=None)
        return build

    def _advance(self, app: AppSpec) -> list[_Later]:
        """The later builds of an app, after adding those live ones that were triggered meanwhile."""
        later = self._later[app.index]
        while app.is_live:
            index = self._live_count
            starts = self.opened_at - _LIVE_AGE + index * LIVE_PERIOD
            if starts - _LIVE_QUEUED > self.now():
                break
            number = later[-1].number + 1 if later else app.newest + 1
            outcome = failed(Failure.TESTS) if index % 3 == 2 else SUCCESS
            shape = app.shapes[(0, 5, 3, 6)[index % 4]]
            ends = starts + LIVE_PERIOD
            message = MESSAGES[(index * 7 + 3) % len(MESSAGES)]
            author = AUTHORS[index % len(AUTHORS)]
            later.append(_Later(number, shape, message, author, starts - _LIVE_QUEUED, starts, ends, outcome))
            self._live_count += 1
        return later
