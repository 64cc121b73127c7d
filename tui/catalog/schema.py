"""The catalog's tables, and how an older catalog becomes one of today."""

from __future__ import annotations

import sqlite3
from typing import Final

from tui.catalog.summaries import FILL, SUMMARIES, TRIGGERS
from tui.errors import DigsiteError

VERSION: Final = 3
"""Of the tables, kept in `PRAGMA user_version`."""

_TABLES: Final = (
    """CREATE TABLE apps (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL, app TEXT NOT NULL,
    title TEXT NOT NULL, provider TEXT NOT NULL, kind TEXT, bundle_id TEXT, owner TEXT,
    is_disabled INTEGER NOT NULL, created_at INTEGER, gone INTEGER NOT NULL DEFAULT 0,
    builds_seen_at INTEGER,
    UNIQUE (account, app)
)""",
    """CREATE TABLE builds (
    id INTEGER PRIMARY KEY,
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    build TEXT NOT NULL, number INTEGER, status TEXT NOT NULL, status_raw TEXT NOT NULL,
    branch TEXT, tag TEXT, workflow TEXT, commit_sha TEXT, commit_message TEXT, author TEXT, trigger_text TEXT,
    pull_request INTEGER, created_at INTEGER, started_at INTEGER, finished_at INTEGER, reason TEXT, stack TEXT,
    artifacts_seen_at INTEGER,
    UNIQUE (app_id, build)
)""",
    "CREATE INDEX builds_newest ON builds (app_id, created_at DESC, number DESC)",
    """CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    build_id INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    action TEXT NOT NULL, name TEXT NOT NULL, kind TEXT, status TEXT NOT NULL, status_raw TEXT NOT NULL,
    UNIQUE (build_id, action)
)""",
    """CREATE TABLE artifacts (
    build_id INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    artifact TEXT NOT NULL, title TEXT NOT NULL, kind TEXT NOT NULL, kind_raw TEXT NOT NULL,
    size_bytes INTEGER, is_public INTEGER, created_at INTEGER, action_id INTEGER, facts TEXT,
    is_intermediate INTEGER NOT NULL,
    PRIMARY KEY (build_id, position)
) WITHOUT ROWID""",
    "CREATE TABLE accounts (account TEXT PRIMARY KEY, apps_seen_at INTEGER NOT NULL) WITHOUT ROWID",
)
"""As version 1 had them; each later version adds its step, for new catalogs and old ones alike."""

_TO_2: Final = (
    "ALTER TABLE artifacts ADD COLUMN app_id INTEGER",
    "UPDATE artifacts SET app_id = (SELECT app_id FROM builds WHERE id = build_id)",
    "CREATE INDEX artifacts_size ON artifacts (app_id, size_bytes)",
    "CREATE INDEX artifacts_age ON artifacts (app_id, created_at)",
    "CREATE INDEX artifacts_public ON artifacts (app_id, created_at) WHERE is_public = 1",
    "CREATE INDEX builds_unlisted ON builds (app_id) WHERE artifacts_seen_at IS NULL",
    *SUMMARIES,
    *FILL,
    *TRIGGERS,
)

_TO_3: Final = ("CREATE INDEX builds_age ON builds (created_at DESC)",)


class NewerCatalog(DigsiteError):
    """The catalog was written by a later version of digsite."""


def prepare(connection: sqlite3.Connection) -> None:
    """Makes the tables, or brings them up to date, in one transaction.

    Raises:
        NewerCatalog: A later version of digsite wrote it.
        sqlite3.DatabaseError: It is no database, or a broken one.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerCatalog(f"The catalog is of version {version}; this digsite knows {VERSION}.")
    if version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()  # another program may have been faster
        steps = (_TABLES, _TO_2, _TO_3)
        for statements in steps[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
