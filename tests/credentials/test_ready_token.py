"""A token (JWT) as the secret of an Xcode Cloud account, and tokens that a `token_command` prints."""

from __future__ import annotations

import base64
import json
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.credentials import files
from tui.demo import DemoServers
from tui.demo.tokens import KEY_ID
from tui.errors import CredentialError
from tui.models import Account, AccountName, Identity
from tui.providers import plugin
from tui.providers.xcode_cloud.ready_token import ReadyToken, read_claims
from tui.providers.xcode_cloud.token import JwtAuthorization
from tui.secret import Secret
from tui.services.doctor import Level, credential_findings
from tui.services.session import Session

SOON = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
XCODE = plugin("xcode-cloud")


def jwt(header: object = None, claims: object = None, signature: str = "c2ln") -> str:
    parts = (header or {"alg": "ES256", "kid": "K"}, claims or {"exp": SOON})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts), signature]
    )


@pytest.mark.parametrize("form", ["{}", " {}\n", "Bearer {}", "'{}'", "\ufeff{}"])
def test_a_ready_token_is_taken_in_the_forms_it_is_pasted_in(form: str) -> None:
    token = jwt()
    assert XCODE.check_secret(Secret(form.format(token)), {}) == Secret(token)
    assert XCODE.expires_at(Secret(form.format(token))) == datetime.fromtimestamp(SOON, UTC)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("eyJhbGciOiJFUzI1NiJ9.e30", "cut"),
        ("eyJhbGciOiJFUzI1NiJ9..c2ln", "cut"),
        ("eyJ!.e30.c2ln", "damaged"),
        (jwt(claims=["x"]), "damaged"),
        (jwt(header={"alg": "none"}), "ES256"),
        (jwt(header={"alg": "HS256"}), "ES256"),
        (jwt(claims={"sub": "user"}), "when it ends"),
        (jwt(claims={"exp": "tomorrow"}), "when it ends"),
        (jwt(claims={"exp": 10**40}), "when it ends"),
    ],
)
def test_what_cannot_be_a_token_is_refused_with_its_own_words(token: str, says: str) -> None:
    with pytest.raises(CredentialError, match=says) as caught:
        XCODE.check_secret(Secret(token), {})
    assert token not in str(caught.value)


@given(st.text(alphabet="eyJ.abcAB019-_={}\"'\n \\", max_size=80))
def test_any_text_after_the_mark_of_a_token_is_a_clear_error_or_a_token(text: str) -> None:
    with suppress(CredentialError):
        assert XCODE.check_secret(Secret("eyJ" + text), {}).reveal().count(".") == 2


async def test_an_ended_token_is_not_sent() -> None:
    token = Secret(jwt(claims={"exp": int(datetime.now(UTC).timestamp()) + 5}))
    ready = ReadyToken(token, read_claims(token))
    assert (await ready.header(0.0)).reveal() == f"Bearer {token.reveal()}"
    with pytest.raises(CredentialError, match="ended on"):
        await ready.header(60.0)


def mint(servers: DemoServers) -> JwtAuthorization:
    environ = servers.environment()
    return JwtAuthorization(KEY_ID, environ["ASC_ISSUER_ID"], Secret(environ["ASC_PRIVATE_KEY"]))


async def test_a_long_lived_token_opens_what_its_scope_names_and_nothing_else() -> None:
    with DemoServers() as servers:
        scope = ["GET /v1/ciProducts", "GET /v1/ciProducts?include=app"]
        token = await mint(servers).mint_long_lived(scope, timedelta(days=180), 0.0)
        account = Account(AccountName("box"), "xcode-cloud", url=servers.xcode_cloud_url)
        session = Session(account, token, "typed in")
        provider = await session.provider()
        identity = await provider.check()
        assert identity.scope == tuple(scope)
        assert identity.expires_at is not None
        assert timedelta(days=179) < identity.expires_at - datetime.now(UTC) <= timedelta(days=180)
        (first, *_) = (await provider.apps()).items
        with pytest.raises(Exception, match="does not accept"):
            await provider.builds(first.ref)
        await session.aclose()


@pytest.mark.parametrize(
    ("scope", "days", "says"),
    [
        (["GET /v1/x"], 181, "180 days"),
        (["GET /v1/x"], 0, "180 days"),
        ([], 10, "GET requests only"),
        (["GET /v1/x", "POST /v1/x"], 10, "GET requests only"),
        ([f"GET /v1/ciArtifacts/{n:040}" for n in range(200)], 10, "longer than"),
    ],
)
async def test_what_apple_would_refuse_is_not_minted(scope: list[str], days: int, says: str) -> None:
    with DemoServers() as servers, pytest.raises(CredentialError, match=says):
        await mint(servers).mint_long_lived(scope, timedelta(days=days), 0.0)


@pytest.mark.parametrize(
    ("left", "level", "says"),
    [
        (timedelta(days=15), Level.OK, "in 15 days"),
        (timedelta(days=14), Level.OK, "in 14 days"),
        (timedelta(days=13, hours=23), Level.WARN, "in 14 days"),
        (timedelta(hours=1), Level.WARN, "in 1 day."),
        (timedelta(0), Level.FAIL, "ended"),
    ],
)
def test_an_end_is_warned_of_from_fourteen_days_before(left: timedelta, level: Level, says: str) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    (finding,) = credential_findings(Identity("x", now + left), now)
    assert finding.level is level
    assert says in finding.text


async def test_a_token_command_is_run_again_when_its_token_ends(tmp_path: Path) -> None:
    with DemoServers() as servers:
        key = tmp_path / "key.p8"
        key.write_text(servers.environment()["ASC_PRIVATE_KEY"])
        count = tmp_path / "count"
        program = tmp_path / "mint.py"
        program.write_text(
            "import sys, time, jwt\n"
            f"open({str(count)!r}, 'a').write('x')\n"
            f"claims = {{'iss': {servers.environment()['ASC_ISSUER_ID']!r}, 'aud': 'appstoreconnect-v1'}}\n"
            "claims |= {'iat': int(time.time()) - 5, 'exp': int(time.time()) + 30}\n"
            f"print(jwt.encode(claims, open({str(key)!r}).read(), 'ES256', headers={{'kid': {KEY_ID!r}}}))\n"
        )
        account = Account(
            AccountName("box"),
            "xcode-cloud",
            url=servers.xcode_cloud_url,
            token_command=(sys.executable, str(program)),
        )
        session = Session(account)
        assert (await (await session.provider()).apps()).items
        first = await session.provider()  # 30 s are within the minute before the end: a new one each time
        assert (await first.apps()).items
        assert first is not await session.provider()
        assert (await first.apps()).items, "a call under way on the former one goes on"
        await session.aclose()
        assert count.read_text() == "xxx"


def test_scrypt_costs_what_it_should() -> None:
    assert files._SCRYPT_N * files._SCRYPT_R * 128 >= 128 * 1024 * 1024
