"""Bitrise against recorded shapes: the examples of its documentation, with tokens and signatures replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.conftest import ODD, Request, ScriptedServer, reply
from tui.errors import BadPayload, ConfigError, CredentialError, NotFound, NotSupported, OutcomeUnknown, ProviderError
from tui.models import (
    Account,
    AccountName,
    AppId,
    AppRef,
    Artifact,
    ArtifactKind,
    BuildId,
    BuildQuery,
    BuildRef,
    Status,
    Verb,
)
from tui.providers.bitrise import parse
from tui.providers.bitrise.plugin import BitrisePlugin
from tui.providers.bitrise.provider import BitriseProvider
from tui.providers.bitrise.token import clean_token
from tui.secret import Secret

APP = AppRef(AccountName("acme"), AppId("87a5991e180d91a9"))
BUILD_REF = BuildRef(APP.account, APP.app, BuildId("b234f959745082e0"))
BUILD_JSON: dict[str, Any] = {
    "triggered_at": "2019-04-26T12:38:56Z",
    "started_on_worker_at": "2019-04-26T12:39:10Z",
    "finished_at": "2019-04-26T12:44:02Z",
    "slug": "b234f959745082e0",
    "status": 1,
    "status_text": "success",
    "abort_reason": None,
    "is_on_hold": False,
    "branch": "master",
    "build_number": 12,
    "commit_hash": None,
    "commit_message": "feat: x\n\nbody",
    "tag": None,
    "triggered_workflow": "primary",
    "triggered_by": "webhook-github/someone",
    "stack_identifier": "linux-docker-android-22.04",
    "pull_request_id": 0,
}
ARTIFACT_JSON: dict[str, Any] = {
    "title": "another_app-debug.apk",
    "artifact_type": "android-apk",
    "expiring_download_url": "https://storage.example/builds/another_app-debug.apk?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Date=20190426T131627Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=0000",
    "is_public_page_enabled": True,
    "slug": "92e0b6ecae87b832",
    "public_install_page_url": "https://www.bitrise.io/artifact/7626902/p/8e5b",
    "file_size_bytes": 1574799,
}
LISTED_JSON = {k: v for k, v in ARTIFACT_JSON.items() if not k.endswith("_url")}


def build_of(**changes: object) -> Any:
    return parse.parse_build({**BUILD_JSON, **changes}, APP)


def artifact_of(**changes: object) -> Artifact:
    artifact = parse.parse_artifact({**LISTED_JSON, **changes}, build_of())
    assert artifact is not None
    return artifact


@pytest.fixture
async def provider(server: ScriptedServer) -> AsyncIterator[BitriseProvider]:
    account = Account(AccountName("acme"), "bitrise", url=server.url + "/v0.1")
    opened = BitrisePlugin().open(account, Secret("bitpat_secret"))
    yield opened
    await opened.aclose()


def test_a_build_as_documented() -> None:
    build = build_of()
    assert (build.number, build.status, build.branch, build.workflow) == (
        12,
        Status.SUCCEEDED,
        "master",
        "primary",
    )
    assert build.created_at == datetime(2019, 4, 26, 12, 38, 56, tzinfo=UTC)
    assert build.duration_s == 292
    assert build.pull_request is None
    assert build.web_url == "https://app.bitrise.io/build/b234f959745082e0"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": 0, "is_on_hold": True}, Status.ON_HOLD),
        ({"status": 0, "started_on_worker_at": None}, Status.QUEUED),
        ({"status": 0}, Status.RUNNING),
        ({"status": 1}, Status.SUCCEEDED),
        ({"status": 2}, Status.FAILED),
        ({"status": 3}, Status.ABORTED),
        ({"status": 4}, Status.ABORTED),
        ({"status": 17}, Status.UNKNOWN),
        ({"status": None}, Status.UNKNOWN),
        ({"status": "1"}, Status.UNKNOWN),
    ],
)
def test_status(changes: dict[str, object], status: Status) -> None:
    assert build_of(**changes).status is status


def test_an_unknown_status_keeps_the_servers_number() -> None:
    assert build_of(status=17, status_text="odd").status_raw == "17"


def test_an_artifact_is_dated_by_its_build_and_has_its_metadata() -> None:
    artifact = artifact_of(
        artifact_meta={
            "app_info": {"app_title": "Acme", "bundle_id": "com.acme", "version": "1.2", "build_number": 7},
            "provisioning_info": {
                "team_name": "Acme Inc",
                "profile_name": "P",
                "ipa_export_method": "ad-hoc",
            },
        }
    )
    assert artifact.created_at == datetime(2019, 4, 26, 12, 44, 2, tzinfo=UTC)
    assert artifact.install_url is None
    assert artifact.is_public is True
    assert artifact.facts is not None
    assert (artifact.facts.identifier, artifact.facts.build_number) == ("com.acme", "7")
    assert artifact.facts.export_method == "ad-hoc"


@pytest.mark.parametrize(
    ("artifact_type", "title", "kind", "publishable"),
    [
        ("ios-ipa", "Acme.ipa", ArtifactKind.IPA, True),
        ("ios-ipa", "odd", ArtifactKind.IPA, True),
        ("android-apk", "a.APK", ArtifactKind.APK, True),
        ("android-apk", "a.aab", ArtifactKind.AAB, False),
        ("ios-xcarchive", "Acme.xcarchive.zip", ArtifactKind.XCARCHIVE, False),
        ("file", "mapping.txt", ArtifactKind.FILE, False),
        ("file", "a.apk", ArtifactKind.APK, False),
        ("file", "Test.xcresult.zip", ArtifactKind.TEST_RESULTS, False),
        ("quantum-blob", "x", ArtifactKind.FILE, False),
        (None, "x", ArtifactKind.FILE, False),
    ],
)
def test_kinds_and_what_can_be_published(
    artifact_type: str | None, title: str, kind: ArtifactKind, publishable: bool, provider: BitriseProvider
) -> None:
    artifact = artifact_of(artifact_type=artifact_type, title=title)
    assert artifact.kind is kind
    reason = provider.refusal(Verb.PUBLISH, artifact)
    assert (reason is None) == publishable
    assert provider.refusal(Verb.DELETE, artifact) is None
    assert provider.refusal(Verb.DOWNLOAD, artifact) is None


WRONG: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1, 7, 3.5, float("inf"), 10**30, "", "x", "\ud800", [], [None], {}, {"slug": 1}]
)


@given(st.dictionaries(st.sampled_from([*BUILD_JSON, *ARTIFACT_JSON, "owner", "artifact_meta"]), WRONG))
def test_any_attribute_may_be_wrong(data: dict[str, object]) -> None:
    build = parse.parse_build({"slug": "b", **data}, APP)
    parse.parse_app(data, APP.account, "bitrise")
    if build is not None:
        parse.parse_artifact({"slug": "a", **data}, build)


@given(WRONG)
def test_a_thing_that_is_no_object_is_unreadable(data: object) -> None:
    assert parse.parse_build(data, APP) is None


@pytest.mark.parametrize("body", [{"message": "m"}, {"error_msg": "m"}, {"error": "m"}, {"errors": ["m", 3]}])
def test_the_four_shapes_of_an_error(body: object) -> None:
    assert parse.parse_error(body) == "m"


async def test_apps_are_paged_at_the_maximum_and_unreadable_ones_counted(
    server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.answer_with(
        reply(
            {
                "data": [{"slug": "a", "title": "A"}, {"title": "no slug"}, 3],
                "paging": {"total_item_count": 4, "next": "b"},
            }
        ),
        reply({"data": [{"slug": "b"}], "paging": {"total_item_count": 4, "next": ""}}),
    )
    first = await provider.apps()
    assert ([app.title for app in first.items], first.total, first.unreadable) == (["A"], 4, 2)
    second = await provider.apps(first.next_cursor)
    assert ([app.title for app in second.items], second.next_cursor) == (["b"], None)
    assert [r.query for r in server.requests] == [
        {"sort_by": "last_build_at", "limit": "50"},
        {"sort_by": "last_build_at", "limit": "50", "next": "b"},
    ]


@pytest.mark.parametrize("body", [[], {"data": {}}, {"data": None}, None, "x", 3])
async def test_a_list_that_is_none_is_a_bad_payload(
    body: object, server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.answer_with(reply(body))
    with pytest.raises(BadPayload):
        await provider.apps()


async def test_builds_are_filtered_by_the_server(server: ScriptedServer, provider: BitriseProvider) -> None:
    query = BuildQuery(
        branch="release/3.2",
        workflow="deploy",
        status=Status.FAILED,
        number=7,
        after=datetime(2026, 1, 1, tzinfo=UTC),
        before=datetime(2026, 1, 2, tzinfo=UTC),
    )
    await provider.builds(APP, query)
    assert server.requests[0].query == {
        "sort_by": "created_at",
        "branch": "release/3.2",
        "workflow": "deploy",
        "status": "2",
        "build_number": "7",
        "after": "1767225600",
        "before": "1767312000",
        "limit": "50",
    }


@pytest.mark.parametrize(
    ("status", "asked", "found"),
    [
        (Status.ON_HOLD, "0", [1]),
        (Status.RUNNING, "0", [2]),
        (Status.ABORTED, None, [4, 5]),
        (Status.UNKNOWN, None, [6]),
    ],
)
async def test_states_that_the_server_does_not_tell_apart_are_told_apart_here(
    status: Status, asked: str | None, found: list[int], server: ScriptedServer, provider: BitriseProvider
) -> None:
    states = [
        {"status": 0, "is_on_hold": True},
        {"status": 0},
        {"status": 1},
        {"status": 3},
        {"status": 4},
        {"status": 9},
    ]
    builds = [{**BUILD_JSON, "slug": str(n), "build_number": n, **s} for n, s in enumerate(states, 1)]
    server.answer_with(reply({"data": builds, "paging": {"total_item_count": 6}}))
    page = await provider.builds(APP, BuildQuery(status=status))
    assert [build.number for build in page.items] == found
    assert page.total is None
    assert server.requests[0].query.get("status") == asked


async def test_a_state_that_no_build_has_costs_no_call(server: ScriptedServer, provider: BitriseProvider) -> None:
    assert (await provider.builds(APP, BuildQuery(status=Status.SKIPPED))).items == ()
    assert server.requests == []


async def test_the_link_is_fetched_at_the_moment_of_use(server: ScriptedServer, provider: BitriseProvider) -> None:
    server.answer_with(reply({"data": ARTIFACT_JSON}))
    source = await provider.source(artifact_of(file_size_bytes=None))
    assert source.url.reveal() == ARTIFACT_JSON["expiring_download_url"]
    assert source.size_bytes == 1574799
    assert source.expires_at == datetime(2019, 4, 26, 13, 26, 27, tzinfo=UTC)
    assert source.headers == {}
    assert "X-Amz" not in repr(source)


@pytest.mark.parametrize("url", [None, "", 3])
async def test_an_artifact_without_a_link_has_expired(
    url: object, server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.answer_with(reply({"data": {**ARTIFACT_JSON, "expiring_download_url": url}}))
    with pytest.raises(NotFound, match="expired or is not available") as caught:
        await provider.source(artifact_of())
    assert "90 days" in (caught.value.hint or "")


async def test_publishing_sends_one_flag_and_gives_the_servers_state(
    server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.answer_with(reply({"data": ARTIFACT_JSON}))
    artifact = replace(artifact_of(), is_public=False)
    fresh = await provider.set_public(artifact, True)
    request = server.requests[0]
    assert (request.method, request.body) == ("PATCH", b'{"is_public_page_enabled": true}')
    assert request.path.endswith("/builds/b234f959745082e0/artifacts/92e0b6ecae87b832")
    assert (fresh.is_public, fresh.install_url) == (True, ARTIFACT_JSON["public_install_page_url"])
    assert fresh.created_at == artifact.created_at


async def test_publishing_re_reads_when_the_answer_does_not_tell(
    server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.answer_with(reply({"data": None}), reply({"data": {**ARTIFACT_JSON, "is_public_page_enabled": False}}))
    fresh = await provider.set_public(artifact_of(), True)
    assert fresh.is_public is False
    assert [r.method for r in server.requests] == ["PATCH", "GET"]


@pytest.mark.parametrize("read", [reply(status=400), reply({"data": {"slug": "92e0b6ecae87b832"}}), None])
async def test_publishing_that_cannot_be_read_up_is_of_unknown_outcome(
    read: bytes | None, server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.route = lambda request: reply({"data": {}}) if request.method == "PATCH" else read
    with pytest.raises(OutcomeUnknown, match="cannot be read"):
        await provider.set_public(artifact_of(), True)
    assert [r.method for r in server.requests].count("PATCH") == 1


async def test_publishing_a_type_without_a_page_sends_nothing(
    server: ScriptedServer, provider: BitriseProvider
) -> None:
    with pytest.raises(NotSupported):
        await provider.set_public(artifact_of(artifact_type="file"), True)
    assert server.requests == []


async def test_deleting_is_one_call(server: ScriptedServer, provider: BitriseProvider) -> None:
    server.answer_with(reply({"data": LISTED_JSON}))
    await provider.delete(artifact_of().ref)
    assert [(r.method, r.path.rpartition("/")[2]) for r in server.requests] == [("DELETE", "92e0b6ecae87b832")]


async def test_a_token_is_proved_without_its_user(server: ScriptedServer, provider: BitriseProvider) -> None:
    def route(request: Request) -> bytes:
        if request.path.endswith("/me"):
            return reply({"message": "Not Found"}, status=404)
        return reply({"data": []})

    server.route = route
    assert (await provider.check()).label == "workspace token"
    server.answer_with(reply({"data": []}), reply({"data": {"username": "maria"}}))
    assert (await provider.check()).label == "maria"
    assert server.requests[0].query == {"limit": "1"}


@pytest.mark.parametrize(("option", "header"), [(None, "bitpat_x"), ("bare", "bitpat_x"), ("token", "token bitpat_x")])
async def test_both_forms_of_the_header(option: str | None, header: str, server: ScriptedServer) -> None:
    options = {"auth_header": option} if option else {}
    account = Account(AccountName("acme"), "bitrise", url=server.url, options=options)
    provider = BitrisePlugin().open(account, Secret("bitpat_x"))
    await provider.apps()
    await provider.aclose()
    assert server.requests[0].headers["authorization"] == header


@pytest.mark.parametrize(
    "pasted",
    [
        "bitpat_x",
        " bitpat_x\n",
        "token bitpat_x",
        "Authorization: token bitpat_x",
        "authorization:bitpat_x",
        '"bitpat_x"',
    ],
)
def test_what_people_paste_as_a_token(pasted: str) -> None:
    assert clean_token(Secret(pasted)).reveal() == "bitpat_x"


@pytest.mark.parametrize(
    ("pasted", "position"),
    [
        ("canary\ncanary", 7),
        ("canary canary", 7),
        ("canary\u00e9", 7),
        ("token canary\u200b", 13),
        ("can\x1bary", 4),
    ],
)
def test_a_malformed_token_is_refused_by_position_and_never_echoed(pasted: str, position: int) -> None:
    with pytest.raises(CredentialError, match=rf"position {position}\b") as caught:
        clean_token(Secret(pasted))
    assert "can" not in str(caught.value)


@pytest.mark.parametrize("pasted", ["", "  ", "token ", "Authorization: token "])
def test_an_empty_token_is_refused(pasted: str) -> None:
    with pytest.raises(CredentialError, match="empty"):
        clean_token(Secret(pasted))


def test_the_environment_describes_an_account() -> None:
    plugin = BitrisePlugin()
    assert plugin.environment({}) is None
    assert plugin.environment({"BITRISE_TOKEN": ""}) is None
    described = plugin.environment({"BITRISE_TOKEN": "t", "DIGSITE_BITRISE_URL": "http://127.0.0.1:1/v0.1"})
    assert described is not None
    account, secret = described
    assert (account.name, account.provider, account.url) == ("bitrise", "bitrise", "http://127.0.0.1:1/v0.1")
    assert account.from_environment
    assert secret.reveal() == "t"


def test_a_wrong_option_is_refused() -> None:
    with pytest.raises(ConfigError, match="auth_header"):
        BitrisePlugin().open(Account(AccountName("a"), "bitrise", options={"auth_header": "bearer"}), Secret("t"))


async def test_pages_that_go_in_a_circle_end(server: ScriptedServer, provider: BitriseProvider) -> None:
    server.route = lambda _: reply({"data": [{"slug": "a"}], "paging": {"next": "a"}})
    page = await provider.apps()
    page = await provider.apps(page.next_cursor)
    assert page.next_cursor is None
    assert "incomplete" in (page.note or "")


@pytest.mark.parametrize("paging", [{"next": 12345}, {"next": ["b"]}, {"next": False}, {"next": "\ud800"}, [{}], "b"])
async def test_a_next_page_that_cannot_be_read_is_not_the_end(
    paging: object, server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.answer_with(reply({"data": [{"slug": "a"}], "paging": paging}))
    page = await provider.apps()
    assert (len(page.items), page.next_cursor) == (1, None)
    assert page.note is not None
    assert "may be incomplete" in page.note


@pytest.mark.parametrize("paging", [None, {}, {"next": None}, {"next": ""}])
async def test_without_a_next_page_the_list_is_whole(
    paging: object, server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.answer_with(reply({"data": [{"slug": "a"}], "paging": paging}))
    page = await provider.apps()
    assert (page.next_cursor, page.note) == (None, None)


async def test_a_lone_surrogate_in_a_filter_does_no_harm(server: ScriptedServer, provider: BitriseProvider) -> None:
    try:
        await provider.builds(APP, BuildQuery(branch="a\ud800"))
    except ProviderError:
        pytest.fail("an odd branch name is only a name that nothing matches")
    assert server.requests[0].query["branch"] == "a?"


@pytest.mark.parametrize("body", ODD)
async def test_an_odd_answer_is_read_or_refused_but_never_a_crash(
    body: object, server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.route = lambda _: reply(body)
    build, artifact = build_of(), artifact_of()
    for call in (
        provider.check(),
        provider.apps(),
        provider.app(APP),
        provider.builds(APP),
        provider.build(BUILD_REF),
        provider.artifacts(build),
        provider.artifact(artifact),
        provider.source(artifact),
        provider.set_public(artifact, True),
        provider.delete(artifact.ref),
    ):
        with suppress(ProviderError):
            await call
