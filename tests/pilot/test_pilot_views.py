"""What holds for every view of the catalog: its number, no catalog, names from the server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from tests.pilot.conftest import Driver, Opened
from tests.pilot.views import part_by, stats, view
from tui.screens.expiring_view import ExpiringScreen
from tui.screens.public_view import PublicScreen
from tui.screens.stats_view import StatsScreen
from tui.screens.transfers import TransfersScreen
from tui.services.storage_lines import Listing
from tui.stats.grouping import By


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


async def test_without_a_catalog_a_view_says_so(drive: Callable[..., AbstractAsyncContextManager[Driver]]) -> None:
    async with drive() as d:
        for key in "567":
            await d.press(key)
            await d.until(lambda: "no catalog" in d.screen_text())
        await d.press("escape")
        await d.until(lambda: d.app.screen is d.explorer)


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
