"""Adding, removing and checking accounts: a secret is proved before it is kept, and goes when its account goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tui.config import load_config, remove_account, save_account, validate_account_name, validate_url
from tui.credentials import delete_secret, store_secret
from tui.errors import ConfigError, DigsiteError, NoKeyring
from tui.models import Account, AccountName, Budget, Identity
from tui.providers import plugin
from tui.secret import Secret
from tui.services.session import Session


@dataclass(frozen=True, slots=True)
class Added:
    """How it went: whom the secret belongs to and where it was put."""

    account: Account
    identity: Identity
    stored_in: str


async def add_account(
    provider: str,
    name: str,
    secret: Secret,
    *,
    options: Mapping[str, str],
    url: str | None = None,
    read_only: bool = False,
) -> Added:
    """Checks a secret with the provider, keeps it in the OS keyring, then writes config.toml.

    Raises:
        ConfigError: Name, address or options are wrong, or there is such an account.
        CredentialError: The secret is malformed, or there is no place to keep it.
        ProviderError: The provider does not accept it, or cannot be reached; nothing was kept.
    """
    account = Account(
        name=validate_account_name(name),
        provider=provider,
        url=validate_url(url) if url else None,
        read_only=read_only,
        options=dict(options),
    )
    if any(known.name == account.name for known in load_config().accounts):
        raise ConfigError(f"There is an account {name!r} already.", hint=f"Run: digsite accounts remove {name}")
    identity = await prove(account, secret)
    stored_in = await store_secret(account.name, plugin(provider).check_secret(secret, account.options))
    try:
        save_account(account)
    except ConfigError:
        await delete_secret(account.name)
        raise
    return Added(account, identity, stored_in)


async def prove(account: Account, secret: Secret) -> Identity:
    """Makes one call with a secret that is not stored yet."""
    session = Session(account, secret, "typed in")
    try:
        return await (await session.provider()).check()
    finally:
        await session.aclose()


async def drop_account(name: str) -> bool:
    """Takes an account and its secret away; False when the keyring had no secret of it.

    Raises:
        ConfigError: There is no such account.
        CredentialError: The keyring still has the secret; the account stays.
    """
    account = next((a for a in load_config().accounts if a.name == name), None)
    if account is None:
        raise ConfigError(f"There is no account {name!r} in config.toml.", hint="digsite accounts lists them.")
    try:
        had_secret = await delete_secret(account.name)
    except NoKeyring:
        had_secret = False
    remove_account(account.name)
    return had_secret


@dataclass(frozen=True, slots=True)
class Checked:
    """One account as the doctor found it."""

    account: AccountName
    provider: str
    origin: str | None
    identity: Identity | None = None
    budget: Budget | None = None
    error: DigsiteError | None = None


async def check_account(session: Session) -> Checked:
    """Asks the provider with the account's secret; an error is a finding, not raised."""
    account = session.account
    try:
        provider = await session.provider()
        identity = await provider.check()
    except DigsiteError as error:
        return Checked(account.name, account.provider, session.origin, error=error)
    return Checked(account.name, account.provider, session.origin, identity, provider.budget)
