from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.contract.test_contract_bitrise import at_once
from tui.demo import DemoServers
from tui.errors import AuthError
from tui.http import RetryPolicy
from tui.models import Account, AccountName, Identity
from tui.providers import Provider
from tui.providers.xcode_cloud.plugin import XcodeCloudPlugin
from tui.providers.xcode_cloud.provider import XcodeCloudProvider
from tui.providers.xcode_cloud.token import JwtAuthorization
from tui.secret import Secret
from tui.testing import ProviderContract


def new_pem() -> Secret:
    return Secret(
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def open_demo(servers: DemoServers, *, individual: bool = False) -> XcodeCloudProvider:
    environ = servers.environment()
    if individual:
        del environ["ASC_ISSUER_ID"]
    described = XcodeCloudPlugin().environment(environ)
    assert described is not None
    return XcodeCloudPlugin().open(*described)


class TestXcodeCloud(ProviderContract):
    @pytest.fixture
    async def provider(self, demo_servers: DemoServers) -> AsyncIterator[Provider]:
        opened = open_demo(demo_servers)
        yield opened
        await opened.aclose()

    @pytest.fixture
    async def wrong_provider(self, demo_servers: DemoServers) -> AsyncIterator[Provider]:
        options = {"key_id": "WRONG", "issuer_id": "WRONG"}
        account = Account(AccountName("wrong"), "xcode-cloud", url=demo_servers.xcode_cloud_url, options=options)
        opened = XcodeCloudPlugin().open(account, new_pem())
        yield opened
        await opened.aclose()

    @pytest.fixture
    async def offline_provider(self) -> AsyncIterator[Provider]:
        opened = XcodeCloudProvider(
            Account(AccountName("offline"), "xcode-cloud"),
            JwtAuthorization("K", None, new_pem()),
            url="http://127.0.0.1:1",
            identity=Identity("key K"),
            policy=RetryPolicy(sleep=at_once),
        )
        yield opened
        await opened.aclose()

    async def test_a_run_tells_the_xcode_of_its_workflow(self, provider: Provider) -> None:
        page = await provider.apps()
        runs = [build for app in page.items for build in (await provider.builds(app.ref)).items]
        assert (await provider.stack(runs[0]) or "").startswith("Xcode ")


async def test_an_individual_key_is_accepted_too(demo_servers: DemoServers) -> None:
    provider = open_demo(demo_servers, individual=True)
    assert "individual" in (await provider.check()).label
    await provider.aclose()


async def test_calls_bring_the_budget(demo_servers: DemoServers) -> None:
    provider = open_demo(demo_servers)
    await provider.apps()
    first = provider.budget
    await provider.apps()
    second = provider.budget
    demo_servers.faults.calls_left = 7
    await provider.apps()
    told = provider.budget
    await provider.aclose()
    assert first is not None
    assert second is not None
    assert second.remaining == first.remaining - 1
    assert told is not None
    assert told.remaining == 7


@pytest.mark.parametrize("offset_s", [-600.0, 600.0, 100.0])
async def test_a_clock_that_is_off_is_corrected_by_the_servers(offset_s: float, demo_servers: DemoServers) -> None:
    demo_servers.faults.clock_offset_s = offset_s
    provider = open_demo(demo_servers)
    assert (await provider.apps()).items
    await provider.aclose()
    assert len(demo_servers.requests) <= 2


async def test_a_401_costs_two_calls_with_two_tokens(demo_servers: DemoServers) -> None:
    demo_servers.faults.fail("xcode-cloud", "GET", "/v1/ciProducts", 401, times=5)
    provider = open_demo(demo_servers)
    with pytest.raises(AuthError):
        await provider.apps()
    await provider.aclose()
    tokens = [request.headers["authorization"] for request in demo_servers.requests]
    assert len(tokens) == len(set(tokens)) == 2
