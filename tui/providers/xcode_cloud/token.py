"""Signed tokens (JWT) for the App Store Connect API.

Apple's rules (App Store Connect API docs, generating-tokens-for-api-requests): ES256, a life of at most 20
minutes, `aud` appstoreconnect-v1; a team key names its issuer, an individual key has `sub` user instead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from tui.errors import CredentialError
from tui.providers.xcode_cloud.key import load_key
from tui.secret import Secret

AUDIENCE: Final = "appstoreconnect-v1"
LIFETIME_S: Final = 15 * 60
"""From `iat` to `exp`; a token of the full 20 minutes failed on a clock 34 s fast (Cap-go/capgo.app#2840)."""
BACKDATED_S: Final = 60
"""`iat` lies this far back: one in the server's future is refused."""
MAX_LIFETIME: Final = timedelta(days=180)
"""Of a token with a scope: "up to six months", which no six months are shorter than, less a minute of back-dating."""
MAX_TOKEN_CHARS: Final = 7000
"""A common limit for a request's header line is 8 KiB; Apple's is not documented."""
RENEW_AFTER: Final = 0.8
"""The share of its life after which a token is replaced."""


class JwtAuthorization:
    """Mints tokens by the server's clock and reuses each until it nears its end.

    Args:
        key_id: The key's id, 10 characters.
        issuer_id: The team's issuer id; None for an individual key.
        pem: The private key, cleaned.
        wall_clock: Our unix time in seconds.
    """

    def __init__(
        self, key_id: str, issuer_id: str | None, pem: Secret, *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._key_id = key_id
        self._issuer_id = issuer_id
        self._pem = pem
        self._wall_clock = wall_clock
        self._token: Secret | None = None
        self._issued_at = 0.0
        self._minting = asyncio.Lock()

    async def header(self, clock_offset_s: float) -> Secret:
        """The value of the Authorization header.

        Raises:
            CredentialError: The key cannot sign.
        """
        async with self._minting:
            now_s = self._wall_clock() + clock_offset_s
            age_s = now_s - self._issued_at
            if self._token is None or not 0 <= age_s < LIFETIME_S * RENEW_AFTER:
                self._issued_at = now_s - BACKDATED_S
                # The first call imports jwt and cryptography, 130 ms.
                self._token = await asyncio.to_thread(self._mint, int(self._issued_at))
            return self._token

    def renew(self) -> bool:
        """Forgets the token: Apple refuses a fresh and valid one now and then (codemagic cli-tools#176)."""
        self._token = None
        return True

    async def mint_long_lived(self, scope: Sequence[str], lifetime: timedelta, clock_offset_s: float) -> Secret:
        """A token for a few kinds of request, to be used where the key is not; without `Bearer`.

        Apple takes it for up to six months if every entry of its scope is a GET (App Store Connect API docs,
        generating-tokens-for-api-requests).

        Args:
            scope: Entries such as `GET /v1/ciProducts?include=app`.
            lifetime: From now on.
            clock_offset_s: The server's clock minus ours.

        Raises:
            CredentialError: The key cannot sign, or Apple would refuse such a token.
        """
        if not timedelta(0) < lifetime <= MAX_LIFETIME:
            raise CredentialError(f"A token lives for up to {MAX_LIFETIME.days} days.")
        if not scope or not all(entry.startswith("GET /") for entry in scope):
            raise CredentialError("A token that lives longer than 20 minutes may open GET requests only.")
        now_s = int(self._wall_clock() + clock_offset_s)
        token = await asyncio.to_thread(self._sign, now_s - BACKDATED_S, now_s + int(lifetime.total_seconds()), scope)
        if len(token.reveal()) > MAX_TOKEN_CHARS:
            raise CredentialError(
                f"The token would be longer than {MAX_TOKEN_CHARS:,} characters, which servers refuse in a header.",
                hint="Name fewer apps or builds.",
            )
        return token

    def _mint(self, issued_at: int) -> Secret:
        return Secret(f"Bearer {self._sign(issued_at, issued_at + LIFETIME_S).reveal()}")

    def _sign(self, issued_at: int, expires_at: int, scope: Sequence[str] = ()) -> Secret:
        import jwt

        claims: dict[str, object] = {"iat": issued_at, "exp": expires_at, "aud": AUDIENCE}
        if self._issuer_id is None:
            claims["sub"] = "user"
        else:
            claims["iss"] = self._issuer_id
        if scope:
            claims["scope"] = list(scope)
        headers = {"kid": self._key_id, "typ": "JWT"}
        return Secret(jwt.encode(claims, load_key(self._pem), algorithm="ES256", headers=headers))
