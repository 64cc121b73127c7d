"""Why a build is red, on pieces of logs as xcodebuild, Gradle, javac and fastlane write them."""

from __future__ import annotations

import pytest

from tui.models import AccountName, AppId, Build, BuildId, BuildRef, Status
from tui.models.inspection import Issue, IssueKind, SourceLine, TestResult, TestRun, TestStatus
from tui.peek.causes import MAX_EXCERPT, CauseKind, Diagnosis, diagnose
from tui.peek.loglines import LogLine


def build(status: Status = Status.FAILED, reason: str | None = None) -> Build:
    ref = BuildRef(AccountName("acme"), AppId("app"), BuildId("build"))
    return Build(ref, 12, status, str(status), reason=reason)


def of_log(text: str) -> Diagnosis:
    return diagnose(build(), lines=[LogLine(n, line) for n, line in enumerate(text.splitlines(), 1)])


XCODE_COMPILE = """\
CompileSwift normal arm64 /Users/vagrant/git/Acme/Login/LoginView.swift (in target 'Acme' from project 'Acme')
/Users/vagrant/git/Acme/Login/LoginView.swift:12:9: warning: variable 'x' was never used; consider replacing
/Users/vagrant/git/Acme/Login/LoginView.swift:84:21: error: cannot find 'rememberSession' in scope
        rememberSession()
        ^~~~~~~~~~~~~~~
** ARCHIVE FAILED **
The following build commands failed:
\tSwiftCompile normal arm64 Compiling\\ LoginView.swift (in target 'Acme' from project 'Acme')
(1 failure)
"""
XCODE_TEST = """\
Test Case '-[AcmeTests.CartTests testTotal]' started.
/Users/vagrant/git/AcmeTests/CartTests.swift:57: error: -[AcmeTests.CartTests testTotal] : XCTAssertEqual failed: \
("24.9") is not equal to ("19.9")
Test Case '-[AcmeTests.CartTests testTotal]' failed (0.014 seconds).
Failing tests:
\tCartTests.testTotal()
** TEST FAILED **
"""
XCPRETTY_TEST = """\
CartTests
    ✓ testEmpty (0.001 seconds)
    ✗ testTotal, XCTAssertEqual failed: ("24.9") is not equal to ("19.9")
"""
XCODE_SIGNING = """\
note: Using codesigning identity override:
/Users/vagrant/git/Acme.xcodeproj: error: No profiles for 'com.acme.ios' were found: Xcode couldn't find any iOS \
App Development provisioning profiles matching 'com.acme.ios'. (in target 'Acme' from project 'Acme')
** ARCHIVE FAILED **
"""
CODESIGN = """\
/usr/bin/codesign --force --sign 0A1B2C --entitlements /tmp/Acme.app.xcent /tmp/Acme.app
/tmp/Acme.app: errSecInternalComponent
Command CodeSign failed with a nonzero exit code
** ARCHIVE FAILED **
"""
FASTLANE_SIGNING = """\
[09:41:07]: --- Step: sync_code_signing ---
[09:41:12]: No matching provisioning profiles found for 'AppStore_com.acme.ios.mobileprovision'
[!] No matching provisioning profiles found and can not create a new one because you enabled `readonly`.
"""
GRADLE_KOTLIN = """\
> Task :app:compileReleaseKotlin FAILED
e: file:///bitrise/src/app/src/main/java/com/acme/login/LoginScreen.kt:84:21 Unresolved reference 'rememberSession'.

FAILURE: Build failed with an exception.

* What went wrong:
Execution failed for task ':app:compileReleaseKotlin'.
> Compilation error. See log for more details
"""
OLD_KOTLIN = "e: /bitrise/src/app/LoginScreen.kt: (84, 21): Unresolved reference: rememberSession\n"
JAVAC = "/bitrise/src/app/src/main/java/com/acme/Login.java:12: error: cannot find symbol\n"
GRADLE_TEST = """\
> Task :app:testReleaseUnitTest

com.acme.cart.CartViewModelTest > total includes shipping FAILED
    java.lang.AssertionError: expected:<24.90> but was:<19.90>
        at org.junit.Assert.fail(Assert.java:89)

318 tests completed, 1 failed, 4 skipped

> Task :app:testReleaseUnitTest FAILED

FAILURE: Build failed with an exception.

* What went wrong:
Execution failed for task ':app:testReleaseUnitTest'.
> There were failing tests. See the report at: file:///bitrise/src/app/build/reports/tests/index.html
"""
GRADLE_SIGNING = """\
Execution failed for task ':app:packageRelease'.
> com.android.ide.common.signing.KeytoolException: Failed to read key acme from store "release.jks": keystore \
password was incorrect
"""
GRADLE_DEPENDENCY = """\
* What went wrong:
Execution failed for task ':app:checkReleaseAarMetadata'.
> Could not resolve all files for configuration ':app:releaseRuntimeClasspath'.
   > Could not resolve com.squareup.okhttp3:okhttp:5.2.1.
"""
SPM = """\
xcodebuild: error: Could not resolve package dependencies:
  Failed to clone repository https://github.com/acme/kit.git
"""
GRADLE_OTHER = """\
FAILURE: Build failed with an exception.

* What went wrong:
A problem occurred evaluating project ':app'.
> Cannot invoke method on null object

* Try:
> Run with --stacktrace option to get the stack trace.
"""
TIMEOUT = "com.acme.SyncTest > waits STARTED\nThe build was aborted due to inactivity: no output for 15 minutes\n"
STEP_TIMEOUT = "Step xcode-test timed out after 1h30m0s\n"
RUNNER = (
    "Uploading\nWe lost connection to the virtual machine. This is an infrastructure issue; start the build again.\n"
)


