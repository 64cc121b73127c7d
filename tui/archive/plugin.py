"""How an archive is opened as an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.errors import ConfigError
from tui.models import Account
from tui.secret import Secret

if TYPE_CHECKING:
    from tui.archive.provider import ArchiveProvider


class ArchivePlugin:
    """Implements `ProviderPlugin`."""

    name: str = "archive"
    title: str = "Archive"
    badge: str = "AR"
    default_url: str = ""
    secret_label: str = ""
    """None: the store's own tools hold its credentials."""
    fields: Sequence[Any] = ()

    def check_secret(self, secret: Secret, options: Mapping[str, str]) -> Secret:
        """There is none to check."""
        return secret

    def expires_at(self, secret: Secret) -> datetime | None:
        """Never."""
        return None

    def environment(self, environ: Mapping[str, str]) -> tuple[Account, Secret] | None:
        """The environment describes none."""
        return None

    def open(self, account: Account, secret: Secret) -> ArchiveProvider:
        """Opens the archive that `destination` names."""
        from tui.archive.opening import open_store  # all plug-ins are asked at the start
        from tui.archive.provider import ArchiveProvider
        from tui.archive.reader import Reader
        from tui.rules import check_destination

        try:
            destination = check_destination(account.options.get("destination", ""))
        except ValueError as error:
            raise ConfigError(f"destination of account {account.name} {error}.") from error
        return ArchiveProvider(account, Reader(open_store(destination)))
