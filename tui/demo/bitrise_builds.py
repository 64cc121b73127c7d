"""The builds and artifacts of demo-bitrise, computed from their numbers when they are asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

from tui.demo import seeds
from tui.demo.bitrise_apps import (
    ABORTED_AS_SUCCESS,
    ABORTED_BY_USER,
    ABORTED_ROLLING,
    SUCCESS,
    TIMED_OUT,
    AppSpec,
    BitriseStatus,
    Outcome,
    Recipe,
    Shape,
    Tale,
    failed,
)
from tui.demo.contents import Content, Kind
from tui.demo.log_failures import Failure, LogSubject
from tui.demo.people import AUTHORS, MESSAGES

BUILD_IDS: Final = seeds.IdCodec("bitrise build")
ARTIFACT_IDS: Final = seeds.IdCodec("bitrise artifact")
APP_IDS: Final = seeds.IdCodec("bitrise app")

_NUMBER_BITS: Final = 32
_INDEX_BITS: Final = 8

_TABLE_LENGTH: Final = 4093
"""A prime, so that the attributes of neighbouring apps and numbers do not fall into step."""

_OUTCOMES: Final = (
    *[SUCCESS] * 48,
    *[failed(Failure.TESTS)] * 4,
    *[failed(Failure.COMPILE)] * 3,
    failed(Failure.SIGNING),
    failed(Failure.DEPENDENCIES),
    *[ABORTED_BY_USER] * 2,
    *[ABORTED_ROLLING] * 3,
    TIMED_OUT,
    ABORTED_AS_SUCCESS,
)

_INSTALLABLE_DAYS: Final = 150
_FILE_DAYS: Final = 90
"""HTML files too: the reports of seven days are no artifacts (Bitrise docs, viewing-html-reports)."""
_GRACE_DAYS: Final = 7
"""Days for which the demo still lists an expired artifact, without a download URL."""


@lru_cache(maxsize=1)
def _words() -> tuple[int, ...]:
    data = seeds.octets(4 * _TABLE_LENGTH, "words")
    return tuple(int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4))


class Draw(NamedTuple):
    """The few drawn attributes of a build, as indexes: cheap enough to filter 100,000 builds by."""

    shape: int
    outcome: int
    message: int
    author: int


@dataclass(frozen=True)
class BitriseBuild:
    """One build. Times are aware UTC."""

    app: AppSpec
    number: int
    shape: Shape
    outcome: Outcome
    message: str
    author: str
    triggered_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    tale: Tale | None = None
    ends_at: datetime | None = None
    """When it will end; known to the demo before it happens, and so is how."""
    ends_in: Failure | None = None
    asked_commit: str | None = None

    @cached_property
    def slug(self) -> str:
        """Its id."""
        return build_slug(self.app, self.number)

    @property
    def status(self) -> BitriseStatus:
        """As the API numbers it."""
        return self.outcome.status

    @property
    def commit(self) -> str:
        """Its commit's SHA-1."""
        return self.asked_commit or seeds.hexadecimal(40, "commit", self.app.index, self.number)

    @property
    def pull_request(self) -> int:
        """0 when it is not one (observed, undocumented)."""
        if self.shape.trigger != "pull-request":
            return 0
        return 800 + seeds.number("pull request", self.app.index, self.shape.branch) % 90

    @property
    def subject(self) -> LogSubject:
        """What its log is about."""
        return LogSubject(
            title=self.app.title,
            module=self.app.module,
            is_android=self.app.is_android,
            number=self.number,
            workflow=self.shape.workflow,
            branch=self.shape.branch,
            commit=self.commit[:8],
            failure=self.outcome.failure or self.ends_in,
            abort_reason=self.outcome.abort_reason,
            uses_fastlane=self.app.uses_fastlane,
        )

    def recipes(self) -> tuple[Recipe, ...]:
        """What it left behind before anything expired."""
        if self.status in {BitriseStatus.NOT_FINISHED, BitriseStatus.ABORTED, BitriseStatus.ABORTED_WITH_SUCCESS}:
            return ()
        recipes = self.app.recipes.get(self.shape.workflow, ())
        if self.tale is not None and self.tale.recipes is not None:
            recipes = self.tale.recipes
        return tuple(each for each in recipes if self.status is BitriseStatus.SUCCESS or each.on_failure)


