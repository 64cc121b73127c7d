"""Search, newest builds and saved digs, each as a screen that gives back where to go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.pilot.conftest import NOW, Driver
from tui.catalog.store import Catalog
from tui.cli.demo import demo_sessions
from tui.demo import DemoServers
from tui.habits import Habits
from tui.models import AppRef, ArtifactRef, BuildRef, Status
from tui.paths import BuildSelector, DigPath
from tui.providers import Provider
from tui.screens.digs_dialog import DigsDialog
from tui.screens.elsewhere import Elsewhere
from tui.screens.feed_view import NewestScreen
from tui.screens.search import SearchScreen
from tui.services.resolve import all_apps, all_artifacts

Drive = Callable[..., AbstractAsyncContextManager[Driver]]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog(tmp_path / "catalog.sqlite")
    yield opened
    opened.close()


@pytest.fixture
async def filled(catalog: Catalog, demo: DemoServers) -> Catalog:
    """The catalog after somebody looked at every app, and at the artifacts of its newest builds."""
    for session in demo_sessions(demo):
        provider: Provider = await session.provider()
        apps = [app async for app in all_apps(provider)]
        catalog.keep_apps(session.account.name, apps, complete=True)
        for app in apps:
            builds = (await provider.builds(app.ref)).items
            catalog.keep_builds(app.ref, builds)
            for build in builds[:3]:
                catalog.keep_artifacts(build, [a async for a in all_artifacts(provider, build)])
        await session.aclose()
    catalog.settle()
    return catalog


async def search(d: Driver, catalog: Catalog | None) -> tuple[SearchScreen, list[DigPath | None]]:
    await d.loaded()
    given: list[DigPath | None] = []
    screen = SearchScreen(catalog, lambda: NOW)
    d.app.push_screen(screen, given.append)
    await d.until(lambda: screen.query(Input) and screen.query_one(Input).has_focus)
    return screen, given


async def test_what_is_typed_is_found_and_opened_where_it_is(drive: Drive, filled: Catalog) -> None:
    async with drive() as d:
        screen, given = await search(d, filled)
        assert "Type words" in d.screen_text()
        assert "apps" in screen.state
        await d.press(*"android .apk")
        await d.until(lambda: screen.rows.rows and "found" in screen.state)
        await d.until(lambda: any(isinstance(hit.ref, ArtifactRef) for hit in screen.rows.rows))
        assert "Artifacts" in d.screen_text()
        await d.press("down", "down", "up", "enter")
        await d.until(lambda: given)
        (path,) = given
        assert path is not None
        hit = screen.rows.current
        assert hit is not None
        assert isinstance(hit.ref, ArtifactRef)
        assert (path.account, path.app, path.artifact) == (hit.ref.account, hit.ref.app, hit.ref.artifact)
        assert path.build == BuildSelector(hit.ref.build)
        found = await d.services.resolver.find(path)
        assert [a.ref for a in found.artifacts] == [hit.ref]


async def test_an_app_and_a_build_are_found_too(drive: Drive, filled: Catalog) -> None:
    async with drive() as d:
        screen, given = await search(d, filled)
        await d.press(*"acme-android")
        await d.until(lambda: any(isinstance(hit.ref, AppRef) for hit in screen.rows.rows))
        screen.query_one(Input).value = "acme-android main"
        await d.until(lambda: screen.rows.rows and all(isinstance(h.ref, BuildRef) for h in screen.rows.rows[:9]))
        await d.press("enter")
        await d.until(lambda: given)
        assert given[0] is not None
        assert given[0].artifact is None


async def test_keys_that_come_in_one_go_open_what_they_name(drive: Drive, filled: Catalog) -> None:
    async with drive() as d:
        screen, given = await search(d, filled)
        screen.query_one(Input).value = "acme-android"
        await screen.query_one(Input).action_submit()
        await d.until(lambda: given)
        assert given[0] is not None
        assert given[0].app is not None


async def test_nothing_found_and_nothing_kept_are_told_apart(drive: Drive, filled: Catalog) -> None:
    async with drive() as d:
        _, given = await search(d, filled)
        await d.press(*"qqqq")
        await d.until(lambda: "Nothing that was listed has this." in d.screen_text())
        await d.press("enter", "escape")
        await d.until(lambda: given == [None])
        await search(d, None)
        await d.until(lambda: "Nothing is kept in this run" in d.screen_text())


@pytest.mark.parametrize("size", [(200, 60), (80, 24), (50, 20)])
async def test_the_newest_builds_of_all_apps_are_one_list(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(size=size) as d:
        await d.loaded()
        given: list[DigPath | None] = []
        screen = NewestScreen(d.services, lambda: NOW)
        d.app.push_screen(screen, given.append)
        rows = screen.builds.rows
        await d.until(lambda: rows.rows and rows.has_focus and not screen.builds.is_loading)
        created = [build.created_at for _, build in rows.shown_rows if build.created_at is not None]
        assert created == sorted(created, reverse=True)
        assert len({app.ref for app, _ in rows.rows}) > 2
        assert len({app.ref.account for app, _ in rows.rows}) == 2
        assert not screen.builds.errors
        await d.press("slash", *"app:acme", "enter")
        await d.until(lambda: rows.shown < len(rows.rows))
        chosen = rows.current
        assert chosen is not None
        await d.press("enter")
        await d.until(lambda: given)
        assert given[0] is not None
        found = await d.services.resolver.find(given[0])
        assert found.build == chosen[1]


async def test_builds_of_before_are_shown_while_no_answer_has_come(drive: Drive, filled: Catalog) -> None:
    async with drive() as d:
        await d.loaded()
        await d.settle()
        d.services.catalog, listings = filled, d.services.listings
        d.demo.faults.fail("bitrise", "GET", r"/builds", 500, times=100)
        d.demo.faults.fail("xcode-cloud", "GET", r"/buildRuns", 500, times=100)
        given: list[DigPath | None] = []
        screen = NewestScreen(d.services, lambda: NOW)
        d.app.push_screen(screen, given.append)
        await d.until(lambda: screen.builds.is_mounted and screen.builds.rows.rows)
        assert screen.builds.as_of is not None
        await d.press("q")
        await d.until(lambda: given == [None])
        d.services.catalog = None
        assert listings.catalog is None


async def test_a_dig_is_chosen_or_how_to_write_one_is_said(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        given: list[str | None] = []
        d.app.push_screen(DigsDialog({"red": "acme/android?status:failed", "all": "acme"}), given.append)
        await d.until(lambda: "@red" in d.screen_text() and isinstance(d.app.screen, DigsDialog))
        await d.press("enter")
        await d.until(lambda: given)
        assert given == ["red"]
        d.app.push_screen(DigsDialog({}), given.append)
        await d.until(lambda: "[digs]" in d.screen_text())
        await d.press("escape")
        await d.until(lambda: given[1:] == [None])


async def test_what_was_chosen_elsewhere_is_open_in_the_explorer(drive: Drive, filled: Catalog) -> None:
    async with drive() as d:
        await d.loaded()
        await d.settle()
        d.services.catalog = filled
        elsewhere = Elsewhere(d.explorer, d.services, lambda: NOW)
        elsewhere.search()
        await d.until(lambda: isinstance(d.app.screen, SearchScreen) and d.app.screen.query(Input))
        await d.press(*"app-release.apk", "enter")
        await d.until(lambda: d.explorer.artifacts.rows.rows and d.explorer.artifacts.rows.current is not None)
        await d.until(lambda: d.app.screen is d.explorer and d.explorer.pane is d.explorer.artifacts)
        await d.until(lambda: d.explorer.artifacts.rows.current.title == "app-release.apk")  # type: ignore[union-attr]
        elsewhere.newest()
        await d.until(lambda: isinstance(d.app.screen, NewestScreen) and d.app.screen.builds.rows.has_focus)
        await d.until(lambda: d.app.screen.builds.rows.current)  # type: ignore[attr-defined]
        await d.press("G", "enter")
        await d.until(lambda: d.app.screen is d.explorer and d.explorer.open_build is not None)
        await d.settle()
        d.services.catalog = None


async def test_a_dig_opens_filtered_and_a_wrong_one_says_why(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        digs = {
            "red": "demo-bitrise/acme-android?branch:main status:failed",
            "nobody": "nobody?x",
            "apps": "demo-bitrise?acme",
            "wrong": "a//b",
        }
        d.services.config = replace(d.services.config, habits=Habits(digs=digs))
        elsewhere = Elsewhere(d.explorer, d.services, lambda: NOW)

        async def choose(number: int) -> None:
            elsewhere.digs()
            await d.until(lambda: isinstance(d.app.screen, DigsDialog) and d.app.screen.rows.has_focus)
            await d.press(*["down"] * number, "enter")
            await d.until(lambda: d.app.screen is d.explorer)

        await choose(0)
        rows = d.explorer.builds.rows
        await d.until(lambda: rows.shown and not d.explorer.builds.is_loading)
        assert {(b.branch, b.status) for b in rows.shown_rows} == {("main", Status.FAILED)}
        assert d.explorer.builds.filter_text == "branch:main status:failed"
        await choose(1)
        await d.until(lambda: any("nobody" in toast for toast in d.toasts))
        await choose(2)
        await d.until(lambda: d.explorer.apps.filter_text == "acme" and d.explorer.apps.rows.shown)
        assert all("acme" in app.title.lower() for app in d.explorer.apps.rows.shown_rows)
        await choose(3)
        await d.until(lambda: any("names a member of no artifact" in toast for toast in d.toasts))


def test_the_catalog_knows_the_newest_of_all_apps(filled: Catalog) -> None:
    for account in {entry.ref.account for entry in filled.figures.apps()}:
        kept = filled.newest(account, 30)
        assert kept is not None
        assert len({app.ref for app, _ in kept.items}) > 1
        moments: list[datetime] = [build.created_at for _, build in kept.items if build.created_at is not None]
        assert moments == sorted(moments, reverse=True)
        assert max(filled.busy(account).values()) == moments[0]
