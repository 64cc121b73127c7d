"""Test results as the tools leave them: JUnit's XML, and a page for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import quoteattr

from tui.demo import seeds
from tui.demo.log_failures import TESTS, Failure, LogSubject

_SUITES: Final = ("Cart", "Login", "Sync", "Feed", "Profile", "Onboarding")
_SKIPPED: Final = 4


def junit(subject: LogSubject) -> dict[str, bytes]:
    """JUnit's XML by file name: one file for each suite, as Gradle writes it."""
    files = {}
    for suite in _SUITES:
        name = f"com.{subject.module.lower()}.{suite.lower()}.{suite}ViewModelTest"
        if not subject.is_android:
            name = f"{subject.module}Tests.{suite}Tests"
        cases = list(_cases(subject, suite, name, TESTS // len(_SUITES)))
        failures = sum("<failure" in case for case in cases)
        skipped = sum("<skipped" in case for case in cases)
        head = f'<testsuite name="{name}" tests="{len(cases)}" skipped="{skipped}" failures="{failures}" errors="0">'
        text = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>", ""])
        files[f"TEST-{name}.xml"] = text.encode()
    return files


def _cases(subject: LogSubject, suite: str, class_name: str, count: int) -> Iterator[str]:
    is_red = subject.failure is Failure.TESTS and suite == "Cart"
    for index in range(count):
        first = suite == "Cart" and index == 0
        name = ("total includes shipping" if subject.is_android else "testTotalIncludesShipping") if first else ""
        name = name or f"{'case' if subject.is_android else 'testCase'}{index}"
        seconds = seeds.between(1, 900, "test", subject.number, suite, index) / 1000
        head = f'  <testcase name={quoteattr(name)} classname="{class_name}" time="{seconds:.3f}"'
        if first and is_red:
            yield f"{head}>{_failure(subject, class_name)}</testcase>"
        elif suite == "Sync" and index < _SKIPPED:
            yield f"{head}><skipped/></testcase>"
        else:
            yield f"{head}/>"


def _failure(subject: LogSubject, class_name: str) -> str:
    if subject.is_android:
        message = "java.lang.AssertionError: expected:<24.90> but was:<19.90>"
        place = f"{message}\n\tat {class_name}.total includes shipping(CartViewModelTest.kt:57)"
        text = place.replace("<", "&lt;").replace(">", "&gt;")
        return f'<failure message={quoteattr(message)} type="java.lang.AssertionError">{text}</failure>'
    message = 'XCTAssertEqual failed: ("24.9") is not equal to ("19.9")'
    return f"<failure message={quoteattr(message)}>{subject.module}Tests/CartTests.swift:57</failure>"


def html(subject: LogSubject) -> list[str]:
    """The lines of a report for people, the last of which may be repeated."""
    word = "failed" if subject.failure is Failure.TESTS else "passed"
    head = [f"<!doctype html><title>{subject.module} test report</title>", f"<h1>{TESTS} tests</h1><table>"]
    return [*head, f"<tr><td>CartTests.testTotalIncludesShipping<td>{word}<td>0.014 s"]
