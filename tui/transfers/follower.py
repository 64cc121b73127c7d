"""Follows a download through its file: hashes what is there in order, and makes it durable, in a thread of its own.

So neither costs the connections anything. It reads the file back, which the system still has in memory; the
SHA-256 is therefore that of what is on disk, whichever connection wrote it and in whichever run.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

from tui.transfers.part import SYNC_BYTES, PartFile

_BLOCK_BYTES: Final = 256 << 10
_SYNC_PERIOD_S: Final = 1.0
"""Not more often: a sync makes the writers wait. A power failure costs what came since the last one."""


class Follower:
    """Hashes and syncs one part.

    Args:
        part: Must stay open until `stop`.
    """

    def __init__(self, part: PartFile) -> None:
        self._part = part
        self._digest = hashlib.sha256()
        self._hashed_bytes = 0
        self._generation = part.generation
        self._buffer = memoryview(b"")
        self._synced_at = monotonic()
        self._wake = threading.Event()
        self._is_stopped = False
        self._error: OSError | None = None
        self._thread: threading.Thread | None = None

    def poke(self) -> None:
        """There may be more to do.

        Raises:
            OSError: The disk refused something; what follows would be lost.
        """
        if self._error is not None:
            raise self._error
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="transfer-follower", daemon=True)
            self._thread.start()
        self._wake.set()

    def stop(self) -> None:
        """Ends the thread; blocks until it is done with what it is at."""
        self._is_stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def sha256(self, check_stop: Callable[[], None]) -> str:
        """Of the whole file, once all of it is there; ends the thread and blocks.

        Args:
            check_stop: Called between blocks; may raise to give up.

        Raises:
            OSError: The file cannot be read or made durable.
        """
        self.stop()
        if self._error is not None:
            raise self._error
        while self._hash_block(at_least=1):
            check_stop()
        self._part.sync_data()
        return self._digest.hexdigest()

    def _work(self) -> None:
        try:
            while not self._is_stopped:
                self._wake.wait(self._until_sync())
                self._wake.clear()
                while not self._is_stopped and self._hash_block(at_least=_BLOCK_BYTES):
                    pass
                if not self._is_stopped and self._until_sync() == 0.0:
                    self._part.sync()
                    self._synced_at = monotonic()
        except OSError as error:
            self._error = error

    def _until_sync(self) -> float | None:
        """Seconds until the next sync is due; None while there is too little to sync."""
        if self._part.unsynced_bytes < SYNC_BYTES:
            return None
        return max(0.0, self._synced_at + _SYNC_PERIOD_S - monotonic())

    def _hash_block(self, *, at_least: int) -> bool:
        part = self._part
        if self._generation != part.generation:
            self._generation = part.generation
            self._digest, self._hashed_bytes = hashlib.sha256(), 0
        if not self._buffer:  # not before there is something to read
            self._buffer = memoryview(bytearray(_BLOCK_BYTES))
        there = part.spans.prefix - self._hashed_bytes
        if there < at_least:
            return False
        count = part.read_into(self._buffer[:there], self._hashed_bytes)
        if count == 0:  # it was cut off by another program; publishing will notice
            return False
        self._digest.update(self._buffer[:count])
        self._hashed_bytes += count
        return True
