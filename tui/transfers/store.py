"""The queue on disk: what is not finished outlives the end of the program, however it ends.

Each program holds a lock file as long as it lives and owns its own rows, so several may run at once; the next one
to start takes over the rows of those that are gone. No URL is stored, that is a credential. Where the folder
cannot be written the queue merely does not survive, and the log says so.
"""

from __future__ import annotations

import concurrent.futures
import json
import logging
import os
import queue
import sqlite3
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TypeVar

from tui.models import AccountName, AppId, Artifact, ArtifactId, ArtifactKind, ArtifactRef, BuildId
from tui.transfers.claim import claimed_bytes
from tui.transfers.database import Database
from tui.transfers.destination import ConflictRule
from tui.transfers.lock import try_lock
from tui.transfers.snapshot import TransferState
from tui.transfers.wish import Wish

T = TypeVar("T")
_log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S: Final = 1.0
"""How long `QueueStore.close` waits for what is still to be written."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS queue (
  key TEXT PRIMARY KEY, owner TEXT NOT NULL, position INTEGER NOT NULL, account TEXT NOT NULL, data TEXT NOT NULL
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Saved:
    """One unfinished transfer as it is stored."""

    key: str
    wish: Wish
    state: TransferState
    reason: str = ""
    """Why it failed."""
    held_bytes: int = 0
    """Bytes of it on disk, when it was read from the store."""


class QueueStore:
    """The stored queue of this program, written by one thread of its own; no call blocks.

    Args:
        path: The database file; made when missing. The lock files stand beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = Database(path, _SCHEMA)
        self._owner = ""
        self._lock = -1
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="queue-store", daemon=True)
        self._thread.start()

    def save(self, saved: Saved) -> None:
        """Stores a transfer, or its new state."""
        data = json.dumps(_to_json(saved))
        row = (saved.key, saved.wish.artifact.ref.account, data)
        self._do(lambda: self._change(lambda database: self._put(database, *row)))

    def remove(self, keys: Iterable[str]) -> None:
        """Forgets transfers."""
        rows = [(key,) for key in keys]
        self._do(lambda: self._change(lambda d: d.executemany("DELETE FROM queue WHERE key = ?", rows)))

    def arrange(self, keys: Sequence[str]) -> None:
        """Stores the order."""
        rows = [(position, key) for position, key in enumerate(keys)]
        self._do(lambda: self._change(lambda d: d.executemany("UPDATE queue SET position = ? WHERE key = ?", rows)))

    def adopt(self, accounts: Collection[AccountName]) -> concurrent.futures.Future[list[Saved]]:
        """Takes over what ended programs left unfinished.

        Args:
            accounts: Those whose transfers can be continued; others stay stored.
        """
        future: concurrent.futures.Future[list[Saved]] = concurrent.futures.Future()

        def adopt() -> None:
            found: list[Saved] = []
            self._change(lambda database: found.extend(self._adopt(database, accounts)))
            if future.set_running_or_notify_cancel():  # else who asked has gone: the program was left at once
                future.set_result([_with_held_bytes(saved) for saved in found])

        self._do(adopt)
        return future

    def close(self) -> None:
        """Writes what is still to be written, and lets the next program have what is unfinished."""
        self._tasks.put(None)
        self._thread.join(CLOSE_TIMEOUT_S)

    def _do(self, task: Callable[[], None]) -> None:
        self._tasks.put(task)

    def _work(self) -> None:
        """In the store's thread."""
        while (task := self._tasks.get()) is not None:
            task()
        self._database.close()
        if self._lock >= 0:
            self._remove_lock(self._owner)  # before it is released; an owner without one counts as gone
            os.close(self._lock)

    def _change(self, change: Callable[[sqlite3.Connection], object]) -> None:
        try:
            if not self._owner:
                self._become_owner()
            with self._database.connected() as database:
                database.execute("BEGIN IMMEDIATE")
                change(database)
                database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            _log.warning("the queue of transfers cannot be kept: %s", error)

    def _put(self, database: sqlite3.Connection, key: str, account: str, data: str) -> None:
        database.execute(
            "INSERT INTO queue SELECT ?, ?, COALESCE(MAX(position), 0) + 1, ?, ? FROM queue WHERE true "
            "ON CONFLICT (key) DO UPDATE SET data = excluded.data",
            (key, self._owner, account, data),
        )

    def _adopt(self, database: sqlite3.Connection, accounts: Collection[AccountName]) -> list[Saved]:
        marks = ", ".join("?" * len(accounts))
        owners = {owner for (owner,) in database.execute("SELECT DISTINCT owner FROM queue")}
        for owner in owners | self._lock_owners():  # those that were killed without a row left their lock, too
            if owner == self._owner or not (free := self._take_lock(owner)):
                continue
            database.execute(
                f"UPDATE queue SET owner = ? WHERE owner = ? AND account IN ({marks})",  # noqa: S608 - only marks
                (self._owner, owner, *accounts),
            )
            if not database.execute("SELECT 1 FROM queue WHERE owner = ?", (owner,)).fetchone():
                self._remove_lock(owner)
            free()
        rows = database.execute("SELECT key, data FROM queue WHERE owner = ? ORDER BY position", (self._owner,))
        return [saved for key, data in rows if (saved := _from_json(key, data)) is not None]

    def _lock_path(self, owner: str) -> Path:
        return self._path.with_name(f"queue-{owner}.lock")

    def _lock_owners(self) -> set[str]:
        return {path.stem.removeprefix("queue-") for path in self._path.parent.glob("queue-*.lock")}

    def _remove_lock(self, owner: str) -> None:
        """While holding it: who opened it before and locks it later has a file without a name, which is no harm."""
        with suppress(OSError):
            self._lock_path(owner).unlink(missing_ok=True)

    def _become_owner(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            owner = uuid.uuid4().hex
            descriptor = os.open(self._lock_path(owner), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            if try_lock(descriptor) and os.fstat(descriptor).st_nlink:
                self._owner, self._lock = owner, descriptor
                return
            os.close(descriptor)  # a program that starts just now took it for one that is left, and removes it

    def _take_lock(self, owner: str) -> Callable[[], None] | None:
        """Proves that a program is gone, by holding its lock; gives what releases it again."""
        try:
            descriptor = os.open(self._lock_path(owner), os.O_RDWR)
        except FileNotFoundError:
            return lambda: None
        except OSError:  # not a file of ours
            return None
        if try_lock(descriptor):
            return lambda: os.close(descriptor)
        os.close(descriptor)
        return None


def _with_held_bytes(saved: Saved) -> Saved:
    return Saved(saved.key, saved.wish, saved.state, saved.reason, claimed_bytes(saved.wish.target))


def _to_json(saved: Saved) -> dict[str, object]:
    wish, artifact = saved.wish, saved.wish.artifact
    return {
        "artifact": asdict(artifact.ref),
        "title": artifact.title,
        "kind": artifact.kind,
        "kind_raw": artifact.kind_raw,
        "size_bytes": artifact.size_bytes,
        "target": str(wish.target),
        "label": wish.label,
        "rule": wish.rule,
        "unpack": wish.unpack,
        "sha256": wish.sha256,
        "state": saved.state,
        "reason": saved.reason,
    }


def _from_json(key: str, text: str) -> Saved | None:
    """A row; None when another version wrote it in a way that makes no sense here."""
    try:
        data = json.loads(text)
        ref = data["artifact"]
        artifact = Artifact(
            ref=ArtifactRef(
                AccountName(ref["account"]), AppId(ref["app"]), BuildId(ref["build"]), ArtifactId(ref["artifact"])
            ),
            title=data["title"],
            kind=ArtifactKind(data["kind"]),
            kind_raw=data["kind_raw"],
            size_bytes=data["size_bytes"],
        )
        wish = Wish(
            artifact, Path(data["target"]), data["label"], ConflictRule(data["rule"]), data["unpack"], data["sha256"]
        )
        return Saved(key, wish, TransferState(data["state"]), data["reason"])
    except (KeyError, TypeError, ValueError):
        _log.warning("a stored transfer cannot be read and is left out")
        return None
