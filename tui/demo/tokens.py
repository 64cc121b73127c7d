"""Checks App Store Connect tokens as Apple does: signature, key, audience, issuer, and the times.

Written out instead of calling a JWT library: this is the other side of the wire, and it must not share the client's
reading of the rules (Apple, generating tokens for API requests).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

KEY_ID: Final = "DEMO2X9R4H"
ISSUER_ID: Final = "57246542-96fe-1a63-e053-0824d011072a"
AUDIENCE: Final = "appstoreconnect-v1"
MAX_LIFE_S: Final = 1200
MAX_SCOPED_LIFE_S: Final = 184 * 24 * 3600
"""Six months at most, for a token whose scope names GET requests only."""
_NOT_COMPARED: Final = frozenset({"limit", "cursor", "sort"})


class TokenKey:
    """The private key of this run, and the check of what it signs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def pem(self) -> str:
        """The key as App Store Connect hands it out: PKCS#8 in PEM."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def accepts(self, token: str, now: float, request: str = "GET /") -> bool:
        """Whether a token is good for a request (`GET /v1/x?y=z`) at a moment, in seconds since 1970."""
        parts = token.split(".")
        if len(parts) != 3:
            return False
        try:
            header, claims = (json.loads(_decoded(part)) for part in parts[:2])
            signature = _decoded(parts[2])
        except (ValueError, RecursionError):
            return False
        if not isinstance(header, dict) or not isinstance(claims, dict) or len(signature) != 64:
            return False
        if (header.get("alg"), header.get("kid"), header.get("typ")) != ("ES256", KEY_ID, "JWT"):
            return False
        is_signed = self._is_signed(f"{parts[0]}.{parts[1]}", signature)
        return is_signed and _is_current(claims, now) and _is_opened(claims, request)

    def _is_signed(self, text: str, signature: bytes) -> bool:
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            self._key.public_key().verify(encode_dss_signature(r, s), text.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def _is_current(claims: dict[str, object], now: float) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int) or claims.get("aud") != AUDIENCE:
        return False
    is_team = claims.get("iss") == ISSUER_ID and "sub" not in claims
    is_individual = claims.get("sub") == "user" and "iss" not in claims
    scope = claims.get("scope")
    is_for_reading = isinstance(scope, list) and all(str(entry).startswith("GET /") for entry in scope) and bool(scope)
    max_life_s = MAX_SCOPED_LIFE_S if is_for_reading else MAX_LIFE_S
    return (is_team or is_individual) and issued <= now < expires and 0 < expires - issued <= max_life_s


def _is_opened(claims: dict[str, object], request: str) -> bool:
    """Whether one entry of the scope is this request; a token without a scope opens all."""
    scope = claims.get("scope")
    return scope is None or (isinstance(scope, list) and _compared(request) in [_compared(str(each)) for each in scope])


def _compared(request: str) -> tuple[str, list[tuple[str, str]]]:
    path, _, query = request.partition("?")
    return path, sorted(pair for pair in parse_qsl(query) if pair[0] not in _NOT_COMPARED)


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
