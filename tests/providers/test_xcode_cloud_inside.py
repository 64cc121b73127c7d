"""Issues, tests, logs and starts of Xcode Cloud against scripted answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.providers.conftest import ODD, Request, ScriptedServer, reply
from tests.providers.test_xcode_cloud import APP, action_json, artifact_json, build_of, open_provider, run_of
from tui.errors import NotFound, OutcomeUnknown, ProviderError
from tui.models import ArtifactKind
from tui.models.inspection import (
    BuildVerb,
    GitRef,
    GitRefKind,
    IssueKind,
    SourceLine,
    StartRequest,
    TestStatus,
    Workflow,
)
from tui.providers.xcode_cloud.provider import XcodeCloudProvider

BUILD = build_of()
WORKFLOW = Workflow("W1", "Release")


@pytest.fixture
async def provider(server: ScriptedServer) -> AsyncIterator[XcodeCloudProvider]:
    opened = await open_provider(server)
    yield opened
    await opened.aclose()


def resource(key: str, **attributes: object) -> dict[str, Any]:
    return {"type": "any", "id": key, "attributes": attributes}


def action(index: int, kind: str = "BUILD", **counts: int) -> dict[str, Any]:
    data = action_json(index)
    data["attributes"] |= {"actionType": kind, "issueCounts": counts or None}
    return data


def by_path(**answers: object) -> Callable[[Request], bytes]:
    """Answers with the list that the last part of a path, or the id and that part, stand for."""

    def route(request: Request) -> bytes:
        parts = request.path.split("/")
        for key in ("_".join(parts[-2:]), parts[-1]):
            if key in answers:
                return reply({"data": answers[key]})
        return reply({"errors": []}, status=404)

    return route


async def test_issues_of_all_actions_come_errors_first(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    server.route = by_path(
        actions=[action(0), action(1, errors=1)],
        A0_issues=[
            resource("1", issueType="WARNING", message="old call"),
            resource("2", issueType="NEW_KIND", message=None, category="Odd"),
            None,
        ],
        A1_issues=[
            resource("3", issueType="ERROR", message="no scope", fileSource={"path": "a.swift", "lineNumber": 84}),
            resource("4", issueType="TEST_FAILURE", message="differs", fileSource={"path": "t.swift"}),
        ],
    )
    issues = await provider.issues(BUILD)
    assert [issue.kind for issue in issues] == [
        IssueKind.ERROR,
        IssueKind.TEST_FAILURE,
        IssueKind.WARNING,
        IssueKind.UNKNOWN,
    ]
    assert (issues[0].message, issues[0].place) == ("no scope", SourceLine("a.swift", 84))
    assert issues[1].place == SourceLine("t.swift", None)
    assert issues[3].message == "Odd"
    assert issues[0].action is not None
    assert issues[0].action.name == "Analyze"


async def test_an_action_that_counts_no_issues_is_not_asked(
    server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    none = action(0, errors=0, warnings=0, testFailures=0, analyzerWarnings=0)
    server.route = by_path(actions=[none, action(1, errors=0)], issues=[])
    assert await provider.issues(BUILD) == ()
    assert [request.path for request in server.requests[1:]] == ["/v1/ciBuildActions/A1/issues"]


async def test_issues_come_from_all_pages(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    def route(request: Request) -> bytes:
        if request.path.endswith("actions"):
            return reply({"data": [action(0)]})
        links = {} if "cursor" in request.query else {"next": f"{server.url}{request.path}?cursor=2"}
        key = request.query.get("cursor", "1")
        return reply({"data": [resource(key, issueType="ERROR", message=key)], "links": links})

    server.route = route
    assert [issue.message for issue in await provider.issues(BUILD)] == ["1", "2"]
    assert server.requests[1].query["limit"] == "200"


async def test_tests_come_failures_first_with_their_destinations(
    server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    runs = [
        {"deviceName": "iPhone 17", "osVersion": "26.1", "status": "SUCCESS", "duration": 0.5},
        {"deviceName": None, "osVersion": None, "status": "FAILURE", "duration": -1},
        {"deviceName": "iPad", "duration": 1.25},
    ]
    server.route = by_path(
        actions=[action(0, "BUILD"), action(1, "TEST")],
        A1_testResults=[
            resource("1", name="testPass", className="T", status="SUCCESS", destinationTestResults=None),
            resource("2", name="testFlaky", className="T", status="MIXED", destinationTestResults=runs),
            resource("3", name=None, className=None, status="FAILURE", message="differs"),
        ],
    )
    results = await provider.tests(BUILD)
    assert [result.status for result in results] == [TestStatus.FAILED, TestStatus.MIXED, TestStatus.PASSED]
    assert (results[0].name, results[0].message) == ("no name", "differs")
    assert [run.destination for run in results[1].runs] == ["iPhone 17 · 26.1", "unknown device", "iPad"]
    assert [run.status for run in results[1].runs] == [TestStatus.PASSED, TestStatus.FAILED, TestStatus.UNKNOWN]
    assert results[1].duration_s == 1.75
    assert len(server.requests) == 2


async def test_the_log_is_the_bundles_of_all_actions(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    server.route = by_path(
        actions=[action(0), action(1)],
        A0_artifacts=[artifact_json("1"), artifact_json("2", fileType="ARCHIVE")],
        A1_artifacts=[artifact_json("3")],
    )
    part = await provider.log(BUILD)
    assert [bundle.ref.artifact for bundle in part.bundles] == ["1", "3"]
    assert all(bundle.kind is ArtifactKind.LOGS for bundle in part.bundles)
    assert (part.is_complete, part.next_cursor) == (True, None)
    running = await provider.log(build_of(run_of(executionProgress="RUNNING", completionStatus=None)))
    assert running.bundles == part.bundles
    assert not running.is_complete
    assert running.next_cursor is not None


@pytest.mark.parametrize(("progress", "says"), [("RUNNING", "when the action has ended"), ("COMPLETE", "30 days")])
async def test_a_run_without_bundles_has_no_log(
    progress: str, says: str, server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    server.route = by_path(actions=[])
    completion = "FAILED" if progress == "COMPLETE" else None
    build = build_of(run_of(executionProgress=progress, completionStatus=completion))
    with pytest.raises(NotFound) as caught:
        await provider.log(build)
    assert says in (caught.value.hint or "")


def references(server: ScriptedServer) -> None:
    server.route = by_path(
        repository={"type": "scmRepositories", "id": "REPO"},
        gitReferences=[
            resource("1", name="main", kind="BRANCH", isDeleted=False),
            resource("2", name="gone", kind="BRANCH", isDeleted=True),
            resource("3", name="main", kind="TAG"),
            resource("4", name=None, kind="BRANCH"),
            resource("5", name="odd", kind="NOTE"),
        ],
        pullRequests=[
            resource("6", number=12, title="Log in", isClosed=False),
            resource("7", number=13, title="Old", isClosed=True),
            resource("8", number=14, title=None),
        ],
        workflows=[resource("W1", name="Release", isEnabled=True), resource("W2", name=None, isEnabled=False)],
    )


async def test_references_are_those_that_can_be_built(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    references(server)
    assert [ref async for ref in provider.git_refs(APP, WORKFLOW)] == [
        GitRef("1", "main", GitRefKind.BRANCH),
        GitRef("3", "main", GitRefKind.TAG),
        GitRef("6", "#12 Log in", GitRefKind.PULL_REQUEST),
        GitRef("8", "#14", GitRefKind.PULL_REQUEST),
    ]
    assert server.requests[0].path == "/v1/ciWorkflows/W1/repository"
    assert await provider.workflows(APP) == (WORKFLOW, Workflow("W2", "W2", is_enabled=False))


async def test_a_search_ends_at_the_page_that_has_it(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    pages: list[str] = []

    def route(request: Request) -> bytes:
        if request.method == "POST" or "ciBuildRuns" in request.path:
            return reply({"data": run_of(90)}, status=201 if request.method == "POST" else 200)
        if request.path.endswith("workflows"):
            return reply({"data": [resource("W1", name="Release")]})
        if request.path.endswith("repository"):
            return reply({"data": {"type": "scmRepositories", "id": "REPO"}})
        number = request.query.get("cursor", "1")
        pages.append(number)
        names = [resource(f"{number}{name}", name=f"{name}{number}", kind="BRANCH") for name in "ab"]
        link = f"{server.url}{request.path}?cursor={int(number) + 1}"
        return reply({"data": names, "links": {"next": link}})

    server.route = route
    started = await provider.start(StartRequest(APP, "Release", branch="refs/heads/b3"))
    assert pages == ["1", "2", "3"]
    assert started.number == 90
    assert sum(request.method == "POST" for request in server.requests) == 1


async def test_a_start_that_names_no_run_has_an_unknown_outcome(
    server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    server.answer_with(reply({"data": {"type": "ciBuildRuns"}}, status=201))
    with pytest.raises(OutcomeUnknown):
        await provider.start(StartRequest(APP, "Release", rebuild=BUILD.ref))
    assert len(server.requests) == 1


def test_a_run_cannot_be_aborted(provider: XcodeCloudProvider) -> None:
    assert "cannot cancel" in (provider.build_refusal(BuildVerb.ABORT, BUILD) or "")
    for verb in set(BuildVerb) - {BuildVerb.ABORT}:
        assert provider.build_refusal(verb, BUILD) is None


async def test_a_scope_names_what_the_panels_of_a_build_ask_for(
    server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    server.route = by_path(actions=[action(0), action(1, "TEST")], artifacts=[])
    scope = await provider.scope(build=BUILD)
    asked = {"GET /v1/ciBuildActions/A0/issues", "GET /v1/ciBuildActions/A1/issues"}
    assert {*asked, "GET /v1/ciBuildActions/A1/testResults"} <= set(scope)
    assert "GET /v1/ciBuildActions/A0/testResults" not in scope


@pytest.mark.parametrize("body", ODD)
async def test_an_odd_answer_is_read_or_refused_but_never_a_crash(
    body: object, server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    def route(request: Request) -> bytes:
        return reply({"data": [action(0, "TEST")]}) if request.path.endswith("actions") else reply(body)

    server.route = route
    for call in (
        provider.log(BUILD),
        provider.actions(BUILD),
        provider.issues(BUILD),
        provider.tests(BUILD),
        provider.workflows(APP),
        anext(aiter(provider.git_refs(APP, WORKFLOW)), None),
        provider.start(StartRequest(APP, "a", branch="main")),
        provider.start(StartRequest(APP, "a", rebuild=BUILD.ref)),
    ):
        with suppress(ProviderError):
            await call
