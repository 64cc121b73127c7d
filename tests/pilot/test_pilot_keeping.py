"""What is kept: pins and the archive, by keys."""

from __future__ import annotations

import json
from pathlib import Path

from tests.pilot.conftest import APP, Driver, Opened
from tests.pilot.test_pilot_explorer import finished, is_apk
from tests.pilot.views import part_by, stats
from tui.models import Artifact
from tui.paths import DigPath
from tui.services.storage_lines import Listing
from tui.widgets.batch import BatchDialog
from tui.widgets.dialogs import TextDialog


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
