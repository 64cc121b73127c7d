"""Test results in JUnit's XML, as Gradle, xcodebuild's converters and fastlane write it; the file is hostile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from tui.models.inspection import SourceLine, TestResult, TestRun, TestStatus
from tui.peek.archive import PeekError

MAX_XML_BYTES: Final = 16 * 1024 * 1024
MAX_RESULTS: Final = 200_000
"""Of all reports of a build together."""
_MAX_MESSAGE: Final = 4000
_OUTCOMES: Final = {"failure": TestStatus.FAILED, "error": TestStatus.FAILED, "skipped": TestStatus.SKIPPED}


@dataclass
class _Case:
    name: str
    suite: str | None
    duration_s: float | None
    place: SourceLine | None
    status: TestStatus = TestStatus.PASSED
    message: str | None = None
    detail: list[str] = field(default_factory=list[str])
    room: int = _MAX_MESSAGE
    """Characters that may still be added to the detail; counted, as there may be a million pieces of one."""


class _Reader:
    """Takes expat's events; keeps no tree. Android's plug-in for Gradle names the device in a property."""

    def __init__(self, most: int) -> None:
        self.results: list[TestResult] = []
        self._most = most
        self.has_suites = False
        self._destination = ""
        self._suites: list[str | None] = []
        self._case: _Case | None = None
        self._reads_detail = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "testsuite":
            self.has_suites = True
            self._suites.append(attributes.get("name"))
        elif name == "property" and attributes.get("name") == "device":
            self._destination = attributes.get("value", "")
        elif name == "testcase":
            suite = attributes.get("classname") or (self._suites[-1] if self._suites else None)
            place = SourceLine(path, _number(attributes.get("line"))) if (path := attributes.get("file")) else None
            title = attributes.get("name") or "(unnamed)"
            self._case = _Case(title, suite, _seconds(attributes.get("time")), place)
        elif self._case is not None and name in _OUTCOMES:
            self._case.status = _OUTCOMES[name]
            self._case.message = attributes.get("message") or None
            self._reads_detail = True

    def text(self, data: str) -> None:
        if self._reads_detail and self._case is not None and self._case.room > 0:
            self._case.detail.append(data)
            self._case.room -= len(data)

    def end(self, name: str) -> None:
        if name == "testsuite" and self._suites:
            self._suites.pop()
            self._destination = ""
        elif name in _OUTCOMES:
            self._reads_detail = False
        elif name == "testcase" and self._case is not None:
            case, self._case = self._case, None
            detail = "".join(case.detail).strip()[:_MAX_MESSAGE]
            run = TestRun(self._destination, case.status, case.duration_s)
            message = case.message[:_MAX_MESSAGE] if case.message else detail or None
            self.results.append(TestResult(case.name, case.suite, case.status, message, case.place, (run,)))
            if len(self.results) > self._most:
                raise PeekError(f"The test reports name more than {MAX_RESULTS:,} tests.")


def junit_results(data: bytes, most: int = MAX_RESULTS) -> tuple[TestResult, ...] | None:
    """The tests of a report; None when it is XML of something else. May take seconds, so it belongs into a thread.

    Args:
        data: The file.
        most: So many tests at most, where other reports have told of some already.

    Raises:
        PeekError: It is no XML, too large, has more tests, or declares entities, which no test report needs.
    """
    if len(data) > MAX_XML_BYTES:
        raise PeekError("The test report is too large to be read here.")
    reader = _Reader(most)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an encoding that does not exist
        raise PeekError("The test report is not XML that can be read.") from error
    return tuple(reader.results) if reader.has_suites else None


def _refuse(*_: object) -> None:
    raise PeekError("The test report declares a document type, which digsite does not read.")


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float((text or "").replace(",", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e9 else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None
