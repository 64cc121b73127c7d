"""Why a build is red, in one line: from what the provider tells, and from the log's own words.

The patterns are made after logs of xcodebuild, Gradle, javac, Kotlin and fastlane.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tui.models import Build, Status
from tui.models.inspection import Issue, IssueKind, TestResult
from tui.peek.loglines import LogLine

MAX_EXCERPT: Final = 20
"""Error lines of a log that are shown."""

_MAX_LINE: Final = 1000
"""Characters of a line that are looked at: what is behind them is never a cause, but may take long to look through."""


class CauseKind(StrEnum):
    """What made a build red."""

    COMPILE = "compile error"
    TEST = "failed test"
    SIGNING = "signing error"
    DEPENDENCY = "missing dependency"
    TIMEOUT = "time-out"
    RUNNER = "lost runner"
    ABORTED = "aborted"
    OTHER = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a build is red; all text is as it came, so clean it before it is shown."""

    kind: CauseKind
    cause: str
    """One line, without the kind."""
    issues: tuple[Issue, ...] = ()
    """Errors first."""
    failed_tests: tuple[TestResult, ...] = ()
    log: tuple[LogLine, ...] = ()
    """The first lines of the log that tell of an error."""

    @property
    def headline(self) -> str:
        """The kind of cause, and the cause."""
        return f"{self.kind}: {self.cause}" if self.cause else str(self.kind)


_I: Final = re.IGNORECASE
_TIMEOUT: Final = re.compile(
    r"no output (?:was )?(?:received )?(?:for|in) (?:the last )?\d+|without (?:any )?output|due to inactivity"
    r"|aborted (?:due to|because of) (?:a )?time-?out|build (?:has )?timed out|step .{0,80}timed out"
    r"|(?:exceeded|reached|hit) (?:its|the|a) (?:maximum |max(?:imum)? build |build )?(?:time|timeout|duration)\b"
    r"|timed out after \d+|time-?out of \d+ ?(?:s|m|h|min|sec)\w* (?:was )?(?:reached|exceeded)"
    r"|exceeded (?:the )?maximum (?:build )?(?:run)?time",
    _I,
)
_TIMEOUT_REASON: Final = re.compile(r"time[- ]?(?:d )?out|timed out|inactiv|time limit|too long", _I)
_RUNNER: Final = re.compile(
    r"lost (?:the )?(?:communication|connection|contact) (?:with|to) (?:the )?"
    r"(?:build )?(?:server|runner|machine|vm|worker|agent|virtual machine|host)"
    r"|(?:runner|agent|worker|build machine|virtual machine|vm) (?:has |was |is |became )*"
    r"(?:received a shutdown|lost|disconnected|unavailable|unresponsive|terminated|preempted|stopped responding)"
    r"|infrastructure (?:issue|error|failure|problem)|internal (?:infrastructure|system) error"
    r"|(?:could not|failed to) (?:provision|boot|start) (?:the )?(?:build )?(?:machine|vm|worker)",
    _I,
)
_SIGNING: Final = re.compile(
    r"no profiles? for '|requires a provisioning profile|provisioning profile .{0,200}(?:doesn't|does not|expired)"
    r"|no (?:matching )?(?:provisioning profiles?|code ?signing identit\w+|signing certificate)\b"
    r"|code ?sign(?:ing)?\b.{0,120}(?:failed|error|is required)|command codesign failed|errsecinternalcomponent"
    r"|codesign.{0,80}(?:failed|no identity found)|no certificate for team|could not find a matching code signing"
    r"|failed to load signer|keystore (?:password was incorrect|was tampered|file .{0,200}not found)"
    r"|no key with alias|certificate .{0,120}(?:has expired|is not valid|was revoked)"
    r"|exportarchive.{0,40}(?:profile|signing)",
    _I,
)
_DEPENDENCY: Final = re.compile(
    r"could not resolve (?:package|com\.|org\.|io\.|androidx|project|[\w.-]+:[\w.-]+:)|could not find com\.[\w.]+:"
    r"|unable to find a specification for|cocoapods could not find compatible|failed to clone repository"
    r"|could not resolve host|missing package product",
    _I,
)
_XCTEST: Final = re.compile(r"^(?P<place>\S.*?:\d+): error: (?P<name>[-+]\[[^\]]+\]|\S+\.\S+) : (?P<message>.*)$")
_XCTEST_CASE: Final = re.compile(
    r"^Test [Cc]ase '(?P<name>[^']+)' failed|^\s*[✗✖x] (?P<short>test\w+), (?P<message>.+)"
)
_GRADLE_TEST: Final = re.compile(r"^\s*(?P<name>\S.{0,300} > .{1,300}?) FAILED\s*$")
_JUNIT: Final = re.compile(
    r"Tests run: .*(?:Failures|Errors): [1-9]|\d+ tests? completed, [1-9]\d* failed|There were failing tests"
)
_SWIFT: Final = re.compile(r"^(?:\s*[❌⛔]\s*)?(?P<place>\S.*?:\d+:\d+): (?:fatal )?error: (?P<message>.*)$")
_JAVAC: Final = re.compile(
    r"^(?P<place>\S.*\.(?:java|scala|groovy|dart|m|mm|c|cpp|h):\d+(?::\d+)?): [eE]rror: (?P<message>.*)$"
)
_KOTLIN: Final = re.compile(
    r"^e: (?:file://)?(?P<place>\S+?\.kts?)(?::|: \()(?P<line>\d+)(?::|, )\d+\)?:? (?P<message>.*)$"
)
_BUILD_TOOL: Final = re.compile(
    r"^(?:ld: |clang: error: |Undefined symbols? for architecture|.*AAPT: error: |.*linker command failed"
    r"|Execution failed for task .*compile|SwiftCompile normal .*failed"
    r"|error: (?:no such module|cannot find|emit-module command failed))"
)
_WENT_WRONG: Final = re.compile(r"^FAILURE: Build (?:failed|completed)|^\* What went wrong:")
# Each begins with a letter, so that `re` skips what cannot be one: measured, three times as fast.
_ANY_ERROR: Final = re.compile(
    r"error: |e: (?<=^e: )|FAILURE: |fatal: |fatal error: |\*\* [A-Z ]+ FAILED \*\*|\[!\] |FAILED[ \t]*$"
    r"|There were failing|Test Case .* failed|Execution failed|Exception: |panic: |Could not resolve|errSec"
    r"|exit code:? [1-9]",
    re.MULTILINE,
)
ERROR_LINE: Final = re.compile(_ANY_ERROR.pattern.encode(), re.MULTILINE)
"""The same for bytes without escapes: where a viewer jumps to."""

