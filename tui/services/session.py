"""One account in use: its secret is read and its provider opened at the first call, never before."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from tui.config import is_read_only_run
from tui.models import Account
from tui.providers import Provider, plugin
from tui.secret import Secret

ARCHIVE: Final = "archive"
"""The provider of archived copies: no login, and never archived again."""
RENEW_BEFORE: Final = timedelta(seconds=60)
"""A token of a `token_command` is replaced so long before its end."""


class Session:
    """An account and, once asked for, its opened provider.

    In a read-only run every account is read-only; providers then refuse each change where they make requests.

    Args:
        account: What is known of it.
        secret: Its secret, where it is known already; else the environment and the OS keyring are asked.
        origin: In words, where that secret came from.
    """

    def __init__(self, account: Account, secret: Secret | None = None, origin: str | None = None) -> None:
        self.account = replace(account, read_only=True) if is_read_only_run() else account
        self.origin = origin
        self._secret = secret
        self._ends_at: datetime | None = None
        self._provider: Provider | None = None
        self._previous: Provider | None = None
        self._opening = asyncio.Lock()

    @property
    def badge(self) -> str:
        """At most three letters that tell the provider apart."""
        return plugin(self.account.provider).badge

    @property
    def opened(self) -> Provider | None:
        """The provider, if it has been opened."""
        return self._provider

    async def provider(self) -> Provider:
        """The opened provider.

        Raises:
            CredentialError: There is no secret, its store does not answer, or it is malformed.
            ConfigError: The account's options are wrong.
            PluginError: There is no such provider, or it is broken.
        """
        async with self._opening:
            if self._provider is None or self._is_ending():
                return await self._open()
            return self._provider

    def _is_ending(self) -> bool:
        return self._ends_at is not None and datetime.now(UTC) > self._ends_at - RENEW_BEFORE

    async def _open(self) -> Provider:
        """Opens the provider, in place of one whose token ends."""
        chosen = plugin(self.account.provider)
        secret = self._secret
        if not chosen.secret_label:  # an archive has none: the store's own tools hold its credentials
            secret, self.origin = Secret(""), "nowhere: none is needed"
        elif secret is None or self._provider is not None:
            from tui.credentials import read_secret  # not for the first paint

            secret, self.origin = await read_secret(self.account)
        secret = chosen.check_secret(secret, self.account.options)
        opened = chosen.open(self.account, secret)
        self._secret = secret
        self._ends_at = chosen.expires_at(secret) if self.account.token_command else None
        # The one before last can have no call under way any more; the last one can.
        retired, self._previous, self._provider = self._previous, self._provider, opened
        if retired is not None:
            await retired.aclose()
        return opened

    async def aclose(self) -> None:
        """Closes the provider, if it was opened, and with it forgets every token it made or was given."""
        for provider in (self._previous, self._provider):
            if provider is not None:
                await provider.aclose()
        self._previous = self._provider = self._secret = None
