"""At most one run changes archives on this machine at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tui.errors import DigsiteError
from tui.folders import state_dir
from tui.transfers.lock import try_lock


@contextmanager
def archive_lock() -> Iterator[None]:
    """Held while archives are changed.

    Raises:
        DigsiteError: Another run holds it.
    """
    path = state_dir() / "archive.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DigsiteError(f"{path} cannot be written ({error.strerror}).") from error
    try:
        if not try_lock(descriptor):
            raise DigsiteError("Another digsite archive runs on this machine.", hint="Wait for it to end.")
        yield
    finally:
        os.close(descriptor)
