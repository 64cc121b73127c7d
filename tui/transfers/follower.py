"""Follows a download through its file: hashes what is there in order, claims it and makes it durable.

For a file of some size in a thread of its own, so that none of this costs the connections anything; a small one is
done before a thread would have begun.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

from tui.transfers.part import NOTE_BYTES, SYNC_BYTES, PartFile

_SYNC_PERIOD_S: Final = 1.0
"""Not more often: a sync makes the writers wait. A power failure costs what came since the last one."""


class Follower:
    """Hashes, notes and syncs one part.

    Args:
        part: Must stay open until `stop`.
    """

    def __init__(self, part: PartFile) -> None:
        self._part = part
        self._synced_at = monotonic()
        self._wake = threading.Event()
        self._is_stopped = False
        self._error: OSError | None = None
        self._thread: threading.Thread | None = None

    def poke(self) -> None:
        """There are more bytes.

        Raises:
            OSError: The disk refused something; what follows would be lost.
        """
        part = self._part
        if part.unnoted_bytes < NOTE_BYTES:
            return
        if part.size_bytes is not None and part.size_bytes <= SYNC_BYTES:
            self._follow()
            return
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
        """Of the whole file in hex, once all of it is there; ends the thread and blocks.

        Args:
            check_stop: Called between blocks; may raise to give up.

        Raises:
            OSError: The file cannot be read or made durable.
        """
        self.stop()
        if self._error is not None:
            raise self._error
        while self._part.hash_next():
            check_stop()
        self._part.sync_data()
        return self._part.sha256()

    def _work(self) -> None:
        try:
            while not self._is_stopped:
                self._wake.wait(self._until_sync())
                self._wake.clear()
                self._follow()
                if not self._is_stopped and self._until_sync() == 0.0:
                    self._part.sync()
                    self._synced_at = monotonic()
        except OSError as error:
            self._error = error

    def _follow(self) -> None:
        while not self._is_stopped and self._part.hash_next():
            pass
        if self._part.unnoted_bytes >= NOTE_BYTES:
            self._part.write_note()

    def _until_sync(self) -> float | None:
        """Seconds until the next sync is due; None while there is too little to sync."""
        if self._part.unsynced_bytes < SYNC_BYTES:
            return None
        return max(0.0, self._synced_at + _SYNC_PERIOD_S - monotonic())
