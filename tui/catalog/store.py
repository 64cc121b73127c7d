"""The catalog: what was listed, kept on disk, shown before the network answers.

SQLite in WAL mode, so that two programs may have it open at once. Reads are small and run where they are asked for;
writes run behind the screen in one thread. Nothing here is needed: a catalog that cannot be opened is set aside, and
one that cannot be written is done without.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from tui.catalog.rows import (
    action_of,
    action_row,
    app_of,
    app_row,
    artifact_of,
    artifact_row,
    build_of,
    build_row,
    to_moment,
)
from tui.catalog.schema import NewerCatalog, prepare
from tui.errors import DigsiteError
from tui.models import AccountName, Action, App, AppId, AppRef, Artifact, ArtifactRef, Build, BuildRef

if TYPE_CHECKING:
    from tui.catalog.figures import Figures
    from tui.models.findings import Findings

T = TypeVar("T")
_log = logging.getLogger(__name__)

_ONE_ARTIFACT: Final = (
    "artifact = ? AND build_id = (SELECT builds.id FROM builds JOIN apps ON apps.id = app_id"
    " WHERE account = ? AND app = ? AND build = ?)"
)
BUSY_TIMEOUT_S: Final = 5.0
"""How long a write waits for another program's."""
_LOOK_S: Final = 0.2
"""Between two looks at whether the writer is still there."""
_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""Errors that will be there the next time too. A file that is locked, or a disk that is full, has another way out."""


class CatalogUnreadable(DigsiteError):
    """The catalog cannot be read at this moment."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What was listed, and when it was last seen so; aware UTC."""

    items: tuple[T, ...]
    seen_at: datetime


