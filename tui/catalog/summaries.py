"""Sums that triggers keep up to date, so that a view over a million artifacts reads a few thousand rows.

days: by app, day, kind. labels: by app and branch or workflow. runs: finished builds by app, workflow, day, status.
twins: sizes that several artifacts of an app have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

TWIN_BYTES: Final = 65_536
"""Smaller files often have the same size by chance, and weigh nothing."""

SUMMARIES: Final = (
    """CREATE TABLE days (
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, day INTEGER NOT NULL, kind TEXT NOT NULL,
    is_intermediate INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (app_id, day, kind, is_intermediate)
) WITHOUT ROWID""",
    """CREATE TABLE labels (
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, field TEXT NOT NULL, label TEXT NOT NULL,
    count INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (app_id, field, label)
) WITHOUT ROWID""",
    """CREATE TABLE runs (
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, workflow TEXT NOT NULL, day INTEGER NOT NULL,
    status TEXT NOT NULL, count INTEGER NOT NULL, timed INTEGER NOT NULL, seconds INTEGER NOT NULL,
    PRIMARY KEY (app_id, workflow, day, status)
) WITHOUT ROWID""",
    """CREATE TABLE twins (
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, size_bytes INTEGER NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY (app_id, size_bytes)
) WITHOUT ROWID""",
)

FILL: Final = (
    "INSERT INTO days SELECT app_id, coalesce(created_at / 86400, -1), kind, is_intermediate, count(*),"
    " total(size_bytes) FROM artifacts GROUP BY 1, 2, 3, 4",
    "INSERT INTO labels SELECT a.app_id, 'branch', coalesce(branch, ''), count(*), total(size_bytes)"
    " FROM artifacts a JOIN builds ON builds.id = build_id GROUP BY 1, 3",
    "INSERT INTO labels SELECT a.app_id, 'workflow', coalesce(workflow, ''), count(*), total(size_bytes)"
    " FROM artifacts a JOIN builds ON builds.id = build_id GROUP BY 1, 3",
    "INSERT INTO runs SELECT app_id, coalesce(workflow, ''), finished_at / 86400, status, count(*), count(started_at),"
    " total(finished_at - started_at) FROM builds WHERE finished_at IS NOT NULL GROUP BY 1, 2, 3, 4",
    f"INSERT INTO twins SELECT app_id, size_bytes, count(*) FROM artifacts WHERE size_bytes >= {TWIN_BYTES}"  # noqa: S608
    " GROUP BY 1, 2 HAVING count(*) > 1",
)
"""What an older catalog holds already."""


def _add(table: str, key: str, values: str, sums: dict[str, str]) -> str:
    """Adds to one row of a summary, which begins at nothing."""
    changes = ", ".join(f"{name} = {name} + excluded.{name}" for name in sums)
    return (
        f"INSERT INTO {table} ({key}, {', '.join(sums)}) VALUES ({values}, {', '.join(sums.values())})"  # noqa: S608
        f" ON CONFLICT ({key}) DO UPDATE SET {changes};"
    )


def _artifact(row: str, sign: str) -> str:
    """What one artifact adds to the sums, or takes from them."""
    sums = {"count": f"{sign}1", "bytes": f"{sign}coalesce({row}.size_bytes, 0)"}
    day = f"{row}.app_id, coalesce({row}.created_at / 86400, -1), {row}.kind, {row}.is_intermediate"
    statements = [_add("days", "app_id, day, kind, is_intermediate", day, sums)]
    for field in ("branch", "workflow"):
        label = f"coalesce((SELECT {field} FROM builds WHERE id = {row}.build_id), '')"  # noqa: S608
        statements.append(_add("labels", "app_id, field, label", f"{row}.app_id, '{field}', {label}", sums))
    return " ".join(statements)


_TWIN_IN: Final = (
    f"INSERT INTO twins SELECT new.app_id, new.size_bytes, 2 WHERE new.size_bytes >= {TWIN_BYTES} AND EXISTS ("  # noqa: S608
    "SELECT 1 FROM artifacts WHERE app_id = new.app_id AND size_bytes = new.size_bytes"
    " AND NOT (build_id = new.build_id AND position = new.position))"
    " ON CONFLICT (app_id, size_bytes) DO UPDATE SET count = count + 1;"
)
_TWIN_OUT: Final = (
    "UPDATE twins SET count = count - 1 WHERE app_id = old.app_id AND size_bytes = old.size_bytes;"
    "DELETE FROM twins WHERE app_id = old.app_id AND size_bytes = old.size_bytes AND count < 2;"
)


def _run(row: str, sign: str) -> str:
    values = f"{row}.app_id, coalesce({row}.workflow, ''), {row}.finished_at / 86400, {row}.status"
    sums = {
        "count": f"{sign}1",
        "timed": f"{sign}({row}.started_at IS NOT NULL)",
        "seconds": f"{sign}coalesce({row}.finished_at - {row}.started_at, 0)",
    }
    return _add("runs", "app_id, workflow, day, status", values, sums)


def _triggers() -> Iterator[str]:
    yield f"CREATE TRIGGER artifact_in AFTER INSERT ON artifacts BEGIN {_artifact('new', '+')} {_TWIN_IN} END"
    yield f"CREATE TRIGGER artifact_out AFTER DELETE ON artifacts BEGIN {_artifact('old', '-')} {_TWIN_OUT} END"
    yield (
        f"CREATE TRIGGER build_in AFTER INSERT ON builds WHEN new.finished_at IS NOT NULL BEGIN {_run('new', '+')} END"
    )
    columns = "status, workflow, finished_at, started_at"
    for name, row, sign in (("out", "old", "-"), ("in", "new", "+")):
        changed = " OR ".join(f"old.{column} IS NOT new.{column}" for column in columns.split(", "))
        yield (
            f"CREATE TRIGGER build_changed_{name} AFTER UPDATE OF {columns} ON builds"
            f" WHEN {row}.finished_at IS NOT NULL AND ({changed}) BEGIN {_run(row, sign)} END"
        )
    for field in ("branch", "workflow"):
        moves = " ".join(
            f"INSERT INTO labels SELECT new.app_id, '{field}', coalesce({row}.{field}, ''), {sign}count(*),"  # noqa: S608
            f" {sign}CAST(total(size_bytes) AS INTEGER) FROM artifacts WHERE build_id = new.id GROUP BY build_id"
            " ON CONFLICT (app_id, field, label) DO UPDATE"
            " SET count = count + excluded.count, bytes = bytes + excluded.bytes;"
            for row, sign in (("old", "-"), ("new", "+"))
        )
        yield (
            f"CREATE TRIGGER build_{field} AFTER UPDATE OF {field} ON builds"
            f" WHEN old.{field} IS NOT new.{field} BEGIN {moves} END"
        )


TRIGGERS: Final = tuple(_triggers())
