"""Where the secret of an account is: `DIGSITE_SECRET_<ACCOUNT>` wins over the OS keyring."""

from __future__ import annotations

import os
import re
from typing import Final

from tui.credentials.keyring import Keyring
from tui.errors import CredentialError
from tui.models import Account, AccountName
from tui.secret import Secret

_SYSTEM_KEYRING: Final = Keyring()


def secret_variable(name: AccountName) -> str:
    """The environment variable with the secret of an account: `DIGSITE_SECRET_MY_TEAM` for `my-team`."""
    return "DIGSITE_SECRET_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


async def read_secret(account: Account, *, keyring: Keyring = _SYSTEM_KEYRING) -> tuple[Secret, str]:
    """The secret of a configured account, and in words where it came from.

    Raises:
        CredentialError: There is none, or the keyring is missing, locked or silent.
    """
    variable = secret_variable(account.name)
    value = os.environ.get(variable)
    if value:
        return Secret(value), variable
    try:
        found = await keyring.read(account.name)
    except CredentialError as error:
        raise _with_alternatives(error, account.name) from error
    if found is None:
        raise CredentialError(
            f"The account {account.name!r} has no secret: neither {variable} nor the OS keyring has one.",
            hint=f"Run: digsite accounts add {account.name}, or set {variable}.",
        )
    return found


async def store_secret(name: AccountName, secret: Secret, *, keyring: Keyring = _SYSTEM_KEYRING) -> str:
    """Keeps a secret in the OS keyring and reads it back; gives in words where it now is.

    Raises:
        CredentialError: There is no keyring that keeps secrets encrypted, or it does not do its work.
    """
    try:
        return await keyring.store(name, secret)
    except CredentialError as error:
        raise _with_alternatives(error, name) from error


async def delete_secret(name: AccountName, *, keyring: Keyring = _SYSTEM_KEYRING) -> bool:
    """Takes a secret out of the OS keyring and proves it; False when there was none.

    Raises:
        CredentialError: The keyring is missing, locked or silent, or still has it.
    """
    return await keyring.delete(name)


def _with_alternatives(error: CredentialError, name: AccountName) -> CredentialError:
    ways = (
        f"Set {secret_variable(name)} in the environment instead, or leave the account out and set "
        "BITRISE_TOKEN, or ASC_KEY_ID with ASC_PRIVATE_KEY_PATH."
    )
    return type(error)(error.message, hint=f"{error.hint} {ways}" if error.hint else ways)