class Catalog:
    """Apps, builds and artifacts as they were listed.

    Args:
        path: The database file; its folder is made.

    A corrupt or newer file is renamed, and `message` says so; then the catalog starts empty. One that cannot be opened
    now, such as a file that another program has locked, stays as it is: `message` says that this run keeps none.
    """

    def __init__(self, path: Path) -> None:
        self.message: str | None = None
        self._path = path
        self._reader = self._open()
        self._jobs: queue.SimpleQueue[Callable[[sqlite3.Connection], object] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="catalog", daemon=True)
        self._writer.start()

    # Reading ----------------------------------------------------------------------------------------------

    def apps(self, account: AccountName) -> Kept[App] | None:
        """The apps of an account; None when they were never listed."""
        seen = self._one("SELECT apps_seen_at FROM accounts WHERE account = ?", account)
        if seen is None:
            return None
        rows = self._all("SELECT * FROM apps WHERE account = ? AND NOT gone ORDER BY id", account)
        return Kept(tuple(app_of(row) for row in rows), _seen(seen[0]))

    def builds(self, app: AppRef, limit: int = 50) -> Kept[Build] | None:
        """The newest builds of an app; None when they were never listed."""
        found = self._one("SELECT id, builds_seen_at FROM apps WHERE account = ? AND app = ?", app.account, app.app)
        if found is None or found["builds_seen_at"] is None:
            return None
        newest = "SELECT * FROM builds WHERE app_id = ? ORDER BY created_at DESC, number DESC LIMIT ?"
        rows = self._all(newest, found["id"], limit)
        return Kept(tuple(build_of(row, app) for row in rows), _seen(found["builds_seen_at"]))

    def artifacts(self, build: BuildRef) -> Kept[Artifact] | None:
        """The artifacts of a build; None when they were never listed."""
        found = self._one(
            "SELECT builds.id, artifacts_seen_at FROM builds JOIN apps ON apps.id = app_id"
            " WHERE account = ? AND app = ? AND build = ?",
            build.account,
            build.app,
            build.build,
        )
        if found is None or found["artifacts_seen_at"] is None:
            return None
        actions: dict[int, Action] = {
            row["id"]: action_of(row) for row in self._all("SELECT * FROM actions WHERE build_id = ?", found["id"])
        }
        rows = self._all("SELECT * FROM artifacts WHERE build_id = ? ORDER BY position", found["id"])
        return Kept(tuple(artifact_of(row, build, actions) for row in rows), _seen(found["artifacts_seen_at"]))

    @property
    def figures(self) -> Figures:
        """Sums and lists over all that was listed."""
        from tui.catalog.figures import Figures  # here and below: not for the first paint

        return Figures(self._all)

    @contextmanager
    def figures_apart(self) -> Iterator[Figures]:
        """The same over a connection of their own, for another thread: no read for the screen waits for theirs.

        Raises:
            CatalogUnreadable: There is no file, it is broken, or another program changes its tables.
        """
        from tui.catalog.figures import Figures

        try:
            connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
            with closing(connection):
                connection.row_factory = sqlite3.Row
                yield Figures(lambda statement, *values: connection.execute(statement, values).fetchall())
        except sqlite3.Error as error:
            raise CatalogUnreadable(f"The catalog cannot be read ({error}).", hint="r tries again.") from error

    def newest(self, account: AccountName, limit: int) -> Kept[tuple[App, Build]] | None:
        """The newest builds of all apps of an account; None when none was ever listed."""
        newest = (
            "SELECT builds.* FROM builds INDEXED BY builds_age CROSS JOIN apps ON apps.id = app_id"
            " WHERE account = ? AND NOT gone ORDER BY builds.created_at DESC LIMIT ?"
        )
        apps = {
            row["id"]: (app_of(row), row["builds_seen_at"])
            for row in self._all("SELECT * FROM apps WHERE account = ? AND builds_seen_at IS NOT NULL", account)
        }
        found = [(*apps[row["app_id"]], row) for row in self._all(newest, account, limit) if row["app_id"] in apps]
        if not found:
            return None
        pairs = tuple((app, build_of(row, app.ref)) for app, _, row in found)
        return Kept(pairs, _seen(min(seen_at for _, seen_at, _ in found)))

    def busy(self, account: AccountName) -> dict[AppRef, datetime]:
        """When the newest build of each app was made, aware UTC; without the apps that have none."""
        newest = (
            "SELECT app, (SELECT max(created_at) FROM builds WHERE app_id = apps.id) AS newest FROM apps"
            " WHERE account = ? AND NOT gone"
        )
        return {
            AppRef(account, AppId(row["app"])): moment
            for row in self._all(newest, account)
            if (moment := to_moment(row["newest"])) is not None
        }

    def search(self, text: str, *, limit: int, within_s: float, stop: threading.Event | None = None) -> Findings:
        """Looks for rows that have all words in them, newest builds first; blocks: for a thread of its own.

        Args:
            text: Words, parted by blanks.
            limit: Hits at most, of apps, of builds and of artifacts.
            within_s: Seconds after which it gives what it has.
            stop: Ends it at once when set.
        """
        from tui.catalog.search import search

        return search(self._path, text, limit=limit, within_s=within_s, stop=stop)

    def sizes_before(self, build: Build, limit: int) -> list[list[tuple[str, int]]]:
        """Titles and sizes of the artifacts of green builds of its workflow and branch before it, newest first.

        Only builds whose artifacts were listed, among the last 500 of the app.
        """
        app = build.ref
        older = (
            "SELECT builds.id, workflow, branch, status, artifacts_seen_at FROM builds JOIN apps ON apps.id = app_id"
            " WHERE account = ? AND app = ? AND build != ? AND builds.created_at <= ?"
            " ORDER BY builds.created_at DESC, number DESC LIMIT 500"
        )
        alike = (
            f"SELECT id FROM ({older}) WHERE workflow IS ? AND branch IS ? AND status = 'succeeded'"  # noqa: S608
            " AND artifacts_seen_at IS NOT NULL LIMIT ?"
        )
        moment = int(build.created_at.timestamp()) if build.created_at else -1
        place = (app.account, app.app, app.build, moment, build.workflow, build.branch, limit)
        artifacts = "SELECT title, size_bytes FROM artifacts WHERE build_id = ? AND size_bytes IS NOT NULL"
        return [
            [(found["title"], found["size_bytes"]) for found in self._all(artifacts, row["id"])]
            for row in self._all(alike, *place)
        ]

    # Writing, behind the screen ---------------------------------------------------------------------------

    def keep_apps(self, account: AccountName, apps: Sequence[App], *, complete: bool) -> None:
        """Takes a listing in; a complete one takes apps away that it does not have."""

        def job(connection: sqlite3.Connection) -> None:
            if complete:
                connection.execute("UPDATE apps SET gone = 1 WHERE account = ?", (account,))
            for app in apps:
                _put(connection, "apps", ("account", "app"), {**app_row(app), "gone": 0})
            connection.execute("REPLACE INTO accounts VALUES (?, ?)", (account, _now()))

        self._jobs.put(job)

    def keep_builds(self, app: AppRef, builds: Sequence[Build]) -> None:
        """Takes a page of builds in."""

        def job(connection: sqlite3.Connection) -> None:
            app_id = _app_id(connection, app)
            if app_id is None:
                return
            for build in builds:
                _put(connection, "builds", ("app_id", "build"), {"app_id": app_id, **build_row(build)})
            connection.execute("UPDATE apps SET builds_seen_at = ? WHERE id = ?", (_now(), app_id))

        self._jobs.put(job)

    def keep_artifacts(self, build: Build, artifacts: Sequence[Artifact]) -> None:
        """Takes the whole list of a build's artifacts in: others of that build go."""

        def job(connection: sqlite3.Connection) -> None:
            app_id = _app_id(connection, build.ref.app_ref)
            if app_id is None:
                return
            build_id = _put(connection, "builds", ("app_id", "build"), {"app_id": app_id, **build_row(build)})
            connection.execute("DELETE FROM artifacts WHERE build_id = ?", (build_id,))
            for position, artifact in enumerate(artifacts):
                action_id = _action_id(connection, build_id, artifact.action)
                place = {"build_id": build_id, "position": position, "app_id": app_id, "action_id": action_id}
                row = {**place, **artifact_row(artifact)}
                _put(connection, "artifacts", ("build_id", "position"), row)
            connection.execute("UPDATE builds SET artifacts_seen_at = ? WHERE id = ?", (_now(), build_id))

        self._jobs.put(job)

    def keep_public(self, artifact: ArtifactRef, is_public: bool) -> None:
        """Takes in that a public install page was switched, if the artifact was ever listed."""
        change = f"UPDATE artifacts SET is_public = ? WHERE {_ONE_ARTIFACT}"  # noqa: S608
        self._jobs.put(lambda connection: connection.execute(change, (is_public, *_keys(artifact))))

    def forget(self, artifact: ArtifactRef) -> None:
        """Takes an artifact away that its provider has deleted."""
        change = f"DELETE FROM artifacts WHERE {_ONE_ARTIFACT}"  # noqa: S608
        self._jobs.put(lambda connection: connection.execute(change, _keys(artifact)))

    def close(self) -> None:
        """Writes what is left, then closes."""
        self._jobs.put(None)
        self._writer.join(timeout=BUSY_TIMEOUT_S)
        self._reader.close()

    def settle(self) -> None:
        """Waits until everything that was given so far is written, or the writer has ended; blocks."""
        done = threading.Event()
        self._jobs.put(lambda _: done.set())
        while self._writer.is_alive() and not done.wait(_LOOK_S):
            pass

    # The database -----------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return _connect(self._path)
        except (sqlite3.Error, NewerCatalog) as error:
            if isinstance(error, NewerCatalog) or _is_broken(error):
                return self._open_anew(error)
            self.message = f"Without a catalog: {self._path} cannot be opened ({error})."
            return _connect(":memory:")
        except OSError as error:
            self.message = f"Without a catalog: {self._path.parent} cannot be made ({error.strerror})."
            return _connect(":memory:")

    def _open_anew(self, error: Exception) -> sqlite3.Connection:
        aside = self._path.with_name(f"{self._path.name}.{datetime.now(UTC):%Y%m%d-%H%M%S}")
        try:
            self._path.rename(aside)
            for suffix in ("-wal", "-shm"):  # a program that has it open still writes there: nothing of it is lost
                with suppress(FileNotFoundError):
                    self._path.with_name(self._path.name + suffix).rename(aside.with_name(aside.name + suffix))
            self.message = f"The catalog could not be read ({error}); it is now {aside.name}, and starts empty."
            return _connect(self._path)
        except (OSError, sqlite3.Error):
            self.message = f"Without a catalog: {self._path} cannot be opened ({error})."
            return _connect(":memory:")

    def _open_to_write(self) -> sqlite3.Connection:
        try:
            return _connect(self._path)
        except (sqlite3.Error, NewerCatalog) as error:
            _log.warning("catalog: no writer: %s", error)
            return _connect(":memory:")

    def _write(self) -> None:
        connection: sqlite3.Connection | None = None
        while (job := self._jobs.get()) is not None:
            try:
                connection = connection or self._open_to_write()  # not at once: the first paint needs the processor
                connection.execute("BEGIN IMMEDIATE")
                with connection:
                    job(connection)
            except Exception as error:  # noqa: BLE001  # a full disk, a lock, a value no column takes: the next may do
                _log.warning("catalog: not written: %s", error)
        if connection is not None:
            connection.close()

    def _one(self, statement: str, *values: object) -> sqlite3.Row | None:
        return next(iter(self._all(statement, *values)), None)

    def _all(self, statement: str, *values: object) -> list[sqlite3.Row]:
        try:
            return self._reader.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            _log.warning("catalog: not read: %s", error)
            return []


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_broken(error: sqlite3.Error) -> bool:
    """Whether the file itself is no catalog, rather than one that cannot be had now."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN  # the low byte; what is above it tells details


def _put(connection: sqlite3.Connection, table: str, key: Iterable[str], row: Mapping[str, Any]) -> int:
    """Inserts a row, or updates the one of its key; gives its id."""
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    changes = ", ".join(f"{name} = excluded.{name}" for name in row)
    back = "position" if table == "artifacts" else "id"
    found = connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({', '.join(key)})"  # noqa: S608  # our own names
        f" DO UPDATE SET {changes} RETURNING {back}",
        [_plain(value) for value in row.values()],
    ).fetchone()
    return int(found[0])


def _plain(value: object) -> object:
    """A value as SQLite takes it: a lone surrogate from a server is no text for it."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _app_id(connection: sqlite3.Connection, app: AppRef) -> int | None:
    row = connection.execute("SELECT id FROM apps WHERE account = ? AND app = ?", (app.account, app.app)).fetchone()
    return None if row is None else int(row[0])


def _action_id(connection: sqlite3.Connection, build_id: int, action: Action | None) -> int | None:
    if action is None:
        return None
    return _put(connection, "actions", ("build_id", "action"), {"build_id": build_id, **action_row(action)})


def _keys(artifact: ArtifactRef) -> tuple[str, ...]:
    """What `_ONE_ARTIFACT` asks for."""
    return artifact.artifact, artifact.account, artifact.app, artifact.build


def _now() -> int:
    return int(datetime.now(UTC).timestamp())


def _seen(seconds: int) -> datetime:
    return to_moment(seconds) or datetime.now(UTC)
