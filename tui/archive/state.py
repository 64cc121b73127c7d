"""What this machine remembers of its runs, so that the next one asks only for what is new.

Nothing here is needed: without it a run looks at the manifests again, and moves nothing twice.
"""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

from tui.models import AppRef, BuildRef

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
"""


class State:
    """Builds that are archived by a rule, and how far each app was walked.

    Args:
        path: The database; a broken one is begun anew.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        try:
            self._connection = _connect(path)
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._connection = _connect(path)

    def is_done(self, destination: str, rule: str, build: BuildRef) -> bool:
        """Whether everything that the rule wants of a build is archived."""
        where = "destination = ? AND rule = ? AND account = ? AND app = ? AND build = ?"
        values = (destination, rule, build.account, build.app, build.build)
        with self._lock:
            return self._connection.execute(f"SELECT 1 FROM done WHERE {where}", values).fetchone() is not None  # noqa: S608

    def add_done(self, destination: str, rule: str, build: BuildRef) -> None:
        """Remembers a build."""
        values = (destination, rule, build.account, build.app, build.build)
        with self._lock, self._connection:
            self._connection.execute("INSERT OR IGNORE INTO done VALUES (?, ?, ?, ?, ?)", values)

    def walked_until(self, destination: str, rule: str, app: AppRef) -> datetime | None:
        """Builds created before this moment need no look any more; aware UTC."""
        where = "destination = ? AND rule = ? AND account = ? AND app = ?"
        values = (destination, rule, app.account, app.app)
        with self._lock:
            row = self._connection.execute(f"SELECT until FROM walks WHERE {where}", values).fetchone()  # noqa: S608
        return datetime.fromtimestamp(row[0], UTC) if row else None

    def set_walked(self, destination: str, rule: str, app: AppRef, until: datetime) -> None:
        """Remembers how far an app was walked. Two seconds less: servers leave out what is of the moment itself."""
        values = (destination, rule, app.account, app.app, int(until.timestamp()) - 2)
        with self._lock, self._connection:
            self._connection.execute("REPLACE INTO walks VALUES (?, ?, ?, ?, ?)", values)

    def add_run(self, summary: str) -> None:
        """Remembers what a run did, as JSON."""
        with self._lock, self._connection:
            self._connection.execute("INSERT INTO runs VALUES (?, ?)", (int(datetime.now(UTC).timestamp()), summary))

    def last_run(self) -> tuple[datetime, str] | None:
        """When the last run ended, aware UTC, and what it did."""
        with self._lock:
            row = self._connection.execute("SELECT at, summary FROM runs ORDER BY rowid DESC LIMIT 1").fetchone()
        return (datetime.fromtimestamp(row[0], UTC), row[1]) if row else None

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a power failure takes the last builds at most
        connection.executescript(_TABLES)
    except BaseException:
        connection.close()
        raise
    return connection
