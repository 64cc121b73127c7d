"""Both APIs check authorisation as the vendors do."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tui.demo import DemoServers

Sign = Callable[..., str]


@pytest.mark.parametrize("form", ["{}", "token {}"])
def test_bitrise_takes_the_token_in_both_forms(demo: DemoServers, bare: httpx.Client, form: str) -> None:
    header = form.format(demo.environment()["BITRISE_TOKEN"])
    assert bare.get(f"{demo.bitrise_url}/apps", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize("form", ["Bearer {}", "{}x", "token  {}", "", "x"])
def test_bitrise_refuses_everything_else(demo: DemoServers, bare: httpx.Client, form: str) -> None:
    header = form.format(demo.environment()["BITRISE_TOKEN"])
    response = bare.get(f"{demo.bitrise_url}/apps", headers={"Authorization": header})
    assert (response.status_code, response.json()) == (401, {"message": "Unauthorized"})
    assert bare.get(f"{demo.bitrise_url}/apps").status_code == 401


def _status(demo: DemoServers, bare: httpx.Client, token: str) -> int:
    response = bare.get(f"{demo.xcode_cloud_url}/v1/ciProducts", headers={"Authorization": f"Bearer {token}"})
    if response.status_code == 401:
        assert [error["code"] for error in response.json()["errors"]] == ["NOT_AUTHORIZED"]
    assert response.headers["x-rate-limit"].startswith("user-hour-lim:3600;user-hour-rem:3")
    assert response.headers["x-rate-limit"].endswith(";")
    return response.status_code


def test_team_and_individual_tokens_are_taken(demo: DemoServers, bare: httpx.Client, sign: Sign) -> None:
    assert _status(demo, bare, sign()) == 200
    assert _status(demo, bare, sign(iss=None, sub="user")) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"iss": None},
        {"sub": "user"},
        {"aud": "appstoreconnect-v2"},
        {"aud": None},
        {"kid": "OTHER"},
        {"exp": None},
        {"iat": None},
        {"iat": "now"},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(
    demo: DemoServers, bare: httpx.Client, sign: Sign, changes: dict[str, object]
) -> None:
    assert _status(demo, bare, sign(**changes)) == 401


def test_the_times_of_a_token_count(demo: DemoServers, bare: httpx.Client, sign: Sign) -> None:
    now = int(time.time())
    assert _status(demo, bare, sign(iat=now - 700, exp=now - 100)) == 401
    assert _status(demo, bare, sign(iat=now + 100, exp=now + 700)) == 401
    assert _status(demo, bare, sign(iat=now - 60, exp=now + 1141)) == 401
    assert _status(demo, bare, sign(iat=now - 60, exp=now + 1140)) == 200


def test_a_token_of_another_key_or_altered_is_refused(demo: DemoServers, bare: httpx.Client, sign: Sign) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert _status(demo, bare, sign(key=other.decode())) == 401
    header, claims, signature = sign().split(".")
    for token in (f"{header}.{claims}.", f"{header}.{claims}", f"{header}..{signature}", "a.b.c", "é.é.é"):
        headers = {b"Authorization": f"Bearer {token}".encode()}
        response = bare.get(f"{demo.xcode_cloud_url}/v1/ciProducts", headers=headers)
        assert response.status_code == 401


def test_the_servers_clock_can_be_ahead(demo: DemoServers, bare: httpx.Client, sign: Sign) -> None:
    demo.faults.clock_offset_s = 700
    assert _status(demo, bare, sign()) == 401
    now = int(time.time()) + 700
    assert _status(demo, bare, sign(iat=now - 60, exp=now + 600)) == 200
