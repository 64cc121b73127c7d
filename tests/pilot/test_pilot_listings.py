"""What the explorer asks for, how often, and what it shows before the answer: counted at the servers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.pilot.conftest import NOW, Driver
from tests.pilot.test_pilot_explorer import finished, is_apk
from tui.app import DigsiteApp
from tui.cli.demo import demo_sessions
from tui.config import load_config
from tui.demo import DemoServers
from tui.models import Status
from tui.services import open_services

Open = Callable[..., Any]


@pytest.fixture
def drive(demo: DemoServers) -> Open:
    """Opens the explorer with a catalog."""

    @asynccontextmanager
    async def opened(size: tuple[int, int] = (120, 40)) -> AsyncIterator[Driver]:
        async with open_services(load_config(), demo_sessions(demo), with_catalog=True) as services:
            app = DigsiteApp(services, now=lambda: NOW)
            async with app.run_test(size=size, notifications=True) as pilot:
                yield Driver(app, pilot, services, demo)

    return opened


def seen(demo: DemoServers) -> Counter[str]:
    """Requests by kind; ids left out."""
    kinds: Counter[str] = Counter()
    for request in demo.requests:
        path = re.sub(r"/[0-9a-f-]{12,}", "/*", request.path)
        kinds[f"{request.method} {path}"] += 1
    return kinds


async def test_opening_costs_one_request_an_account(drive: Open) -> None:
    async with drive() as d:
        await d.loaded()
        await d.until(lambda: len({a.ref.account for a in d.explorer.apps.rows.rows}) == 2)
        await d.settle()
        assert seen(d.demo) == {"GET /v0.1/apps": 1, "GET /v1/ciProducts": 1}


async def test_a_drill_down_costs_one_request_and_the_actions_of_a_run(drive: Open) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.settle()
        d.demo.requests.clear()
        await d.open_build(finished)
        await d.settle()
        assert seen(d.demo) == {"GET /v0.1/apps/*/builds/*/artifacts": 1}
        await d.press("escape", "escape")
        d.demo.requests.clear()
        await d.open_app("Acme", account="demo-xcode-cloud")
        await d.settle()
        assert seen(d.demo) == {"GET /v1/ciProducts/*/buildRuns": 1}
        d.demo.requests.clear()
        await d.open_build(finished)
        await d.settle()
        counted = seen(d.demo)
        assert counted["GET /v1/ciBuildRuns/*/actions"] == 1
        assert counted["GET /v1/ciBuildActions/*/artifacts"] == len(
            {a.action.id for a in d.explorer.artifacts.rows.rows}
        )
        assert len(counted) == 2


async def test_what_is_fresh_is_not_fetched_again_and_r_does(drive: Open) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.settle()
        d.demo.requests.clear()
        await d.press("escape")
        await d.open_app("acme-android")
        await d.settle()
        assert not d.demo.requests
        await d.press("r")
        await d.settle()
        assert seen(d.demo) == {"GET /v0.1/apps/*/builds": 1}


async def test_a_moving_cursor_asks_for_nothing(drive: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    # It never rests here, however slowly a busy machine lets the keys through.
    monkeypatch.setattr("tui.screens.explorer.PREFETCH_REST_S", 3600.0)
    async with drive() as d:
        await d.open_app("acme-android")
        await d.settle()
        d.demo.requests.clear()
        await d.press(*["j"] * 20)
        assert not d.demo.requests


async def test_a_resting_cursor_fetches_in_advance_and_opening_asks_no_more(drive: Open) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.settle()
        d.demo.requests.clear()
        await d.press("j", "j")
        await d.until(lambda: d.demo.requests)
        await d.settle()
        assert seen(d.demo) == {"GET /v0.1/apps/*/builds/*/artifacts": 1}
        await d.press("enter")
        await d.until(lambda: d.explorer.open_build and not d.explorer.artifacts.is_loading)
        await d.settle()
        assert seen(d.demo) == {"GET /v0.1/apps/*/builds/*/artifacts": 1}


async def test_the_next_start_shows_the_catalog_before_any_answer(drive: Open) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        listed = [a.title for a in d.explorer.artifacts.rows.rows]
    async with drive() as d:
        d.demo.faults.fail("bitrise", "GET", "/", 503, times=1000)
        d.demo.faults.fail("xcode-cloud", "GET", "/", 503, times=1000)
        await d.until(lambda: d.explorer.apps.rows.rows)
        assert "as of" in d.screen_text()
        app = next(a for a in d.explorer.apps.rows.rows if a.title == "acme-android")
        d.explorer.apps.rows.go_to(app.ref)
        await d.press("enter")
        await d.until(lambda: d.explorer.builds.rows.rows)
        build = next(b for b in d.explorer.builds.rows.rows if finished(b))
        d.explorer.builds.rows.go_to(build.ref)
        await d.press("enter")
        await d.until(lambda: d.explorer.artifacts.rows.rows and d.explorer.artifacts.rows.has_focus)
        assert [a.title for a in d.explorer.artifacts.rows.rows] == listed
        for key in ("X", "p"):
            await d.press(key)
        await d.until(lambda: len(d.toasts) >= 2)
        assert all("catalog" in toast for toast in d.toasts[-2:])
        await d.press("r", "X")  # that nobody answers makes them no newer
        await d.until(lambda: sum("catalog" in toast for toast in d.toasts) >= 3)
        assert d.explorer.artifacts.as_of is not None
        assert d.app.screen is d.explorer
        assert not [r for r in d.demo.requests if r.method != "GET"]


async def test_a_deleted_artifact_does_not_come_back_from_the_catalog(drive: Open) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        await d.press("X")
        await d.until(lambda: d.app.screen is not d.explorer)
        await d.press(*"delete", "enter")
        await d.until(lambda: d.explorer.artifacts.rows.find(artifact.ref) is None)
        await d.settle()
        d.services.catalog.settle()
        kept = d.services.listings.kept_artifacts(build.ref)
        assert artifact.ref not in {a.ref for a in kept.items}
        await d.press("escape", "enter")
        await d.until(lambda: d.explorer.artifacts.rows.has_focus and not d.explorer.artifacts.is_loading)
        assert d.explorer.artifacts.rows.find(artifact.ref) is None


async def test_a_change_that_ends_after_the_user_went_on_leaves_the_next_build_alone(drive: Open) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        first = await d.open_build(finished)
        artifact = d.explorer.artifacts.rows.rows[-1]
        d.explorer.artifacts.rows.go_to(artifact.ref)
        d.demo.faults.latency_s = 0.3
        await d.press("X")
        await d.until(lambda: d.app.screen is not d.explorer)
        await d.press(*"delete", "enter", "escape")
        await d.until(lambda: d.explorer.builds.rows.has_focus)
        other = await d.open_build(lambda build: finished(build) and build.ref != first.ref)
        listed = len(d.explorer.artifacts.rows.rows)
        await d.until(lambda: any("Deleted" in toast for toast in d.toasts))
        await d.settle()
        d.services.catalog.settle()
        assert len(d.services.listings.kept_artifacts(other.ref).items) == listed > 0
        d.explorer.show_artifacts(first)
        await d.until(lambda: d.explorer.artifacts.rows.rows and not d.explorer.artifacts.is_loading)
        assert d.explorer.artifacts.rows.find(artifact.ref) is None


async def test_a_whole_term_is_asked_of_bitrise_and_escape_goes_back(drive: Open) -> None:
    async with drive(size=(200, 40)) as d:
        await d.open_app("acme-monorepo")
        await d.settle()
        d.demo.requests.clear()
        await d.press("slash", *"branch:release/3.2", "space", *"status:failed")
        assert not d.demo.requests, "typing asks for nothing"
        await d.press("enter")
        await d.until(lambda: d.demo.requests and not d.explorer.builds.is_loading)
        await d.settle()
        rows = d.explorer.builds.rows.rows
        assert len(rows) == 50
        assert {(b.branch, b.status) for b in rows} == {("release/3.2", Status.FAILED)}
        assert all("branch=release" in r.query and "status=2" in r.query for r in d.demo.requests)
        assert "filtered by Bitrise" in d.screen_text()
        await d.press("r")
        await d.settle()
        assert {b.status for b in d.explorer.builds.rows.rows} == {Status.FAILED}
        await d.press("escape")
        await d.until(lambda: len({b.status for b in d.explorer.builds.rows.rows}) > 1)
        assert d.explorer.builds.filter_text == ""


async def test_xcode_cloud_is_paged_through(drive: Open) -> None:
    async with drive(size=(200, 40)) as d:
        await d.open_app("Acme", account="demo-xcode-cloud")
        await d.settle()
        await d.press("slash", *"status:skipped", "enter")
        await d.until(lambda: d.explorer.builds.rows.shown > 5)
        await d.settle()
        assert {b.status for b in d.explorer.builds.rows.rows} == {Status.SKIPPED}
        assert "page by page" in d.screen_text()


async def test_a_part_of_a_name_filters_what_is_loaded(drive: Open) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.settle()
        loaded = len(d.explorer.builds.rows.rows)
        d.demo.requests.clear()
        await d.press("slash", *"branch:featur", "enter")
        await d.settle()
        assert not [r for r in d.demo.requests if r.path.endswith("/builds")]
        assert 0 < d.explorer.builds.rows.shown < len(d.explorer.builds.rows.rows) == loaded
