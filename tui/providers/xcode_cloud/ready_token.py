"""A token (JWT) that somebody else minted: `digsite token`, a team's own service, a `token_command`.

Its signature cannot be checked here, since the key is elsewhere; its claims are read to tell people when it ends and
what it opens.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tui.errors import CredentialError
from tui.safe_text import clean
from tui.secret import Secret

_HINT = "Mint a new one: digsite token."
_MAX_CHARS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of itself."""

    expires_at: datetime
    """Aware UTC."""
    scope: tuple[str, ...] = ()
    """Requests it opens, as `GET /v1/ciProducts?include=app`; empty when it is not restricted."""
    key_id: str | None = None


def is_ready_token(secret: Secret) -> bool:
    """Whether it looks like a JWT rather than a key; `Bearer` may stand before it."""
    return _bare(secret).startswith("eyJ")


def clean_token(secret: Secret) -> Secret:
    """The token alone.

    Raises:
        CredentialError: It is cut, or not one that App Store Connect takes; shows nothing of it.
    """
    token = _bare(secret)
    read_claims(Secret(token))
    return Secret(token)


def read_claims(token: Secret) -> Claims:
    """What a token says of itself, unverified.

    Raises:
        CredentialError: It cannot be read, is signed in another way, or never ends.
    """
    text = _bare(token)
    parts = text.split(".")
    if len(parts) != 3 or not all(parts) or len(text) > _MAX_CHARS:
        raise CredentialError("The token (JWT) is cut: it has three parts with dots between them.", hint=_HINT)
    header, claims = (_part(part) for part in parts[:2])
    if header.get("alg") != "ES256":
        raise CredentialError("The token (JWT) is not signed with ES256, as App Store Connect wants it.", hint=_HINT)
    expires = claims.get("exp")
    try:
        expires_at = datetime.fromtimestamp(expires, UTC) if isinstance(expires, int) else None
    except (OverflowError, ValueError, OSError):
        expires_at = None
    if expires_at is None:
        raise CredentialError("The token (JWT) does not say when it ends.", hint=_HINT)
    scope = claims.get("scope")
    entries = scope if isinstance(scope, list) else []
    key_id = header.get("kid")
    return Claims(
        expires_at,
        tuple(clean(entry) for entry in entries if isinstance(entry, str)),
        clean(key_id, 40) if isinstance(key_id, str) else None,
    )


class ReadyToken:
    """Sends the token as it is. Implements `Authorization`."""

    def __init__(self, token: Secret, claims: Claims) -> None:
        self._header = Secret(f"Bearer {token.reveal()}")
        self._claims = claims

    async def header(self, clock_offset_s: float) -> Secret:
        """The same value always.

        Raises:
            CredentialError: It has ended, by the server's clock.
        """
        if datetime.now(UTC).timestamp() + clock_offset_s >= self._claims.expires_at.timestamp():
            raise CredentialError(f"The token (JWT) ended on {self._claims.expires_at:%Y-%m-%d %H:%M} UTC.", hint=_HINT)
        return self._header

    def renew(self) -> bool:
        """There is no other token to try."""
        return False


def _bare(secret: Secret) -> str:
    text = secret.reveal().lstrip("\ufeff").strip().strip("'\"")
    return text[7:].strip() if text[:7].lower() == "bearer " else text


def _part(part: str) -> Mapping[str, object]:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CredentialError("The token (JWT) is damaged.", hint=_HINT)
    return found
