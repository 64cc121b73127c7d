"""What a person sees at a glance: frames, titles of columns, room for names, dialogs that fit, keys in their order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Button

from tests.pilot.conftest import Driver
from tests.pilot.test_pilot_explorer import finished, is_apk
from tui.models import Status
from tui.screens.artifact_detail import ArtifactScreen
from tui.screens.digs_dialog import DigsDialog
from tui.screens.feed_view import NewestScreen
from tui.screens.transfers import TransfersScreen
from tui.widgets.choice import Choice, ChoiceDialog
from tui.widgets.crumbs import Crumbs
from tui.widgets.dialogs import TextDialog
from tui.widgets.keybar import KeyBar

Drive = Callable[..., AbstractAsyncContextManager[Driver]]


async def shown(d: Driver, screen: Screen[Any], text: str) -> None:
    """Until that screen is there, with this text."""
    await d.until(lambda: d.app.screen is screen and text in d.screen_text())


async def test_a_column_in_which_no_row_has_anything_takes_no_room(drive: Drive) -> None:
    async with drive(size=(80, 24)) as d:
        await d.open_app("Acme", account="demo-xcode-cloud")
        await d.open_build(finished)
        rows = d.explorer.artifacts.rows
        shown = [column.key for column, _ in rows.columns_in(rows.size.width)]
        assert "public" not in shown  # Xcode Cloud has no such pages
        rows.update_row(replace(rows.rows[0], is_public=True))
        await d.until(lambda: any(" public " in line for line in d.screen_text().splitlines()))
        rows.update_row(replace(rows.rows[0], is_public=False))
        await d.until(lambda: [column.key for column, _ in rows.columns_in(rows.size.width)] == shown)


async def test_columns_of_a_long_list_have_titles_over_them(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("N")
        await d.until(lambda: isinstance(d.app.screen, NewestScreen) and d.app.screen.builds.rows.rows)
        await d.until(lambda: "Branch" in d.screen_text())
        lines = d.screen_text().splitlines()
        titles = next(line for line in lines if "Branch" in line)
        row = next(line for line in lines if "running" in line)
        assert titles.index("Status") == row.index("▶")
        assert titles.index("App") == row.index("acme-android")
        await d.pilot.resize_terminal(50, 20)
        await d.until(lambda: "Workflow" not in d.screen_text() and "Branch" in d.screen_text())


async def test_the_first_heading_of_a_panel_is_there_from_the_start(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(lambda build: build.status is Status.SUCCEEDED)
        await d.go_to_artifact(is_apk)
        await d.until(lambda: "Minimum OS" in d.screen_text())
        await d.press("i")
        await d.until(lambda: isinstance(d.app.screen, ArtifactScreen) and "Identifier" in d.screen_text())
        lines = d.screen_text().splitlines()
        frame = next(n for n, line in enumerate(lines) if "╭─ Artifact" in line)
        assert lines[frame + 1].strip("│ ") == "App"


async def test_help_and_the_way_out_end_the_line_of_keys(drive: Drive) -> None:
    async with drive(size=(80, 24)) as d:
        await d.open_app("acme-android")
        await d.press("i")
        await d.until(lambda: d.app.screen is not d.explorer and "Why red" in d.screen_text())
        assert d.screen_text().splitlines()[-1].rstrip().endswith("? Help  q Close")


@pytest.mark.parametrize("size", [(200, 60), (120, 40), (80, 24), (50, 20)])
async def test_dialogs_fit_into_the_window(drive: Drive, size: tuple[int, int]) -> None:
    choices = [Choice(f"c{n}", str(n), f"Answer {n}") for n in range(6)]
    async with drive(size=size) as d:
        await d.loaded()
        for dialog, last in (
            (TextDialog("Text", "\n".join(f"line {n}" for n in range(200))), "esc closes"),
            (DigsDialog({f"dig-{n}": "acme" for n in range(100)}), "enter chooses · esc cancels"),
            (ChoiceDialog("Choose", ["one of these"], choices), "Answer 5"),
        ):
            d.app.push_screen(dialog)
            await shown(d, dialog, last)
            frame = dialog.query_one(".dialog").region
            assert d.app.screen.region.contains_region(frame)
            assert all(d.app.screen.region.contains_region(button.region) for button in dialog.query(Button))
            await d.press("escape")
            await d.until(lambda: d.app.screen is d.explorer)


async def test_sixteen_bytes_in_hexadecimal_stand_in_one_line_of_80_columns(drive: Drive) -> None:
    line = f"00000000  {' '.join(['00'] * 16)}  {'.' * 16}"
    async with drive(size=(80, 24)) as d:
        await d.loaded()
        d.app.push_screen(TextDialog("bytes", "\n".join([line] * 200)))
        await d.until(lambda: line in d.screen_text())


async def test_a_narrow_dock_shows_share_and_rate(drive: Drive) -> None:
    async with drive(size=(50, 20)) as d:
        d.demo.faults.bytes_per_second = 50_000
        await d.open_app("acme-android")
        await d.open_build(finished)
        await d.press("d")
        await d.until(lambda: "% " in d.dock_text and "B/s" in d.dock_text)
        await d.until(lambda: d.dock_text.splitlines()[0] in d.screen_text())


async def test_the_list_of_transfers_is_framed_and_titled(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("T")
        await d.until(lambda: isinstance(d.app.screen, TransfersScreen) and "Reason" in d.screen_text())
        assert "╭─ Transfers" in d.screen_text()
        assert d.app.screen.query_one(KeyBar)


async def test_the_key_bar_names_the_key_that_people_know(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("slash")
        await d.until(lambda: "⏎ Keep" in d.screen_text())
        assert "↓ Keep" not in d.screen_text()


async def test_the_line_on_top_keeps_its_place_where_there_is_no_row(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("playground")
        await d.until(lambda: "no builds" in d.screen_text())
        await d.until(lambda: "demo-bitrise/playground" in d.screen_text().splitlines()[0])


async def test_the_line_on_top_gives_up_its_last_parts_first(drive: Drive) -> None:
    async with drive((80, 24)) as d:
        await d.loaded()
        crumbs = d.app.screen.query_one(Crumbs)
        crumbs.show("Transfers", "3 of 6 running · 12.5 MB/s · at most 3 at once · at most 3.1 MB/s")
        assert "3 of 6 running · 12.5 MB/s" in crumbs.render_line(0).text
        crumbs.show("demo-xcode-cloud/Acme/613/Acme Test - iOS.zip", "demo-xcode-cloud · 3,580 of 3,600 calls left")
        assert "Acme/613/Acme Test - iOS.zip" in crumbs.render_line(0).text
        assert crumbs.render_line(0).text.endswith(" demo-xcode-cloud ")
