"""Logs, starts and aborts of Bitrise against scripted answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.providers.conftest import ODD, ScriptedServer, reply
from tui.errors import NotFound, OutcomeUnknown, ProviderError
from tui.models import Account, AccountName, AppId, AppRef, Build, BuildId, BuildRef, Cursor, Status
from tui.models.inspection import BuildVerb, GitRef, GitRefKind, LogChunk, StartRequest, Workflow
from tui.providers.bitrise.plugin import BitrisePlugin
from tui.providers.bitrise.provider import BitriseProvider
from tui.secret import Secret

APP = AppRef(AccountName("acme"), AppId("a"))
BUILD = Build(BuildRef(APP.account, APP.app, BuildId("b")), 12, Status.RUNNING, "0")
RAW_URL = "https://logs.example/raw?X-Amz-Date=20190426T131627Z&X-Amz-Expires=600&X-Amz-Signature=canary"


@pytest.fixture
async def provider(server: ScriptedServer) -> AsyncIterator[BitriseProvider]:
    account = Account(AccountName("acme"), "bitrise", url=server.url + "/v0.1")
    opened = BitrisePlugin().open(account, Secret("bitpat_secret"))
    yield opened
    await opened.aclose()


def manifest(**changes: Any) -> bytes:
    chunks = [{"chunk": "late", "position": 7}, {"chunk": "first", "position": 3}]
    plain = {"expiring_raw_log_url": None, "is_archived": False, "log_chunks": chunks, "next_after_timestamp": "t2"}
    return reply({**plain, **changes})


async def test_a_running_log_comes_in_pieces_after_a_cursor(server: ScriptedServer, provider: BitriseProvider) -> None:
    server.answer_with(manifest(), manifest(log_chunks=[]))
    part = await provider.log(BUILD)
    assert part.chunks == (LogChunk(7, "late"), LogChunk(3, "first"))
    assert (part.source, part.is_complete) == (None, False)
    assert part.next_cursor is not None
    assert (await provider.log(BUILD, part.next_cursor)).chunks == ()
    assert [request.query for request in server.requests] == [{}, {"after_timestamp": "t2"}]
    assert server.requests[0].path == "/v0.1/apps/a/builds/b/log"


async def test_an_archived_log_is_a_link_that_says_when_it_ends(
    server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.answer_with(manifest(is_archived=True, expiring_raw_log_url=RAW_URL))
    part = await provider.log(BUILD)
    assert part.source is not None
    assert part.source.url.reveal() == RAW_URL
    assert part.source.expires_at == datetime(2019, 4, 26, 13, 26, 27, tzinfo=UTC)
    assert (part.chunks, part.next_cursor, part.is_complete) == ((), None, True)
    assert "canary" not in repr(part)


async def test_an_archived_log_without_a_link_is_its_pieces(server: ScriptedServer, provider: BitriseProvider) -> None:
    server.answer_with(manifest(is_archived=True, next_after_timestamp=""))
    part = await provider.log(BUILD)
    assert (len(part.chunks), part.is_complete) == (2, True)


async def test_a_log_that_is_not_there_yet_is_not_found(server: ScriptedServer, provider: BitriseProvider) -> None:
    server.answer_with(reply({"message": "Not Found"}, status=404))
    with pytest.raises(NotFound, match="no such log"):
        await provider.log(BUILD)
    assert len(server.requests) == 1


async def test_pieces_without_a_text_or_a_place_are_left_out(server: ScriptedServer, provider: BitriseProvider) -> None:
    odd = [None, 3, {"chunk": "x"}, {"position": 1}, {"chunk": 5, "position": 1}, {"chunk": "x", "position": 2}]
    server.answer_with(manifest(log_chunks=odd))
    assert (await provider.log(BUILD)).chunks == (LogChunk(2, "x"),)


async def test_names_of_workflows_and_branches(server: ScriptedServer, provider: BitriseProvider) -> None:
    server.route = lambda request: reply({"data": ["primary", "", None, 3, "[/"]})
    assert await provider.workflows(APP) == (Workflow("primary", "primary"), Workflow("[/", "[/"))
    refs = [ref async for ref in provider.git_refs(APP, Workflow("primary", "primary"))]
    assert refs == [GitRef(name, name, GitRefKind.BRANCH) for name in ("primary", "[/")]
    assert [request.path.rpartition("/")[2] for request in server.requests] == ["build-workflows", "branches"]


async def test_the_first_result_names_the_build(server: ScriptedServer, provider: BitriseProvider) -> None:
    results = [{"build_slug": "new", "build_number": 13, "triggered_workflow": "deploy", "status": "ok"}]
    answer = {"build_slug": "deprecated", "results": results}
    build = {"slug": "new", "status": 0, "build_number": 13}
    server.answer_with(reply(answer, status=201), reply({"data": build}))
    started = await provider.start(StartRequest(APP, "deploy", branch="main"))
    assert (started.ref.build, started.number, started.status) == ("new", 13, Status.QUEUED)
    assert server.requests[1].path == "/v0.1/apps/a/builds/new"


async def test_an_answer_without_results_is_read_as_before(server: ScriptedServer, provider: BitriseProvider) -> None:
    server.answer_with(reply({"build_slug": "old"}, status=201), reply({}, status=404))
    started = await provider.start(StartRequest(APP, "deploy", tag="v1"))
    assert (started.ref.build, started.tag, started.workflow) == ("old", "v1", "deploy")


async def test_a_start_that_names_no_build_has_an_unknown_outcome(
    server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.answer_with(reply({"status": "ok", "results": []}, status=201))
    with pytest.raises(OutcomeUnknown):
        await provider.start(StartRequest(APP, "deploy"))
    assert len(server.requests) == 1


def test_a_refusal_says_what_the_api_lacks(provider: BitriseProvider) -> None:
    assert "no list of issues" in (provider.build_refusal(BuildVerb.ISSUES) or "")
    assert "no list of test results" in (provider.build_refusal(BuildVerb.TESTS, BUILD) or "")
    assert provider.build_refusal(BuildVerb.ABORT, BUILD) is None
    assert provider.build_refusal(BuildVerb.LOG, BUILD) is None


@pytest.mark.parametrize("body", ODD)
async def test_an_odd_answer_is_read_or_refused_but_never_a_crash(
    body: object, server: ScriptedServer, provider: BitriseProvider
) -> None:
    server.route = lambda _: reply(body)
    for call in (
        provider.log(BUILD, Cursor("x")),
        provider.workflows(APP),
        anext(aiter(provider.git_refs(APP, Workflow("w", "w"))), None),
        provider.start(StartRequest(APP, "w")),
        provider.start(StartRequest(APP, "w", rebuild=BUILD.ref)),
        provider.abort(BUILD.ref, "no"),
    ):
        with suppress(ProviderError):
            await call
