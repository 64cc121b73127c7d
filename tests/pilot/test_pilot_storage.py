"""What is there, what ends, what is public, what is kept: the views of the catalog and the archive, by keys."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.pilot.conftest import NOW, Driver
from tests.pilot.test_pilot_explorer import finished, is_apk
from tui.app import DigsiteApp
from tui.cli.demo import demo_sessions
from tui.config import load_config
from tui.demo import DemoServers
from tui.models import AccountName, Artifact
from tui.models.rules import ArchiveRule
from tui.paths import DigPath
from tui.screens import public_view
from tui.screens.expiring_view import ExpiringScreen
from tui.screens.public_view import PublicScreen
from tui.screens.stats_view import StatsScreen
from tui.screens.storage_views import StorageScreen
from tui.screens.transfers import TransfersScreen
from tui.services import Services, open_services
from tui.services.indexing import Indexer
from tui.services.storage_lines import Listing
from tui.stats.grouping import By
from tui.widgets.batch import BatchDialog
from tui.widgets.dialogs import ConfirmDialog, TextDialog
from tui.widgets.treemap import Treemap

Opened = Callable[..., AbstractAsyncContextManager[Driver]]
APP = "acme-android"


def silent(_: str) -> None:
    pass


async def index(services: Services, days: int, title: str) -> None:
    """One app's builds of some days, as `digsite index` lists them."""
    assert services.catalog is not None
    indexer = Indexer(services.catalog, silent)
    session = services.sessions[AccountName("demo-bitrise")]
    provider = await session.provider()
    for app in (await provider.apps(None)).items:
        if app.title == title:
            services.catalog.keep_apps(session.account.name, [app], complete=False)
            await indexer.walk(await indexer.plan([session], app=app, since=NOW - timedelta(days=days)))
    services.catalog.settle()


@pytest.fixture
def indexed(demo: DemoServers, tmp_path: Path) -> Opened:
    """The explorer over a catalog of one app: `async with indexed(archive=True) as driver`."""

    @asynccontextmanager
    async def opened(
        *, size: tuple[int, int] = (120, 40), days: int = 2, title: str = APP, archive: Path | None = None
    ) -> AsyncIterator[Driver]:
        config = load_config()
        if archive is not None:
            config = replace(config, archive_rules=(ArchiveRule(str(archive)),))
        async with open_services(config, demo_sessions(demo), with_catalog=True) as services:
            await index(services, days, title)
            app = DigsiteApp(services, now=lambda: NOW)
            async with app.run_test(size=size, notifications=True) as pilot:
                driver = Driver(app, pilot, services, demo)
                await driver.loaded()
                yield driver

    return opened


async def view(d: Driver, key: str) -> StorageScreen[Any]:
    left = d.app.screen
    await d.press(key)
    await d.until(lambda: d.app.screen is not left)
    await d.until(lambda: isinstance(d.app.screen, StorageScreen) and not d.app.screen.pane.is_loading)
    screen = d.app.screen
    assert isinstance(screen, StorageScreen)
    return screen


async def stats(d: Driver) -> StatsScreen:
    screen = await view(d, "5")
    assert isinstance(screen, StatsScreen)
    return screen


async def deeper(d: Driver, screen: StatsScreen, key: str = "enter") -> None:
    before = screen.scope
    await d.press(key)
    await d.until(lambda: screen.scope != before and not screen.pane.is_loading)


async def part_by(d: Driver, screen: StatsScreen, by: By | Listing) -> None:
    while screen.scope.by != by:
        await deeper(d, screen, "tab")


async def test_the_numbers_switch_views_from_everywhere(indexed: Opened) -> None:
    async with indexed() as d:
        for key, kind in (("5", StatsScreen), ("6", ExpiringScreen), ("7", PublicScreen), ("5", StatsScreen)):
            assert isinstance(await view(d, key), kind)
        await d.press("2")
        await d.until(lambda: d.app.screen is d.explorer and d.explorer.builds.rows.has_focus)
        await d.press("3")
        await d.until(lambda: d.explorer.artifacts.rows.has_focus)
        await d.press("1")
        await d.until(lambda: d.explorer.apps.rows.has_focus)
        await d.press("6")
        await d.until(lambda: isinstance(d.app.screen, ExpiringScreen))
        await d.press("4")
        await d.until(lambda: isinstance(d.app.screen, TransfersScreen))
        assert isinstance(await view(d, "7"), PublicScreen)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (50, 20)])
