"""Signed tokens (JWT) for the App Store Connect API.

Apple's rules (App Store Connect API docs, generating-tokens-for-api-requests): ES256, a life of at most 20
minutes, `aud` appstoreconnect-v1; a team key names its issuer, an individual key has `sub` user instead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from tui.providers.xcode_cloud.key import load_key
from tui.secret import Secret

AUDIENCE: Final = "appstoreconnect-v1"
LIFETIME_S: Final = 15 * 60
"""From `iat` to `exp`; a token of the full 20 minutes failed on a clock 34 s fast (Cap-go/capgo.app#2840)."""
BACKDATED_S: Final = 60
"""`iat` lies this far back: one in the server's future is refused."""
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

    def _mint(self, issued_at: int) -> Secret:
        import jwt

        claims: dict[str, object] = {"iat": issued_at, "exp": issued_at + LIFETIME_S, "aud": AUDIENCE}
        if self._issuer_id is None:
            claims["sub"] = "user"
        else:
            claims["iss"] = self._issuer_id
        headers = {"kid": self._key_id, "typ": "JWT"}
        token = jwt.encode(claims, load_key(self._pem), algorithm="ES256", headers=headers)
        return Secret(f"Bearer {token}")
