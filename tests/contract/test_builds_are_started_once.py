"""A start and an abort are sent once, whatever becomes of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.contract import test_contract_bitrise, test_contract_xcode_cloud
from tui.demo import DemoServers
from tui.errors import NotAllowed, NotFound, NotSupported, OutcomeUnknown, ProviderError
from tui.models import AppRef, Status
from tui.models.inspection import BuildVerb, GitRefKind, StartRequest
from tui.providers import Provider
from tui.providers.xcode_cloud.plugin import XcodeCloudPlugin
from tui.testing.search import busy_app, startable

Open = Callable[..., Provider]
BOTH = pytest.mark.parametrize(
    ("server", "path", "open_demo"),
    [
        ("bitrise", r"/builds$", test_contract_bitrise.open_demo),
        ("xcode-cloud", r"/ciBuildRuns$", test_contract_xcode_cloud.open_demo),
    ],
)


async def request_of(provider: Provider, **changes: Any) -> StartRequest:
    app, _ = await busy_app(provider)
    return StartRequest(app.ref, (await startable(provider, app)).name, **{"branch": "main", **changes})


def posts(servers: DemoServers) -> list[bytes]:
    return [request.body for request in servers.requests if request.method == "POST"]


async def newest(provider: Provider, app: AppRef) -> int:
    number = (await provider.builds(app)).items[0].number
    assert number is not None
    return number


@BOTH
@pytest.mark.parametrize("status", [0, 500, 503])
async def test_a_start_whose_answer_is_lost_is_sent_once(
    status: int, server: str, path: str, open_demo: Open, demo_servers: DemoServers
) -> None:
    provider = open_demo(demo_servers)
    request = await request_of(provider)
    before = await newest(provider, request.app)
    demo_servers.faults.fail(server, "POST", path, status)
    with pytest.raises(OutcomeUnknown):
        await provider.start(request)
    assert len(posts(demo_servers)) == 1
    assert await newest(provider, request.app) - before == (1 if status == 0 else 0)
    await provider.aclose()


@BOTH
async def test_a_start_whose_build_cannot_be_read_is_still_a_start(
    server: str, path: str, open_demo: Open, demo_servers: DemoServers
) -> None:
    provider = open_demo(demo_servers)
    request = await request_of(provider)
    demo_servers.faults.fail(server, "GET", r"/(builds|ciBuildRuns)/[^/]+$", 404)
    started = await provider.start(request)
    assert started.status is Status.QUEUED
    assert (await provider.build(started.ref)).number == started.number
    assert len(posts(demo_servers)) == 1
    await provider.aclose()


async def test_a_lost_abort_is_sent_once(demo_servers: DemoServers) -> None:
    provider = test_contract_bitrise.open_demo(demo_servers)
    started = await provider.start(await request_of(provider))
    demo_servers.faults.fail("bitrise", "POST", r"/abort$", 0)
    with pytest.raises(OutcomeUnknown):
        await provider.abort(started.ref, "not needed")
    assert len(posts(demo_servers)) == 2
    assert (await provider.build(started.ref)).status is Status.ABORTED
    with pytest.raises(ProviderError, match="already finished"):
        await provider.abort(started.ref, "again")
    await provider.aclose()


async def test_a_read_only_account_starts_and_aborts_nothing(demo_servers: DemoServers) -> None:
    described = XcodeCloudPlugin().environment(demo_servers.environment())
    assert described is not None
    account, secret = described
    bitrise = test_contract_bitrise.open_demo(demo_servers, read_only=True)
    for provider in (bitrise, XcodeCloudPlugin().open(replace(account, read_only=True), secret)):
        app, builds = await busy_app(provider)
        for verb in (BuildVerb.START, BuildVerb.REBUILD):
            assert "read-only" in (provider.build_refusal(verb, builds[0]) or "")
        sent = len(demo_servers.requests)
        with pytest.raises(NotAllowed):
            await provider.start(StartRequest(app.ref, "primary", rebuild=builds[0].ref))
        with pytest.raises((NotAllowed, NotSupported)):
            await provider.abort(builds[0].ref, "no")
        assert len(demo_servers.requests) == sent
        await provider.aclose()


async def test_bitrise_gets_what_the_user_gave(demo_servers: DemoServers) -> None:
    provider = test_contract_bitrise.open_demo(demo_servers)
    request = await request_of(provider, commit="c0ffee", environment={"PRICE": "$5"})
    started = await provider.start(request)
    assert started.commit_sha == "c0ffee"
    assert json.loads(posts(demo_servers)[0])["build_params"] == {
        "workflow_id": request.workflow,
        "branch": "main",
        "commit_hash": "c0ffee",
        "environments": [{"key": "PRICE", "value": "$5", "is_expand": False}],
    }
    with pytest.raises(NotSupported, match="clean"):
        await provider.start(replace(request, clean=True))
    await provider.aclose()


async def test_a_rebuild_on_bitrise_is_of_the_same_commit(demo_servers: DemoServers) -> None:
    provider = test_contract_bitrise.open_demo(demo_servers)
    app, builds = await busy_app(provider)
    original = next(build for build in builds if build.status is Status.FAILED)
    started = await provider.start(StartRequest(app.ref, "", rebuild=original.ref))
    assert (started.commit_sha, started.branch) == (original.commit_sha, original.branch)
    await provider.aclose()


@pytest.mark.parametrize("kind", list(GitRefKind))
async def test_xcode_cloud_builds_every_kind_of_reference(kind: GitRefKind, demo_servers: DemoServers) -> None:
    provider = test_contract_xcode_cloud.open_demo(demo_servers)
    app, _ = await busy_app(provider)
    workflow = await startable(provider, app)
    ref = [ref async for ref in provider.git_refs(app.ref, workflow) if ref.kind is kind][-1]
    asked: dict[str, Any] = {kind.value: ref.name}
    if kind is GitRefKind.PULL_REQUEST:
        asked = {"pull_request": int(ref.name.split()[0].removeprefix("#"))}
    started = await provider.start(StartRequest(app.ref, workflow.id, clean=True, **asked))
    data = json.loads(posts(demo_servers)[0])["data"]
    name = "pullRequest" if kind is GitRefKind.PULL_REQUEST else "sourceBranchOrTag"
    assert data["relationships"][name]["data"]["id"] == ref.id
    assert data["attributes"] == {"clean": True}
    assert kind is GitRefKind.PULL_REQUEST or ref.name in {started.branch, started.tag}
    await provider.aclose()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"branch": "no-such"}, NotFound),
        ({"branch": "feature/offline-cart"}, NotFound),  # deleted
        ({"branch": None, "tag": "main"}, NotFound),
        ({"branch": None, "pull_request": 1}, NotFound),
        ({"workflow": "no such"}, NotFound),
        ({"commit": "c0ffee"}, NotSupported),
        ({"environment": {"A": "B"}}, NotSupported),
        ({"tag": "v4.1.0"}, ProviderError),
        ({"workflow": "Old UI Tests"}, ProviderError),  # disabled
    ],
)
async def test_what_xcode_cloud_cannot_build_is_said(
    changes: dict[str, Any], error: type[ProviderError], demo_servers: DemoServers
) -> None:
    provider = test_contract_xcode_cloud.open_demo(demo_servers)
    request = replace(await request_of(provider), **changes)
    with pytest.raises(error):
        await provider.start(request)
    assert len(posts(demo_servers)) == (1 if request.workflow == "Old UI Tests" else 0)
    await provider.aclose()
