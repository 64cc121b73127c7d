from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tui.demo import DemoServers
from tui.errors import BadPayload, NotAllowed, OutcomeUnknown, Unreachable
from tui.http import RetryPolicy
from tui.models import Account, AccountName, Artifact, Verb
from tui.providers import Provider
from tui.providers.bitrise.plugin import BitrisePlugin
from tui.providers.bitrise.provider import BitriseProvider
from tui.secret import Secret
from tui.testing import ProviderContract
from tui.testing.search import find_artifact


async def at_once(_seconds: float) -> None:
    """Stands for the waits between tries."""


def open_demo(servers: DemoServers, *, read_only: bool = False, auth_header: str = "bare") -> BitriseProvider:
    described = BitrisePlugin().environment(servers.environment())
    assert described is not None
    account, secret = described
    account = replace(account, read_only=read_only, options={"auth_header": auth_header})
    return BitrisePlugin().open(account, secret)


class TestBitrise(ProviderContract):
    @pytest.fixture
    async def provider(self, demo_servers: DemoServers) -> AsyncIterator[Provider]:
        opened = open_demo(demo_servers)
        yield opened
        await opened.aclose()

    @pytest.fixture
    async def wrong_provider(self, demo_servers: DemoServers) -> AsyncIterator[Provider]:
        account = Account(AccountName("wrong"), "bitrise", url=demo_servers.bitrise_url)
        opened = BitrisePlugin().open(account, Secret("bitpat_wrong"))
        yield opened
        await opened.aclose()

    @pytest.fixture
    async def offline_provider(self) -> AsyncIterator[Provider]:
        account = Account(AccountName("offline"), "bitrise")
        opened = BitriseProvider(
            account,
            Secret("bitpat_x"),
            url="http://127.0.0.1:1",
            worded=False,
            policy=RetryPolicy(sleep=at_once),
        )
        yield opened
        await opened.aclose()


@pytest.fixture
async def provider(demo_servers: DemoServers) -> AsyncIterator[BitriseProvider]:
    opened = open_demo(demo_servers)
    yield opened
    await opened.aclose()


def count(servers: DemoServers, method: str) -> int:
    return sum(request.method == method for request in servers.requests)


async def deletable(provider: Provider) -> Artifact:
    return await find_artifact(provider, lambda item: provider.refusal(Verb.DELETE, item) is None)


async def test_a_read_only_account_changes_nothing(demo_servers: DemoServers) -> None:
    provider = open_demo(demo_servers, read_only=True)
    artifact = await find_artifact(provider, lambda item: item.kind_raw == "android-apk")
    assert "read-only" in (provider.refusal(Verb.DELETE, artifact) or "")
    with pytest.raises(NotAllowed):
        await provider.delete(artifact.ref)
    await provider.aclose()
    assert count(demo_servers, "DELETE") == count(demo_servers, "PATCH") == 0


async def test_a_deletion_whose_answer_is_lost_is_sent_once_and_found_done(
    demo_servers: DemoServers, provider: BitriseProvider
) -> None:
    artifact = await deletable(provider)
    demo_servers.faults.fail("bitrise", "DELETE", r"/artifacts/", 0)
    with pytest.raises(OutcomeUnknown):
        await provider.delete(artifact.ref)
    assert count(demo_servers, "DELETE") == 1


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_error_on_a_change_is_not_repeated(
    status: int, demo_servers: DemoServers, provider: BitriseProvider
) -> None:
    artifact = await deletable(provider)
    demo_servers.faults.fail("bitrise", "DELETE", r"/artifacts/", status)
    with pytest.raises(OutcomeUnknown):
        await provider.delete(artifact.ref)
    assert count(demo_servers, "DELETE") == 1
    assert (await provider.artifact(artifact)).ref == artifact.ref


async def test_a_cut_or_foreign_answer_is_never_a_shorter_list(
    demo_servers: DemoServers, provider: BitriseProvider
) -> None:
    demo_servers.faults.html = True
    with pytest.raises(BadPayload, match="web page"):
        await provider.apps()
    demo_servers.faults.html = False
    for length in range(1, 1500, 64):
        demo_servers.faults.cut_json_at = length
        with pytest.raises((BadPayload, Unreachable)):
            await provider.apps()


async def test_the_older_form_of_the_header_is_accepted_too(demo_servers: DemoServers) -> None:
    provider = open_demo(demo_servers, auth_header="token")
    assert (await provider.check()).label
    await provider.aclose()
    assert demo_servers.requests[0].headers["authorization"].startswith("token bitpat_")


async def test_the_wrong_token_is_tried_once(demo_servers: DemoServers) -> None:
    account = Account(AccountName("wrong"), "bitrise", url=demo_servers.bitrise_url)
    provider = BitrisePlugin().open(account, Secret("bitpat_wrong"))
    with pytest.raises(Exception, match="wrong"):
        await provider.apps()
    await provider.aclose()
    assert len(demo_servers.requests) == 1