_FINDERS: Final = (
    (CauseKind.SIGNING, _SIGNING),
    (CauseKind.DEPENDENCY, _DEPENDENCY),
    (CauseKind.TEST, _XCTEST),
    (CauseKind.TEST, _GRADLE_TEST),
    (CauseKind.TEST, _XCTEST_CASE),
    (CauseKind.COMPILE, _KOTLIN),
    (CauseKind.COMPILE, _SWIFT),
    (CauseKind.COMPILE, _JAVAC),
    (CauseKind.COMPILE, _BUILD_TOOL),
    (CauseKind.TEST, _JUNIT),
)


def error_lines(lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
    """The first lines that tell of an error."""
    found: list[LogLine] = []
    for line in lines:
        if _ANY_ERROR.search(line.text) or _is_cause(line.text):
            found.append(line)
            if len(found) == MAX_EXCERPT:
                break
    return tuple(found)


def _is_cause(text: str) -> bool:
    return any(pattern.search(text) for pattern in (_TIMEOUT, _RUNNER, *(p for _, p in _FINDERS)))


def diagnose(
    build: Build, issues: Sequence[Issue] = (), tests: Sequence[TestResult] = (), lines: Sequence[LogLine] = ()
) -> Diagnosis:
    """Names the cause.

    Args:
        build: The red build.
        issues: What the provider found wrong.
        tests: Results of tests, passed ones too.
        lines: Of the log: all, or its head and tail.
    """
    lines = [line._replace(text=line.text[:_MAX_LINE]) for line in lines]
    order = list(IssueKind)
    sorted_issues = tuple(sorted(issues, key=lambda issue: order.index(issue.kind)))
    failed = tuple(test for test in tests if test.status.is_failure)
    kind, cause = _cause(build, sorted_issues, failed, lines)
    return Diagnosis(kind, cause, sorted_issues, failed, error_lines(lines))


def _cause(
    build: Build, issues: Sequence[Issue], failed: Sequence[TestResult], lines: Sequence[LogLine]
) -> tuple[CauseKind, str]:
    reason = (build.reason or "").strip()
    if reason and _RUNNER.search(reason):
        return CauseKind.RUNNER, reason
    if reason and (_TIMEOUT.search(reason) or _TIMEOUT_REASON.search(reason)):
        return CauseKind.TIMEOUT, reason
    if build.status is Status.ABORTED:
        return CauseKind.ABORTED, reason or "no reason is given"
    return (
        _ended_from_outside(issues, lines)
        or _from_issues(issues, failed)
        or _from_log(lines)
        or ((CauseKind.OTHER, reason) if reason else (CauseKind.UNKNOWN, "nothing tells why"))
    )


def _ended_from_outside(issues: Sequence[Issue], lines: Sequence[LogLine]) -> tuple[CauseKind, str] | None:
    """Time-out or lost runner: what ended the build, whatever went wrong before."""
    texts = [issue.message for issue in issues if issue.kind is IssueKind.ERROR] + [line.text for line in lines]
    for kind, pattern in ((CauseKind.RUNNER, _RUNNER), (CauseKind.TIMEOUT, _TIMEOUT)):
        for text in texts:
            if pattern.search(text):
                return kind, _tidy(text)
    return None


def _from_issues(issues: Sequence[Issue], failed: Sequence[TestResult]) -> tuple[CauseKind, str] | None:
    errors = [issue for issue in issues if issue.kind is IssueKind.ERROR]
    for issue in errors:
        if _SIGNING.search(issue.message) or _SIGNING.search(issue.category or ""):
            return CauseKind.SIGNING, _tidy(issue.message)
    if failed:
        return CauseKind.TEST, _failed_test(failed)
    for issue in issues:
        if issue.kind is IssueKind.TEST_FAILURE:
            return CauseKind.TEST, _with_place(issue)
    for issue in errors:
        kind = CauseKind.DEPENDENCY if _DEPENDENCY.search(issue.message) else CauseKind.COMPILE
        return (kind if issue.place is not None or kind is CauseKind.DEPENDENCY else CauseKind.OTHER), _with_place(
            issue
        )
    return None


def _failed_test(failed: Sequence[TestResult]) -> str:
    first = failed[0]
    name = f"{first.suite}.{first.name}" if first.suite else first.name
    message = f": {_tidy(first.message)}" if first.message else ""
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{name}{message}{more}"


def _with_place(issue: Issue) -> str:
    if issue.place is None:
        return _tidy(issue.message)
    line = f":{issue.place.line}" if issue.place.line is not None else ""
    return f"{_short(issue.place.path)}{line}: {_tidy(issue.message)}"


def _from_log(lines: Sequence[LogLine]) -> tuple[CauseKind, str] | None:
    """The first line that a pattern knows; else what Gradle says went wrong; else the first error."""
    for n, line in enumerate(lines):
        for kind, pattern in _FINDERS:
            if found := pattern.search(line.text):
                goes_on = line.text.rstrip().endswith(":") and n + 1 < len(lines)
                return kind, _words(found, line.text) + (f" {_tidy(lines[n + 1].text)}" if goes_on else "")
    for n, line in enumerate(lines):
        if _WENT_WRONG.search(line.text):
            said = [other.text for other in lines[n + 1 : n + 4] if other.text and not other.text.startswith("*")]
            return CauseKind.OTHER, _tidy(" ".join(said) or line.text)
    first = next((line for line in lines if _ANY_ERROR.search(line.text)), None)
    return (CauseKind.OTHER, _tidy(first.text)) if first else None


def _words(found: re.Match[str], text: str) -> str:
    groups = {name: value for name, value in found.groupdict().items() if value}
    name = groups.get("name") or groups.get("short")
    place = groups.get("place")
    if place is not None and "line" in groups:
        place = f"{place}:{groups['line']}"
    message = groups.get("message")
    if name is not None:
        said = f": {message}" if message else ""
        where = f" ({_short(place)})" if place else ""
        return _tidy(f"{name}{said}{where}")
    return _tidy(f"{_short(place)}: {message}") if place and message is not None else _tidy(text)


def _short(path: str) -> str:
    """The last part of a path: what is before it is the same in every line."""
    return path.rpartition("/")[2] or path


def _tidy(text: str) -> str:
    return " ".join(text.split()).removeprefix("> ").removeprefix("xcodebuild: ").removeprefix("error: ")[:600]
