"""What ends soonest and what is public, by keys."""

from __future__ import annotations

import pytest

from tests.pilot.conftest import Opened
from tests.pilot.views import view
from tui.screens import public_view
from tui.screens.expiring_view import ExpiringScreen
from tui.widgets.dialogs import ConfirmDialog


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
        assert all(f"  id {ref.artifact}" in d.screen_text() for ref in public)
        assert "app-debug.apk  #" in d.screen_text()
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
