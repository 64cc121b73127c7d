"""What takes the space, as bars and as a treemap, and what is done with files from there."""

from __future__ import annotations

import json

import pytest

from tests.pilot.conftest import APP, Driver, Opened
from tests.pilot.test_pilot_explorer import finished, is_apk
from tests.pilot.views import deeper, part_by, stats
from tui.models import AccountName
from tui.screens.stats_view import StatsScreen
from tui.services.storage_lines import Listing
from tui.stats.grouping import By
from tui.widgets.dialogs import ConfirmDialog
from tui.widgets.treemap import Treemap


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


async def test_a_file_is_downloaded_from_the_statistics(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await stats(d)
        await part_by(d, screen, Listing.LARGEST)
        line = screen.pane.rows.rows[0]
        await d.press("d")
        await d.until(lambda: d.services.transfers.snapshot().transfers)
        assert d.services.transfers.snapshot().transfers[0].label == line.name.rpartition("/")[2]


async def test_a_list_with_gaps_is_no_proof_that_a_file_is_gone(indexed: Opened) -> None:
    async with indexed() as d:
        screen = await stats(d)
        await part_by(d, screen, Listing.LARGEST)
        line = screen.pane.rows.rows[0]
        assert line.artifact is not None
        some = json.dumps({"data": [{"slug": "another"}, {"title": "of no slug"}]}).encode()
        d.demo.faults.fail("bitrise", "GET", "/artifacts$", 200, body=some)
        await d.press("X")
        await d.until(lambda: any("may be incomplete" in toast for toast in d.toasts))
        await d.settle()
        assert d.services.catalog is not None
        d.services.catalog.settle()
        kept = d.services.catalog.artifacts(line.artifact.ref.build_ref)
        assert kept is not None
        assert line.artifact.ref in {each.ref for each in kept.items}


def dialog_text(d: Driver) -> str:
    """What is to be seen of the dialog, without blanks: lines are broken where the window ends."""
    region = d.app.screen.query_one(".dialog").content_region
    lines = d.screen_text().split("\n")[region.y : region.bottom]
    return "".join("".join(line[region.x : region.right] for line in lines).split())


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (50, 20)])
async def test_files_of_several_builds_are_told_apart_before_they_are_deleted(
    indexed: Opened, size: tuple[int, int]
) -> None:
    async with indexed(size=size) as d:
        screen = await stats(d)
        await part_by(d, screen, Listing.LARGEST)
        wanted = []
        for line in screen.pane.rows.rows[:12]:
            *_, number, title = line.name.split("/")
            assert line.artifact is not None
            wanted.append(f"{title}#{number}id{line.artifact.ref.artifact}")
            screen.pane.rows.go_to(line.key)
            await d.press("space")
        await d.press("X")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        assert wanted[0] in dialog_text(d)
        seen: set[str] = set()
        while "Itisgoneforgood" not in dialog_text(d):  # the end of the list
            seen.update(line for line in wanted if line in dialog_text(d))
            assert "Type12toconfirm" in dialog_text(d)
            assert dialog_text(d).endswith("CancelDelete")
            before = dialog_text(d)
            await d.press("down")
            await d.until(lambda before=before: dialog_text(d) != before)  # type: ignore[misc]
        assert seen | {line for line in wanted if line in dialog_text(d)} == set(wanted)
        await d.press("escape")


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
