"""Which files were finished, with their SHA-256: so that asking for the same file again moves nothing.

It is a convenience: where it cannot be read or written, files are only fetched once more than needed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time
from typing import Final

from tui.models import ArtifactRef
from tui.transfers.database import Database

_log = logging.getLogger(__name__)

_READ_BYTES: Final = 1 << 20
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS finished (
  target TEXT PRIMARY KEY, artifact TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  modified_ns INTEGER NOT NULL, finished_at REAL NOT NULL
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """One finished file as it was published."""

    target: Path
    artifact: ArtifactRef
    size_bytes: int
    sha256: str
    modified_ns: int


class History:
    """The record of finished files; any thread and process may call. Close it.

    Args:
        path: The database file; made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA)

    def add(self, finished: Finished) -> None:
        """Records a file, in the place of an older one of the same path."""
        row = (
            str(finished.target),
            _key(finished.artifact),
            finished.size_bytes,
            finished.sha256,
            finished.modified_ns,
            time(),
        )
        try:
            with self._database.connected() as database:
                database.execute("INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?, ?, ?)", row)
        except (sqlite3.Error, OSError) as error:
            _log.warning("a finished file could not be recorded: %s", error)

    def knows(self, target: Path, artifact: ArtifactRef) -> bool:
        """Whether the file at `target` is this very artifact, as far as size and time tell."""
        recorded = self._find(target, artifact)
        if recorded is None or target.is_symlink() or not target.is_file():
            return False
        facts = target.stat()
        return (facts.st_size, facts.st_mtime_ns) == (recorded.size_bytes, recorded.modified_ns)

    def sha256_if_same(
        self, target: Path, artifact: ArtifactRef, size_bytes: int | None, check_stop: Callable[[], None]
    ) -> str | None:
        """The SHA-256 of the file at `target` when it is this very artifact, complete and unchanged.

        A file whose modification time is not the recorded one is read and compared.
        """
        if target.is_symlink() or not target.is_file():  # as a rule; then the database need not be opened
            return None
        recorded = self._find(target, artifact)
        if recorded is None:
            return None
        facts = target.stat()
        if facts.st_size != recorded.size_bytes or size_bytes not in {None, recorded.size_bytes}:
            return None
        unchanged = facts.st_mtime_ns == recorded.modified_ns
        if unchanged or _file_sha256(target, check_stop) == recorded.sha256:
            return recorded.sha256
        return None

    def of_size(self, size_bytes: int) -> list[Finished]:
        """Finished files of that size, the newest first; of a file that was moved or deleted since, too."""
        query = (
            "SELECT target, artifact, size_bytes, sha256, modified_ns FROM finished WHERE size_bytes = ?"
            " ORDER BY finished_at DESC"
        )
        try:
            with self._database.connected() as database:
                rows = database.execute(query, (size_bytes,)).fetchall()
        except (sqlite3.Error, OSError) as error:
            _log.warning("the record of finished files cannot be read: %s", error)
            return []
        return [Finished(Path(target), ArtifactRef(**json.loads(key)), *rest) for target, key, *rest in rows]

    def _find(self, target: Path, artifact: ArtifactRef) -> Finished | None:
        query = "SELECT size_bytes, sha256, modified_ns FROM finished WHERE target = ? AND artifact = ?"
        try:
            with self._database.connected() as database:
                row = database.execute(query, (str(target), _key(artifact))).fetchone()
        except (sqlite3.Error, OSError) as error:
            _log.warning("the record of finished files cannot be read: %s", error)
            return None
        return Finished(target, artifact, *row) if row else None

    def close(self) -> None:
        """Whoever calls afterwards opens it again."""
        self._database.close()


def _key(artifact: ArtifactRef) -> str:
    return json.dumps(asdict(artifact), sort_keys=True)


def _file_sha256(path: Path, check_stop: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            check_stop()
            digest.update(block)
    return digest.hexdigest()
