"""How accounts of Xcode Cloud are set up and opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.errors import ConfigError
from tui.models import Account, AccountName, Identity
from tui.providers.protocol import SetupField
from tui.providers.xcode_cloud.key import clean_pem, load_key
from tui.providers.xcode_cloud.ready_token import Claims, ReadyToken, clean_token, is_ready_token, read_claims
from tui.providers.xcode_cloud.token import JwtAuthorization
from tui.safe_text import clean
from tui.secret import Secret

if TYPE_CHECKING:
    from tui.providers.xcode_cloud.provider import XcodeCloudProvider

_KEY_VARIABLES: Final = ("ASC_PRIVATE_KEY_PATH", "ASC_PRIVATE_KEY")
_MAX_KEY_BYTES: Final = 64 * 1024


class XcodeCloudPlugin:
    """Implements `ProviderPlugin`. An account needs `key_id`, and `issuer_id` if it is a team key."""

    name: str = "xcode-cloud"
    title: str = "Xcode Cloud"
    badge: str = "XC"
    default_url: str = "https://api.appstoreconnect.apple.com"
    secret_label: str = "Private key (the text of the .p8 file), or a ready token (JWT)"  # noqa: S105 - a label
    fields: Sequence[SetupField] = (
        SetupField(
            "key_id",
            "Key ID",
            "Ten letters and digits; in App Store Connect under Users and Access, Integrations. Not for a ready token.",
        ),
        SetupField(
            "issuer_id",
            "Issuer ID",
            "Above the list of team keys on the same page; leave it empty for an individual key.",
        ),
    )

    def check_secret(self, secret: Secret, options: Mapping[str, str]) -> Secret:
        """The key as a proper PEM text, after a test signature; or a ready token as it is."""
        if is_ready_token(secret):
            return clean_token(secret)
        pem = clean_pem(secret)
        load_key(pem)
        return pem

    def expires_at(self, secret: Secret) -> datetime | None:
        """When a ready token ends; a key does not end by itself."""
        return read_claims(secret).expires_at if is_ready_token(secret) else None

    def environment(self, environ: Mapping[str, str]) -> tuple[Account, Secret] | None:
        """The account of `ASC_KEY_ID` and `ASC_PRIVATE_KEY_PATH` or `ASC_PRIVATE_KEY`."""
        key_id = environ.get("ASC_KEY_ID", "")
        keys = [name for name in _KEY_VARIABLES if environ.get(name)]
        if not key_id and not keys:
            return None
        if not key_id:
            raise ConfigError(f"{keys[0]} is set, but ASC_KEY_ID is not.", hint="Set both, or neither.")
        if not keys:
            raise ConfigError(
                "ASC_KEY_ID is set, but no private key.", hint="Set ASC_PRIVATE_KEY_PATH or ASC_PRIVATE_KEY."
            )
        if len(keys) > 1:
            raise ConfigError("ASC_PRIVATE_KEY_PATH and ASC_PRIVATE_KEY are both set.", hint="Unset one of them.")
        options = {"key_id": key_id}
        if environ.get("ASC_ISSUER_ID"):
            options["issuer_id"] = environ["ASC_ISSUER_ID"]
        account = Account(
            AccountName(self.name),
            self.name,
            url=environ.get("DIGSITE_XCODE_CLOUD_URL") or None,
            options=options,
            from_environment=True,
        )
        path = environ.get("ASC_PRIVATE_KEY_PATH")
        return account, _read_key(path) if path else Secret(environ["ASC_PRIVATE_KEY"])

    def open(self, account: Account, secret: Secret) -> XcodeCloudProvider:
        """Opens an account; nothing is sent yet, and the key is first used then."""
        from tui.providers.xcode_cloud.provider import (
            XcodeCloudProvider,
        )  # all plug-ins are asked at the start

        if is_ready_token(secret):
            token = clean_token(secret)
            claims = read_claims(token)
            return XcodeCloudProvider(
                account,
                ReadyToken(token, claims),
                url=account.url or self.default_url,
                identity=Identity(_describe(claims), claims.expires_at, claims.scope),
            )
        key_id = _option(account, "key_id")
        if key_id is None:
            raise ConfigError(
                f"Account {clean(account.name, 60)} has no key_id.",
                hint="It stands beside the key in App Store Connect; give it with --option key_id=….",
            )
        issuer_id = _option(account, "issuer_id")
        kind = "individual key" if issuer_id is None else "team key"
        return XcodeCloudProvider(
            account,
            JwtAuthorization(key_id, issuer_id, clean_pem(secret)),
            url=account.url or self.default_url,
            identity=Identity(f"{kind} {key_id}"),
        )


def _describe(claims: Claims) -> str:
    of_key = f" of key {claims.key_id}" if claims.key_id else ""
    if not claims.scope:
        return f"ready token{of_key}"
    return f"ready token{of_key}, for {len(claims.scope)} kinds of request"


def _option(account: Account, name: str) -> str | None:
    value = account.options.get(name, "").strip()
    if not value:
        return None
    if not value.isascii() or not value.replace("-", "").isalnum():
        raise ConfigError(
            f"{name} of account {clean(account.name, 60)} has more in it than letters, digits and hyphens."
        )
    return value


def _read_key(path: str) -> Secret:
    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(_MAX_KEY_BYTES)
        return Secret(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError("The file named by ASC_PRIVATE_KEY_PATH is not a text file.") from None
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "unknown home folder"
        raise ConfigError(
            f"The file named by ASC_PRIVATE_KEY_PATH cannot be read: {reason}.", hint="Correct the path."
        ) from None
