"""The private key of the App Store Connect API: what people paste, and whether it can be the right one.

Apple hands out a PKCS #8 PEM file (`AuthKey_KEYID.p8`) with a key on the curve P-256.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from tui.errors import CredentialError
from tui.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_HINT: Final = "The .p8 file of an API key comes from App Store Connect, Users and Access, Integrations."
_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_BEGIN: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")


def clean_pem(secret: Secret) -> Secret:
    """The key as a proper PEM text; line breaks may be CRLF, written as two characters, or missing.

    Raises:
        CredentialError: It is something else; the message says what, and shows nothing of it.
    """
    text = secret.reveal().lstrip("\ufeff").replace("\\n", "\n").replace("\r", "\n").strip()
    head = text[:200].lower()
    if not text:
        raise CredentialError("The private key is empty.", hint=_HINT)
    if "<html" in head or "<!doctype" in head:
        raise CredentialError("The private key is a web page: the download went wrong.", hint=_HINT)
    begin = _BEGIN.search(text)
    if begin is None:
        raise CredentialError("The private key has no line -----BEGIN PRIVATE KEY-----.", hint=_HINT)
    label = begin[1]
    if "ENCRYPTED" in label or "Proc-Type: 4,ENCRYPTED" in text:
        raise CredentialError(
            "The private key is encrypted with a pass phrase.",
            hint="Decrypt it first: openssl pkcs8 -in FILE -out NEW.p8 -nocrypt -topk8",
        )
    if "PUBLIC" in label or "CERTIFICATE" in label:
        raise CredentialError("This is a public key or a certificate, not the private key.", hint=_HINT)
    if "RSA" in label or "DSA" in label:
        raise CredentialError("This is an RSA or DSA key; the API takes a P-256 key only.", hint=_HINT)
    block = _PEM.search(text)
    if block is None:
        raise CredentialError("The private key is cut: its END line is missing.", hint=_HINT)
    body = "".join(block[2].split())
    try:
        base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise CredentialError("The private key is damaged: it is not base64.", hint=_HINT) from None
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    return Secret(f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")


def load_key(pem: Secret) -> EllipticCurvePrivateKey:
    """The key itself, after a test signature. Imports cryptography: call it in a thread.

    Raises:
        CredentialError: It cannot be read, or is not a P-256 key.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause may quote the key's bytes.
        raise CredentialError("The private key is cut or damaged.", hint=_HINT) from None
    if isinstance(key, rsa.RSAPrivateKey):
        raise CredentialError("This is an RSA key; the API takes a P-256 key only.", hint=_HINT)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CredentialError("This key is of a kind that the API does not take; it needs P-256.", hint=_HINT)
    if not isinstance(key.curve, ec.SECP256R1):
        raise CredentialError(f"The key is on the curve {key.curve.name}; the API needs P-256.", hint=_HINT)
    try:
        sample = b"digsite"
        key.public_key().verify(key.sign(sample, ec.ECDSA(SHA256())), sample, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        raise CredentialError("The private key gives signatures that are not valid.", hint=_HINT) from None
    return key
