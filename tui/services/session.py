"""One account in use: its secret is read and its provider opened at the first call, never before."""

from __future__ import annotations

import asyncio

from tui.credentials import read_secret
from tui.models import Account
from tui.providers import Provider, plugin
from tui.secret import Secret


class Session:
    """An account and, once asked for, its opened provider.

    Args:
        account: What is known of it.
        secret: Its secret, where it is known already; else the environment and the OS keyring are asked.
        origin: In words, where that secret came from.
    """

    def __init__(self, account: Account, secret: Secret | None = None, origin: str | None = None) -> None:
        self.account = account
        self.origin = origin
        self._secret = secret
        self._provider: Provider | None = None
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
            if self._provider is None:
                chosen = plugin(self.account.provider)
                if self._secret is None:
                    self._secret, self.origin = await read_secret(self.account)
                secret = chosen.check_secret(self._secret, self.account.options)
                self._provider = chosen.open(self.account, secret)
            return self._provider

    async def aclose(self) -> None:
        """Closes the provider, if it was opened."""
        if self._provider is not None:
            await self._provider.aclose()
            self._provider = None
