"""Xcode Cloud against recorded shapes: the examples of Apple's documentation, shortened, with ids replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.conftest import ODD, Request, ScriptedServer, private_pem, reply
from tui.errors import AuthError, NotFound, NotSupported, ProviderError
from tui.models import (
    Account,
    AccountName,
    AppId,
    AppRef,
    Artifact,
    ArtifactKind,
    Build,
    BuildQuery,
    Status,
    Verb,
)
from tui.providers.xcode_cloud import parse
from tui.providers.xcode_cloud.plugin import XcodeCloudPlugin
from tui.providers.xcode_cloud.provider import XcodeCloudProvider
from tui.providers.xcode_cloud.token import JwtAuthorization
from tui.secret import Secret

KEY = ec.generate_private_key(ec.SECP256R1())
ISSUER = "57246542-96fe-1a63-e053-0824d011072a"
APP = AppRef(AccountName("store"), AppId("P1"))
RUN_JSON: dict[str, Any] = {
    "type": "ciBuildRuns",
    "id": "R88",
    "attributes": {
        "number": 88,
        "createdDate": "2021-08-17T17:48:11.806Z",
        "startedDate": "2021-08-17T17:48:40.000Z",
        "finishedDate": "2021-08-17T17:52:40.000Z",
        "sourceCommit": {
            "commitSha": "abc",
            "message": "Fix",
            "author": {"displayName": "Ana", "avatarUrl": ""},
            "webUrl": "https://git.example/abc",
        },
        "destinationCommit": {"commitSha": "def"},
        "isPullRequestBuild": False,
        "issueCounts": {"analyzerWarnings": 0, "errors": 1, "testFailures": 2, "warnings": 3},
        "executionProgress": "COMPLETE",
        "completionStatus": "FAILED",
        "startReason": "GIT_REF_CHANGE",
        "cancelReason": None,
    },
    "relationships": {
        "workflow": {"data": {"type": "ciWorkflows", "id": "W"}},
        "sourceBranchOrTag": {"data": {"type": "scmGitReferences", "id": "G"}},
        "pullRequest": {"data": None},
    },
}
INCLUDED = [
    {"type": "ciWorkflows", "id": "W", "attributes": {"name": "Release"}},
    {"type": "scmGitReferences", "id": "G", "attributes": {"name": "main", "kind": "BRANCH"}},
    {"type": "scmPullRequests", "id": "PR", "attributes": {"number": 12, "sourceBranchName": "feature"}},
]
ACTIONS = ["Build", "Analyze", "Test", "Archive", "Archive 2", "Archive 3"]


def run_of(number: int = 88, **attributes: object) -> dict[str, Any]:
    return {
        **RUN_JSON,
        "id": f"R{number}",
        "attributes": {**RUN_JSON["attributes"], "number": number, **attributes},
    }


def build_of(data: object | None = None, included: object = INCLUDED) -> Build:
    build = parse.parse_build(data or RUN_JSON, parse.included({"included": included}), APP)
    assert build is not None
    return build


def action_json(index: int) -> dict[str, Any]:
    return {
        "type": "ciBuildActions",
        "id": f"A{index}",
        "attributes": {
            "name": ACTIONS[index],
            "actionType": "BUILD",
            "finishedDate": f"2021-08-17T17:5{index}:00Z",
            "executionProgress": "COMPLETE",
            "completionStatus": "SUCCEEDED",
        },
    }


def artifact_json(key: str, **attributes: object) -> dict[str, Any]:
    shown = {
        "fileType": "LOG_BUNDLE",
        "fileName": "Logs.zip",
        "fileSize": 19,
        "downloadUrl": "https://s.example/f?sig=1",
    }
    return {"type": "ciArtifacts", "id": key, "attributes": {**shown, **attributes}}


async def open_provider(server: ScriptedServer, *, issuer: str | None = ISSUER) -> XcodeCloudProvider:
    options = {"key_id": "2X9R4HXF34", **({"issuer_id": issuer} if issuer else {})}
    account = Account(AccountName("store"), "xcode-cloud", url=server.url, options=options)
    return XcodeCloudPlugin().open(account, Secret(private_pem(KEY)))


@pytest.fixture
async def provider(server: ScriptedServer) -> AsyncIterator[XcodeCloudProvider]:
    opened = await open_provider(server)
    yield opened
    await opened.aclose()


def claims_of(request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    word, _, token = request.headers["authorization"].partition(" ")
    assert word == "Bearer"
    claims = jwt.decode(token, KEY.public_key(), algorithms=["ES256"], audience="appstoreconnect-v1")
    return jwt.get_unverified_header(token), claims


async def test_a_team_key_signs_as_apple_asks(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    await provider.apps()
    header, claims = claims_of(server.requests[0])
    assert header == {"alg": "ES256", "kid": "2X9R4HXF34", "typ": "JWT"}
    assert claims.keys() == {"iss", "iat", "exp", "aud"}
    assert claims["iss"] == ISSUER
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert 55 <= datetime.now(UTC).timestamp() - claims["iat"] <= 90


async def test_an_individual_key_names_no_issuer(server: ScriptedServer) -> None:
    provider = await open_provider(server, issuer=None)
    await provider.apps()
    await provider.aclose()
    _, claims = claims_of(server.requests[0])
    assert claims["sub"] == "user"
    assert "iss" not in claims


async def test_a_token_is_reused_until_eighty_percent_of_its_life() -> None:
    now = [1_700_000_000.0]
    authorization = JwtAuthorization("K", ISSUER, Secret(private_pem(KEY)), wall_clock=lambda: now[0])
    first = await authorization.header(0)
    now[0] += 0.8 * 900 - 61
    assert await authorization.header(0) == first
    now[0] += 2
    assert await authorization.header(0) != first


async def test_a_token_follows_the_servers_clock() -> None:
    authorization = JwtAuthorization("K", ISSUER, Secret(private_pem(KEY)), wall_clock=lambda: 1_700_000_000.0)
    await authorization.header(0)
    token = (await authorization.header(-600)).reveal().removeprefix("Bearer ")
    issued_at = jwt.decode(token, options={"verify_signature": False})["iat"]
    assert issued_at == 1_700_000_000 - 600 - 60


async def test_a_401_is_retried_once_with_a_fresh_token(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    refusal = {"errors": [{"status": "401", "code": "NOT_AUTHORIZED", "title": "No", "detail": "Bad token"}]}
    server.answer_with(*[reply(refusal, status=401)] * 5)
    with pytest.raises(AuthError, match="Bad token"):
        await provider.apps()
    tokens = [r.headers["authorization"] for r in server.requests]
    assert len(tokens) == 2
    assert tokens[0] != tokens[1]


async def test_the_rate_header_becomes_the_budget(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    for header, remaining in [
        ("user-hour-lim:3600;user-hour-rem:3590;", 3590),
        ("minute-lim:5;user-hour-rem:7;user-hour-lim:3600", 7),
        ("garbage", 7),
        ("user-hour-lim:;user-hour-rem:x;", 7),
    ]:
        server.answer_with(reply({"data": []}, headers={"X-Rate-Limit": header}))
        await provider.apps()
        assert provider.budget is not None
        assert (provider.budget.limit, provider.budget.remaining) == (3600, remaining)


async def test_products_come_with_their_bundle_ids(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    product = {
        "type": "ciProducts",
        "id": "P1",
        "attributes": {"name": "Acme", "createdDate": "2021-01-01T00:00:00Z", "productType": "APP"},
        "relationships": {"app": {"data": {"type": "apps", "id": "1234"}}},
    }
    framework = {"type": "ciProducts", "id": "P2", "attributes": {"name": None, "productType": "FRAMEWORK"}}
    server.answer_with(
        reply(
            {
                "data": [product, framework, {"type": "ciProducts"}],
                "included": [{"type": "apps", "id": "1234", "attributes": {"bundleId": "com.acme", "name": "A"}}],
            }
        )
    )
    page = await provider.apps()
    assert [(a.title, a.bundle_id, a.kind) for a in page.items] == [
        ("Acme", "com.acme", "APP"),
        ("P2", None, "FRAMEWORK"),
    ]
    assert page.unreadable == 1
    assert server.requests[0].query == {"include": "app", "limit": "200"}


def test_a_run_as_documented() -> None:
    build = build_of()
    assert (build.number, build.status, build.status_raw) == (88, Status.FAILED, "FAILED")
    assert (build.branch, build.tag, build.workflow) == ("main", None, "Release")
    assert (build.author, build.trigger, build.commit_url) == ("Ana", "GIT_REF_CHANGE", "https://git.example/abc")
    assert build.created_at == datetime(2021, 8, 17, 17, 48, 11, 806000, UTC)
    assert build.issues is not None
    assert build.issues.test_failures == 2


def test_a_run_of_a_tag_and_of_a_pull_request() -> None:
    tag = {"type": "scmGitReferences", "id": "G", "attributes": {"name": "v1", "kind": "TAG"}}
    assert (build_of(included=[tag]).tag, build_of(included=[tag]).branch) == ("v1", None)
    asked = {**RUN_JSON, "relationships": {"pullRequest": {"data": {"type": "scmPullRequests", "id": "PR"}}}}
    assert (build_of(asked).branch, build_of(asked).pull_request) == ("feature", 12)


@pytest.mark.parametrize(
    ("progress", "completion", "status", "raw"),
    [
        ("PENDING", None, Status.QUEUED, "PENDING"),
        ("RUNNING", None, Status.RUNNING, "RUNNING"),
        ("COMPLETE", "SUCCEEDED", Status.SUCCEEDED, "SUCCEEDED"),
        ("COMPLETE", "ERRORED", Status.ERRORED, "ERRORED"),
        ("COMPLETE", "CANCELED", Status.ABORTED, "CANCELED"),
        ("COMPLETE", "SKIPPED", Status.SKIPPED, "SKIPPED"),
        ("COMPLETE", "MELTED", Status.UNKNOWN, "MELTED"),
        ("COMPLETE", None, Status.UNKNOWN, "COMPLETE"),
        (None, None, Status.UNKNOWN, "none given"),
    ],
)
def test_status(progress: str | None, completion: str | None, status: Status, raw: str) -> None:
    build = build_of(run_of(executionProgress=progress, completionStatus=completion))
    assert (build.status, build.status_raw) == (status, raw)


@pytest.mark.parametrize(
    ("file_type", "name", "kind"),
    [
        ("ARCHIVE", "Acme.xcarchive.zip", ArtifactKind.XCARCHIVE),
        ("ARCHIVE_EXPORT", "Acme.zip", ArtifactKind.PRODUCTS),
        ("ARCHIVE_EXPORT", "Acme.ipa", ArtifactKind.IPA),
        ("LOG_BUNDLE", "Logs.zip", ArtifactKind.LOGS),
        ("RESULT_BUNDLE", "r.zip", ArtifactKind.TEST_RESULTS),
        ("HOLOGRAM", "h", ArtifactKind.FILE),
        (None, None, ArtifactKind.FILE),
    ],
)
def test_kinds(file_type: str | None, name: str | None, kind: ArtifactKind) -> None:
    action = parse.parse_action(action_json(0))
    assert action is not None
    artifact = parse.parse_artifact(artifact_json("X", fileType=file_type, fileName=name), build_of(), action)
    assert artifact is not None
    assert artifact.kind is kind
    assert artifact.title
    assert artifact.created_at == datetime(2021, 8, 17, 17, 50, tzinfo=UTC)


WRONG: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1, 3.5, 10**30, "", "x", "\ud800", [], [None], {}, {"id": 1}, {"data": {}}]
)


@given(
    st.dictionaries(st.sampled_from([*RUN_JSON["attributes"], "name", "fileName", "fileSize", "fileType"]), WRONG),
    st.dictionaries(st.sampled_from(["app", "workflow", "sourceBranchOrTag", "pullRequest"]), WRONG),
    WRONG,
)
def test_any_attribute_may_be_wrong(attributes: object, relationships: object, included: object) -> None:
    data = {"id": "X", "attributes": attributes, "relationships": relationships}
    along = parse.included({"included": included})
    assert parse.parse_app(data, along, APP.account, "xcode-cloud") is not None
    build, action = parse.parse_build(data, along, APP), parse.parse_action(data)
    assert build is not None
    assert action is not None
    assert parse.parse_artifact(data, build, action) is not None


@given(WRONG)
def test_a_thing_without_an_id_is_unreadable(data: object) -> None:
    assert parse.parse_build(data, {}, APP) is None
    assert parse.parse_action(data) is None


async def test_builds_come_newest_first_with_workflow_and_branch(
    server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    link = f"{server.url}/v1/ciProducts/P1/buildRuns?cursor=c&limit=50"
    server.answer_with(
        reply({"data": [run_of(3), run_of(2)], "included": INCLUDED, "links": {"next": link}}),
        reply({"data": [run_of(1)], "links": {"next": ""}}),
    )
    page = await provider.builds(APP)
    assert [build.number for build in page.items] == [3, 2]
    page = await provider.builds(APP, cursor=page.next_cursor)
    assert ([build.number for build in page.items], page.next_cursor) == ([1], None)
    assert server.requests[0].query == {
        "sort": "-number",
        "include": "workflow,sourceBranchOrTag,pullRequest",
        "limit": "50",
    }
    assert server.requests[1].query == {"cursor": "c", "limit": "50"}


async def test_a_next_page_on_another_host_is_refused_without_the_token(
    server: ScriptedServer, other_server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    server.answer_with(reply({"data": [run_of(3)], "links": {"next": other_server.url + "/v1/x?cursor=c"}}))
    page = await provider.builds(APP)
    with pytest.raises(ProviderError, match="not followed"):
        await provider.builds(APP, cursor=page.next_cursor)
    assert other_server.requests == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (BuildQuery(status=Status.FAILED), [4, 2]),
        (BuildQuery(branch="other"), []),
        (BuildQuery(branch="main", workflow="Release"), [4, 3, 2, 1]),
        (BuildQuery(before=datetime(2021, 1, 3, tzinfo=UTC)), [2, 1]),
    ],
)
async def test_builds_are_filtered_here(
    query: BuildQuery, numbers: list[int], server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    runs = [
        run_of(n, completionStatus="SUCCEEDED" if n % 2 else "FAILED", createdDate=f"2021-01-0{n}T00:00:00Z")
        for n in (4, 3, 2, 1)
    ]
    server.answer_with(reply({"data": runs, "included": INCLUDED, "links": {"next": f"{server.url}/v1/n?cursor=c"}}))
    page = await provider.builds(APP, query)
    assert [build.number for build in page.items] == numbers
    assert page.next_cursor is not None


@pytest.mark.parametrize("query", [BuildQuery(number=3), BuildQuery(after=datetime(2021, 1, 3, tzinfo=UTC))])
async def test_paging_stops_when_no_later_page_can_match(
    query: BuildQuery, server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    runs = [run_of(n, createdDate=f"2021-01-0{n}T00:00:00Z") for n in (4, 3, 2)]
    server.answer_with(reply({"data": runs, "links": {"next": f"{server.url}/v1/n?cursor=c"}}))
    page = await provider.builds(APP, query)
    assert {build.number for build in page.items} <= {4, 3}
    assert 3 in {build.number for build in page.items}
    assert page.next_cursor is None


def serve_actions(server: ScriptedServer, failing: str = "") -> None:
    """Six actions on two pages; each has two artifacts on two pages."""

    def route(request: Request) -> bytes:
        parts = request.path.split("/")
        if parts[2] == "ciBuildRuns":
            first = "cursor" not in request.query
            links = {"next": f"{server.url}{request.path}?cursor=2"} if first else {}
            return reply({"data": [action_json(n) for n in (range(4) if first else range(4, 6))], "links": links})
        if parts[3] == failing:
            return reply({}, status=403)
        if "cursor" in request.query:
            return reply({"data": [artifact_json(f"{parts[3]}-2")]})
        links = {"next": f"{server.url}{request.path}?cursor=2"}
        return reply({"data": [artifact_json(f"{parts[3]}-1"), {"type": "ciArtifacts"}], "links": links})

    server.route = route


async def test_artifacts_of_all_actions_stand_together_in_their_order(
    server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    serve_actions(server)
    page = await provider.artifacts(build_of())
    assert [a.ref.artifact for a in page.items] == [f"A{n}-{part}" for n in range(6) for part in (1, 2)]
    assert [a.action.name for a in page.items if a.action] == [name for name in ACTIONS for _ in range(2)]
    assert (page.next_cursor, page.unreadable) == (None, 6)


async def test_an_error_of_one_action_is_the_error_of_the_list(
    server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    serve_actions(server, failing="A3")
    with pytest.raises(ProviderError, match="does not allow"):
        await provider.artifacts(build_of())


async def test_artifacts_that_are_gone_leave_a_note(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    def route(request: Request) -> bytes:
        if "ciBuildRuns" in request.path:
            return reply({"data": [action_json(0)]})
        return reply({}, status=404)

    server.route = route
    page = await provider.artifacts(build_of())
    assert page.items == ()
    assert "30 days" in (page.note or "")


async def test_cancelling_the_list_ends_its_calls(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    serve_actions(server)
    server.hold = asyncio.Event()
    listing = asyncio.create_task(provider.artifacts(build_of()))
    await server.arrived.wait()
    listing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listing
    server.hold = None
    assert len((await provider.artifacts(build_of())).items) == 12


async def first_artifact(server: ScriptedServer, provider: XcodeCloudProvider) -> Artifact:
    serve_actions(server)
    return (await provider.artifacts(build_of())).items[0]


async def test_the_link_is_fetched_at_the_moment_of_use(server: ScriptedServer, provider: XcodeCloudProvider) -> None:
    artifact = await first_artifact(server, provider)
    server.answer_with(reply({"data": artifact_json("A0-1", fileSize=20, downloadUrl="https://s.example/new")}))
    source = await provider.source(artifact)
    assert (source.url.reveal(), source.size_bytes, source.expires_at) == ("https://s.example/new", 20, None)
    assert server.requests[-1].path == "/v1/ciArtifacts/A0-1"


@pytest.mark.parametrize("url", [None, "", 3])
async def test_an_artifact_without_a_link_has_expired(
    url: object, server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    artifact = await first_artifact(server, provider)
    server.answer_with(reply({"data": artifact_json("A0-1", downloadUrl=url)}))
    with pytest.raises(NotFound, match="expired or is not available") as caught:
        await provider.source(artifact)
    assert "30 days" in (caught.value.hint or "")


async def test_what_apple_has_no_call_for_is_refused_with_the_reason(
    server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    artifact = await first_artifact(server, provider)
    sent = len(server.requests)
    assert "TestFlight" in (provider.refusal(Verb.PUBLISH, artifact) or "")
    assert "delete" in (provider.refusal(Verb.DELETE, artifact) or "")
    assert provider.refusal(Verb.DOWNLOAD, artifact) is None
    with pytest.raises(NotSupported):
        await provider.set_public(artifact, True)
    with pytest.raises(NotSupported):
        await provider.delete(artifact.ref)
    assert len(server.requests) == sent


@pytest.mark.parametrize("body", ODD)
async def test_an_odd_answer_is_read_or_refused_but_never_a_crash(
    body: object, server: ScriptedServer, provider: XcodeCloudProvider
) -> None:
    artifact = await first_artifact(server, provider)
    build = build_of()
    server.route = lambda _: reply(body)
    for call in (
        provider.check(),
        provider.apps(),
        provider.app(APP),
        provider.builds(APP),
        provider.build(build.ref),
        provider.artifacts(build),
        provider.artifact(artifact),
        provider.source(artifact),
    ):
        with suppress(ProviderError):
            await call
