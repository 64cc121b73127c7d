"""What this machine remembers of its runs, so that the next one asks only for what is new.

Nothing here is needed: without it a run looks at the manifests again, and fetches again only what a killed run left
without one, to compare it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tui.errors import Destination
from tui.models import AppRef, BuildRef

_log = logging.getLogger(__name__)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)

_TABLES = """
CREATE TABLE IF NOT EXISTS done (
    destination TEXT NOT NULL, rule TEXT NOT NULL, account TEXT NOT NULL, app TEXT NOT NULL, build TEXT NOT NULL,
    PRIMARY KEY (destination, rule, account, app, build)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS walks (
    destination TEXT NOT NULL, rule TEXT NOT NULL, account TEXT NOT NULL, app TEXT NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (destination, rule, account, app)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (at INTEGER NOT NULL, summary TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS held (
    destination TEXT NOT NULL, folder TEXT NOT NULL, PRIMARY KEY (destination, folder)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (
    destination TEXT NOT NULL, key TEXT NOT NULL, artifact TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, PRIMARY KEY (destination, key)
) WITHOUT ROWID;
"""
_BROKEN: Final = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent to an archive under a key, whether or not it arrived."""

    artifact_id: str
    size_bytes: int
    sha256: str


class State:
    """Builds that are archived by a rule, how far each app was walked, and what was sent for builds not written down.

    What cannot be remembered (a full disk) is logged: the next run looks again.

    Args:
        path: The database; a broken one is begun anew.
        patience_s: How long another program may hold it.

    Raises:
        Destination: It cannot be opened now; it is left as it is.
    """

    def __init__(self, path: Path, *, patience_s: float = 10) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        try:
            try:
                self._connection = _connect(path, patience_s)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorname not in _BROKEN:
                    raise
                path.unlink(missing_ok=True)
                self._connection = _connect(path, patience_s)
        except sqlite3.Error as error:
            raise Destination(f"{path} cannot be opened ({error}).", hint="Is another program at it?") from error

    def is_done(self, destination: str, rule: str, build: BuildRef) -> bool:
        """Whether everything that the rule wants of a build is archived."""
        values = (destination, rule, build.account, build.app, build.build)
        sql = "SELECT 1 FROM done WHERE destination = ? AND rule = ? AND account = ? AND app = ? AND build = ?"
        return bool(self._read(sql, values))

    def add_done(self, destination: str, rule: str, build: BuildRef) -> None:
        """Remembers a build."""
        values = (destination, rule, build.account, build.app, build.build)
        self._write("INSERT OR IGNORE INTO done VALUES (?, ?, ?, ?, ?)", values)

    def add_held(self, destination: str, folder: str) -> None:
        """Remembers that a destination has a build, of which this machine knows no more."""
        self._write("INSERT OR IGNORE INTO held VALUES (?, ?)", (destination, folder))

    def held(self, destination: str) -> list[str]:
        """Folders of builds that were written there by this machine."""
        return [row[0] for row in self._read("SELECT folder FROM held WHERE destination = ?", (destination,))]

    def walked_until(self, destination: str, rule: str, app: AppRef) -> datetime | None:
        """Builds created before this moment need no look any more; aware UTC."""
        sql = "SELECT until FROM walks WHERE destination = ? AND rule = ? AND account = ? AND app = ?"
        rows = self._read(sql, (destination, rule, app.account, app.app))
        return _EPOCH + timedelta(seconds=rows[0][0]) if rows else None

    def set_walked(self, destination: str, rule: str, app: AppRef, until: datetime) -> None:
        """Remembers how far an app was walked. Two seconds less: servers leave out what is of the moment itself."""
        seconds = int((until - _EPOCH).total_seconds())
        values = (destination, rule, app.account, app.app, max(0, seconds - 2))
        self._write("REPLACE INTO walks VALUES (?, ?, ?, ?, ?)", values)

    def add_sent(self, destination: str, key: str, sent: Sent) -> None:
        """Remembers what was sent, before it has its name there."""
        values = (destination, key, sent.artifact_id, sent.size_bytes, sent.sha256)
        self._write("REPLACE INTO sent VALUES (?, ?, ?, ?, ?)", values)

    def sent(self, destination: str, folder: str) -> dict[str, Sent]:
        """What was sent to a build's folder, by key."""
        sql = "SELECT key, artifact, size_bytes, sha256 FROM sent WHERE destination = ? AND key > ? AND key < ?"
        return {key: Sent(*rest) for key, *rest in self._read(sql, (destination, f"{folder}/", f"{folder}0"))}

    def forget_sent(self, destination: str, folder: str) -> None:
        """Once the manifest of a folder says it all."""
        sql = "DELETE FROM sent WHERE destination = ? AND key > ? AND key < ?"  # 0 comes right after /
        self._write(sql, (destination, f"{folder}/", f"{folder}0"))

    def add_run(self, summary: str) -> None:
        """Remembers what a run did, as JSON."""
        self._write("INSERT INTO runs VALUES (?, ?)", (int(datetime.now(UTC).timestamp()), summary))

    def last_run(self) -> tuple[datetime, str] | None:
        """When the last run ended, aware UTC, and what it did."""
        rows = self._read("SELECT at, summary FROM runs ORDER BY rowid DESC LIMIT 1", ())
        return (datetime.fromtimestamp(rows[0][0], UTC), rows[0][1]) if rows else None

    def _read(self, sql: str, values: Sequence[object]) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def _write(self, sql: str, values: Sequence[object]) -> None:
        try:
            with self._lock, self._connection:
                self._connection.execute(sql, values)
        except sqlite3.Error as error:
            _log.warning("archive: not remembered: %s", error)

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()


def _connect(path: Path, patience_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=patience_s, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a power failure takes the last builds at most
        connection.executescript(_TABLES)
    except BaseException:
        connection.close()
        raise
    return connection
