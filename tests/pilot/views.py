"""The views of the catalog: to them, and around in the statistics."""

from __future__ import annotations

from typing import Any

from tests.pilot.conftest import Driver
from tui.screens.stats_view import StatsScreen
from tui.screens.storage_views import StorageScreen
from tui.services.storage_lines import Listing
from tui.stats.grouping import By


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
