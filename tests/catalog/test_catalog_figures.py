"""Sums over all that was listed stay true through every change, and cost what they may."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.catalog.test_catalog_store import ACME, APP, build
from tui.catalog.store import Catalog
from tui.models import App, AppId, AppRef, Artifact, ArtifactId, ArtifactKind, ArtifactRef, Build, BuildId, Status

DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
KINDS = list(ArtifactKind)
OTHER = replace(APP, ref=AppRef(ACME, AppId("a2")), title="Other", provider="xcode-cloud")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def catalog(path: Path) -> Iterator[Catalog]:
    opened = Catalog(path)
    opened.keep_apps(ACME, [APP, OTHER], complete=True)
    yield opened
    opened.close()


def finished(app: App, number: int, **changes: object) -> Build:
    ended = DAY - timedelta(days=number % 50)
    made = replace(
        build(number),
        ref=replace(build(number).ref, app=app.ref.app, build=BuildId(f"{app.ref.app}-{number}")),
        started_at=ended - timedelta(seconds=100 + number),
        finished_at=ended,
        workflow="release",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def artifacts(of: Build, sizes: list[int | None], title: str = "app") -> list[Artifact]:
    return [
        Artifact(
            ArtifactRef(ACME, of.ref.app, of.ref.build, ArtifactId(f"{of.ref.build}-{n}")),
            f"{title}-{n}.apk",
            KINDS[n % len(KINDS)],
            "raw",
            size_bytes=size,
            is_public=n == 1,
            created_at=of.finished_at,
        )
        for n, size in enumerate(sizes)
    ]


def test_sums_are_those_of_what_is_there_after_any_changes(catalog: Catalog) -> None:
    draw = random.Random(7)
    there: dict[BuildId, tuple[Build, list[Artifact]]] = {}
    for _ in range(200):
        app = draw.choice([APP, OTHER])
        made = finished(
            app,
            draw.randrange(30),
            branch=draw.choice(["main", "dev", None]),
            workflow=draw.choice(["release", None]),
            status=draw.choice([Status.SUCCEEDED, Status.FAILED]),
        )
        listed = artifacts(made, [draw.choice([None, 5, 70_000, 90_000]) for _ in range(draw.randrange(4))])
        catalog.keep_artifacts(made, listed)
        there[made.ref.build] = made, listed
        if draw.random() < 0.3:  # the build alone is listed again, and says something else now
            moved = replace(made, branch="moved", workflow="other", status=Status.ERRORED)
            catalog.keep_builds(app.ref, [moved])
            there[made.ref.build] = moved, listed
    catalog.settle()
    figures, apps = catalog.figures, [APP.ref, OTHER.ref]
    everything = [(b, a) for b, listed in there.values() for a in listed]

    def summed(pairs: list[tuple[object, int | None]]) -> dict[object, tuple[int, int]]:
        counts, sizes = Counter(key for key, _ in pairs), Counter[object]()
        for key, size in pairs:
            sizes[key] += size or 0
        return {key: (counts[key], sizes[key]) for key in counts}

    def day(a: Artifact) -> date | None:
        return a.created_at.date() if a.created_at else None

    assert {(t.day, t.kind): (t.count, t.size_bytes) for t in figures.days([APP.ref])} == summed(
        [((day(a), a.kind), a.size_bytes) for b, a in everything if b.ref.app == APP.ref.app]
    )
    for field in ("branch", "workflow"):
        totals = {(t.app.app, t.label): (t.count, t.size_bytes) for t in figures.labels(apps, field)}
        assert totals == summed([((b.ref.app, getattr(b, field) or ""), a.size_bytes) for b, a in everything])
    assert {t.app.app: (t.count, t.size_bytes) for t in figures.by_app(apps)} == summed(
        [(b.ref.app, a.size_bytes) for b, a in everything]
    )
    runs = Counter((b.ref.app, b.workflow or "", b.status) for b, _ in there.values())
    seen: Counter[tuple[AppId, str, Status]] = Counter()
    for total in figures.runs(apps, date(2026, 1, 1)):
        seen[total.app.app, total.workflow, total.status] += total.count
    assert seen == runs
    twins = Counter((b.ref.app, a.title, a.size_bytes) for b, a in everything if (a.size_bytes or 0) >= 65_536)
    groups = {(g.examples[0].ref.app, g.title, g.size_bytes): g.count for g in figures.duplicates(apps, 1000)}
    assert groups == {key: count for key, count in twins.items() if count > 1}


def test_the_largest_and_the_oldest_of_several_apps(catalog: Catalog) -> None:
    for number, app in enumerate([APP, OTHER, APP, OTHER]):
        made = finished(app, number)
        catalog.keep_artifacts(made, artifacts(made, [1000 * number + 1, None]))
    catalog.settle()
    apps = [APP.ref, OTHER.ref]
    assert [a.size_bytes for a in catalog.figures.top(apps, "largest", 3)] == [3001, 2001, 1001]
    oldest = catalog.figures.top(apps, "oldest", 2)
    assert [a.created_at for a in oldest] == [DAY - timedelta(days=3)] * 2
    assert oldest[0].app_title == "Other"
    public = catalog.figures.public(apps)
    assert [(a.app_title, a.title, a.created_at) for a in public] == [
        (title, "app-1.apk", DAY - timedelta(days=days))
        for title, days in (("Acme", 0), ("Acme", 2), ("Other", 1), ("Other", 3))
    ]
    assert catalog.figures.public(apps, 3) == public[:3]
    assert catalog.figures.public(apps, 2) == public[:2]


def test_an_artifact_of_a_day_is_found_by_its_total(catalog: Catalog) -> None:
    made = finished(APP, 3)
    catalog.keep_artifacts(made, artifacts(made, [10, 20]))
    catalog.settle()
    total = next(t for t in catalog.figures.days([APP.ref]) if t.size_bytes == 20)
    assert [a.title for a in catalog.figures.of_day([APP.ref], total, 10)] == ["app-1.apk"]
    assert catalog.figures.of_day([OTHER.ref], total, 10) == []


def test_a_catalog_of_version_1_keeps_what_it_had_and_gets_its_sums(path: Path) -> None:
    old = sqlite3.connect(path)
    old.executescript((Path(__file__).parent / "catalog-v1.sql").read_text())
    old.close()
    catalog = Catalog(path)
    assert catalog.message is None
    kept = catalog.apps(ACME)
    assert kept is not None
    assert [app.title for app in kept.items] == ["Acme"]
    (total,) = catalog.figures.labels([APP.ref], "branch")
    assert (total.label, total.count, total.size_bytes) == ("main", 2, 140_002)
    (run,) = catalog.figures.runs([APP.ref], date(2026, 1, 1))
    assert (run.count, run.timed, run.seconds) == (1, 1, 60)
    assert catalog.figures.duplicates([APP.ref], 5)[0].count == 2
    catalog.close()


def test_the_size_of_the_catalog_and_no_look_at_every_artifact(path: Path, catalog: Catalog) -> None:
    draw = random.Random(1)
    for number in range(600):
        app = [APP, OTHER][number % 2]
        made = finished(app, number, commit_sha=f"{draw.getrandbits(160):040x}", commit_message="Fix the login")
        listed = artifacts(made, [draw.randrange(10**5, 10**8) for _ in range(5)])
        catalog.keep_artifacts(made, listed)
    catalog.settle()
    figures, apps = catalog.figures, [APP.ref, OTHER.ref]
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    catalog._reader.set_progress_handler(count, 100)
    for view in (
        lambda: figures.days(apps),
        lambda: figures.labels(apps, "branch"),
        lambda: figures.runs(apps, date(2026, 9, 1)),
        lambda: figures.top(apps, "largest", 20),
        lambda: figures.top(apps, "oldest", 20),
        lambda: figures.duplicates(apps, 20),
    ):
        steps = 0
        assert view() is not None
        assert steps < 300  # of a hundred instructions: a walk over 3,000 artifacts takes more
    catalog._reader.set_progress_handler(None, 0)
    catalog._reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size / 3000 < 300


def test_a_build_is_listed_when_its_artifacts_were_seen_after_its_end(catalog: Catalog) -> None:
    made = finished(APP, 1)
    catalog.keep_builds(APP.ref, [made])
    catalog.settle()
    assert not catalog.figures.is_listed(made.ref)
    (entry, _) = catalog.figures.apps(ACME)
    assert (entry.builds, entry.unlisted) == (1, 1)
    catalog.keep_artifacts(made, [])
    catalog.settle()
    assert catalog.figures.is_listed(made.ref) == (datetime.now(UTC) >= DAY)


def test_sizes_that_are_more_than_63_bits_together(catalog: Catalog) -> None:
    largest = 2**63 - 1
    catalog.keep_apps(APP.ref.account, [APP], complete=True)
    for number, branch in ((1, "main"), (2, "other")):
        made = replace(build(number), branch=branch)
        catalog.keep_artifacts(made, artifacts(made, [largest]))
    catalog.settle()
    assert [total.count for total in catalog.figures.by_app([APP.ref])] == [2]
    assert sum(total.count for total in catalog.figures.days([APP.ref])) == 2
