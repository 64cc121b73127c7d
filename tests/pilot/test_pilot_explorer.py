"""Every key of the explorer, on the demo's servers over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Input

from tests.pilot.conftest import NOW, Driver
from tui.app import DigsiteApp
from tui.cli.demo import demo_sessions
from tui.config import load_config
from tui.models import Artifact, ArtifactKind, Build, Status
from tui.paths import DigPath
from tui.screens.build_view import BuildScreen
from tui.screens.help_panel import HelpScreen
from tui.services import open_services
from tui.widgets.dialogs import ConfirmDialog, TextDialog

Drive = Callable[..., Any]


def finished(build: Build) -> bool:
    return build.status is Status.SUCCEEDED


def is_apk(artifact: Artifact) -> bool:
    return artifact.kind is ArtifactKind.APK


async def test_keys_that_come_as_it_closes_do_no_harm(drive: Drive) -> None:
    async with drive() as d:
        pane = d.explorer.apps
    pane.action_filter()
    pane.set_filter("acme")
    assert not pane.is_attached


async def test_a_change_right_after_another_is_painted_within_8_ms(drive: Drive) -> None:
    async with drive() as d:
        assert 2 * d.explorer._update_timer._interval <= 0.008, "Textual no longer takes its period from where it was"


async def test_first_paint_waits_for_no_answer(drive: Drive) -> None:
    async with drive() as d:
        d.demo.faults.latency_s = 30.0
        await d.pilot.pause()
        assert "Apps" in d.screen_text()
        assert "Open an app to see its builds." in d.screen_text()
        assert not d.explorer.apps.rows.rows


async def test_apps_of_all_accounts_stand_in_one_list_with_badges(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        accounts = {app.ref.account for app in d.explorer.apps.rows.rows}
        assert accounts == {"demo-bitrise", "demo-xcode-cloud"}
        lines = d.screen_text().splitlines()
        assert any("BR" in line and "acme-android" in line for line in lines)
        assert any("XC" in line and "Weather" in line for line in lines)


async def test_one_account_failing_leaves_the_other_usable_and_r_retries(drive: Drive) -> None:
    async with drive() as d:
        d.demo.faults.fail("bitrise", "GET", r"/apps$", 401, times=1)
        await d.until(lambda: d.explorer.apps.errors and not d.explorer.apps.is_loading)
        assert {app.ref.account for app in d.explorer.apps.rows.rows} == {"demo-xcode-cloud"}
        assert "demo-bitrise" in d.screen_text()
        await d.until(lambda: "retries, ! detail" in d.screen_text())
        await d.press("exclamation_mark")
        await d.until(lambda: isinstance(d.app.screen, TextDialog))
        await d.press("escape")
        await d.press("r")
        await d.until(lambda: not d.explorer.apps.errors and not d.explorer.apps.is_loading)
        assert {app.ref.account for app in d.explorer.apps.rows.rows} == {"demo-bitrise", "demo-xcode-cloud"}


@pytest.mark.parametrize("into", ["enter", "l", "right"])
@pytest.mark.parametrize("back", ["escape", "h", "left", "backspace"])
async def test_drilling_in_and_back(drive: Drive, into: str, back: str) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press(into)
        await d.until(lambda: d.explorer.builds.rows.has_focus)
        await d.press(back)
        await d.until(lambda: d.explorer.apps.rows.has_focus)


async def test_moving(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-monorepo")
        rows = d.explorer.builds.rows
        numbers = [build.number for build in rows.rows]

        async def after(*keys: str) -> Any:
            await d.press(*keys)
            return rows.current.number

        assert await after("j") == numbers[1]
        assert await after("down") == numbers[2]
        assert await after("k", "up") == numbers[0]
        page = rows.size.height - 1
        assert await after("ctrl+d") == numbers[page]
        assert await after("ctrl+u") == numbers[0]
        assert await after("pagedown") == numbers[page]
        assert await after("g") == numbers[0]
        last = [build.number for build in rows.rows][-1]
        assert await after("G") == last
        assert await after("home") == numbers[0]


async def test_the_next_page_comes_before_the_end_is_reached(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-monorepo")
        rows = d.explorer.builds.rows
        assert len(rows.rows) == 50
        assert "50 of 100,000" in d.screen_text()
        await d.press("G")
        await d.until(lambda: len(rows.rows) == 100)
        numbers = [build.number for build in rows.rows]
        assert numbers == sorted(numbers, reverse=True)
        assert len(set(numbers)) == 100


async def test_tab_goes_round_the_panes(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("tab")
        assert d.explorer.builds.rows.has_focus
        await d.press("tab")
        assert d.explorer.artifacts.rows.has_focus
        await d.press("shift+tab", "shift+tab")
        assert d.explorer.apps.rows.has_focus


async def test_filter_is_live_and_escape_clears_it(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        everything = d.explorer.apps.rows.shown
        await d.press("slash", *"weather")
        assert d.explorer.apps.rows.shown == 2
        assert f"2 of {everything}" in d.screen_text()
        await d.press("enter")
        assert d.explorer.apps.rows.has_focus
        await d.press("escape")
        assert d.explorer.apps.rows.shown == everything


async def test_filter_by_fields_negation_and_a_wrong_field(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        rows = d.explorer.builds.rows
        await d.press("slash", *"status:failed", "space", *"!main")
        shown = [rows._model.at(n) for n in range(len(rows._model))]
        assert shown
        assert all(build.status is Status.FAILED and build.branch != "main" for build in shown)
        await d.press("escape", "slash", *"colour:red")
        assert "no field colour: here" in d.screen_text()
        await d.press("escape")
        assert rows.shown == len(rows.rows)


async def test_letters_do_not_act_while_typing_a_filter(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("slash", *"qXdp")
        assert d.explorer.apps.filter_text == "qXdp"
        assert d.app.is_running
        assert d.app.screen is d.explorer


async def test_sort_and_reverse_keep_the_cursor_on_its_row(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = await d.open_build(finished)
        del build
        rows = d.explorer.artifacts.rows
        await d.press("j")
        here = rows.current
        titles = []
        for _ in range(5):
            await d.press("s")
            titles.append(rows.sort_title)
            assert rows.current == here
        assert "Size ▲" in titles
        while rows.sort_title != "Size ▲":
            await d.press("s")
        sizes = [rows._model.at(n).size_bytes for n in range(len(rows._model))]
        assert sizes == sorted(sizes)
        await d.press("S")
        sizes = [rows._model.at(n).size_bytes for n in range(len(rows._model))]
        assert sizes == sorted(sizes, reverse=True)
        assert rows.current == here


async def test_marks(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        rows = d.explorer.builds.rows
        first = list(rows.rows)
        await d.press("space")
        assert rows.marked == first[:1]
        await d.press("u")
        assert rows.marked == []
        await d.press("v", "j", "j", "v")
        assert rows.marked == first[1:4]
        await d.press("u", "a")
        assert rows.marked == first
        assert "50 marked" in d.screen_text()
        await d.press("slash", *"status:failed")
        assert rows.marked == first, "a filter does not take marks away"


async def test_xcode_cloud_artifacts_stand_under_their_actions(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("Acme", account="demo-xcode-cloud")
        await d.open_build(finished)
        actions = {artifact.action.name for artifact in d.explorer.artifacts.rows.rows}
        assert len(actions) > 1
        text = d.screen_text()
        assert all(action in text for action in actions)


async def test_copy_open_detail_help_and_palette(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = d.explorer.builds.rows.current
        await d.press("y")
        assert d.app.clipboard == f"demo-bitrise/acme-android/{build.number}"
        assert any(d.app.clipboard in toast for toast in d.toasts)
        await d.press("o")
        await d.until(lambda: isinstance(d.app.screen, TextDialog))
        assert d.app.screen.text == build.web_url
        await d.press("escape", "i")
        await d.until(lambda: isinstance(d.app.screen, BuildScreen) and "Workflow" in d.screen_text())
        await d.press("escape", "question_mark")
        await d.until(lambda: isinstance(d.app.screen, HelpScreen) and "Folder, name template" in d.screen_text())
        await d.press("question_mark")
        await d.until(lambda: d.app.screen is d.explorer)
        await d.press("f1", "slash", *"qr code", "enter")
        await d.until(lambda: "artifact.qr" in d.screen_text() and "history.back" not in d.screen_text())
        await d.press("escape", "escape")
        await d.until(lambda: d.app.screen is d.explorer)
        for key in ("colon", "ctrl+p"):
            await d.press(key)
            await d.until(lambda: type(d.app.screen).__name__ == "Palette")
            await d.press("escape")
            await d.until(lambda: d.app.screen is d.explorer)


async def test_switching_to_one_account_and_back(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        both = {"demo-bitrise", "demo-xcode-cloud"}
        await d.until(lambda: {a.ref.account for a in d.explorer.apps.rows.rows} == both)
        await d.press("at")
        await d.until(lambda: "Show only: demo-bitrise" in d.screen_text())
        await d.press("j", "enter")
        await d.until(lambda: {a.ref.account for a in d.explorer.apps.rows.rows} == {"demo-bitrise"})
        await d.press("r")
        await d.settle()
        assert {a.ref.account for a in d.explorer.apps.rows.rows} == {"demo-bitrise"}
        await d.press("at")
        await d.until(lambda: "Show all accounts" in d.screen_text())
        await d.press("enter")
        await d.until(lambda: {a.ref.account for a in d.explorer.apps.rows.rows} == both)


async def test_q_quits(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("q")
        await d.until(lambda: not d.app.is_running)


async def test_ctrl_c_quits_at_the_second_time(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("ctrl+c")
        assert d.app.is_running
        assert any("again" in toast for toast in d.toasts)
        await d.press("ctrl+c")
        await d.until(lambda: not d.app.is_running)


async def test_refresh_keeps_cursor_filter_sort_and_marks(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        rows = d.explorer.builds.rows
        await d.press("j", "j", "space", "s", "slash", *"main", "enter")
        here, marked, shown, sort = rows.current, rows.marked, rows.shown, rows.sort_title
        for key in ("r", "R"):
            await d.press(key)
            await d.until(lambda: not d.explorer.builds.is_loading)
            assert (rows.current, rows.marked, rows.shown, rows.sort_title) == (here, marked, shown, sort)


async def test_a_newer_choice_drops_the_older_answer(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        rows = d.explorer.apps.rows
        slow, quick = [a for a in rows.rows if a.title in {"acme-android", "acme-monorepo"}]
        d.demo.faults.latency_s = 0.2
        d.explorer.show_builds(slow)
        await d.pilot.pause()
        d.explorer.show_builds(quick)
        await d.until(lambda: d.explorer.builds.rows.rows and not d.explorer.builds.is_loading)
        assert {build.ref.app for build in d.explorer.builds.rows.rows} == {quick.ref.app}


async def test_keys_are_answered_while_a_call_hangs(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        provider = await d.services.sessions[d.explorer.open_app.ref.account].provider()
        asked = asyncio.Event()

        async def hang(*_: object) -> Any:
            asked.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(provider, "artifacts", hang)
        await d.press("enter")
        await asked.wait()
        rows = d.explorer.builds.rows
        await d.press("escape")
        await d.until(lambda: rows.has_focus)
        here = rows.current
        await d.press("j", "slash", *"main")
        assert rows.current != here
        assert d.explorer.artifacts.is_loading
        await d.press("enter", "q")
        await d.until(lambda: d.app._exit)


async def test_empty_states(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("playground")
        assert "This app has no builds." in d.screen_text()
        await d.press("escape", "slash", *"zzzz")
        assert "Nothing matches" in d.screen_text()
        assert "esc clears the filter" in d.screen_text()
        await d.press("escape")
        await d.open_app("Acme Classic")
        rows = d.explorer.builds.rows
        await d.open_build(lambda build: build == list(rows.rows)[-1])
        assert "Expired about" in d.screen_text()
        d.demo.faults.fail("bitrise", "GET", "builds$", 403, times=1)
        await d.press("escape")
        await d.until(lambda: d.explorer.builds.rows.has_focus)
        await d.press("r")
        await d.until(lambda: d.explorer.builds.errors)
        assert "role" in d.screen_text()


async def test_detail_follows_the_cursor(drive: Drive) -> None:
    from tui.widgets.detail import DetailPanel

    async with drive() as d:
        await d.open_app("acme-android")
        await d.press("j")
        number = d.explorer.builds.rows.current.number
        panel = d.explorer.query_one(DetailPanel)
        await d.until(lambda: ("Build", f"#{number}") in panel.facts)


@pytest.mark.parametrize(("size", "panes"), [((160, 45), 3), ((120, 40), 3), ((80, 24), 2), ((50, 20), 1)])
async def test_panes_by_width(drive: Drive, size: tuple[int, int], panes: int) -> None:
    async with drive(size=size) as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        shown = [pane for pane in (d.explorer.apps, d.explorer.builds, d.explorer.artifacts) if pane.display]
        assert len([pane for pane in shown if pane.region.width > 0]) == panes
        assert d.explorer.artifacts.region.width > 0
        await d.press("escape")
        await d.until(lambda: d.explorer.builds.rows.has_focus)
        assert d.explorer.builds.region.width > 0


async def test_a_tiny_window_says_so(drive: Drive) -> None:
    async with drive(size=(15, 4)) as d:
        await d.pilot.pause()
        assert "too small" in " ".join(d.screen_text().split())
        await d.pilot.resize_terminal(80, 24)
        await d.loaded()
        assert "Apps" in d.screen_text()


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (50, 20)])
async def test_hostile_names_are_plain_text_everywhere(drive: Drive, size: tuple[int, int], home: Any) -> None:
    async with drive(size=size) as d:
        await d.open_app("Hostile names")
        for _ in range(len(d.explorer.builds.rows.rows)):
            await d.press("j", "i", "escape")
            _assert_clean(d.screen_text())
        await d.press("g", "enter")
        await d.until(lambda: d.explorer.open_build and not d.explorer.artifacts.is_loading)
        for _ in range(len(d.explorer.artifacts.rows.rows)):
            await d.press("X")
            await d.pilot.pause()
            _assert_clean(d.screen_text())
            await d.press("escape", "y", "j")
            _assert_clean(d.screen_text())
        await d.press("a", "d")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("y")
        await d.until(lambda: d.services.transfers.snapshot().transfers)
        await d.until(lambda: all(t.state.is_final for t in d.services.transfers.snapshot().transfers))
        for transfer in d.services.transfers.snapshot().transfers:
            assert transfer.error is None
            assert transfer.target.resolve().is_relative_to(home.resolve())
            assert transfer.target.is_file()


def _assert_clean(text: str) -> None:
    import unicodedata

    bad = {char for char in text if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert not bad


async def test_binding_ids_are_unique_and_described(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        bindings = [active.binding for active in d.explorer.active_bindings.values()]
        ours = [b for b in bindings if b.id and "." in b.id]
        actions_by_id = {(b.id, b.action) for b in ours}
        assert len({b_id for b_id, _ in actions_by_id}) == len(actions_by_id)
        assert all(b.description for b in ours)


async def test_a_path_opens_there(demo: Any) -> None:
    async with open_services(load_config(), demo_sessions(demo)) as services:
        start = DigPath.parse("demo-bitrise/acme-android/latest-green/*.log")
        app = DigsiteApp(services, start=start, now=lambda: NOW)
        async with app.run_test(size=(120, 40)) as pilot:
            d = Driver(app, pilot, services, demo)
            await d.until(lambda: d.explorer.open_build and d.explorer.artifacts.rows.has_focus)
            await d.until(lambda: not d.explorer.artifacts.is_loading)
            app_row, build, artifact = d.explorer.open_app, d.explorer.open_build, d.explorer.artifacts.rows.current
            assert app_row is not None
            assert build is not None
            assert artifact is not None
            assert app_row.title == "acme-android"
            assert finished(build)
            assert artifact.title.endswith(".log")
            await d.press("escape")
            await d.until(lambda: d.explorer.builds.rows.has_focus)
            assert d.explorer.builds.rows.current == d.explorer.open_build


async def test_detail_and_path_follow_while_a_filter_is_typed(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("slash", *"acme-android")
        await d.until(lambda: "digsite  demo-bitrise/acme-android" in d.screen_text().splitlines()[0])
        assert d.app.screen.focused is d.explorer.apps.query_one(Input)
        assert ("App", "acme-android") in d.explorer.shown_facts
