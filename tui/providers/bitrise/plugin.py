"""How accounts of Bitrise are set up and opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.errors import ConfigError
from tui.models import Account, AccountName
from tui.providers.bitrise.token import clean_token
from tui.providers.protocol import SetupField
from tui.safe_text import clean
from tui.secret import Secret

if TYPE_CHECKING:
    from tui.providers.bitrise.provider import BitriseProvider

_AUTH_HEADERS: Final = ("bare", "token")


class BitrisePlugin:
    """Implements `ProviderPlugin`.

    An account may set `auth_header`: `bare` (the default) sends the token alone, as the current documentation
    has it; `token` puts that word before it, as the older one.
    """

    name: str = "bitrise"
    title: str = "Bitrise"
    badge: str = "BR"
    default_url: str = "https://api.bitrise.io/v0.1"
    secret_label: str = "Personal access token or workspace API token"  # noqa: S105 - a label
    fields: Sequence[SetupField] = ()

    def check_secret(self, secret: Secret, options: Mapping[str, str]) -> Secret:
        """The bare token; understands one pasted with `token` or `Authorization:` before it."""
        return clean_token(secret)

    def expires_at(self, secret: Secret) -> datetime | None:
        """Not told: tokens have an end, but neither they nor the API say when."""
        return None

    def environment(self, environ: Mapping[str, str]) -> tuple[Account, Secret] | None:
        """The account of `BITRISE_TOKEN`, at `DIGSITE_BITRISE_URL` if that is set."""
        token = environ.get("BITRISE_TOKEN")
        if not token:
            return None
        account = Account(
            AccountName(self.name),
            self.name,
            url=environ.get("DIGSITE_BITRISE_URL") or None,
            from_environment=True,
        )
        return account, Secret(token)

    def open(self, account: Account, secret: Secret) -> BitriseProvider:
        """Opens an account; nothing is sent yet."""
        from tui.providers.bitrise.provider import (
            BitriseProvider,
        )  # all plug-ins are asked at the start

        header = account.options.get("auth_header", "bare")
        if header not in _AUTH_HEADERS:
            raise ConfigError(
                f"auth_header of account {clean(account.name, 60)} is {clean(header, 40)}.",
                hint="It must be bare or token.",
            )
        return BitriseProvider(
            account,
            clean_token(secret),
            url=account.url or self.default_url,
            worded=header == "token",
        )
