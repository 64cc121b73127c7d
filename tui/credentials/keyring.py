"""The OS keyring, asked from a thread of its own and never for longer than a few seconds.

Measured: a locked Secret Service whose prompt nobody answers hangs for ever, and `asyncio.to_thread` then
keeps the process from ending; a daemon thread does not. Only backends that keep secrets encrypted are used:
`keyring` itself would pick a plaintext one when nothing else is installed, and its null backend loses what it
is given.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from tui.errors import CredentialError, NoKeyring
from tui.models import AccountName
from tui.safe_text import clean
from tui.secret import Secret
from tui.threads import in_daemon_thread

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "digsite"
"""The service name of every entry; the user name is the account's."""
TIMEOUT_S: Final = 5.0
LOCK_CHECK_S: Final = 0.5
"""For one more question after a time-out: whether the keyring is locked."""

_CHAINER: Final = "keyring.backends.chainer"
_BACKENDS: Final = {
    "keyring.backends.SecretService": "Secret Service",
    "keyring.backends.Windows": "Windows Credential Locker",
    "keyring.backends.kwallet": "KWallet",
    "keyring.backends.libsecret": "libsecret",
    "keyring.backends.macOS": "macOS Keychain",
}
"""Modules of backends that encrypt, and what people call them."""

_DIED: Final = frozenset(
    {
        "BrokenPipeError", "ConnectionRefusedError", "ConnectionResetError", "DBusErrorResponse", "EOFError",
        "SecretServiceNotAvailableException",
    }
)  # fmt: skip
"""What a backend raises when the service behind it ends: of D-Bus, jeepney and SecretStorage."""

_T = TypeVar("_T")


class Keyring:
    """One entry an account in the OS keyring.

    Args:
        backend: The backend to use; None finds the system's own and checks it against the allow-list.
        timeout_s: How long one call may take, prompts of the system included.
    """

    def __init__(self, backend: KeyringBackend | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._backend = backend
        self._timeout_s = timeout_s

    async def probe(self) -> str:
        """Writes an entry, reads it back and deletes it: before a secret is asked for; gives the place in words."""

        def call() -> str:
            backend, place = self._open()
            user, value = f"digsite-probe-{secrets.token_hex(4)}", secrets.token_hex(16)
            backend.set_password(SERVICE, user, value)
            if backend.get_password(SERVICE, user) != value:
                raise CredentialError(f"The {place} did not keep what it was given for a trial.")
            backend.delete_password(SERVICE, user)
            if backend.get_password(SERVICE, user) is not None:
                raise CredentialError(f"The {place} still has what it was asked to delete.")
            return place

        return await self._call(call)

    async def describe(self) -> str:
        """The place in words; asks for no entry, so no prompt appears.

        Raises:
            NoKeyring: There is none that encrypts.
        """
        return await self._call(lambda: self._open()[1])

    async def read(self, name: AccountName) -> tuple[Secret, str] | None:
        """The secret of an account and where it is in words; None when there is no entry."""

        def call() -> tuple[Secret, str] | None:
            backend, place = self._open()
            found = backend.get_password(SERVICE, name)
            return (Secret(found), place) if found else None

        return await self._call(call)

    async def store(self, name: AccountName, secret: Secret) -> str:
        """Stores a secret, and gives in words where it is."""

        def call() -> str:
            backend, place = self._open()
            backend.set_password(SERVICE, name, secret.reveal())
            return place

        return await self._call(call)

    async def delete(self, name: AccountName) -> bool:
        """Deletes the entry; False when there was none."""

        def call() -> bool:
            backend, place = self._open()
            if backend.get_password(SERVICE, name) is None:
                return False
            backend.delete_password(SERVICE, name)
            if backend.get_password(SERVICE, name) is not None:
                raise CredentialError(f"The {place} still has the secret after it was asked to delete it.")
            return True

        return await self._call(call)

    def _open(self) -> tuple[KeyringBackend, str]:
        if self._backend is not None:
            return self._backend, f"OS keyring ({self._backend.name})"
        return _system_backend()

    async def _call(self, function: Callable[[], _T]) -> _T:
        def guarded() -> _T:
            try:
                return function()
            except CredentialError:
                raise
            except Exception as error:  # noqa: BLE001 - backends leak exceptions of D-Bus, ctypes, ...
                raise _from_backend(error) from None

        try:
            async with asyncio.timeout(self._timeout_s):
                return await in_daemon_thread(guarded, name="keyring")
        except TimeoutError:
            raise await self._why_silent() from None

    async def _why_silent(self) -> CredentialError:
        """Locked and waiting for somebody, or not answering at all: these need different cures."""
        try:
            async with asyncio.timeout(LOCK_CHECK_S):
                is_locked = await in_daemon_thread(_is_secret_service_locked, name="keyring")
        except TimeoutError:
            is_locked = None
        if is_locked:
            return CredentialError(
                "The OS keyring is locked, and nobody answered its prompt.",
                hint="Unlock it in a desktop session of this user and try again.",
            )
        return CredentialError(
            f"The OS keyring did not answer within {self._timeout_s:.0f} seconds: "
            "it hangs, is locked, or waits for a prompt that nobody sees.",
            hint="Unlock or restart it and try again.",
        )


def _system_backend() -> tuple[KeyringBackend, str]:
    """The backend `keyring` would use, restricted to those that encrypt."""
    import keyring
    from keyring.backends.chainer import ChainerBackend
    from keyring.core import init_backend

    init_backend(limit=lambda backend: type(backend).__module__ in {_CHAINER, *_BACKENDS})
    backend = keyring.get_keyring()
    module = type(backend).__module__
    members = list(backend.backends) if isinstance(backend, ChainerBackend) else [backend]
    if not members or module in {"keyring.backends.fail", "keyring.backends.null"}:
        raise NoKeyring("This machine has no OS keyring to keep a secret in.")
    names = [_BACKENDS.get(type(member).__module__) for member in members]
    known = [name for name in names if name is not None]
    if len(known) < len(names):
        raise NoKeyring(f"The keyring backend {clean(module)} is not one that is known to keep secrets encrypted.")
    return backend, f"OS keyring ({' or '.join(dict.fromkeys(known))})"


def _is_secret_service_locked() -> bool:
    """Whether the default collection of a Secret Service is locked; False where that cannot be said."""
    try:
        import secretstorage

        connection = secretstorage.dbus_init()
        try:
            return bool(secretstorage.Collection(connection).is_locked())
        finally:
            connection.close()
    except Exception:  # noqa: BLE001 - backends leak exceptions of D-Bus, ctypes, ...
        return False


def _from_backend(error: Exception) -> CredentialError:
    # Not chained: a backend's exception may carry the secret in its arguments, and its frames do.
    text = clean(str(error), 200)
    if "-25308" in text or "-25293" in text:  # errSecInteractionNotAllowed, errSecAuthFailed
        return CredentialError("The macOS Keychain is locked.", hint="Run: security unlock-keychain.")
    kind = type(error).__name__
    if kind in _DIED:
        return CredentialError(
            f"The OS keyring stopped in the middle of its work ({kind}).", hint="Restart it and try again."
        )
    if kind in {"KeyringLocked", "InitError", "LockedException", "PromptDismissedException"}:
        return CredentialError(f"The OS keyring is locked or not running: {text}", hint="Unlock it.")
    return CredentialError(f"The OS keyring failed ({kind}).")
