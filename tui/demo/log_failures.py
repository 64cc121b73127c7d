"""The heart of a red log, in the words of the tools: xcodebuild, Gradle, fastlane and apksigner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RED: Final = "\x1b[31;1m"
OFF: Final = "\x1b[0m"

TESTS: Final = 318
"""How many tests an app has."""


class Failure(StrEnum):
    """Why a build went red."""

    TESTS = "tests"
    COMPILE = "compile"
    SIGNING = "signing"
    DEPENDENCIES = "dependencies"
    TIMEOUT = "timeout"
    LOST_RUNNER = "lost runner"


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
    abort_reason: str | None = None
    action: str = ""
    """BUILD, ANALYZE, TEST or ARCHIVE for a log of Xcode Cloud."""
    uses_fastlane: bool = False


def failure_lines(subject: LogSubject) -> list[str]:
    """What the tools say of a failure; empty where there is none, and where nobody was left to say anything."""
    if subject.failure is None or subject.failure is Failure.LOST_RUNNER:
        return []
    tools = _GRADLE if subject.is_android else _FASTLANE if subject.uses_fastlane else _XCODEBUILD
    return tools[subject.failure](subject)


def _gradle_failure(task: str, cause: list[str]) -> list[str]:
    return [
        "",
        f"{RED}FAILURE: Build failed with an exception.{OFF}",
        "",
        "* What went wrong:",
        f"Execution failed for task '{task}'.",
        *cause,
        "",
        "* Try:",
        "> Run with --stacktrace option to get the stack trace.",
        "> Run with --info or --debug option to get more log output.",
        "> Get more help at https://help.gradle.org.",
        "",
        "BUILD FAILED in 3m 41s",
        "142 actionable tasks: 57 executed, 85 up-to-date",
    ]


def _gradle_tests(subject: LogSubject) -> list[str]:
    package = f"com.{subject.module.lower()}.cart"
    return [
        "> Task :app:testReleaseUnitTest",
        "",
        f"{package}.CartViewModelTest > total includes shipping {RED}FAILED{OFF}",
        "    java.lang.AssertionError: expected:<24.90> but was:<19.90>",
        "        at org.junit.Assert.fail(Assert.java:89)",
        "        at org.junit.Assert.failNotEquals(Assert.java:835)",
        f"        at {package}.CartViewModelTest.total includes shipping(CartViewModelTest.kt:57)",
        "",
        f"{TESTS} tests completed, 1 failed, 4 skipped",
        "",
        f"> Task :app:testReleaseUnitTest {RED}FAILED{OFF}",
        *_gradle_failure(
            ":app:testReleaseUnitTest",
            [
                "> There were failing tests. See the report at: "
                "file:///bitrise/src/app/build/reports/tests/testReleaseUnitTest/index.html"
            ],
        ),
    ]


def _gradle_compile(subject: LogSubject) -> list[str]:
    path = f"/bitrise/src/app/src/main/java/com/{subject.module.lower()}/login/LoginScreen.kt"
    return [
        f"> Task :app:compileReleaseKotlin {RED}FAILED{OFF}",
        f"w: file://{path}:31:9 'fun rememberSaveable(): T' is deprecated. Use the variant with a key.",
        f"{RED}e: file://{path}:84:21 Unresolved reference 'rememberSession'.{OFF}",
        f"{RED}e: file://{path}:91:33 Argument type mismatch: actual type is 'String?', "
        f"but 'String' was expected.{OFF}",
        *_gradle_failure(
            ":app:compileReleaseKotlin",
            [
                "> A failure occurred while executing org.jetbrains.kotlin.compilerRunner."
                "GradleCompilerRunnerWithWorkers$GradleKotlinCompilerWorkAction",
                "   > Compilation error. See log for more details",
            ],
        ),
    ]


def _gradle_signing(subject: LogSubject) -> list[str]:
    return [
        f"> Task :app:packageRelease {RED}FAILED{OFF}",
        *_gradle_failure(
            ":app:packageRelease",
            [
                "> A failure occurred while executing com.android.build.gradle.tasks."
                "PackageAndroidArtifact$IncrementalSplitterRunnable",
                "   > com.android.ide.common.signing.KeytoolException: Failed to read key "
                f'{subject.module.lower()} from store "/bitrise/src/release.jks": keystore password was incorrect',
            ],
        ),
    ]


def _gradle_dependencies(subject: LogSubject) -> list[str]:
    url = "https://repo.maven.apache.org/maven2/com/squareup/okhttp3/okhttp/5.2.1/okhttp-5.2.1.pom"
    return _gradle_failure(
        ":app:checkReleaseAarMetadata",
        [
            "> Could not resolve all files for configuration ':app:releaseRuntimeClasspath'.",
            "   > Could not resolve com.squareup.okhttp3:okhttp:5.2.1.",
            f"     Required by: project :app ({subject.branch})",
            f"      > Could not GET '{url}'. Received status code 503 from server: Service Unavailable",
        ],
    )


def _gradle_timeout(subject: LogSubject) -> list[str]:
    return [
        f"com.{subject.module.lower()}.sync.SyncEngineTest > waits for the other side STARTED",
        f"{RED}Step aborted: no output received for 1h30m0s{OFF}",
    ]


def _xcode_tests(subject: LogSubject) -> list[str]:
    module = subject.module
    test = f"-[{module}Tests.CartTests testTotalIncludesShipping]"
    return [
        "Test Suite 'CartTests' started at 2026-05-12 09:41:07.113.",
        f"Test Case '{test}' started.",
        f"/Users/vagrant/git/{module}Tests/CartTests.swift:57: {RED}error:{OFF} {test} : "
        'XCTAssertEqual failed: ("24.9") is not equal to ("19.9")',
        f"Test Case '{test}' {RED}failed{OFF} (0.014 seconds).",
        *(_flaky_test(module) if subject.action else ()),
        "Test Suite 'CartTests' failed at 2026-05-12 09:41:07.871.",
        "\t Executed 12 tests, with 1 failure (0 unexpected) in 0.712 (0.758) seconds",
        "",
        "Failing tests:",
        f"\t{module}Tests.CartTests.testTotalIncludesShipping()",
        "",
        "** TEST FAILED **",
    ]


def _flaky_test(module: str) -> list[str]:
    """Failed on one of the two devices that Xcode Cloud tests on."""
    test = f"-[{module}Tests.SyncTests testConflict]"
    return [
        f"Test Case '{test}' started.",
        f"/Users/vagrant/git/{module}Tests/SyncTests.swift:112: {RED}error:{OFF} {test} : Asynchronous wait failed: "
        "Exceeded timeout of 10 seconds, with unfulfilled expectations: merged",
        f"Test Case '{test}' {RED}failed{OFF} (10.041 seconds).",
    ]


def _swift_error(module: str) -> list[str]:
    return [
        f"/Users/vagrant/git/{module}/Login/LoginView.swift:84:21: {RED}error:{OFF} "
        "cannot find 'rememberSession' in scope",
        "            if rememberSession {",
        "               ^~~~~~~~~~~~~~~",
    ]


def _xcode_compile(subject: LogSubject) -> list[str]:
    module = subject.module
    return [
        f"SwiftCompile normal arm64 Compiling\\ LoginView.swift /Users/vagrant/git/{module}/Login/LoginView.swift "
        f"(in target '{module}' from project '{module}')",
        *_swift_error(module),
        "",
        "** ARCHIVE FAILED **",
        "",
        "The following build commands failed:",
        f"\tSwiftCompile normal arm64 /Users/vagrant/git/{module}/Login/LoginView.swift "
        f"(in target '{module}' from project '{module}')",
        "(1 failure)",
    ]


def _xcode_signing(subject: LogSubject) -> list[str]:
    module = subject.module
    return [
        f'/Users/vagrant/git/{module}.xcodeproj: {RED}error:{OFF} Provisioning profile "{module} Ad Hoc" doesn\'t '
        'include signing certificate "Apple Distribution: Acme Mobile (A1B2C3D4E5)". '
        f"(in target '{module}' from project '{module}')",
        "",
        "** ARCHIVE FAILED **",
    ]


def _xcode_dependencies(subject: LogSubject) -> list[str]:
    return [
        "Resolve Package Graph",
        f"{RED}xcodebuild: error:{OFF} Could not resolve package dependencies:",
        "  Failed to clone repository https://github.com/pointfreeco/swift-composable-architecture:",
        "    fatal: unable to access 'https://github.com/pointfreeco/swift-composable-architecture/': "
        "The requested URL returned error: 503",
    ]


def _xcode_timeout(subject: LogSubject) -> list[str]:
    return [
        f"Test Case '-[{subject.module}UITests.OnboardingTests testFirstLaunch]' started.",
        f"{RED}Step aborted: no output received for 1h30m0s{OFF}",
    ]


def _fastlane_failure(action: str, text: str) -> list[str]:
    return [
        "[09:44:12]: \x1b[33mExit status: 65\x1b[0m",
        "",
        "+------+------------------+-------------+",
        "|           \x1b[32mfastlane summary\x1b[0m            |",
        "+------+------------------+-------------+",
        "| Step | Action           | Time (in s) |",
        "+------+------------------+-------------+",
        "| 1    | default_platform | 0           |",
        f"| {RED}💥{OFF}   | {RED}{action:<16}{OFF} | {RED}187{OFF}         |",
        "+------+------------------+-------------+",
        "",
        f"[09:44:12]: {RED}fastlane finished with errors{OFF}",
        "",
        f"{RED}[!] {text}{OFF}",
    ]


def _fastlane_tests(subject: LogSubject) -> list[str]:
    module = subject.module
    return [
        f"[09:43:58]: ▸ {RED}✗ testTotalIncludesShipping, XCTAssertEqual failed: "
        f'("24.9") is not equal to ("19.9"){OFF}',
        "[09:44:11]: ▸ ",
        f"[09:44:11]: ▸ {module}Tests.CartTests",
        f"[09:44:11]: ▸   {RED}testTotalIncludesShipping, XCTAssertEqual failed: "
        f'("24.9") is not equal to ("19.9"){OFF}',
        f"[09:44:11]: ▸   /Users/vagrant/git/ios/{module}Tests/CartTests.swift:57",
        f"[09:44:11]: ▸ \t Executed {TESTS} tests, with 1 failure (0 unexpected) in 41.3 (42.0) seconds",
        *_fastlane_failure("scan", "Tests have failed"),
    ]


def _fastlane_compile(subject: LogSubject) -> list[str]:
    path = f"/Users/vagrant/git/ios/{subject.module}/Login/LoginView.swift:84:21"
    return [
        f"[09:44:10]: ▸ {RED}❌  {path}: cannot find 'rememberSession' in scope{OFF}",
        "[09:44:10]: ▸             if rememberSession {",
        "[09:44:10]: ▸                ^~~~~~~~~~~~~~~",
        f"[09:44:11]: ▸ {RED}** ARCHIVE FAILED **{OFF}",
        *_fastlane_failure("gym", "Error building the application - see the log above"),
    ]


def _fastlane_signing(subject: LogSubject) -> list[str]:
    text = f"No profiles for 'com.acme.{subject.module.lower()}' were found"
    return [
        f"[09:44:10]: ▸ {RED}❌  error: {text}: Xcode couldn't find any iOS App Store provisioning profiles "
        f"matching 'com.acme.{subject.module.lower()}'. (in target '{subject.module}'){OFF}",
        f"[09:44:11]: ▸ {RED}** ARCHIVE FAILED **{OFF}",
        *_fastlane_failure("gym", "Error building the application - see the log above"),
    ]


def _fastlane_dependencies(subject: LogSubject) -> list[str]:
    return [
        f"[09:44:10]: {RED}[!] CDN: trunk URL couldn't be downloaded: "
        f"https://cdn.cocoapods.org/all_pods_versions_2_2_2.txt Response: 503{OFF}",
        *_fastlane_failure("cocoapods", "Exit status of command 'bundle exec pod install' was 1 instead of 0."),
    ]


_Lines = Callable[[LogSubject], list[str]]
_GRADLE: Final[Mapping[Failure, _Lines]] = {
    Failure.TESTS: _gradle_tests,
    Failure.COMPILE: _gradle_compile,
    Failure.SIGNING: _gradle_signing,
    Failure.DEPENDENCIES: _gradle_dependencies,
    Failure.TIMEOUT: _gradle_timeout,
}
_XCODEBUILD: Final[Mapping[Failure, _Lines]] = {
    Failure.TESTS: _xcode_tests,
    Failure.COMPILE: _xcode_compile,
    Failure.SIGNING: _xcode_signing,
    Failure.DEPENDENCIES: _xcode_dependencies,
    Failure.TIMEOUT: _xcode_timeout,
}
_FASTLANE: Final[Mapping[Failure, _Lines]] = {
    Failure.TESTS: _fastlane_tests,
    Failure.COMPILE: _fastlane_compile,
    Failure.SIGNING: _fastlane_signing,
    Failure.DEPENDENCIES: _fastlane_dependencies,
    Failure.TIMEOUT: _xcode_timeout,
}
