from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.providers.conftest import private_pem
from tui.errors import ConfigError, CredentialError
from tui.models import Account, AccountName
from tui.providers.xcode_cloud.plugin import XcodeCloudPlugin
from tui.secret import Secret

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = private_pem(KEY)
ENCODING, FORMAT = serialization.Encoding.PEM, serialization.PrivateFormat


def encrypted(form: serialization.PrivateFormat) -> str:
    return KEY.private_bytes(ENCODING, form, serialization.BestAvailableEncryption(b"pw")).decode()


PUBLIC = KEY.public_key().public_bytes(ENCODING, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_OLD = RSA.private_bytes(ENCODING, FORMAT.TraditionalOpenSSL, serialization.NoEncryption()).decode()
ED25519 = (
    ed25519.Ed25519PrivateKey.generate().private_bytes(ENCODING, FORMAT.PKCS8, serialization.NoEncryption()).decode()
)


@pytest.mark.parametrize(
    "pasted",
    [
        PEM,
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\r"),
        "\ufeff" + PEM,
        PEM.replace("\n", ""),
        PEM.replace("\n", " "),
        PEM.replace("\n", "\\n"),
        f"\n\n  {PEM}  \n",
    ],
    ids=["proper", "crlf", "cr", "bom", "one line", "blanks", "literal", "padded"],
)
def test_the_forms_a_key_takes_on_its_way(pasted: str) -> None:
    assert XcodeCloudPlugin().check_secret(Secret(pasted), {}).reveal() == PEM


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "empty"),
        ("<!DOCTYPE html><html>", "web page"),
        ("bitpat_something", "no line"),
        (encrypted(FORMAT.PKCS8), "pass phrase"),
        (encrypted(FORMAT.TraditionalOpenSSL), "pass phrase"),
        (PUBLIC, "public key"),
        (private_pem(RSA), "RSA"),
        (RSA_OLD, "RSA"),
        (ED25519, "P-256"),
        (private_pem(ec.generate_private_key(ec.SECP384R1())), "secp384r1"),
        (PEM[:120], "cut"),
        (PEM[:100] + PEM[140:], "damaged"),
        (PEM.replace(PEM[60:64], "%%%%"), "base64"),
    ],
    ids=lambda value: value if len(value) < 30 else "key",
)
def test_each_wrong_key_has_its_own_message_and_shows_nothing(pasted: str, reason: str) -> None:
    with pytest.raises(CredentialError, match=reason) as caught:
        XcodeCloudPlugin().check_secret(Secret(pasted), {})
    for line in filter(None, pasted.splitlines()[1:-1]):
        assert line not in str(caught.value)
        assert line not in repr(caught.value.__cause__)


def test_the_environment_describes_an_account(tmp_path: Path) -> None:
    path = tmp_path / "AuthKey.p8"
    path.write_bytes(b"\xef\xbb\xbf" + PEM.encode())
    plugin = XcodeCloudPlugin()
    assert plugin.environment({}) is None
    assert plugin.environment({"ASC_ISSUER_ID": "i"}) is None
    described = plugin.environment({"ASC_KEY_ID": "K", "ASC_ISSUER_ID": "I", "ASC_PRIVATE_KEY_PATH": str(path)})
    assert described is not None
    account, secret = described
    assert (account.name, account.url, dict(account.options)) == (
        "xcode-cloud",
        None,
        {"key_id": "K", "issuer_id": "I"},
    )
    assert secret.reveal() == PEM
    individual = plugin.environment(
        {"ASC_KEY_ID": "K", "ASC_PRIVATE_KEY": PEM, "DIGSITE_XCODE_CLOUD_URL": "http://127.0.0.1:1"}
    )
    assert individual is not None
    assert (individual[0].url, dict(individual[0].options)) == ("http://127.0.0.1:1", {"key_id": "K"})


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"ASC_KEY_ID": "K"}, "private key"),
        ({"ASC_PRIVATE_KEY": "canary"}, "ASC_KEY_ID"),
        ({"ASC_KEY_ID": "K", "ASC_PRIVATE_KEY": "canary", "ASC_PRIVATE_KEY_PATH": "/x"}, "both"),
        ({"ASC_KEY_ID": "K", "ASC_PRIVATE_KEY_PATH": "/nowhere/AuthKey.p8"}, "ASC_PRIVATE_KEY_PATH"),
        ({"ASC_KEY_ID": "K", "ASC_PRIVATE_KEY_PATH": "/bin/sh"}, "not a text file"),
    ],
)
def test_an_environment_that_contradicts_itself(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        XcodeCloudPlugin().environment(environ)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("options", [{}, {"key_id": " "}, {"key_id": "a\nb"}, {"key_id": "K", "issuer_id": "é"}])
def test_wrong_ids_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"key_id|issuer_id"):
        XcodeCloudPlugin().open(Account(AccountName("a"), "xcode-cloud", options=options), Secret(PEM))
