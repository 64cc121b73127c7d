"""The network below the API client: names, certificates, proxies."""

from __future__ import annotations

import pytest

from tests.providers.conftest import (
    MakeClient,
    ScriptedServer,
    change,
    read,
    reply,
)
from tui.errors import (
    ConfigError,
    Unreachable,
)


async def test_nobody_listening_names_host_and_account(server: ScriptedServer, make_client: MakeClient) -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1.*acme"):
        await read(make_client(server.refuse_connections()))


async def test_a_name_that_does_not_exist_is_named(make_client: MakeClient) -> None:
    with pytest.raises(Unreachable, match=r"no-such-host\.invalid.*resolved"):
        await read(make_client("https://no-such-host.invalid"))


async def test_an_unknown_certificate_is_refused_and_its_variable_named(
    tls_server: ScriptedServer, make_client: MakeClient
) -> None:
    with pytest.raises(Unreachable, match="not trusted") as caught:
        await read(make_client(tls_server.url))
    assert "SSL_CERT_FILE" in (caught.value.hint or "")
    assert tls_server.requests == []


async def test_a_certificate_named_by_the_environment_is_trusted(
    tls_server: ScriptedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.certificate))
    assert await read(make_client(tls_server.url)) == {"data": []}


async def test_a_missing_ca_file_names_its_variable(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(Unreachable, match="SSL_CERT_FILE"):
        await read(make_client())


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"])
@pytest.mark.parametrize("value", ["socks5://me:pa55@h:1", "ftp://me:pa55@h:1", "http://me:pa55@h:99999999", "[::1"])
async def test_a_broken_proxy_variable_is_named_without_its_password(
    name: str, value: str, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Unreachable) as caught:
        await read(make_client("https://no-such-host.invalid"))
    assert "pa55" not in str(caught.value)
    if name != "NO_PROXY":
        assert name in caught.value.message or "resolved" in caught.value.message


async def test_a_loopback_server_is_reached_past_any_proxy(
    server: ScriptedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert await read(make_client()) == {"data": []}


async def test_a_refusing_proxy_is_named(
    server: ScriptedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.answer_with(reply({}, status=407))
    client = make_client("https://api.example")
    with pytest.raises(Unreachable, match="HTTPS_PROXY"):
        await change(client, "delete")
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "http://api.bitrise.io",
        "ftp://127.0.0.1",
        "https://me:pw@api.bitrise.io",
        "https://x/?a=b",
        "nonsense",
        "https://[::1",
    ],
)
def test_an_address_that_could_leak_the_credential_is_refused(url: str, make_client: MakeClient) -> None:
    with pytest.raises(ConfigError) as caught:
        make_client(url)
    assert "pw@" not in str(caught.value)
