"""Groups of what is there, and the artifacts behind each of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tui.catalog.store import Catalog, CatalogUnreadable
from tui.errors import NotFound
from tui.models import (
    AccountName,
    App,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    BuildRef,
    Status,
)
from tui.paths import DigPath
from tui.services.storage_lines import Line, Listing, Scope, read_lines
from tui.stats.grouping import By

TODAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AGES = (0, 1, 6, 7, 28, 29, 30, 89, 90, 179, 180, 400, None)
"""On both sides of every border, around a short month; the last has no day."""


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """Two apps of one title in two accounts, a build for each age, of two branches and of none."""
    catalog = Catalog(tmp_path / "catalog.sqlite")
    for account in ("acme", "store"):
        app = App(AppRef(AccountName(account), AppId("a1")), "Acme", "bitrise")
        catalog.keep_apps(app.ref.account, [app], complete=True)
        for number, age in enumerate(AGES):
            ended = None if age is None else NOON - timedelta(days=age)
            build = Build(
                BuildRef(app.ref.account, app.ref.app, BuildId(f"b{number}")),
                number,
                Status.SUCCEEDED,
                "1",
                branch=("main", "release/1", None)[number % 3],
                workflow=("primary", None)[number % 2],
                created_at=ended,
                started_at=ended,
                finished_at=ended,
            )
            catalog.keep_builds(app.ref, [build])
            catalog.keep_artifacts(build, [_artifact(build, n, ended) for n in range(2)])
    catalog.settle()
    yield catalog
    catalog.close()


def _artifact(build: Build, number: int, created_at: datetime | None) -> Artifact:
    ref = build.ref
    kind = (ArtifactKind.APK, ArtifactKind.LOGS)[number]
    size_bytes = 100_000 * (number + 1) + (build.number or 0)
    return Artifact(
        ArtifactRef(ref.account, ref.app, ref.build, ArtifactId(f"x{number}")),
        f"file{number}.{kind}",
        kind,
        str(kind),
        size_bytes=size_bytes,
        created_at=created_at,
    )


def lines(catalog: Catalog, scope: Scope) -> tuple[Line, ...]:
    with catalog.figures_apart() as figures:
        return read_lines(figures, scope, TODAY).lines


@pytest.mark.parametrize("by", [By.BRANCH, By.WORKFLOW, By.KIND, By.AGE, By.MONTH])
@pytest.mark.parametrize("path", [DigPath(), DigPath("acme"), DigPath("acme", "Acme")])
def test_a_group_holds_exactly_what_its_line_counts(catalog: Catalog, by: By, path: DigPath) -> None:
    groups = lines(catalog, Scope(path, by))
    assert sum(group.count for group in groups) == 2 * len(AGES) * (1 if path.account else 2)
    for group in groups:
        assert group.inside is not None
        inside = lines(catalog, group.inside)
        assert len(inside) == group.count, group.name
        assert sum(line.size_bytes or 0 for line in inside) == group.size_bytes
        sizes = [line.size_bytes or 0 for line in inside]
        assert sizes == sorted(sizes, reverse=True)


def test_from_accounts_down_to_a_path_that_can_be_pasted(catalog: Catalog) -> None:
    account = lines(catalog, Scope())[0]
    apps = Scope(DigPath(account.name), By.APP)
    assert account.inside == apps
    (app,) = lines(catalog, apps)
    branches = Scope(DigPath(account.name, "Acme"), By.BRANCH)
    assert app.inside == branches
    branch = lines(catalog, branches)[0]
    assert branch.inside is not None
    file = lines(catalog, branch.inside)[0]
    assert file.artifact is not None
    path = DigPath.parse(file.name)
    assert (path.account, path.app, path.artifact) == (account.name, "Acme", file.artifact.title)


def test_lists_beside_the_groups(catalog: Catalog) -> None:
    largest = lines(catalog, Scope(by=Listing.LARGEST))
    assert largest[0].size_bytes == max(line.size_bytes or 0 for line in largest)
    oldest = lines(catalog, Scope(by=Listing.OLDEST))
    assert oldest[0].artifact is not None
    assert oldest[0].artifact.created_at == NOON - timedelta(days=400)
    health = lines(catalog, Scope(by=Listing.HEALTH))
    assert {line.share for line in health} == {1.0}
    assert lines(catalog, Scope(by=Listing.DUPLICATES)) == ()  # an app of its own each


def test_health_goes_down_to_the_days_and_their_artifacts(catalog: Catalog) -> None:
    workflows = lines(catalog, Scope(by=Listing.HEALTH))
    assert len(workflows) == 4  # two of each app
    for workflow in workflows:
        assert workflow.inside is not None
        days = lines(catalog, workflow.inside)
        assert [day.name for day in days] == sorted((day.name for day in days), reverse=True)
        assert sum(day.count for day in days) == workflow.count
        for day in days:
            assert day.health is not None
            assert day.inside is not None
            files = lines(catalog, day.inside)
            assert len(files) == 2 * day.count
            assert {f.artifact.created_at.date() for f in files if f.artifact and f.artifact.created_at} == {day.key}
            assert {f.artifact.workflow for f in files if f.artifact} <= {"primary", None}
    assert workflows[0].inside != workflows[1].inside


def test_artifacts_that_are_alike(catalog: Catalog) -> None:
    kept = catalog.builds(AppRef(AccountName("acme"), AppId("a1")))
    assert kept is not None
    first, second = kept.items[:2]
    for build in (first, second):
        catalog.keep_artifacts(build, [_artifact(first, 1, None)])
    catalog.settle()
    (group,) = lines(catalog, Scope(by=Listing.DUPLICATES))
    assert group.count == 2
    assert group.name == "acme/Acme/*/file1.logs"
    assert group.inside is not None
    assert len(lines(catalog, group.inside)) == 2


def test_what_a_scope_can_be_parted_by() -> None:
    assert By.ACCOUNT in Scope().choices()
    assert {By.ACCOUNT, By.APP} & set(Scope(DigPath("acme")).choices()) == {By.APP}
    assert not {By.ACCOUNT, By.APP} & set(Scope(DigPath("acme", "Acme")).choices())


def test_nothing_listed_and_no_file(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="listed"):
        lines(catalog, Scope(DigPath("other")))
    empty = Catalog(tmp_path / "other.sqlite")
    empty.close()
    (tmp_path / "other.sqlite").unlink()
    with pytest.raises(CatalogUnreadable), empty.figures_apart():
        pass
