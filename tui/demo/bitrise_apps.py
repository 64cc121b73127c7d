"""The apps of the account demo-bitrise: what each one builds, on which branches, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from tui.demo.contents import MIB, Kind
from tui.demo.ios_app import KIB
from tui.demo.log_failures import Failure


class BitriseStatus(IntEnum):
    """Bitrise docs, build-statuses."""

    NOT_FINISHED = 0
    SUCCESS = 1
    FAILED = 2
    ABORTED = 3
    ABORTED_WITH_SUCCESS = 4


@dataclass(frozen=True)
class Outcome:
    """How a build ends."""

    status: BitriseStatus
    failure: Failure | None = None
    abort_reason: str | None = None
    is_on_hold: bool = False


SUCCESS: Final = Outcome(BitriseStatus.SUCCESS)
RUNNING: Final = Outcome(BitriseStatus.NOT_FINISHED)
ON_HOLD: Final = Outcome(BitriseStatus.NOT_FINISHED, is_on_hold=True)
ABORTED_BY_USER: Final = Outcome(BitriseStatus.ABORTED, abort_reason="User Grace Kim aborted the build")
ABORTED_ROLLING: Final = Outcome(
    BitriseStatus.ABORTED, abort_reason="Aborted by Rolling Builds: a newer build of this branch was started"
)
TIMED_OUT: Final = Outcome(BitriseStatus.ABORTED, Failure.TIMEOUT, "Build timed out: no output for 90 minutes")
LOST: Final = Outcome(
    BitriseStatus.ABORTED, Failure.LOST_RUNNER, "The connection to the build machine was lost; the build was aborted"
)
ABORTED_AS_SUCCESS: Final = Outcome(
    BitriseStatus.ABORTED_WITH_SUCCESS, abort_reason="Nothing to build: only documentation changed"
)


def failed(failure: Failure) -> Outcome:
    """A red build."""
    return Outcome(BitriseStatus.FAILED, failure)


@dataclass(frozen=True)
class Shape:
    """What starts a build, and from where."""

    branch: str
    workflow: str
    trigger: str = "push"
    """`push`, `pull-request`, `tag`, or empty for one started by hand or by schedule."""
    tag: str | None = None
    weight: int = 1


@dataclass(frozen=True)
class Recipe:
    """One artifact that a workflow leaves behind."""

    title: str
    artifact_type: str
    kind: Kind
    low: int
    high: int
    """Bytes."""
    is_public: bool = False
    on_failure: bool = False
    """Whether a red build has it too."""


@dataclass(frozen=True)
class Tale:
    """A build that is told by hand instead of drawn; every field replaces the drawn one."""

    outcome: Outcome | None = None
    shape: Shape | None = None
    message: str | None = None
    recipes: tuple[Recipe, ...] | None = None


@dataclass(frozen=True)
class AppSpec:
    """One app. Build `newest` is the last finished one; `count` builds are kept, one about every `step_s`."""

    index: int
    title: str
    project_type: str
    repo: str
    identifier: str
    module: str
    version: str
    newest: int
    count: int
    step_s: int
    shapes: tuple[Shape, ...]
    recipes: Mapping[str, tuple[Recipe, ...]]
    """By workflow."""
    tales: Mapping[int, Tale] = field(default_factory=dict[int, Tale])
    """By distance from `newest`."""
    is_android: bool = True
    uses_fastlane: bool = False
    is_disabled: bool = False
    age_days: int = 0
    """Days since the newest build."""
    has_short_slugs: bool = False
    is_live: bool = False
    """Whether builds go on while the demo runs."""


def _text(title: str, low: int, high: int, kind: Kind = Kind.TEXT, *, on_failure: bool = False) -> Recipe:
    return Recipe(title, "file", kind, low, high, on_failure=on_failure)


_GRADLE_RESULTS: Final = _text("test-results.zip", 180 * KIB, 640 * KIB, Kind.RESULTS, on_failure=True)
_GRADLE_LOG: Final = _text("gradle-build.log", 60 * KIB, 240 * KIB, on_failure=True)
_LINT: Final = _text("lint-report.html", 40 * KIB, 190 * KIB, Kind.HTML, on_failure=True)
_DEBUG_APK: Final = Recipe("app-debug.apk", "android-apk", Kind.APK, 21 * MIB, 27 * MIB, is_public=True)
_RELEASE_APK: Final = Recipe("app-release.apk", "android-apk", Kind.APK, 14 * MIB, 19 * MIB, is_public=True)
_AAB: Final = Recipe("app-release.aab", "android-apk", Kind.AAB, 24 * MIB, 31 * MIB)
_MAPPING: Final = _text("mapping.txt", 1900 * KIB, 3 * MIB, Kind.MAPPING)
ANDROID: Final = {
    "primary": (_DEBUG_APK, _LINT, _GRADLE_RESULTS, _GRADLE_LOG),
    "pull-request": (_DEBUG_APK, _GRADLE_RESULTS, _GRADLE_LOG),
    "nightly": (_DEBUG_APK, _LINT, _GRADLE_RESULTS, _GRADLE_LOG),
    "release": (_RELEASE_APK, _AAB, _MAPPING, _GRADLE_RESULTS, _GRADLE_LOG),
}


def _ios(name: str, low: int, high: int) -> dict[str, tuple[Recipe, ...]]:
    ipa = Recipe(f"{name}.ipa", "ios-ipa", Kind.IPA, low * MIB, high * MIB, is_public=True)
    store = Recipe(f"{name}-AppStore.ipa", "ios-ipa", Kind.IPA, low * MIB, high * MIB)
    archive = Recipe(f"{name}.xcarchive.zip", "ios-xcarchive", Kind.XCARCHIVE, 3 * low * MIB, 3 * high * MIB)
    dsym = _text(f"{name}.app.dSYM.zip", low * MIB // 2, high * MIB // 2, Kind.DSYM)
    results = _text(f"{name}.xcresult.zip", 2 * MIB, 9 * MIB, Kind.RESULTS, on_failure=True)
    log = _text("xcodebuild.log", 90 * KIB, 400 * KIB, on_failure=True)
    return {
        "primary": (results, log),
        "pull-request": (results, log),
        "nightly": (ipa, results, log),
        "release": (ipa, store, archive, dsym, log),
    }


SHAPES: Final = (
    Shape("main", "primary", weight=24),
    Shape("main", "nightly", "", weight=6),
    Shape("release/3.2", "release", weight=4),
    Shape("release/3.2", "release", "tag", "v3.2.1", weight=1),
    Shape("release/4.0", "release", weight=3),
    Shape("feature/login", "pull-request", "pull-request", weight=8),
    Shape("feature/dark-mode", "pull-request", "pull-request", weight=5),
    Shape("feature/offline-cart", "pull-request", "pull-request", weight=5),
    Shape("fix/crash-on-rotate", "pull-request", "pull-request", weight=4),
    Shape("dependabot/gradle/okhttp-5.2.1", "pull-request", "pull-request", weight=3),
    Shape("develop", "primary", weight=1),
)

_MAIN: Final = SHAPES[0]
_RELEASE: Final = SHAPES[4]
_PULL_REQUEST: Final = SHAPES[5]

_ANDROID_TALES: Final = {
    0: Tale(SUCCESS, _RELEASE, "Release notes for 4.0.0"),
    1: Tale(failed(Failure.TESTS), _PULL_REQUEST, "Make the login form work with password managers"),
    2: Tale(SUCCESS, _MAIN, "Show the delivery date in the cart"),
    3: Tale(ON_HOLD, SHAPES[6], "Redesign the profile page"),
    4: Tale(ABORTED_BY_USER, SHAPES[7], "Retry uploads when the connection comes back"),
    5: Tale(failed(Failure.COMPILE), SHAPES[8], "Fix crash when the screen rotates during checkout"),
    6: Tale(ABORTED_AS_SUCCESS, _MAIN, "Explain the release process in the README"),
    7: Tale(failed(Failure.SIGNING), _RELEASE, "Rotate the signing key"),
    8: Tale(TIMED_OUT, SHAPES[1], "Nightly"),
    9: Tale(LOST, _PULL_REQUEST, "Make the login form wider"),
    10: Tale(failed(Failure.DEPENDENCIES), SHAPES[9], "Bump okhttp from 5.2.0 to 5.2.1"),
    11: Tale(SUCCESS, _MAIN, "Update translations from Crowdin", recipes=()),
    12: Tale(ABORTED_ROLLING, _PULL_REQUEST, "Make the login form narrower"),
    13: Tale(SUCCESS, _PULL_REQUEST, "Let the login form have its width"),
    14: Tale(SUCCESS, SHAPES[8], "Save the state of the checkout"),
    15: Tale(SUCCESS, _RELEASE, "Release notes for 4.0.0 RC 2"),
}

_RECORDINGS: Final = Recipe(
    "ui-test-recordings.zip", "file", Kind.RECORDINGS, 300 * MIB + 1234, 300 * MIB + 1234, on_failure=True
)
_UNIVERSAL: Final = Recipe("Acme-Universal.ipa", "ios-ipa", Kind.IPA, 300_000_000, 300_000_000)
_IOS: Final = _ios("Acme", 32, 44)
_IOS_TALES: Final = {
    0: Tale(SUCCESS, _RELEASE, "Add StoreKit 2 receipts", (*_IOS["release"], _UNIVERSAL, _RECORDINGS)),
    1: Tale(failed(Failure.TESTS), _PULL_REQUEST, "Let VoiceOver read prices correctly"),
    2: Tale(failed(Failure.SIGNING), _RELEASE, "Add a widget for open orders"),
    3: Tale(SUCCESS, _MAIN, "Prefetch images in the feed"),
    4: Tale(failed(Failure.COMPILE), _PULL_REQUEST, "Remember the session between launches"),
    5: Tale(TIMED_OUT, SHAPES[1], "Nightly"),
    6: Tale(LOST, _MAIN, "Draw the map on its own layer"),
    7: Tale(SUCCESS, _RELEASE, "Add StoreKit 2 products"),
    8: Tale(SUCCESS, _PULL_REQUEST, "Let VoiceOver read the cart"),
}
_FASTLANE_TALES: Final = {
    0: Tale(failed(Failure.COMPILE), _MAIN, "Move the editor to the new architecture"),
    1: Tale(failed(Failure.TESTS), _PULL_REQUEST, "Round prices as the server does"),
    2: Tale(failed(Failure.SIGNING), _RELEASE, "Sign with the new certificate"),
    3: Tale(SUCCESS, _MAIN, "Sync notes in the background"),
}

_FLUTTER: Final = {
    "primary": (_DEBUG_APK, _text("coverage.html", 90 * KIB, 200 * KIB, Kind.HTML), _GRADLE_LOG),
    "pull-request": (_text("flutter-test.log", 40 * KIB, 90 * KIB, on_failure=True),),
    "nightly": (_DEBUG_APK, _GRADLE_LOG),
    "release": (_RELEASE_APK, _AAB, Recipe("Runner.ipa", "ios-ipa", Kind.IPA, 26 * MIB, 33 * MIB, is_public=True)),
}

_SMALL: Final = {
    "primary": (
        Recipe("旅行ガイド.apk", "android-apk", Kind.APK, 2 * MIB, 4 * MIB, is_public=True),
        Recipe("دليل السفر.ipa", "ios-ipa", Kind.IPA, 2 * MIB, 4 * MIB),
        _text("отчёт о тестах 🧪.html", 20 * KIB, 60 * KIB, Kind.HTML),
        _text("naïve café.log", 20 * KIB, 60 * KIB),
        Recipe("empty.txt", "file", Kind.EMPTY, 0, 0),
    )
}

_HOSTILE_TITLES: Final = (
    "../../etc/passwd",
    "app-[bold]release[/bold].apk",
    "[/",
    "[@click=app.quit]press me[/]",
    "\x1b[2J\x1b]0;owned\x07red \x1b[31malert\x1b[0m.apk",
    "\x1b]52;c;cm0gLXJmIH4=\x07clipboard.ipa",
    "two\nlines\r.log",
    "invoice\N{RIGHT-TO-LEFT OVERRIDE}kpa.exe",
    "zero\N{ZERO WIDTH SPACE}width.apk",
    "null\x00byte.apk",
    "lone\ud800surrogate.apk",
    "x" * 296 + ".apk",
    "界" * 100 + ".ipa",
    "..",
    "CON.txt",
    "-rf ~",
    "C:\\Windows\\system32\\cmd.exe",
    "app.apk",
    "APP.apk",
    "app.apk",
    "$(touch owned) `id` %s {0}.apk",
    " trailing blanks and dots. . ",
    "",
)
"""Each tries to break something: a terminal, a folder, a shell, markup, or a list that expects unique names."""


def _hostile(title: str) -> Recipe:
    if title.endswith(".apk"):
        return Recipe(title, "android-apk", Kind.APK, MIB, 2 * MIB)
    if title.endswith(".ipa"):
        return Recipe(title, "ios-ipa", Kind.IPA, MIB, 2 * MIB)
    return _text(title, 2 * KIB, 9 * KIB)


_HOSTILE: Final = tuple(_hostile(title) for title in _HOSTILE_TITLES)
_HOSTILE_TALES: Final = {
    0: Tale(SUCCESS, Shape("main", "primary"), "A build whose artifacts have hostile names", _HOSTILE),
    1: Tale(SUCCESS, Shape("../../../tmp/owned", "primary"), "A branch that climbs out of a folder"),
    2: Tale(SUCCESS, Shape("[bold]main[/", "[/"), "Markup: [red]boo[/red] [/ [@click=app.bell]x[/]"),
    3: Tale(failed(Failure.TESTS), Shape("esc\x1b[31mape", "primary"), "\x1b[2J\x1b]0;owned\x07Clear the screen"),
    4: Tale(
        Outcome(BitriseStatus.ABORTED, abort_reason="\N{RIGHT-TO-LEFT OVERRIDE}[/b] \x1b[5mwhy\nnot"),
        Shape("rtl/\N{RIGHT-TO-LEFT OVERRIDE}niam", "primary"),
        "Turn the line around \N{RIGHT-TO-LEFT OVERRIDE}esrever",
    ),
    5: Tale(SUCCESS, Shape("b" * 300, "w" * 300), "m" * 2000),
}

_DAY: Final = 86_400
_OTHER_SCRIPTS: Final = (
    Shape("main", "primary", weight=4),
    Shape("機能/ログイン", "primary"),
    Shape("ميزة/بحث", "primary"),
)

APPS: Final = (
    AppSpec(1, "acme-android", "android", "acme-android", "com.acme.android", "Acme", "4.0.0", 2341, 1900, 9000,
            SHAPES, ANDROID, _ANDROID_TALES, is_live=True),
    AppSpec(2, "Acme for iOS", "ios", "acme-ios", "com.acme.ios", "Acme", "4.2.0", 1204, 900, 19_000,
            SHAPES, _IOS, _IOS_TALES, is_android=False),
    AppSpec(3, "weather-kmp", "kotlin-multiplatform", "weather-kmp", "com.acme.weather", "Weather", "1.9.3", 612, 400,
            42_000, SHAPES, ANDROID),
    AppSpec(4, "shop-flutter", "flutter", "shop-flutter", "com.acme.shop", "Shop", "2.14.0", 388, 300, 57_000,
            SHAPES, _FLUTTER),
    AppSpec(5, "field-notes", "react-native", "field-notes", "com.acme.fieldnotes", "FieldNotes", "0.31.2", 176, 170,
            100_000, SHAPES, _ios("FieldNotes", 18, 24), _FASTLANE_TALES, is_android=False, uses_fastlane=True,
            has_short_slugs=True),
    AppSpec(6, "acme-monorepo", "android", "acme-monorepo", "com.acme.mono", "Mono", "26.11", 148_220, 100_000, 172,
            SHAPES, ANDROID),
    AppSpec(7, "Acme Classic", "android", "acme-classic", "com.acme.classic", "Classic", "1.4.2", 97, 8, 5 * _DAY,
            SHAPES[2:3], ANDROID, is_disabled=True, age_days=152, has_short_slugs=True),
    AppSpec(8, "playground", "other", "playground", "com.acme.playground", "Playground", "0.0.1", 0, 0, _DAY,
            SHAPES, ANDROID),
    AppSpec(9, "旅行ガイド · دليل السفر · 🧭", "android", "travel-guide", "com.acme.travel", "Travel", "5.0.1", 42, 40,
            2 * _DAY, _OTHER_SCRIPTS, _SMALL),
    AppSpec(10, "Hostile names", "other", "hostile-names", "com.acme.hostile", "Hostile", "6.6.6", 6, 6, _DAY,
            (Shape("main", "primary"),), {"primary": _HOSTILE[:3]}, _HOSTILE_TALES),
)  # fmt: skip
"""The one created last comes first, as the API lists them."""