async def test_what_eats_the_space_down_to_the_file(indexed: Opened, size: tuple[int, int]) -> None:
    async with indexed(size=size) as d:
        screen = await stats(d)
        assert "by account" in d.screen_text()
        await deeper(d, screen)
        assert f"{APP}/" in d.screen_text()
        assert "if nothing" in d.screen_text()  # the forecast
        await deeper(d, screen)
        assert screen.scope.by is By.BRANCH
        await part_by(d, screen, By.KIND)
        screen.pane.rows.go_to("apk")
        await deeper(d, screen)
        sizes = [line.size_bytes or 0 for line in screen.pane.rows.rows]
        assert sizes == sorted(sizes, reverse=True)
        assert all(line.name.endswith(".apk") for line in screen.pane.rows.rows)
        await d.press("escape")
        await d.until(lambda: screen.pane.rows.current is not None and screen.pane.rows.current.key == "apk")
        await deeper(d, screen)
        line = screen.pane.rows.current
        assert line is not None
        assert line.artifact is not None
        wanted = line.artifact.ref
        await d.press("enter")
        await d.until(lambda: d.app.screen is d.explorer and d.explorer.artifacts.rows.current is not None)
        await d.until(lambda: d.explorer.artifacts.rows.current.ref == wanted)  # type: ignore[union-attr]


async def mapped(d: Driver, screen: StatsScreen) -> Treemap:
    """The treemap, drawn and with the focus."""
    await d.until(lambda: isinstance(screen.focused, Treemap) and not screen.pane.is_loading)
    await d.settle()
    assert isinstance(screen.focused, Treemap)
    return screen.focused


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (50, 20)])
async def test_the_treemap_goes_down_and_back_by_keys(indexed: Opened, size: tuple[int, int]) -> None:
    async with indexed(size=size) as d:
        screen = await stats(d)
        await d.press("t")
        await mapped(d, screen)
        await deeper(d, screen)
        await mapped(d, screen)
        await deeper(d, screen)
        assert screen.scope.by is By.BRANCH
        boxes = await mapped(d, screen)
        assert not boxes.region.intersection(screen.pane.rows.region).area
        assert screen.pane.rows.current is not None
        start = screen.pane.rows.current.key
        await d.press("right")
        await d.until(lambda: screen.pane.rows.current is not None and screen.pane.rows.current.key != start)
        chosen = boxes.current
        assert chosen is not None
        assert chosen.name in d.screen_text()  # in the line above, whatever room its box has
        await deeper(d, screen)
        files = await mapped(d, screen)
        assert screen.scope.group == chosen.key
        assert all(tile.is_others or tile.key in {line.key for line in screen.pane.rows.rows} for tile in files.drawn)
        await d.press("h")
        await d.until(lambda: screen.scope.by is By.BRANCH and screen.scope.group is None)
        await d.until(lambda: boxes.current is not None and boxes.current.key == chosen.key)
        await d.press("t")
        await d.until(lambda: screen.pane.rows.has_focus and screen.pane.rows.current is not None)
        assert screen.pane.rows.current is not None
        assert screen.pane.rows.current.key == chosen.key


