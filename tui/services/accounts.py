"""Adding and removing accounts: a secret is proved before it is kept, and goes when its account goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.config import load_config, remove_account, save_account, validate_account_name, validate_url
from tui.credentials import delete_secret, read_secret, store_secret
from tui.errors import ConfigError, CredentialError, NoKeyring
from tui.models import Account, Identity, Store
from tui.providers import plugin
from tui.secret import Secret
from tui.services.session import Session

_KEY_FOLDERS: Final = (".appstoreconnect/private_keys", ".private_keys", "private_keys", "Downloads", ".")
"""Under the home folder, where Apple's own tools look for keys (altool, --apiKey), and where browsers put them."""
_KEY_PREFIX: Final = "AuthKey_"
_MAX_SECRET_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Added:
    """How it went: whom the secret belongs to and where it was put."""

    account: Account
    identity: Identity
    stored_in: str


def new_account(
    provider: str,
    name: str,
    *,
    options: Mapping[str, str],
    url: str | None = None,
    read_only: bool = False,
    store: Store = Store.KEYRING,
    token_command: tuple[str, ...] = (),
) -> Account:
    """An account as it would stand in config.toml; nothing is written, and no secret is needed yet.

    Raises:
        ConfigError: Name, address or provider are wrong, or there is such an account.
    """
    account = Account(
        name=validate_account_name(name),
        provider=plugin(provider).name,
        url=validate_url(url) if url else None,
        read_only=read_only,
        options=dict(options),
        store=store,
        token_command=token_command,
    )
    if any(known.name == account.name for known in load_config().accounts):
        raise ConfigError(f"There is an account {name!r} already.", hint=f"Run: digsite accounts remove {name}")
    return account


async def add_account(account: Account, secret: Secret | None) -> Added:
    """Checks a secret with the provider, keeps it in the account's store, then writes config.toml.

    Args:
        account: From `new_account`.
        secret: None takes it from the account's `token_command`.

    Raises:
        ConfigError: The account's options are wrong, or config.toml cannot be written.
        CredentialError: The secret is malformed, or there is no place to keep it.
        ProviderError: The provider does not accept it, or cannot be reached; nothing was kept.
    """
    if not plugin(account.provider).secret_label:
        identity = await _prove(account, Secret(""))
        save_account(account)
        return Added(account, identity, "no store: it needs none")
    if secret is None:
        secret, _ = await read_secret(account)
        if any(secret.reveal().strip() in word for word in account.token_command):
            raise ConfigError("The token_command holds the secret itself, which config.toml never does.")
    identity = await _prove(account, secret)
    stored_in = "its token_command"
    if not account.token_command:
        stored_in = await store_secret(account, plugin(account.provider).check_secret(secret, account.options))
    try:
        save_account(account)
    except ConfigError:
        await delete_secret(account)
        raise
    return Added(account, identity, stored_in)


async def _prove(account: Account, secret: Secret) -> Identity:
    """Makes one call with a secret that is not stored yet."""
    session = Session(account, secret, "typed in")
    try:
        return await (await session.provider()).check()
    finally:
        await session.aclose()


async def drop_account(name: str) -> bool:
    """Takes an account and its secret away; False when its store had no secret of it.

    Raises:
        ConfigError: There is no such account.
        CredentialError: The store still has the secret; the account stays.
    """
    account = next((a for a in load_config().accounts if a.name == name), None)
    if account is None:
        raise ConfigError(f"There is no account {name!r} in config.toml.", hint="digsite accounts lists them.")
    try:
        had_secret = await delete_secret(account)
    except NoKeyring:
        had_secret = False
    remove_account(account.name)
    return had_secret


def read_secret_file(path: Path) -> Secret:
    """The secret that a file holds, such as a .p8 key.

    Raises:
        CredentialError: It cannot be read, or is no text.
    """
    try:
        with path.expanduser().open("rb") as file:
            return Secret(file.read(_MAX_SECRET_BYTES).decode("utf-8-sig"))
    except (OSError, RuntimeError, UnicodeDecodeError):
        # Not chained: a decoding error carries the bytes.
        raise CredentialError(f"The file {path} cannot be read.", hint="Check the path and its permissions.") from None


def guessed_key_id(path: Path) -> str:
    """The key id that App Store Connect puts into the name of a key: `AuthKey_2X9R4HXF34.p8`; else empty."""
    stem = path.stem.partition(" ")[0]  # a second download is called "AuthKey_X (1).p8"
    return stem.removeprefix(_KEY_PREFIX) if stem.startswith(_KEY_PREFIX) else ""


def found_key_files(folders: Iterable[Path] | None = None) -> list[Path]:
    """Keys of App Store Connect that lie where people keep them, newest first."""
    if folders is None:
        home = Path.home()
        folders = [*(home / name for name in _KEY_FOLDERS), Path.cwd(), Path.cwd() / "private_keys"]
    found: dict[Path, float] = {}
    for folder in folders:
        try:
            for path in folder.glob(f"{_KEY_PREFIX}*.p8"):
                found[path.resolve()] = path.stat().st_mtime
        except OSError:  # a folder that may not be read has nothing to offer
            continue
    return sorted(found, key=lambda path: -found[path])
