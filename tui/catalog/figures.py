"""Sums and lists over all that was listed; each of them reads summaries or an index, never all artifacts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from tui.catalog.rows import END_S, to_moment
from tui.models import AccountName, AppId, AppRef, ArtifactKind, ArtifactRef, BuildRef, Status
from tui.models.totals import AppEntry, CatalogedArtifact, DayTotal, Duplicates, LabelTotal, Members, RunTotal

Order = Literal["largest", "oldest"]

_EPOCH: Final = date(1970, 1, 1)
_DAY_S: Final = 86_400
_ORDERS: Final = {"largest": ("size_bytes", "DESC"), "oldest": ("created_at", "ASC")}
_ARTIFACT: Final = (
    "SELECT account, app, build, artifact, artifacts.title, artifacts.kind, kind_raw, size_bytes, is_public,"
    " is_intermediate, artifacts.created_at, provider, apps.title, number, branch, workflow, artifacts_seen_at,"
    " EXISTS (SELECT 1 FROM artifacts other WHERE other.build_id = artifacts.build_id"
    " AND other.title = artifacts.title AND other.position != artifacts.position)"
    " FROM artifacts JOIN builds ON builds.id = build_id JOIN apps ON apps.id = artifacts.app_id"
)
"""What `_artifact` takes, in its order."""
_PUBLIC: Final = _ARTIFACT.replace("FROM artifacts JOIN", "FROM artifacts INDEXED BY artifacts_public JOIN")
_KINDS: Final = {kind.value: kind for kind in ArtifactKind}
_EXAMPLES: Final = 10


class Figures:
    """What the catalog can tell of many artifacts at once.

    Args:
        read: Runs a statement and gives its rows.

    Every method takes the apps that are asked about, from `apps`; others are left out. Bytes are added with `total`:
    `sum` fails where some files together claim more than 63 bits can tell.
    """

    def __init__(self, read: Callable[..., list[sqlite3.Row]]) -> None:
        self._read = read

    def apps(self, account: AccountName | None = None) -> list[AppEntry]:
        """The apps of an account, or of all, in the order they were listed."""
        unlisted = (
            "SELECT count(*) FROM builds WHERE app_id = apps.id AND artifacts_seen_at IS NULL"
            " AND finished_at IS NOT NULL"
        )
        rows = self._read(
            f"SELECT *, (SELECT count(*) FROM builds WHERE app_id = apps.id) AS builds, ({unlisted}) AS unlisted"  # noqa: S608
            " FROM apps WHERE NOT gone AND (?1 IS NULL OR account = ?1) ORDER BY id",
            account,
        )
        return [
            AppEntry(
                AppRef(AccountName(row["account"]), AppId(row["app"])),
                row["title"],
                row["provider"],
                row["builds"],
                row["unlisted"],
                to_moment(row["builds_seen_at"]),
            )
            for row in rows
        ]

    def days(self, apps: Iterable[AppRef]) -> list[DayTotal]:
        """Artifacts by day, provider and kind."""
        rows = self._read(
            "SELECT day, provider, days.kind, is_intermediate, sum(count) AS count,"
            " CAST(total(bytes) AS INTEGER) AS bytes FROM days JOIN apps ON apps.id = app_id"
            " WHERE app_id IN (SELECT value FROM json_each(?)) AND count > 0"
            " GROUP BY 1, 2, 3, 4 ORDER BY 1",
            self._listed(apps),
        )
        return [
            DayTotal(
                _day(row["day"]),
                row["provider"],
                _kind(row["kind"]),
                bool(row["is_intermediate"]),
                row["count"],
                row["bytes"],
            )
            for row in rows
        ]

    def by_app(self, apps: Iterable[AppRef]) -> list[LabelTotal]:
        """Artifacts by app."""
        sums = (
            "SELECT sum(count) AS count, CAST(total(bytes) AS INTEGER) AS bytes FROM labels"
            " WHERE app_id = ? AND field = 'branch'"
        )
        return [
            LabelTotal(ref, "", row["count"], row["bytes"])
            for ref, app_id in self._ids(apps)
            for row in self._read(sums, app_id)
            if row["count"]
        ]

    def labels(self, apps: Iterable[AppRef], field: Literal["branch", "workflow"]) -> list[LabelTotal]:
        """Artifacts by app and branch, or by app and workflow."""
        return [
            LabelTotal(ref, row["label"], row["count"], row["bytes"])
            for ref, app_id in self._ids(apps)
            for row in self._read("SELECT * FROM labels WHERE app_id = ? AND field = ? AND count > 0", app_id, field)
        ]

    def runs(self, apps: Iterable[AppRef], since: date) -> list[RunTotal]:
        """Finished builds by app, workflow, day and status, from a UTC day on."""
        return [
            RunTotal(
                ref,
                row["workflow"],
                _EPOCH + timedelta(days=row["day"]),
                Status(row["status"]) if row["status"] in set(Status) else Status.UNKNOWN,
                row["count"],
                row["timed"],
                row["seconds"],
            )
            for ref, app_id in self._ids(apps)
            for row in self._read(
                "SELECT * FROM runs WHERE app_id = ? AND day >= ? AND count > 0", app_id, (since - _EPOCH).days
            )
        ]

    def top(self, apps: Iterable[AppRef], order: Order, limit: int) -> list[CatalogedArtifact]:
        """The largest artifacts, or the oldest, of all these apps together."""
        column, direction = _ORDERS[order]
        first = (
            f"SELECT {column} AS rank, build_id, position FROM artifacts WHERE app_id = ? AND {column} IS NOT NULL"  # noqa: S608
            f" ORDER BY {column} {direction} LIMIT ?"
        )
        ranked = [tuple(row) for _, app_id in self._ids(apps) for row in self._read(first, app_id, limit)]
        ranked.sort(reverse=direction == "DESC")
        return self._by_keys(ranked[:limit])

    def largest_of(self, apps: Iterable[AppRef], group: Members, limit: int) -> list[CatalogedArtifact]:
        """The largest artifacts of one group, of all these apps together. Reads on until it has so many of each app."""
        terms, values = list[str](), list[object]()
        for term, value in (
            ("coalesce(branch, '') = ?", group.branch),
            ("coalesce(workflow, '') = ?", group.workflow),
            ("artifacts.kind = ?", group.kind),
            ("artifacts.created_at >= ?", _midnight(group.first)),
            ("artifacts.created_at < ?", _midnight(group.last + timedelta(days=1)) if group.last else None),
        ):
            if value is not None:
                terms.append(f" AND {term}")
                values.append(value)
        undated = " AND artifacts.created_at IS NULL" if group.is_undated else ""
        # By size first, so that it ends at the limit; the cross join keeps SQLite from beginning with all builds.
        first = (
            "SELECT size_bytes, build_id, position FROM artifacts INDEXED BY artifacts_size"  # noqa: S608  # our own
            " CROSS JOIN builds ON builds.id = build_id WHERE artifacts.app_id = ? AND size_bytes >= ?"
            f"{''.join(terms)}{undated} ORDER BY size_bytes DESC LIMIT ?"
        )
        ranked: list[tuple[int, ...]] = []
        for _, app_id in self._ids(apps):
            least = ranked[-1][0] if len(ranked) == limit else 0  # of another app only what is larger matters
            rows = self._read(first, app_id, least, *values, limit)
            ranked = sorted([*ranked, *map(tuple, rows)], reverse=True)[:limit]
        return self._by_keys(ranked)

    def duplicates(self, apps: Iterable[AppRef], limit: int) -> list[Duplicates]:
        """Groups of artifacts of one app with the same title and size; those that waste most come first.

        Neither API tells a checksum, so the same content is only likely. Files under 64 KiB do not count.
        """
        sizes = [
            (row["wasted"], row["app_id"], row["size_bytes"])
            for row in self._read(
                "SELECT *, size_bytes * (count - 1) AS wasted FROM twins"
                " WHERE app_id IN (SELECT value FROM json_each(?)) ORDER BY wasted DESC LIMIT ?",
                self._listed(apps),
                limit,
            )
        ]
        groups = [
            Duplicates(row["title"], size_bytes, row["count"], self._examples(app_id, size_bytes, row["title"]))
            for _, app_id, size_bytes in sizes
            for row in self._read(
                "SELECT title, count(*) AS count FROM artifacts WHERE app_id = ? AND size_bytes = ?"
                " GROUP BY title HAVING count(*) > 1",
                app_id,
                size_bytes,
            )
        ]
        return sorted(groups, key=lambda group: -group.wasted_bytes)[:limit]

    def _examples(self, app_id: int, size_bytes: int, title: str) -> tuple[CatalogedArtifact, ...]:
        where = f"{_ARTIFACT} WHERE artifacts.app_id = ? AND artifacts.size_bytes = ? AND artifacts.title = ?"
        rows = self._read(f"{where} ORDER BY build_id DESC LIMIT {_EXAMPLES}", app_id, size_bytes, title)
        return tuple(map(_artifact, rows))

    def public(self, apps: Iterable[AppRef], limit: int | None = None) -> list[CatalogedArtifact]:
        """Artifacts whose public install page was on when they were listed, newest first for each app.

        Args:
            apps: What is asked about.
            limit: The first so many; None for all.
        """
        where = f"{_PUBLIC} WHERE artifacts.app_id = ? AND is_public = 1 ORDER BY artifacts.created_at DESC LIMIT ?"
        found: list[CatalogedArtifact] = []
        for _, app_id in self._ids(apps):
            left = -1 if limit is None else limit - len(found)
            if not left:
                break
            found += map(_artifact, self._read(where, app_id, left))
        return found

    def of_day(self, apps: Iterable[AppRef], bucket: DayTotal, limit: int) -> list[CatalogedArtifact]:
        """Artifacts that one of `days` counts, largest first."""
        if bucket.day is None:
            return []
        start = (bucket.day - _EPOCH).days * _DAY_S
        where = (
            f"{_ARTIFACT} WHERE artifacts.app_id IN (SELECT value FROM json_each(?)) AND artifacts.created_at >= ?"  # noqa: S608
            " AND artifacts.created_at < ? AND artifacts.kind = ? AND is_intermediate = ? AND provider = ?"
            " ORDER BY artifacts.size_bytes DESC LIMIT ?"
        )
        values = (start, start + _DAY_S, bucket.kind, bucket.is_intermediate, bucket.provider, limit)
        return [_artifact(row) for row in self._read(where, self._listed(apps), *values)]

    def is_listed(self, build: BuildRef) -> bool:
        """Whether the artifacts of a finished build were listed after its end, so that nothing can have been added."""
        return bool(
            self._read(
                "SELECT 1 FROM builds JOIN apps ON apps.id = app_id WHERE account = ? AND app = ? AND build = ?"
                " AND artifacts_seen_at >= finished_at",
                build.account,
                build.app,
                build.build,
            )
        )

    def _by_keys(self, ranked: Iterable[tuple[int, ...]]) -> list[CatalogedArtifact]:
        """The artifacts of these ranks, builds and positions, in their order."""
        where = f"{_ARTIFACT} WHERE build_id = ? AND artifacts.position = ?"
        return [_artifact(row) for _, *key in ranked for row in self._read(where, *key)]

    def _listed(self, apps: Iterable[AppRef]) -> str:
        return json.dumps([app_id for _, app_id in self._ids(apps)])

    def _ids(self, apps: Iterable[AppRef]) -> Sequence[tuple[AppRef, int]]:
        return [
            (ref, row["id"])
            for ref in apps
            for row in self._read("SELECT id FROM apps WHERE account = ? AND app = ?", ref.account, ref.app)
        ]


def _artifact(row: Iterable[Any]) -> CatalogedArtifact:
    """By place: looking up each name took longer than all the rest."""
    account, app, build, artifact, title, kind, kind_raw, size_bytes, is_public, is_intermediate, *more = row
    created_at, provider, app_title, number, branch, workflow, seen_at, has_twin = more
    return CatalogedArtifact(
        ArtifactRef(account, app, build, artifact),
        title,
        _kind(kind),
        kind_raw,
        size_bytes,
        None if is_public is None else bool(is_public),
        bool(is_intermediate),
        to_moment(created_at),
        provider,
        app_title,
        number,
        branch,
        workflow,
        to_moment(seen_at) or datetime.now(UTC),
        bool(has_twin),
    )


def _midnight(day: date | None) -> int | None:
    return None if day is None else (day - _EPOCH).days * _DAY_S


def _day(number: int) -> date | None:
    """The day of a sum; -1, and what no build can mean, are none."""
    return _EPOCH + timedelta(days=number) if 0 <= number * _DAY_S < END_S else None


def _kind(text: str) -> ArtifactKind:
    return _KINDS.get(text, ArtifactKind.FILE)