@pytest.mark.parametrize(
    ("log", "kind", "cause"),
    [
        (XCODE_COMPILE, CauseKind.COMPILE, "LoginView.swift:84:21: cannot find 'rememberSession' in scope"),
        (XCODE_TEST, CauseKind.TEST, "-[AcmeTests.CartTests testTotal]: XCTAssertEqual failed"),
        (XCPRETTY_TEST, CauseKind.TEST, "testTotal: XCTAssertEqual failed"),
        (XCODE_SIGNING, CauseKind.SIGNING, "No profiles for 'com.acme.ios' were found"),
        (CODESIGN, CauseKind.SIGNING, "errSecInternalComponent"),
        (FASTLANE_SIGNING, CauseKind.SIGNING, "No matching provisioning profiles found"),
        (GRADLE_KOTLIN, CauseKind.COMPILE, "LoginScreen.kt:84: Unresolved reference 'rememberSession'."),
        (OLD_KOTLIN, CauseKind.COMPILE, "LoginScreen.kt:84: Unresolved reference: rememberSession"),
        (JAVAC, CauseKind.COMPILE, "Login.java:12: cannot find symbol"),
        (GRADLE_TEST, CauseKind.TEST, "com.acme.cart.CartViewModelTest > total includes shipping"),
        (GRADLE_SIGNING, CauseKind.SIGNING, "keystore password was incorrect"),
        (GRADLE_DEPENDENCY, CauseKind.DEPENDENCY, "Could not resolve com.squareup.okhttp3:okhttp:5.2.1."),
        (SPM, CauseKind.DEPENDENCY, "Failed to clone repository"),
        (GRADLE_OTHER, CauseKind.OTHER, "A problem occurred evaluating project ':app'."),
        (TIMEOUT, CauseKind.TIMEOUT, "no output for 15 minutes"),
        (STEP_TIMEOUT, CauseKind.TIMEOUT, "timed out after"),
        (RUNNER, CauseKind.RUNNER, "lost connection to the virtual machine"),
        ("all fine\n", CauseKind.UNKNOWN, "nothing tells why"),
    ],
)
def test_the_first_line_names_the_cause(log: str, kind: CauseKind, cause: str) -> None:
    found = of_log(log)
    assert (found.kind, cause in found.cause) == (kind, True), found.headline
    assert found.headline.startswith(f"{kind}: ")


@pytest.mark.parametrize(
    ("log", "is_cause"),
    [
        ("Test timed out after 5 retries? No: SyncTests.swift:3: warning: x", False),
        ("warning: provisioning profile", False),
    ],
)
def test_words_alone_are_no_signing_error(log: str, is_cause: bool) -> None:
    assert (of_log(log).kind is CauseKind.SIGNING) is is_cause


def test_a_log_that_only_ends_badly_shows_its_lines() -> None:
    found = of_log(XCODE_COMPILE)
    assert found.log[0] == LogLine(3, XCODE_COMPILE.splitlines()[2])
    assert "** ARCHIVE FAILED **" in [line.text for line in found.log]
    assert len(of_log("error: x\n" * 100).log) == MAX_EXCERPT


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (Status.ABORTED, "Build timed out: no output for 90 minutes", CauseKind.TIMEOUT),
        (Status.ABORTED, "Aborted due to inactivity", CauseKind.TIMEOUT),
        (Status.ABORTED, "The connection to the build machine was lost", CauseKind.RUNNER),
        (Status.ABORTED, "We lost connection to the build machine", CauseKind.RUNNER),
        (Status.ABORTED, "User Grace Kim aborted the build", CauseKind.ABORTED),
        (Status.ABORTED, None, CauseKind.ABORTED),
    ],
)
def test_the_reason_of_an_aborted_build(status: Status, reason: str | None, kind: CauseKind) -> None:
    found = diagnose(build(status, reason), lines=[LogLine(1, "x.swift:1:1: error: whatever")])
    assert found.kind is kind
    assert reason is None or reason in found.headline


def issue(message: str, kind: IssueKind = IssueKind.ERROR, path: str | None = "a/Login.swift") -> Issue:
    return Issue(kind, message, place=SourceLine(path, 84) if path else None)


def test_issues_come_errors_first_and_tell_the_place() -> None:
    warning = issue("deprecated", IssueKind.WARNING)
    found = diagnose(build(), [warning, issue("Cannot find 'x' in scope")])
    assert found.headline == "compile error: Login.swift:84: Cannot find 'x' in scope"
    assert found.issues[-1] is warning


def test_an_issue_about_signing_is_no_compile_error() -> None:
    found = diagnose(build(), [issue('Provisioning profile "A" doesn\'t include the certificate', path=None)])
    assert found.kind is CauseKind.SIGNING


def test_failed_tests_tell_name_message_and_number() -> None:
    runs = (TestRun("iPhone 17", TestStatus.FAILED),)
    tests = [
        TestResult("testOk", "CartTests", TestStatus.PASSED),
        TestResult("testTotal", "CartTests", TestStatus.FAILED, "expected 1", runs=runs),
        TestResult("testSync", "SyncTests", TestStatus.MIXED),
    ]
    found = diagnose(build(), tests=tests, lines=[LogLine(1, "Acme.swift:1:1: error: later")])
    assert found.headline == "failed test: CartTests.testTotal: expected 1 (and 1 more)"
    assert [test.name for test in found.failed_tests] == ["testTotal", "testSync"]


def test_a_hostile_line_takes_no_time() -> None:
    line = "a:1" * 5_000 + ":1:1:" * 5_000 + " > " * 5_000
    assert of_log("\n".join([line] * 50)).kind is not CauseKind.COMPILE
