"""What the exit code of every command means; a signal's is 128 and its number."""

from __future__ import annotations

from typing import Final

from tui import errors

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
NOT_ALLOWED: Final = 4
PARTLY: Final = 5
UNVERIFIED: Final = 6
INTERRUPTED: Final = 130
"""128 and the number of SIGINT."""

_BY_ERROR: Final[tuple[tuple[type[errors.DigsiteError], int], ...]] = (
    (errors.PathError, USAGE),
    (errors.ConfigError, USAGE),
    (errors.NotFound, NOT_FOUND),
    (errors.AuthError, NOT_ALLOWED),
    (errors.NotAllowed, NOT_ALLOWED),
    (errors.NotSupported, NOT_ALLOWED),
    (errors.CredentialError, NOT_ALLOWED),
    (errors.Mismatch, UNVERIFIED),
)


class EndedBySignal(BaseException):
    """A signal ended the command; the program exits with 128 and its number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.exit_code = 128 + number


def code_of(error: errors.DigsiteError) -> int:
    """The exit code of an error that ended a command."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), FAILED)


def code_of_batch(failures: list[errors.DigsiteError], *, done: int) -> int:
    """The exit code of a command over several things: partly done, or that of the first failure where none is done."""
    if not failures:
        return DONE
    return PARTLY if done else code_of(failures[0])
