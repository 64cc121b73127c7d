"""Where the secret of an account is: `DIGSITE_SECRET_<ACCOUNT>` wins over the store that its user chose.

A store that fails is an error: no other takes its place, because a user who chose one did not choose the other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol, assert_never

from tui.credentials.command import secret_of_command
from tui.credentials.files import PlainFile, Vault
from tui.credentials.keyring import Keyring
from tui.errors import CredentialError
from tui.models import Account, AccountName, Store
from tui.secret import Secret

_SYSTEM_KEYRING: Final = Keyring()


class SecretStore(Protocol):
    """A place that keeps one secret an account. Every method may raise a `CredentialError`."""

    async def probe(self) -> str:
        """Tries it out without a secret; gives the place in words."""
        ...

    async def read(self, name: AccountName) -> tuple[Secret, str] | None:
        """The secret and, in words, where it is; None when there is none."""
        ...

    async def store(self, name: AccountName, secret: Secret) -> str:
        """Keeps a secret; gives in words where it now is."""
        ...

    async def delete(self, name: AccountName) -> bool:
        """Deletes a secret; False when there was none."""
        ...


def secret_variable(name: AccountName) -> str:
    """The environment variable with the secret of an account: `DIGSITE_SECRET_MY_TEAM` for `my-team`."""
    return "DIGSITE_SECRET_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


async def read_secret(account: Account, *, keyring: Keyring = _SYSTEM_KEYRING) -> tuple[Secret, str]:
    """The secret of a configured account, and in words where it came from.

    Raises:
        CredentialError: There is none, or its store is missing, locked or silent.
    """
    variable = secret_variable(account.name)
    value = os.environ.get(variable)
    if value:
        return Secret(value), variable
    if account.token_command:
        return await secret_of_command(account.token_command), "token_command"
    with _alternatives(account):
        found = await _store(account.store, keyring).read(account.name)
    if found is None:
        raise CredentialError(
            f"The account {account.name!r} has no secret: neither {variable} nor {_PLACES[account.store]} has one.",
            hint=f"{_WAYS[account.store]}, or set {variable}.".replace("NAME", account.name),
        )
    return found


async def probe_store(account: Account, *, keyring: Keyring = _SYSTEM_KEYRING) -> str:
    """Tries the store of an account out, before a secret is asked for; gives the place in words.

    Raises:
        CredentialError: It is missing, does not keep what it is given, is locked or silent.
    """
    if account.token_command:
        return "token_command"
    with _alternatives(account):
        return await _store(account.store, keyring).probe()


async def store_secret(account: Account, secret: Secret, *, keyring: Keyring = _SYSTEM_KEYRING) -> str:
    """Keeps a secret in the store of its account and reads it back; gives in words where it now is.

    Raises:
        CredentialError: The store does not do its work.
    """
    store = _store(account.store, keyring)
    with _alternatives(account):
        place = await store.store(account.name, secret)
        found = await store.read(account.name)
        if (found is None or found[0] != secret) and account.store is not Store.ENVIRONMENT:
            raise CredentialError(f"The {place} did not keep the secret it was given.")
    return place


async def delete_secret(account: Account, *, keyring: Keyring = _SYSTEM_KEYRING) -> bool:
    """Takes a secret out of the store of its account and proves it; False when there was none.

    Raises:
        CredentialError: The store is missing, locked or silent, or still has it.
    """
    return False if account.token_command else await _store(account.store, keyring).delete(account.name)


class _Environment:
    """Keeps nothing: the user sets the variable."""

    async def probe(self) -> str:
        return "the environment"

    async def read(self, name: AccountName) -> tuple[Secret, str] | None:
        return None  # its variable was looked at before any store

    async def store(self, name: AccountName, secret: Secret) -> str:
        return f"the environment only: set {secret_variable(name)} for each run"

    async def delete(self, name: AccountName) -> bool:
        return False


class _Memory:
    """Keeps secrets as long as the program runs."""

    def __init__(self) -> None:
        self._secrets: dict[AccountName, Secret] = {}

    async def probe(self) -> str:
        return "memory, for this run"

    async def read(self, name: AccountName) -> tuple[Secret, str] | None:
        found = self._secrets.get(name)
        return None if found is None else (found, "memory, for this run")

    async def store(self, name: AccountName, secret: Secret) -> str:
        self._secrets[name] = secret
        return "memory, for this run"

    async def delete(self, name: AccountName) -> bool:
        return self._secrets.pop(name, None) is not None


_MEMORY: Final = _Memory()
_PLACES: Final = {
    Store.KEYRING: "the OS keyring",
    Store.VAULT: "the vault",
    Store.PLAIN_FILE: "the plain file",
    Store.ENVIRONMENT: "any other place",
    Store.MEMORY: "this run",
}
_WAYS: Final = {
    Store.KEYRING: "Run: digsite accounts add NAME",
    Store.VAULT: "Run: digsite accounts add NAME --store vault",
    Store.PLAIN_FILE: "Run: digsite accounts add NAME --store plain-file",
    Store.ENVIRONMENT: 'Choose another store in config.toml (its store is "environment")',
    Store.MEMORY: "Run digsite in a terminal, where it is asked for",
}


def _store(kind: Store, keyring: Keyring) -> SecretStore:
    match kind:
        case Store.KEYRING:
            return keyring
        case Store.VAULT:
            return Vault()
        case Store.PLAIN_FILE:
            return PlainFile()
        case Store.ENVIRONMENT:
            return _Environment()
        case Store.MEMORY:
            return _MEMORY
        case _:
            assert_never(kind)


@contextmanager
def _alternatives(account: Account) -> Iterator[None]:
    """Adds the ways out to what a keyring says; who chose another store knows them."""
    try:
        yield
    except CredentialError as error:
        if account.store is not Store.KEYRING:
            raise
        ways = (
            "Or choose another place: --store vault (a file under a passphrase), --store plain-file (not encrypted), "
            f"a token_command in config.toml. Set {secret_variable(account.name)} in the environment, or leave the "
            "account out and set BITRISE_TOKEN, or ASC_KEY_ID with ASC_PRIVATE_KEY_PATH."
        )
        raise type(error)(error.message, hint=f"{error.hint} {ways}" if error.hint else ways) from error
