"""What a run of Xcode Cloud found, and what starts another one, in App Store Connect's JSON:API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.models import Action
from tui.models.inspection import (
    GitRef,
    GitRefKind,
    Issue,
    IssueKind,
    SourceLine,
    TestResult,
    TestRun,
    TestStatus,
    Workflow,
)
from tui.providers.fields import (
    as_mapping,
    get_bool,
    get_id,
    get_int,
    get_list,
    get_mapping,
    get_seconds,
    get_str,
)

_ISSUE_KINDS: Final = {
    "ERROR": IssueKind.ERROR,
    "TEST_FAILURE": IssueKind.TEST_FAILURE,
    "WARNING": IssueKind.WARNING,
    "ANALYZER_WARNING": IssueKind.ANALYZER_WARNING,
}
_TEST_STATUSES: Final = {
    "SUCCESS": TestStatus.PASSED,
    "FAILURE": TestStatus.FAILED,
    "MIXED": TestStatus.MIXED,
    "SKIPPED": TestStatus.SKIPPED,
    "EXPECTED_FAILURE": TestStatus.EXPECTED_FAILURE,
}
_REF_KINDS: Final = {"BRANCH": GitRefKind.BRANCH, "TAG": GitRefKind.TAG}


def parse_issue(data: object, action: Action) -> Issue | None:
    """One ciIssues resource; None for what is no resource."""
    attributes = get_mapping(data, "attributes")
    if not attributes:
        return None
    kind = _ISSUE_KINDS.get(get_str(attributes, "issueType") or "", IssueKind.UNKNOWN)
    category = get_str(attributes, "category")
    return Issue(
        kind=kind,
        message=get_str(attributes, "message") or category or "no message",
        category=category,
        place=_parse_place(attributes),
        action=action,
    )


def parse_test(data: object, action: Action) -> TestResult | None:
    """One ciTestResults resource; None for what is no resource."""
    attributes = get_mapping(data, "attributes")
    if not attributes:
        return None
    return TestResult(
        name=get_str(attributes, "name") or "no name",
        suite=get_str(attributes, "className"),
        status=_parse_test_status(attributes),
        message=get_str(attributes, "message"),
        place=_parse_place(attributes),
        runs=tuple(
            _parse_test_run(as_mapping(each)) for each in get_list(attributes, "destinationTestResults") if each
        ),
        action=action,
    )


def _parse_test_run(attributes: Mapping[str, object]) -> TestRun:
    words = (get_str(attributes, "deviceName"), get_str(attributes, "osVersion"))
    return TestRun(
        destination=" · ".join(word for word in words if word) or "unknown device",
        status=_parse_test_status(attributes),
        duration_s=get_seconds(attributes, "duration"),
    )


def _parse_test_status(attributes: Mapping[str, object]) -> TestStatus:
    return _TEST_STATUSES.get(get_str(attributes, "status") or "", TestStatus.UNKNOWN)


def _parse_place(attributes: Mapping[str, object]) -> SourceLine | None:
    path = get_str(attributes, "fileSource", "path")
    return None if path is None else SourceLine(path, get_int(attributes, "fileSource", "lineNumber"))


def parse_workflow(data: object) -> Workflow | None:
    """One ciWorkflows resource; None without an id."""
    key = get_id(data, "id")
    if key is None:
        return None
    is_enabled = get_bool(data, "attributes", "isEnabled")
    return Workflow(key, get_str(data, "attributes", "name") or key, is_enabled is not False)


def parse_git_ref(data: object) -> GitRef | None:
    """One scmGitReferences resource; None for one that is deleted, or of a kind that cannot be built."""
    key, name = get_id(data, "id"), get_str(data, "attributes", "name")
    kind = _REF_KINDS.get(get_str(data, "attributes", "kind") or "")
    if key is None or name is None or kind is None or get_bool(data, "attributes", "isDeleted"):
        return None
    return GitRef(key, name, kind)


def parse_pull_request(data: object) -> GitRef | None:
    """One scmPullRequests resource, named `#12 Its title`; None for one that is closed or has no number."""
    key, number = get_id(data, "id"), get_int(data, "attributes", "number")
    if key is None or number is None or get_bool(data, "attributes", "isClosed"):
        return None
    title = get_str(data, "attributes", "title")
    return GitRef(key, f"#{number} {title}" if title else f"#{number}", GitRefKind.PULL_REQUEST)


def run_body(related: Mapping[str, tuple[str, str]], *, clean: bool) -> Mapping[str, object]:
    """The body that creates a run (App Store Connect API docs, post-v1-cibuildruns).

    Args:
        related: Type and id of each relationship, by its name.
        clean: Whether to build without what was kept from earlier runs.
    """
    relationships = {name: {"data": {"type": kind, "id": key}} for name, (kind, key) in related.items()}
    return {"data": {"type": "ciBuildRuns", "attributes": {"clean": clean}, "relationships": relationships}}