@dataclass(frozen=True)
class BitriseArtifact:
    """One artifact."""

    build: BitriseBuild
    index: int
    recipe: Recipe

    @cached_property
    def slug(self) -> str:
        """Its id."""
        payload = (self.build.app.index << _NUMBER_BITS | self.build.number) << _INDEX_BITS | self.index
        return ARTIFACT_IDS.short(payload) if self.build.app.has_short_slugs else ARTIFACT_IDS.uuid(payload)

    @property
    def size(self) -> int:
        """In bytes."""
        recipe, app, number = self.recipe, self.build.app, self.build.number
        return seeds.growing(recipe.low, recipe.high, app.newest - number, "size", app.index, number, self.index)

    @property
    def can_be_public(self) -> bool:
        """Only installable files have an install page (Bitrise docs, managing-build-artifacts)."""
        return self.recipe.artifact_type in {"android-apk", "ios-ipa"} and self.recipe.kind is not Kind.AAB

    @property
    def content(self) -> Content:
        """What its bytes depend on."""
        app = self.build.app
        return Content(
            self.recipe.kind,
            self.size,
            self.slug,
            app.identifier,
            app.version,
            self.build.finished_at or self.build.triggered_at,
            self.build.subject,
        )

    def is_expired(self, now: datetime) -> bool:
        """Whether the retention rule took its bytes (Bitrise docs, artifact retention policy)."""
        return self._days_over(now) > 0

    def is_forgotten(self, now: datetime) -> bool:
        """Whether it is not even listed any more."""
        return self._days_over(now) > _GRACE_DAYS

    def _days_over(self, now: datetime) -> float:
        if self.build.finished_at is None:
            return 0
        days = _INSTALLABLE_DAYS if self.recipe.kind in {Kind.IPA, Kind.APK, Kind.AAB} else _FILE_DAYS
        return (now - self.build.finished_at) / timedelta(days=1) - days


def app_slug(app: AppSpec) -> str:
    """Its id."""
    return APP_IDS.short(app.index) if app.has_short_slugs else APP_IDS.uuid(app.index)


def build_slug(app: AppSpec, number: int) -> str:
    """The id of a build."""
    payload = app.index << _NUMBER_BITS | number
    return BUILD_IDS.short(payload) if app.has_short_slugs else BUILD_IDS.uuid(payload)


def build_key(slug: str) -> tuple[int, int] | None:
    """App index and build number out of a build's id."""
    payload = BUILD_IDS.decode(slug)
    return None if payload is None else divmod(payload, 1 << _NUMBER_BITS)


def artifact_key(slug: str) -> tuple[int, int, int] | None:
    """App index, build number and position out of an artifact's id."""
    payload = ARTIFACT_IDS.decode(slug)
    if payload is None:
        return None
    build, index = divmod(payload, 1 << _INDEX_BITS)
    return (*divmod(build, 1 << _NUMBER_BITS), index)


