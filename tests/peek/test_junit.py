"""Test reports in XML, well-meant and hostile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.models.inspection import SourceLine, TestResult, TestStatus
from tui.peek import PeekError
from tui.peek.junit import MAX_XML_BYTES, junit_results

GRADLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="com.acme.CartTest" tests="3" skipped="1" failures="1" errors="0" time="0.071">
  <properties><property name="device" value="Pixel 9"/></properties>
  <testcase name="total includes shipping" classname="com.acme.CartTest" time="0.014">
    <failure message="expected:&lt;24.90&gt; but was:&lt;19.90&gt;" type="AssertionError">at X:1</failure>
  </testcase>
  <testcase name="empty" classname="com.acme.CartTest" time="0.001"/>
  <testcase name="later" classname="com.acme.CartTest" time="0.0"><skipped/></testcase>
  <system-out><![CDATA[<testcase name="no test"/>]]></system-out>
</testsuite>
"""
FASTLANE = b"""<testsuites><testsuite name="AcmeTests.CartTests">
<testcase classname="" name="testTotal" file="Tests/CartTests.swift" line="57"><error>boom
  here</error></testcase></testsuite></testsuites>"""


def results(report: bytes) -> list[TestResult]:
    return list(junit_results(report) or ())


def test_a_report_of_gradle() -> None:
    failed, passed, skipped = results(GRADLE)
    assert (failed.name, failed.suite, failed.status) == (
        "total includes shipping", "com.acme.CartTest", TestStatus.FAILED)  # fmt: skip
    assert failed.message == "expected:<24.90> but was:<19.90>"
    assert failed.duration_s == 0.014
    assert failed.runs[0].destination == "Pixel 9"
    assert (passed.status, skipped.status) == (TestStatus.PASSED, TestStatus.SKIPPED)


def test_a_report_of_fastlane_names_suite_and_place() -> None:
    (test,) = results(FASTLANE)
    assert (test.suite, test.status, test.message) == ("AcmeTests.CartTests", TestStatus.FAILED, "boom\n  here")
    assert test.place == SourceLine("Tests/CartTests.swift", 57)


def test_other_xml_is_no_report() -> None:
    assert junit_results(b"<plist><dict/></plist>") is None


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><testsuite name="&b;"/>'


@pytest.mark.parametrize(
    "data",
    [
        BOMB.encode(),
        BOMB.encode("utf-16"),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>',
        b"<testsuite><testcase>",
        b"",
        b'<?xml version="1.0" encoding="no-such"?><testsuite/>',
        b"<testsuite/>" + b" " * MAX_XML_BYTES,
    ],
    ids=["entities", "entities in UTF-16", "external", "cut", "empty", "encoding", "large"],
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(PeekError):
        junit_results(data)


@given(st.binary(max_size=200) | st.builds(lambda cut: GRADLE[:cut], st.integers(0, len(GRADLE))))
def test_any_bytes_give_results_or_one_error(data: bytes) -> None:
    try:
        junit_results(data)
    except PeekError:
        return