async def test_marks_and_a_filter_hold_in_the_treemap(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await stats(d)
        await part_by(d, screen, Listing.LARGEST)
        await d.press("t")
        boxes = await mapped(d, screen)
        await d.press("space", "down", "space")
        await d.until(lambda: len(screen.pane.rows.marked) == 2)
        assert sum(tile.is_marked for tile in boxes.drawn) == 2
        await d.press("space")
        await d.until(lambda: len(screen.pane.rows.marked) == 1)
        assert "debug" not in boxes.drawn[0].name
        await d.press("slash", *"debug")
        await d.until(lambda: not boxes.display and screen.pane.filter_text == "debug")
        await d.press("enter")
        await mapped(d, screen)
        assert all("debug" in tile.name for tile in boxes.drawn if not tile.is_others)
        await d.press("escape")
        await d.until(lambda: not screen.pane.filter_text and len(boxes.drawn) > 1)
        (marked,) = screen.pane.rows.marked
        await d.press("d")
        await d.until(lambda: d.services.transfers.snapshot().transfers)
        assert d.services.transfers.snapshot().transfers[0].label == marked.name.rpartition("/")[2]


async def test_what_has_no_room_in_the_treemap_is_told_apart_in_the_list(indexed: Opened) -> None:
    async with indexed(size=(50, 20), days=12) as d:
        screen = await stats(d)
        await part_by(d, screen, Listing.LARGEST)
        await d.press("t")
        boxes = await mapped(d, screen)
        others = boxes.drawn[-1]
        assert others.is_others
        while boxes.current != others:
            before = boxes.current
            await d.press("right")
            if boxes.current == before:
                await d.press("down")
        await d.press("X")
        await d.until(lambda: any("enter lists them" in toast for toast in d.toasts))
        await d.press("enter")
        await d.until(lambda: screen.pane.rows.has_focus)
        assert screen.pane.rows.current is not None
        assert screen.pane.rows.current.key == others.key


async def test_a_click_chooses_a_box_and_a_second_opens_it(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await stats(d)
        await deeper(d, screen)
        await deeper(d, screen)
        await d.press("t")
        boxes = await mapped(d, screen)
        before, chosen = screen.scope, boxes.drawn[-1]
        await d.pilot.click(Treemap, offset=(boxes.size.width - 2, boxes.size.height - 1), times=2)
        await d.until(lambda: screen.scope != before)
        assert screen.scope.group == chosen.key


async def test_how_builds_fare_goes_down_to_the_files_of_a_day(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await stats(d)
        await part_by(d, screen, Listing.HEALTH)
        for is_map in (False, True):
            if is_map:
                await d.press("t")
                await mapped(d, screen)
            workflow = screen.pane.rows.current
            assert workflow is not None
            assert workflow.health is not None
            await deeper(d, screen)
            await d.until(lambda: screen.pane.rows.rows)
            assert f"workflow {workflow.health.workflow}, last 30 days" in d.screen_text()
            assert sum(line.count for line in screen.pane.rows.rows) == workflow.count
            await deeper(d, screen)
            assert screen.scope.day is not None
            assert all(line.artifact is not None for line in screen.pane.rows.rows)
            await deeper(d, screen, "escape")
            await deeper(d, screen, "escape")
            await d.until(lambda w=workflow: screen.pane.rows.current == w)  # type: ignore[misc]


async def test_every_way_to_part_it_adds_up(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await stats(d)
        for by in By:
            await part_by(d, screen, by)
            lines = screen.pane.rows.rows
            assert sum(line.size_bytes or 0 for line in lines) > 0
            assert sum(line.share or 0 for line in lines) == pytest.approx(1)
        for listing in Listing:
            await part_by(d, screen, listing)
        assert "%" in d.screen_text()  # of builds that succeeded
        await deeper(d, screen, "shift+tab")
        assert screen.scope.by is Listing.DUPLICATES


async def test_it_is_said_what_was_never_listed(indexed: Opened) -> None:
    async with indexed() as d:
        await d.press("5")
        await d.until(lambda: "Partial" in d.screen_text())
        assert "never opened or indexed" in d.screen_text()


async def test_without_a_catalog_a_view_says_so(drive: Callable[..., AbstractAsyncContextManager[Driver]]) -> None:
    async with drive() as d:
        for key in "567":
            await d.press(key)
            await d.until(lambda: "no catalog" in d.screen_text())
        await d.press("escape")
        await d.until(lambda: d.app.screen is d.explorer)


async def test_marked_files_are_deleted_from_the_statistics(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await stats(d)
        await part_by(d, screen, Listing.LARGEST)
        chosen = [line.key for line in screen.pane.rows.rows[:2]]
        await d.press("space", "space", "X")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press(*"delete", "enter")
        await d.until(lambda: d.app.screen is screen and not set(chosen) & {line.key for line in screen.pane.rows.rows})
        deleted = {request.path.rsplit("/", 1)[-1] for request in d.demo.requests if request.method == "DELETE"}
        assert deleted == {ref.artifact for ref in chosen}  # type: ignore[attr-defined]
        await d.press("z")
        await d.until(lambda: any("cannot be undone" in toast for toast in d.toasts))


async def test_what_is_deleted_leaves_the_catalog_at_once(indexed: Opened) -> None:
    async with indexed() as d:
        await d.open_app(APP)
        await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        catalog = d.services.catalog
        assert catalog is not None
        before = catalog.artifacts(artifact.ref.build_ref)
        assert before is not None
        assert artifact.ref in {each.ref for each in before.items}
        await d.services.changes.delete(await d.services.sessions[artifact.ref.account].provider(), artifact)
        screen = await stats(d)
        await part_by(d, screen, Listing.LARGEST)
        assert artifact.ref not in {line.key for line in screen.pane.rows.rows}
        after = catalog.artifacts(artifact.ref.build_ref)
        assert after is not None
        assert [each.ref for each in after.items] == [e.ref for e in before.items if e.ref != artifact.ref]


async def test_a_file_is_downloaded_from_the_statistics(indexed: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    async with indexed() as d:
        screen = await stats(d)
        await part_by(d, screen, Listing.LARGEST)
        line = screen.pane.rows.rows[0]
        await d.press("d")
        await d.until(lambda: d.services.transfers.snapshot().transfers)
        assert d.services.transfers.snapshot().transfers[0].label == line.name.rpartition("/")[2]


async def test_a_file_that_is_gone_leaves_the_view(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await stats(d)
        await part_by(d, screen, Listing.LARGEST)
        line = screen.pane.rows.rows[0]
        assert line.artifact is not None
        provider = await d.services.sessions[AccountName("demo-bitrise")].provider()
        await provider.delete(line.artifact.ref)
        await d.press("X")
        await d.until(lambda: any("gone on the server" in toast for toast in d.toasts))
        await d.until(lambda: line.key not in {each.key for each in screen.pane.rows.rows})


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (50, 20)])
async def test_what_ends_soonest_comes_first_with_its_rule(indexed: Opened, size: tuple[int, int]) -> None:
    async with indexed(size=size) as d:
        screen = await view(d, "6")
        assert isinstance(screen, ExpiringScreen)
        await d.press("tab", "tab")
        await d.until(lambda: screen.pane.rows.rows)
        days = [row.days_left for row in screen.pane.rows.rows]
        assert days == sorted(days)
        assert "artifact-retention-policy" in " ".join(d.screen_text().split())
        await d.press("slash", *"lint", "enter")
        await d.until(lambda: screen.pane.rows.current is not None and "lint" in screen.pane.rows.current.path)
        row = screen.pane.rows.current
        assert row is not None
        await d.press("enter")
        await d.until(lambda: d.app.screen is d.explorer and d.explorer.artifacts.rows.current is not None)
        assert d.explorer.path_of(d.explorer.artifacts.rows.current) == row.path


async def test_all_that_is_public_is_switched_off_and_that_is_undone(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await view(d, "7")
        public = {row.artifact.ref for row in screen.pane.rows.rows}
        assert len(public) > 1
        await d.press("a", "p")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("y")
        await d.until(lambda: d.app.screen is screen and not screen.pane.rows.rows)
        await d.until(lambda: "Nothing is public" in d.screen_text())
        await d.press("z")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))  # nothing becomes public without a question
        await d.press("y")
        await d.until(lambda: d.app.screen is screen and len(screen.pane.rows.rows) == len(public))


async def test_many_that_are_public_come_after_the_first(indexed: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    async with indexed() as d:
        whole = [row.artifact.ref for row in (await view(d, "7")).pane.rows.rows]
        await d.press("escape")
        await d.until(lambda: d.app.screen is d.explorer)
        assert len(whole) > 1
        monkeypatch.setattr(public_view, "FIRST_ROWS", 1)
        screen = await view(d, "7")
        assert [row.artifact.ref for row in screen.pane.rows.rows] == whole
        assert f"{len(whole)} artifacts" in d.screen_text()


async def test_one_of_many_that_fails_stays_public(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await view(d, "7")
        second = screen.pane.rows.rows[1].artifact.ref
        d.demo.faults.fail("bitrise", "PATCH", second.artifact, 422)
        count = len(screen.pane.rows.rows)
        await d.press("a", "p")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("y")
        await d.until(lambda: "1 failed" in d.screen_text())
        assert f"{count - 1} done" in d.screen_text()
        await d.press("escape")
        await d.until(lambda: [row.artifact.ref for row in screen.pane.rows.rows] == [second])


async def test_names_from_the_server_are_text(indexed: Opened) -> None:
    async with indexed(title="Hostile names", days=60) as d:
        screen = await stats(d)
        for by in (By.BRANCH, By.WORKFLOW, Listing.LARGEST):
            await part_by(d, screen, by)
            assert all(char == "\n" or char.isprintable() for char in d.screen_text())
        assert "passwd" in " ".join(line.name for line in screen.pane.rows.rows)
        for key in ("m", "6", "7", "5"):
            await d.press(key)
            await d.settle()
            assert all(char == "\n" or char.isprintable() for char in d.screen_text())


# What is kept -------------------------------------------------------------------------------------------------


async def open_finished(d: Driver) -> None:
    await d.open_app(APP)
    await d.open_build(finished)
    await d.settle()


def pins(home: Path) -> list[dict[str, str | None]]:
    content: list[dict[str, str | None]] = json.loads((home / "state" / "pins.json").read_text())["pins"]
    return content


async def test_pins_are_set_and_taken_away_and_seen(indexed: Opened, home: Path, tmp_path: Path) -> None:
    async with indexed(archive=tmp_path / "archive", size=(160, 40)) as d:
        await open_finished(d)
        apk = await d.go_to_artifact(is_apk)
        await d.press("m")
        await d.until(lambda: "pinned" in d.screen_text())
        assert [pin["artifact"] for pin in pins(home)] == [apk.ref.artifact]
        assert DigPath.parse(str(pins(home)[0]["path"])).artifact == apk.title
        await d.press("m")
        await d.until(lambda: not pins(home))
        await d.press("h", "m")  # the whole build
        await d.until(lambda: pins(home) and pins(home)[0]["artifact"] is None)


async def test_a_pin_from_the_statistics(indexed: Opened, home: Path) -> None:
    async with indexed() as d:
        screen = await stats(d)
        await d.press("m")
        await d.until(lambda: any("enter goes deeper" in toast for toast in d.toasts))
        await part_by(d, screen, Listing.LARGEST)
        line = screen.pane.rows.rows[0]
        await d.press("m")
        await d.settle()
        assert [pin["path"] for pin in pins(home)] == [line.name]


async def test_without_an_archive_it_is_told_how_to_have_one(indexed: Opened) -> None:
    async with indexed() as d:
        await open_finished(d)
        await d.press("K")
        await d.until(lambda: isinstance(d.app.screen, TextDialog))
        assert "[[archive.rules]]" in d.screen_text()
        assert "kept" not in d.explorer.artifacts.rows.column_keys


async def test_chosen_files_then_a_whole_build_are_archived(indexed: Opened, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    async with indexed(archive=archive, size=(160, 40)) as d:
        await open_finished(d)
        apk = await d.go_to_artifact(is_apk)
        await d.press("K")
        await d.until(lambda: "archived" in d.screen_text() and d.app.screen is d.explorer)
        await d.settle()
        (copy,) = archive.rglob("*.apk")
        assert copy.stat().st_size == apk.size_bytes
        (manifest,) = archive.rglob("manifest.json")
        assert json.loads(manifest.read_text())["rules"] == []  # by hand: a rule has yet to look at it
        titles = {row.title for row in d.explorer.artifacts.rows.rows if isinstance(row, Artifact)}
        await d.press("h")
        await d.until(lambda: d.explorer.builds.rows.has_focus)
        moved = len(d.demo.requests)
        await d.press("K")
        await d.until(lambda: any("Archived 1 item" in toast for toast in d.toasts))
        await d.settle()
        assert moved < len(d.demo.requests)
        names = {path.name for path in copy.parent.iterdir()}
        assert len(names - {"manifest.json"}) == len(titles)


async def test_a_destination_that_cannot_be_written_is_told_for_each(indexed: Opened, tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("a file where the folder should be")
    async with indexed(archive=tmp_path / "archive") as d:
        await open_finished(d)
        await d.press("a", "K")
        await d.until(lambda: isinstance(d.app.screen, BatchDialog) and "failed" in d.screen_text())
        assert "0 done" in d.screen_text()
        await d.press("escape")
        await d.until(lambda: d.app.screen is d.explorer)
