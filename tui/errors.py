"""Every error that digsite shows to a person.

A message says what failed and why; the hint says what to do about it. Foreign exceptions (httpx, urllib3,
OSError, jwt, keyring) are mapped to these once, at the edge of the room that calls the library.
"""

from __future__ import annotations


class DigsiteError(Exception):
    """What failed and why, in one sentence, with a hint on what to do.

    Args:
        message: One sentence without a secret and without a signed URL.
        hint: What the user can do, in one sentence; None where nothing helps.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class ConfigError(DigsiteError):
    """config.toml or the environment is wrong; the message names file, line and key."""


class PathError(DigsiteError):
    """A path (ACCOUNT/APP/BUILD/ARTIFACT) cannot be read, or names more than one thing."""


class CredentialError(DigsiteError):
    """A secret is missing, malformed, or its store does not answer."""


class NoKeyring(CredentialError):
    """This machine has no OS keyring that keeps secrets encrypted, so none can be in it."""


class PluginError(DigsiteError):
    """A provider from an entry point is missing, broken or raised something else than a DigsiteError."""


class ProviderError(DigsiteError):
    """A provider could not do what it was asked."""


class AuthError(ProviderError):
    """The provider does not accept the credential (401)."""


class NotAllowed(ProviderError):
    """The credential is valid but lacks the role, or the account is read-only (403)."""


class NotFound(ProviderError):
    """The thing does not exist, or the credential may not see it (404)."""


class NotSupported(ProviderError):
    """The provider has no such operation; the message says why."""


class Conflict(ProviderError):
    """The server's state does not admit the change (409); re-read, never repeat blindly."""


class OutcomeUnknown(ProviderError):
    """A change was sent but its answer was lost: it may or may not have happened. Re-read, never repeat."""


class RateLimited(ProviderError):
    """The provider asks to wait (429).

    Args:
        retry_after_s: Seconds until the next call may be made.
    """

    def __init__(self, message: str, *, retry_after_s: float, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Unreachable(ProviderError):
    """No usable answer: DNS, TLS, refused, reset, timed out, or a server error after all retries."""


class BadPayload(ProviderError):
    """An answer arrived that is not what the API promises: HTML, cut or malformed JSON, wrong shape."""


class TransferError(DigsiteError):
    """A download did not come to its end."""


class Incomplete(TransferError):
    """Bytes are missing; what arrived is kept and the transfer can go on."""


class LinkExpired(TransferError):
    """The storage refuses the signed URL (401 or 403); ask the provider for a new one."""


class Gone(TransferError):
    """The storage no longer has the file (404 or 410)."""


class Mismatch(TransferError):
    """What arrived is not what was promised: length or checksum differ."""


class DiskFull(TransferError):
    """The destination has no room for the file."""


class Destination(TransferError):
    """The destination cannot be written: missing, read-only, or occupied."""