class History:
    """The finished builds of one app up to a day's first moment: nothing is held but the app's description."""

    def __init__(self, app: AppSpec, midnight: datetime) -> None:
        self.app = app
        self._end = midnight - timedelta(days=app.age_days, minutes=100)
        self._shapes = tuple(index for index, shape in enumerate(app.shapes) for _ in range(shape.weight))
        self._told = max(app.tales, default=-1) + 1

    @property
    def first(self) -> int:
        """The number of the oldest build that is kept."""
        return self.app.newest - self.app.count + 1

    @property
    def first_told(self) -> int:
        """From this number on builds may differ from what `draw` says."""
        return self.app.newest - self._told + 1

    def numbers(self) -> range:
        """The numbers of all builds, newest first."""
        return range(self.app.newest, self.first - 1, -1)

    def draw(self, number: int) -> Draw:
        """The drawn attributes of a build."""
        word = _words()[(number * 31 + self.app.index * 997) % _TABLE_LENGTH]
        shape = self._shapes[(word & 0xFFFF) % len(self._shapes)]
        return Draw(shape, word >> 16 & 63, word >> 22 & 31, word >> 27 & 7)

    def triggered_at(self, number: int) -> datetime:
        """Rises with the number."""
        step = self.app.step_s
        jitter = _words()[(number * 7 + self.app.index) % _TABLE_LENGTH] % max(1, step * 3 // 5)
        return self._end - timedelta(seconds=(self.app.newest - number) * step + jitter)

    def build(self, number: int) -> BitriseBuild | None:
        """One build; None when it is too old or not there yet."""
        if not self.first <= number <= self.app.newest or not self.app.count:
            return None
        draw = self.draw(number)
        tale = self.app.tales.get(self.app.newest - number)
        outcome, shape, message = _OUTCOMES[draw.outcome], self.app.shapes[draw.shape], MESSAGES[draw.message]
        if tale is not None:
            outcome = tale.outcome or outcome
            shape = tale.shape or shape
            message = tale.message or message
        triggered = self.triggered_at(number)
        waited = seeds.between(4, 50, "waited", self.app.index, number)
        took = 5400 if outcome is TIMED_OUT else seeds.between(190, 1500, "took", self.app.index, number)
        started = None if outcome.is_on_hold else triggered + timedelta(seconds=waited)
        return BitriseBuild(
            app=self.app,
            number=number,
            shape=shape,
            outcome=outcome,
            message=message,
            author=AUTHORS[draw.author],
            triggered_at=triggered,
            started_at=started,
            finished_at=None if started is None else started + timedelta(seconds=took),
            tale=tale,
        )


@dataclass(frozen=True)
class BuildFilter:
    """What `GET /apps/{app}/builds` filters by; None leaves an attribute open."""

    branch: str | None = None
    workflow: str | None = None
    commit_message: str | None = None
    trigger: str | None = None
    pull_request: int | None = None
    number: int | None = None
    after: datetime | None = None
    before: datetime | None = None
    status: int | None = None
    on_hold: bool | None = None

    def admits(self, build: BitriseBuild) -> bool:
        """Whether one build is asked for."""
        return (
            self.number in {None, build.number}
            and self.status in {None, int(build.status)}
            and self.on_hold in {None, build.outcome.is_on_hold}
            and self._admits_shape(build.shape)
            and self._admits_message(build.message)
            and self.pull_request in {None, build.pull_request}
            and (self.after is None or build.triggered_at > self.after)
            and (self.before is None or build.triggered_at < self.before)
        )

    def numbers(self, history: History) -> Sequence[int]:
        """The numbers of the drawn builds that are asked for, newest first, without making any of them."""
        if self.on_hold:
            return ()  # only told builds are on hold
        low, high = history.first, history.first_told - 1
        if self.number is not None:
            low, high = max(low, self.number), min(high, self.number)
        if self.after is not None:
            low = max(low, _first_after(history, self.after, low, high))
        if self.before is not None:
            high = min(high, _first_after(history, self.before - timedelta(microseconds=1), low, high) - 1)
        shapes = [self._admits_shape(shape) and self._admits_request(history, shape) for shape in history.app.shapes]
        outcomes = [self.status in {None, int(outcome.status)} for outcome in _OUTCOMES]
        messages = [self._admits_message(message) for message in MESSAGES]
        if all(shapes) and all(outcomes) and all(messages):
            return range(high, low - 1, -1)
        draws = ((number, history.draw(number)) for number in range(high, low - 1, -1))
        return [
            number
            for number, drawn in draws
            if shapes[drawn.shape] and outcomes[drawn.outcome] and messages[drawn.message]
        ]

    def _admits_shape(self, shape: Shape) -> bool:
        return (
            self.branch in {None, shape.branch}
            and self.workflow in {None, shape.workflow}
            and self.trigger in {None, shape.trigger}
        )

    def _admits_request(self, history: History, shape: Shape) -> bool:
        if self.pull_request is None:
            return True
        sample = history.build(history.first)
        return sample is not None and dataclasses.replace(sample, shape=shape).pull_request == self.pull_request

    def _admits_message(self, message: str) -> bool:
        return self.commit_message is None or self.commit_message.lower() in message.lower()


def _first_after(history: History, moment: datetime, low: int, high: int) -> int:
    """The smallest number in low..high + 1 whose build was triggered after a moment."""
    while low <= high:
        middle = (low + high) // 2
        if history.triggered_at(middle) > moment:
            high = middle - 1
        else:
            low = middle + 1
    return low
