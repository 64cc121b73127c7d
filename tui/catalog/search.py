"""Looks for words in the names of everything that was listed, newest builds first, within a given time.

Titles have no index: a word may stand anywhere in them. A million of them are read in a fifth of a second; where the
time is over before, what was found by then is the answer, and says so.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Final

from tui.catalog.rows import to_moment
from tui.models import AccountName, AppId, AppRef, ArtifactId, ArtifactRef, BuildId, BuildRef, Status
from tui.models.findings import Findings, Hit

MAX_WORDS: Final = 8
_STEPS: Final = 4000
"""Instructions of SQLite's machine between two looks at the clock; some microseconds."""


@dataclass(frozen=True, slots=True)
class _Level:
    """What is looked through.

    Of `own` one must have a word; the other words may be there or in `others`.
    """

    columns: str
    tables: str
    own: tuple[str, ...]
    others: tuple[str, ...]
    order: str
    hit: Callable[[sqlite3.Row], Hit]

    def statement(self, words: int) -> str:
        """Takes the words as LIKE patterns, then the limit."""
        own = _either(self.own, range(1, words + 1))
        every = " AND ".join(_either(self.own + self.others, (number,)) for number in range(1, words + 1))
        return (
            f"SELECT {self.columns} FROM {self.tables} WHERE NOT gone AND {own} AND {every}"  # noqa: S608
            f" ORDER BY {self.order} LIMIT ?"
        )


def _either(columns: Iterable[str], words: Iterable[int]) -> str:
    likes = [f"{column} LIKE ?{word} ESCAPE '\\'" for word in words for column in columns]
    return f"({' OR '.join(likes)})"


def search(path: Path, text: str, *, limit: int, within_s: float, stop: threading.Event | None = None) -> Findings:
    """Looks for rows that have all words in them; blocks for as long as it takes.

    Upper and lower case are the same for the letters A to Z.

    Args:
        path: The catalog's database.
        text: Words, parted by blanks; the first `MAX_WORDS` count.
        limit: Hits at most, of apps, of builds and of artifacts.
        within_s: Seconds after which it gives what it has.
        stop: Ends it at once when set.
    """
    words = [f"%{_escape(word)}%" for word in text.split()[:MAX_WORDS]]
    if not words or not path.exists():
        return Findings()
    deadline = monotonic() + within_s
    hits: list[Hit] = []
    has_more = False
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        connection.set_progress_handler(lambda: monotonic() > deadline or (stop is not None and stop.is_set()), _STEPS)
        try:
            for level in _LEVELS:
                for count, row in enumerate(connection.execute(level.statement(len(words)), (*words, limit + 1))):
                    if count < limit:
                        hits.append(level.hit(row))
                    else:
                        has_more = True
        except sqlite3.OperationalError:  # interrupted by the clock, or another program changes the tables
            return Findings(tuple(hits), has_more, is_partial=True)
    return Findings(tuple(hits), has_more)


def _escape(word: str) -> str:
    """A word whose signs stand for themselves; a lone surrogate is no text for SQLite."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.encode("utf-8", "replace").decode()


def _app(row: sqlite3.Row) -> Hit:
    return Hit(AppRef(AccountName(row["account"]), AppId(row["app"])), row["provider"], row["app_title"])


def _build(row: sqlite3.Row) -> Hit:
    return Hit(
        BuildRef(AccountName(row["account"]), AppId(row["app"]), BuildId(row["build"])),
        row["provider"],
        row["app_title"],
        number=row["number"],
        status=Status(row["status"]) if row["status"] in set(Status) else Status.UNKNOWN,
        branch=row["branch"],
        workflow=row["workflow"],
        commit_message=row["commit_message"],
        created_at=to_moment(row["created_at"]),
    )


def _artifact(row: sqlite3.Row) -> Hit:
    build = _build(row)
    ref = ArtifactRef(build.ref.account, build.ref.app, BuildId(row["build"]), ArtifactId(row["artifact"]))
    return replace(build, ref=ref, title=row["title"], size_bytes=row["size_bytes"])


_APP_COLUMNS: Final = "account, app, provider, apps.title AS app_title"
_BUILD_COLUMNS: Final = (
    f"{_APP_COLUMNS}, build, number, status, branch, workflow, commit_message, builds.created_at AS created_at"
)
_BUILDS: Final = "builds INDEXED BY builds_age CROSS JOIN apps ON apps.id = builds.app_id"
_LEVELS: Final = (
    _Level(_APP_COLUMNS, "apps", ("apps.title", "bundle_id", "account", "app"), (), "apps.id", _app),
    _Level(
        _BUILD_COLUMNS,
        _BUILDS,
        ("number", "branch", "tag", "workflow", "commit_message", "commit_sha", "author"),
        ("apps.title",),
        "builds.created_at DESC",
        _build,
    ),
    _Level(
        f"{_BUILD_COLUMNS}, artifact, artifacts.title AS title, size_bytes",
        f"{_BUILDS} CROSS JOIN artifacts ON build_id = builds.id",
        ("artifacts.title",),
        ("apps.title", "number", "branch", "workflow"),
        "builds.created_at DESC",
        _artifact,
    ),
)
