"""Saved digs as tabs over the panes: which is active, how one is opened by key and by mouse, and one that is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest
from textual.strip import Strip

from tests.pilot.conftest import NOW, Driver
from tui.app import DigsiteApp
from tui.cli.demo import demo_sessions
from tui.config import load_config
from tui.demo import DemoServers
from tui.habits import Habits
from tui.models import Status
from tui.paths import DigPath
from tui.services import open_services
from tui.widgets.tabs import TabStrip

Open = Callable[..., AbstractAsyncContextManager[Driver]]

DIGS = {
    "red": "demo-bitrise/acme-android?branch:main status:failed",
    "newest": "demo-xcode-cloud/Acme/latest-green",
    "mine": "demo-bitrise?acme",
}


@pytest.fixture
def tabbed(demo: DemoServers) -> Open:
    """Opens the explorer on the demo with saved digs."""

    @asynccontextmanager
    async def opened(
        digs: Mapping[str, str] = DIGS,
        *,
        size: tuple[int, int] = (120, 40),
        start: DigPath | None = None,
        where: str = "",
    ) -> AsyncIterator[Driver]:
        config = replace(load_config(), habits=Habits(digs=digs))
        async with open_services(config, demo_sessions(demo)) as services:
            app = DigsiteApp(services, start=start, start_filter=where, now=lambda: NOW)
            async with app.run_test(size=size, notifications=True) as pilot:
                yield Driver(app, pilot, services, demo)

    return opened


def strip(d: Driver) -> str:
    """The line below the path."""
    return d.screen_text().splitlines()[1]


async def active(d: Driver, tab: str) -> None:
    """Until this tab is the active one, and what it shows is there."""
    await d.until(lambda: f"▌{tab} " in f"{strip(d)} " and strip(d).count("▌") == 1)
    await d.until(lambda: not d.explorer.pane.is_loading)


async def told(d: Driver, text: str) -> None:
    """Until a toast says that."""
    await d.until(lambda: any(text in toast for toast in d.toasts))


async def test_without_saved_digs_there_is_no_line_and_the_key_says_so(tabbed: Open) -> None:
    async with tabbed({}) as d:
        await d.loaded()
        assert not d.explorer.query(TabStrip)
        assert "Apps" in strip(d)
        await d.press("greater_than_sign")
        await d.until(lambda: any("no saved digs" in toast for toast in d.toasts))


async def test_keys_go_through_the_tabs_round_the_ends(tabbed: Open) -> None:
    async with tabbed() as d:
        await d.loaded()
        explorer = d.explorer
        assert strip(d) == "▌All  @red  @newest  @mine"
        await d.press("greater_than_sign")
        await active(d, "@red")
        await d.until(lambda: explorer.builds.rows.has_focus and explorer.builds.rows.shown)
        assert explorer.builds.filter_text == "branch:main status:failed"
        assert {(build.branch, build.status) for build in explorer.builds.rows.shown_rows} == {("main", Status.FAILED)}
        await d.press("greater_than_sign")
        await active(d, "@newest")
        await d.until(lambda: explorer.artifacts.rows.has_focus and explorer.artifacts.rows.rows)
        await d.press("greater_than_sign")
        await active(d, "@mine")
        await d.until(lambda: explorer.apps.rows.has_focus and explorer.apps.filter_text == "acme")
        await d.press("greater_than_sign")
        await active(d, "All")
        await d.until(lambda: {app.ref.account for app in explorer.apps.rows.shown_rows} == set(d.services.sessions))
        assert not explorer.apps.filter_text
        await d.press("less_than_sign")
        await active(d, "@mine")


async def test_the_last_of_quick_keys_counts(tabbed: Open) -> None:
    async with tabbed() as d:
        await d.loaded()
        await d.press("greater_than_sign", "greater_than_sign")
        await active(d, "@newest")
        await d.settle()
        await d.until(lambda: d.explorer.open_build is not None and d.explorer.open_app is not None)
        assert d.explorer.open_app is not None
        assert d.explorer.open_app.title == "Acme"


async def test_a_click_opens_a_tab(tabbed: Open) -> None:
    async with tabbed() as d:
        await d.loaded()
        await d.pilot.click(TabStrip, offset=(strip(d).index("@newest") + 2, 0))
        await active(d, "@newest")
        await d.pilot.click(TabStrip, offset=(1, 0))
        await active(d, "All")
        await d.until(lambda: d.explorer.apps.rows.has_focus)
        await d.pilot.click(TabStrip, offset=(100, 0))
        await d.settle()
        assert strip(d).startswith("▌All")


async def test_a_tab_stays_active_below_its_list_and_ends_with_it(tabbed: Open) -> None:
    async with tabbed() as d:
        await d.loaded()
        await d.press("greater_than_sign")
        await active(d, "@red")
        await d.until(lambda: d.explorer.builds.rows.has_focus and d.explorer.builds.rows.shown)
        await d.press("enter")
        await d.until(lambda: d.explorer.artifacts.rows.has_focus)
        await active(d, "@red")
        await d.press("escape")
        await d.until(lambda: d.explorer.builds.rows.has_focus)
        await active(d, "@red")
        await d.press("escape")
        await d.until(lambda: not d.explorer.builds.filter_text)
        await active(d, "All")


async def test_a_wrong_dig_says_why_and_changes_nothing(tabbed: Open) -> None:
    digs = {
        "nobody": "nobody/app",
        "gone": "demo-bitrise/not-there",
        "path": "a//b",
        "filter": "demo-bitrise/acme-android?colour:red",
    }
    reasons = ("nobody", "not-there", "names a member of no artifact", "no field colour: here")
    async with tabbed(digs) as d:
        await d.open_app("acme-monorepo")
        place = d.explorer.open_app, d.explorer.builds.rows.current
        for index, reason in enumerate(reasons, start=1):
            d.explorer.query_one(TabStrip).post_message(TabStrip.Chosen(index))
            await told(d, reason)
            await d.settle()
            assert strip(d).startswith("▌All")
            assert (d.explorer.open_app, d.explorer.builds.rows.current) == place
            assert d.explorer.builds.rows.has_focus


async def test_a_dig_from_the_command_line_has_its_tab(tabbed: Open) -> None:
    start = DigPath.parse("demo-bitrise/acme-android")
    async with tabbed(start=start, where="branch:main status:failed") as d:
        await active(d, "@red")
        await d.until(lambda: d.explorer.builds.rows.has_focus)
    async with tabbed(start=start) as d:
        await d.until(lambda: d.explorer.builds.rows.has_focus)
        await active(d, "All")


async def test_many_digs_scroll_in_their_order(tabbed: Open) -> None:
    digs = {f"number-{n:02}": f"demo-bitrise?{n}" for n in range(12)}
    async with tabbed(digs, size=(50, 20)) as d:
        await d.loaded()
        assert strip(d) == "▌All  @number-00  @number-01  @number-02 …"
        for n in range(12):
            await d.press("greater_than_sign")
            await active(d, f"@number-{n:02}")
            line = strip(d)
            shown = [int(name.removeprefix("@number-")) for name in line.replace("▌", " ").split() if "-" in name]
            assert shown == sorted(shown)
            assert len(line) <= 50
            assert line.startswith("…") == (0 not in shown or "All" not in line)
            assert line.endswith("…") == (11 not in shown)


async def test_a_long_or_hostile_name_is_cut_and_cleaned(tabbed: Open) -> None:
    async with tabbed({"x" * 60: "demo-bitrise", "\x1b[31mred": "demo-bitrise"}) as d:
        await d.loaded()
        assert "…" in strip(d)
        assert len(strip(d)) < 60
        assert "\x1b" not in strip(d)


async def test_moving_through_a_list_does_not_paint_the_tabs(tabbed: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tabbed() as d:
        await d.press("greater_than_sign")
        await active(d, "@red")
        await d.until(lambda: d.explorer.builds.rows.has_focus and d.explorer.builds.rows.shown > 5)
        await d.until(lambda: d.explorer.shown_facts == d.explorer.facts())
        painted = []
        render = TabStrip.render_line

        def rendered(tabs: TabStrip, y: int) -> Strip:
            painted.append(y)
            return render(tabs, y)

        monkeypatch.setattr(TabStrip, "render_line", rendered)
        await d.press("j", "j", "k")
        await d.until(lambda: d.explorer.shown_facts == d.explorer.facts())
        assert not painted
