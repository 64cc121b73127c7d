"""Secrets in files, one an account, for machines without a keyring: plain, or encrypted with a passphrase.

Neither is ever chosen by itself; the user names it with `--store`, and config.toml remembers it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from tui import folders
from tui.errors import CredentialError
from tui.models import AccountName
from tui.safe_text import safe_filename
from tui.secret import Secret

PASSPHRASE_VARIABLE: Final = "DIGSITE_VAULT_PASSPHRASE"  # noqa: S105 - a name
_MAX_BYTES: Final = 64 * 1024

_SCRYPT_N: Final = 2**17
"""With r = 8: 128 MiB and some 0.4 s for each guess (OWASP Password Storage Cheat Sheet, scrypt)."""
_SCRYPT_R: Final = 8
_SCRYPT_P: Final = 1
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


def secret_file(name: AccountName, suffix: str) -> Path:
    """The file of an account's secret; a digest tells names apart that a file system would take for the same."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return folders.config_dir() / "secrets" / f"{safe_filename(name, unique=name, max_bytes=60)}-{digest}{suffix}"


class PlainFile:
    """A file that only its owner may read. Refuses to read one that others may read."""

    suffix: Final = ".secret"

    async def probe(self) -> str:
        """Writes a trial file, reads it back and deletes it."""
        name = AccountName(f"digsite-probe-{secrets.token_hex(4)}")
        _write(secret_file(name, self.suffix), "trial")
        try:
            kept = _read(secret_file(name, self.suffix))
        finally:
            _delete(secret_file(name, self.suffix))
        if kept != "trial":
            raise CredentialError("The folder for secrets did not keep what it was given for a trial.")
        return f"plain file in {folders.config_dir() / 'secrets'}"

    async def read(self, name: AccountName) -> tuple[Secret, str] | None:
        """The secret and where it is; None when there is no file."""
        path = secret_file(name, self.suffix)
        text = _read(path)
        return None if text is None else (Secret(text), f"plain file {path}")

    async def store(self, name: AccountName, secret: Secret) -> str:
        """Writes it with mode 0600."""
        path = secret_file(name, self.suffix)
        _write(path, secret.reveal())
        return f"plain file {path}"

    async def delete(self, name: AccountName) -> bool:
        """Deletes the file; False when there was none."""
        return _delete(secret_file(name, self.suffix))


class Vault:
    """A file encrypted with AES-256-GCM under a key that scrypt makes of a passphrase.

    Args:
        passphrase: None takes `DIGSITE_VAULT_PASSPHRASE`, or what was asked for at the start of this run.
    """

    suffix: Final = ".vault"

    def __init__(self, passphrase: Secret | None = None) -> None:
        self._passphrase = passphrase

    async def probe(self) -> str:
        """Encrypts a trial file, reads it back and deletes it."""
        name = AccountName(f"digsite-probe-{secrets.token_hex(4)}")
        try:
            await self.store(name, Secret("trial"))
            found = await self.read(name)
        finally:
            _delete(secret_file(name, self.suffix))
        if found is None or found[0] != Secret("trial"):
            raise CredentialError("The vault did not keep what it was given for a trial.")
        return f"vault in {folders.config_dir() / 'secrets'}"

    async def read(self, name: AccountName) -> tuple[Secret, str] | None:
        """The secret and where it is; None when there is no file.

        Raises:
            CredentialError: The passphrase is missing or wrong, or the file was changed.
        """
        path = secret_file(name, self.suffix)
        text = _read(path)
        if text is None:
            return None
        return await asyncio.to_thread(_decrypt, text, name, self._known_passphrase()), f"vault {path}"

    async def store(self, name: AccountName, secret: Secret) -> str:
        """Encrypts it and reads it back."""
        path = secret_file(name, self.suffix)
        _write(path, await asyncio.to_thread(_encrypt, secret, name, self._known_passphrase()))
        return f"vault {path}"

    async def delete(self, name: AccountName) -> bool:
        """Deletes the file, which needs no passphrase; False when there was none."""
        return _delete(secret_file(name, self.suffix))

    def _known_passphrase(self) -> Secret:
        found = self._passphrase or passphrase()
        if found is None:
            raise CredentialError(
                "The vault is locked: its passphrase is not known.",
                hint=f"Set {PASSPHRASE_VARIABLE}, or run digsite in a terminal, where it is asked for.",
            )
        return found


_asked_for: list[Secret] = []


def remember_passphrase(typed: Secret) -> None:
    """Keeps the passphrase of the vault for this run."""
    _asked_for[:] = [typed]


def passphrase() -> Secret | None:
    """The passphrase of the vault, as far as this run knows it."""
    if _asked_for:
        return _asked_for[0]
    value = os.environ.get(PASSPHRASE_VARIABLE)
    return Secret(value) if value else None


def _encrypt(secret: Secret, name: AccountName, phrase: Secret) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    # The account is authenticated too: one account's file does not open as another's.
    sealed = AESGCM(_key(phrase, salt)).encrypt(nonce, secret.reveal().encode(), name.encode())
    parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
    encoded = {key: base64.b64encode(value).decode() for key, value in parts.items()}
    return json.dumps({"version": 1, **encoded}) + "\n"


def _decrypt(text: str, name: AccountName, phrase: Secret) -> Secret:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        data = json.loads(text)
        salt, nonce, sealed = (base64.b64decode(data[key], validate=True) for key in ("salt", "nonce", "sealed"))
        opened = AESGCM(_key(phrase, salt)).decrypt(nonce, sealed, name.encode())
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CredentialError(
            "The vault file of this account is damaged.", hint="Remove the account and add it again."
        ) from None
    except InvalidTag:
        raise CredentialError("The passphrase is not the vault's, or its file was changed.") from None
    return Secret(opened.decode())


def _key(phrase: Secret, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt, _KEY_BYTES, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P).derive(phrase.reveal().encode())


def _read(path: Path) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialError(f"The file {path} cannot be read: {error.strerror}.") from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise CredentialError(f"{path} is not a file.")
        if os.name == "posix" and found.st_mode & 0o077:
            raise CredentialError(
                f"The file {path} may be read by others (mode {stat.S_IMODE(found.st_mode):04o}).",
                hint="Its secret may be known: replace it, or run: chmod 600 on the file.",
            )
        try:
            return file.read(_MAX_BYTES).decode()
        except (OSError, UnicodeDecodeError):
            raise CredentialError(f"The file {path} cannot be read.") from None


def _write(path: Path, text: str) -> None:
    try:
        folders.write_private(path, text)
    except OSError as error:
        raise CredentialError(f"The file {path} cannot be written: {error.strerror}.") from None


def _delete(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CredentialError(f"The file {path} cannot be deleted: {error.strerror}.") from None
    return True
