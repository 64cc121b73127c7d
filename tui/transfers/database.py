"""The database of transfers, which stays open.

To open it for each finished file, and to have four syncs in each commit, took a sixth of the time of a download of
5 MiB with eight at once; this takes a hundredth.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_BUSY_TIMEOUT_S: Final = 5.0


class Database:
    """One table in a file that several programs share. Any thread may use it.

    Args:
        path: The file; made when missing, once it is needed.
        schema: Makes the table where it is missing.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self._path, self._schema = path, schema
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time; every statement commits itself unless BEGIN was called.

        After an error nothing of a transaction is left, and the file is opened anew for the next caller.

        Raises:
            sqlite3.Error: It cannot be read or written.
            OSError: Its folder cannot be made.
        """
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                yield self._connection
            except BaseException:
                self._close()
                raise

    def close(self) -> None:
        """Whoever needs it afterwards opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # a power failure may take the last changes
            connection.execute(self._schema)
        except BaseException:
            connection.close()
            raise
        return connection
