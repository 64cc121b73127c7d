"""Build logs with the look of the real ones: boxes, colours, and a failure worth finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tui.demo import seeds

_RED: Final = "\x1b[31;1m"
_GREEN: Final = "\x1b[32;1m"
_YELLOW: Final = "\x1b[33;1m"
_BLUE: Final = "\x1b[34;1m"
_OFF: Final = "\x1b[0m"
_BOX: Final = "+" + "-" * 78 + "+"


class Failure(StrEnum):
    """Why a build went red."""

    TESTS = "tests"
    COMPILE = "compile"
    SIGNING = "signing"
    DEPENDENCIES = "dependencies"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class LogSubject:
    """What a log is about."""

    title: str
    module: str
    """The name of a class prefix, a target and a folder: `Acme`."""
    is_android: bool
    number: int
    workflow: str
    branch: str
    commit: str
    failure: Failure | None


_ANDROID_STEPS: Final = ("activate-ssh-key", "git-clone", "restore-gradle-cache", "android-lint", "gradle-unit-test",
                         "android-build", "sign-apk", "deploy-to-bitrise-io")  # fmt: skip
_IOS_STEPS: Final = ("activate-ssh-key", "git-clone", "restore-spm-cache", "manage-ios-code-signing", "xcode-test",
                     "xcode-archive", "deploy-to-bitrise-io")  # fmt: skip

_FAILING_STEP: Final = {
    True: {
        Failure.TESTS: "gradle-unit-test",
        Failure.COMPILE: "android-build",
        Failure.SIGNING: "sign-apk",
        Failure.DEPENDENCIES: "restore-gradle-cache",
        Failure.TIMEOUT: "gradle-unit-test",
    },
    False: {
        Failure.TESTS: "xcode-test",
        Failure.COMPILE: "xcode-archive",
        Failure.SIGNING: "manage-ios-code-signing",
        Failure.DEPENDENCIES: "restore-spm-cache",
        Failure.TIMEOUT: "xcode-test",
    },
}


def failure_lines(subject: LogSubject, failure: Failure) -> list[str]:
    """The heart of a red log."""
    lines = _android_failures(subject.module) if subject.is_android else _ios_failures(subject.module)
    return lines[failure]


def _android_failures(module: str) -> dict[Failure, list[str]]:
    return {
        Failure.TESTS: [
            f"com.{module.lower()}.cart.CartViewModelTest > total includes shipping {_RED}FAILED{_OFF}",
            "    java.lang.AssertionError: expected:<24.90> but was:<19.90>",
            "        at org.junit.Assert.failNotEquals(Assert.java:835)",
            f"        at com.{module.lower()}.cart.CartViewModelTest.total(CartViewModelTest.kt:57)",
            "",
            "318 tests completed, 1 failed, 4 skipped",
            f"{_RED}FAILURE: Build failed with an exception.{_OFF}",
            "* What went wrong:",
            "Execution failed for task ':app:testReleaseUnitTest'.",
            "> There were failing tests. See the report at: app/build/reports/tests/index.html",
        ],
        Failure.COMPILE: [
            f"{_RED}e: app/src/main/java/com/{module.lower()}/login/LoginScreen.kt:84:21 "
            f"Unresolved reference 'rememberSession'.{_OFF}",
            "FAILURE: Build failed with an exception.",
            "* What went wrong:",
            "Execution failed for task ':app:compileReleaseKotlin'.",
        ],
        Failure.SIGNING: [
            f"{_RED}Failed to load signer 'signer #1'{_OFF}",
            "java.io.IOException: keystore password was incorrect",
        ],
        Failure.DEPENDENCIES: [
            f"{_RED}Could not resolve com.squareup.okhttp3:okhttp:5.2.1.{_OFF}",
            "> Could not GET 'https://repo.maven.apache.org/maven2/com/squareup/okhttp3/okhttp/5.2.1'. "
            "Received status code 503 from server: Service Unavailable",
        ],
        Failure.TIMEOUT: [
            "com.acme.sync.SyncEngineTest > waits for the other side STARTED",
            f"{_RED}Process exited with code 137: killed after 90m0s without output{_OFF}",
        ],
    }


def _ios_failures(module: str) -> dict[Failure, list[str]]:
    return {
        Failure.TESTS: [
            f"Test Case '-[{module}Tests.CartTests testTotalIncludesShipping]' started.",
            f"/Users/vagrant/git/{module}Tests/CartTests.swift:57: {_RED}error{_OFF}: "
            f"-[{module}Tests.CartTests testTotalIncludesShipping] : XCTAssertEqual failed: "
            '("24.9") is not equal to ("19.9")',
            f"Test Case '-[{module}Tests.CartTests testTotalIncludesShipping]' {_RED}failed{_OFF} (0.014 seconds).",
            "** TEST FAILED **",
        ],
        Failure.COMPILE: [
            f"/Users/vagrant/git/{module}/Login/LoginView.swift:84:21: {_RED}error:{_OFF} "
            "cannot find 'rememberSession' in scope",
            "** ARCHIVE FAILED **",
        ],
        Failure.SIGNING: [
            f'{_RED}error:{_OFF} Provisioning profile "{module} Ad Hoc" '
            'doesn\'t include signing certificate "Apple Distribution: Acme Mobile (A1B2C3D4E5)".',
        ],
        Failure.DEPENDENCIES: [
            f"{_RED}xcodebuild: error:{_OFF} Could not resolve package dependencies: failed to clone "
            "'https://github.com/pointfreeco/swift-composable-architecture': The requested URL returned error: 503",
        ],
        Failure.TIMEOUT: [
            f"Test Case '-[{module}UITests.OnboardingTests testFirstLaunch]' started.",
            f"{_RED}error:{_OFF} Testing was cancelled: no output for 90 minutes",
        ],
    }


def bitrise_log(subject: LogSubject) -> list[str]:
    """The lines of a whole Bitrise build log."""
    lines = [
        f"{_BLUE}  ██████╗ ██╗████████╗██████╗ ██╗███████╗███████╗{_OFF}",
        f"Running workflow: {subject.workflow}",
        f"App: {subject.title}  Build: #{subject.number}  Branch: {subject.branch}  Commit: {subject.commit}",
        "",
    ]
    steps = _ANDROID_STEPS if subject.is_android else _IOS_STEPS
    failing = _FAILING_STEP[subject.is_android].get(subject.failure) if subject.failure else None
    for index, step in enumerate(steps):
        seconds = seeds.between(2, 95, "step", subject.number, step)
        lines += [_BOX, f"| ({index}) {step:<73} |", _BOX, f"| id: {step:<73}|", _BOX]
        lines += _chatter(subject, step)
        if step == failing and subject.failure is not None:
            lines += failure_lines(subject, subject.failure)
            lines += [_BOX, f"| {_RED}x{_OFF} | {step + ' (exit code: 1)':<60} | {seconds} sec", _BOX, ""]
            lines.append(f"{_RED}Bitrise build failed{_OFF}")
            return lines
        lines += [_BOX, f"| {_GREEN}✓{_OFF} | {step:<60} | {seconds} sec", _BOX, ""]
    lines.append(f"{_GREEN}Bitrise build successful{_OFF}")
    return lines


def xcodebuild_log(subject: LogSubject, action: str) -> list[str]:
    """The lines of one action's log in an Xcode Cloud log bundle."""
    lines = [
        "Command line invocation:",
        f"    /Applications/Xcode.app/Contents/Developer/usr/bin/xcodebuild {action.lower()} "
        f"-workspace /Volumes/workspace/repository/{subject.module}.xcworkspace -scheme {subject.module}",
        "",
        *_chatter(subject, action),
    ]
    if subject.failure is not None:
        return lines + failure_lines(subject, subject.failure)
    return [*lines, f"** {action.upper()} SUCCEEDED **"]


def repeated(lines: list[str], size: int) -> bytes:
    """The lines over and over, cut to exactly `size` bytes with a line feed at the end."""
    text = "\n".join(lines).encode() + b"\n"
    whole = text * (size // len(text) + 1)
    return whole[: size - 1] + b"\n" if size else b""


def _chatter(subject: LogSubject, step: str) -> Iterator[str]:
    module = subject.module
    for index in range(seeds.between(14, 40, "chatter", subject.number, step)):
        name = seeds.pick(
            ("Login", "Cart", "Profile", "Sync", "Feed", "Search", "Settings", "Checkout"), step, index, module
        )
        if index % 11 == 10:
            yield f"{_YELLOW}warning:{_OFF} '{name}Delegate' was deprecated in {module} 4.0"
        elif subject.is_android:
            yield f"> Task :feature:{name.lower()}:compileReleaseKotlin" + (" UP-TO-DATE" if index % 3 else "")
        else:
            yield f"CompileSwift normal arm64 /Volumes/workspace/repository/{module}/{name}/{name}View.swift"
