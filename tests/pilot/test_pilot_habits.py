"""Back and forward, undo, QR codes, the command line of a row, themes, keys of one's own."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from tests.pilot.conftest import NOW, Driver
from tests.pilot.test_pilot_explorer import finished, is_apk
from tui.app import DigsiteApp
from tui.cli.demo import demo_sessions
from tui.config import load_config
from tui.demo import DemoServers
from tui.services import open_services
from tui.widgets.dialogs import ConfirmDialog, TextDialog
from tui.widgets.qr import QrDialog

Drive = Callable[..., Any]


async def test_back_and_forward_over_what_was_opened(drive: Drive) -> None:
    async with drive() as d:
        await d.press("left_square_bracket")
        await d.until(lambda: "nothing further back" in " ".join(d.toasts))
        await d.open_app("acme-android")
        first = d.explorer.open_app
        build = await d.open_build(finished)
        await d.press("escape", "escape")
        await d.open_app("acme-monorepo")
        second = d.explorer.open_app
        await d.press("left_square_bracket")
        await d.until(lambda: d.explorer.open_build == build)
        assert d.explorer.open_app == first
        await d.press("left_square_bracket")
        await d.until(lambda: d.explorer.open_build is None)
        await d.press("right_square_bracket", "right_square_bracket")
        await d.until(lambda: d.explorer.open_app == second)


async def test_the_next_run_goes_back_to_where_the_last_one_was(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = await d.open_build(finished)
    async with drive() as d:
        await d.loaded()
        await d.press("left_square_bracket")
        await d.until(lambda: d.explorer.open_build is not None)
        assert d.explorer.open_build.ref == build.ref


async def test_undo_of_marks_and_of_a_public_page_and_of_what_cannot(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        rows = d.explorer.artifacts.rows
        artifact = await d.go_to_artifact(is_apk)
        await d.press("a")
        assert len(rows.marked) == len(rows.rows)
        await d.press("z")
        await d.until(lambda: not rows.marked)

        was_public = bool(artifact.is_public)
        for _ in range(2):  # there and back
            before = bool(rows.find(artifact.ref).is_public)
            await d.press("p" if before is was_public else "z")
            if not before:
                await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
                await d.press("y")
            await d.until(lambda b=before: rows.find(artifact.ref).is_public is not b)
            await d.settle()
            while isinstance(d.app.screen, TextDialog):
                await d.press("escape")
        assert bool(rows.find(artifact.ref).is_public) is was_public

        await d.press("X")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press(*"delete", "enter")
        await d.until(lambda: rows.find(artifact.ref) is None)
        await d.press("z")
        await d.until(lambda: any("cannot be undone" in toast for toast in d.toasts))


@pytest.mark.parametrize(("size", "fits"), [((120, 40), True), ((80, 23), True), ((50, 20), False)])
async def test_the_install_page_as_a_code_or_as_its_url(drive: Drive, size: tuple[int, int], fits: bool) -> None:
    async with drive(size) as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        rows = d.explorer.artifacts.rows
        artifact = await d.go_to_artifact(is_apk)
        if not artifact.is_public:
            await d.press("p", "y")
            await d.until(lambda: isinstance(d.app.screen, TextDialog))
            await d.press("escape")
        await d.press("Q")
        await d.until(lambda: isinstance(d.app.screen, QrDialog))
        await d.pilot.pause()
        text = d.screen_text()
        assert ("█▀▀▀▀▀█" in text) is fits
        assert ("needs a window of" in text) is not fits
        url = (await (await d.services.sessions[artifact.ref.account].provider()).artifact(artifact)).install_url
        assert str(d.app.screen.query_one(".dialog--url").content) == url
        assert url[:24] in text
        await d.press("escape", "escape")
        assert rows.find(artifact.ref) is not None


async def test_the_same_on_the_command_line(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        await d.press("equals_sign")
        await d.until(lambda: isinstance(d.app.screen, TextDialog))
        assert f"digsite get demo-bitrise/acme-android/{build.number}/{artifact.title}" in d.app.screen.text


def opened(demo: DemoServers) -> Any:
    return open_services(load_config(), demo_sessions(demo))


async def test_keys_and_themes_of_ones_own(demo: DemoServers, home: Path) -> None:
    folder = home / "config"
    (folder / "themes").mkdir(parents=True)
    (folder / "config.toml").write_text(
        'theme = "clay"\nkeymap = "k9s"\n[keys]\n"explorer.refresh" = "f5"\n"artifact.nothing" = "n"\n'
    )
    (folder / "themes" / "clay.toml").write_text('primary = "#b5651d"\n')
    (folder / "themes" / "bad.toml").write_text('primary = "so so"\n')
    async with opened(demo) as services:
        app = DigsiteApp(services, now=lambda: NOW)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            d = Driver(app, pilot, services, demo)
            await d.loaded()
            assert app.theme == "clay"
            told = " ".join(d.toasts)
            assert "bad.toml" in told
            assert "artifact.nothing" in told
            (folder / "config.toml").write_text('keymap = "k9s"\n')
            theme = folder / "themes" / "clay.toml"
            theme.write_text('primary = "#00aa00"\n')
            os.utime(theme, ns=(1, 1))
            await d.until(lambda: app.get_css_variables()["primary"].lower() == "#00aa00")
    async with opened(demo) as services:
        app = DigsiteApp(services, now=lambda: NOW)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            d = Driver(app, pilot, services, demo)
            await d.open_app("acme-android")
            await d.press("d")  # describe
            await d.until(lambda: d.app.screen is not d.explorer)
            assert not services.transfers.snapshot().transfers


async def test_a_theme_that_was_chosen_is_there_at_the_next_start(demo: DemoServers) -> None:
    for wanted in ("digsite-dark", "digsite-light"):
        async with opened(demo) as services:
            app = DigsiteApp(services, now=lambda: NOW)
            async with app.run_test(size=(120, 40)) as pilot:
                await pilot.pause()
                assert app.theme == wanted
                app.theme = "digsite-light"
                await pilot.pause()


async def test_the_palette_finds_a_build_by_a_few_letters(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = next(b for b in d.explorer.builds.rows.rows if finished(b))
        await d.press("colon")
        await d.until(lambda: type(d.app.screen).__name__ == "Palette")
        await d.press(*f"{build.number}")
        await d.until(lambda: f"#{build.number}" in d.screen_text())
        await d.press("enter")
        await d.until(lambda: d.explorer.open_build == build)


async def type_command(d: Driver, text: str) -> None:
    """In one go, as a hand does that knows it by heart."""
    names = {" ": "space", "/": "slash", "@": "at", "?": "question_mark", "-": "minus", ".": "full_stop"}
    await d.press("colon", *(names.get(char, char) for char in text), "enter")


@pytest.mark.parametrize(
    ("typed", "screen"),
    [("stats", "StatsScreen"), ("exp", "ExpiringScreen"), ("transfers", "TransfersScreen"), ("search", "SearchScreen")],
)
async def test_a_command_acts_at_enter_from_the_explorer_and_from_a_screen_above_it(
    drive: Drive, typed: str, screen: str
) -> None:
    async with drive() as d:
        await d.loaded()
        await type_command(d, typed)
        await d.until(lambda: type(d.app.screen).__name__ == screen)
        if screen != "SearchScreen":  # there it is a word to look for
            await type_command(d, "public")
            await d.until(lambda: type(d.app.screen).__name__ == "PublicScreen")
            assert len(d.app.screen_stack) == 2
            await type_command(d, "q")
            await d.until(lambda: not d.app.is_running)


async def test_themes_key_maps_and_help_by_command(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await type_command(d, "theme light")
        await d.until(lambda: d.app.theme == "digsite-light")
        await type_command(d, "?")
        await d.until(lambda: type(d.app.screen).__name__ == "HelpScreen")
        await type_command(d, "keys k9s")
        await d.press("escape")
        await d.open_app("acme-android")
        await d.press("d")  # describe
        await d.until(lambda: type(d.app.screen).__name__ == "BuildScreen")


async def test_a_path_goes_there_with_or_without_its_account(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await type_command(d, "acme-android/latest-green@main")
        await d.until(lambda: d.explorer.open_build is not None and type(d.app.screen).__name__ == "Explorer")
        green = d.explorer.open_build
        assert (green.branch, str(green.status)) == ("main", "succeeded")
        await type_command(d, "demo-xcode-cloud/Weather/latest")
        await d.until(lambda: d.explorer.open_app.title == "Weather" and d.explorer.open_build is not None)
        first = d.explorer.open_build
        assert first.ref != green.ref
        await type_command(d, "latest-green")  # of the app that is open
        await d.until(lambda: d.explorer.open_build.status == "succeeded")
        assert d.explorer.open_app.title == "Weather"


async def test_what_is_unknown_is_told_in_the_line_and_stays_to_be_mended(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await type_command(d, "zzzz")
        palette = d.app.screen
        await d.until(lambda: "Nothing here is called 'zzzz'" in palette.state)
        await d.press("escape")
        await type_command(d, "acme-android/0")
        palette = d.app.screen
        await d.until(lambda: "There is no build '0'" in palette.state)
        assert palette.query_one(Input).value == "acme-android/0"
        await d.press("backspace", *"latest", "enter")
        await d.until(lambda: d.explorer.open_build is not None and d.app.screen is d.explorer)


async def test_tab_completes_and_a_dig_is_a_command(demo: DemoServers, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('[digs]\nred = "demo-bitrise/acme-android?status:failed"\n')
    async with opened(demo) as services:
        app = DigsiteApp(services, now=lambda: NOW)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            d = Driver(app, pilot, services, demo)
            await d.loaded()
            await d.press("colon", *"acme", "minus", "a", "tab")
            line = app.screen.query_one(Input)
            assert line.value == "demo-bitrise/acme-android/"
            await d.press(*"latest", "minus", "tab")
            assert line.value == "demo-bitrise/acme-android/latest-green"
            await d.press("escape")
            await type_command(d, "@red")
            await d.until(lambda: d.explorer.open_app is not None and app.screen is d.explorer)
            await d.until(lambda: d.explorer.builds.filter_text == "status:failed")


async def test_enter_acts_on_what_is_typed_though_other_names_were_shown_before(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        for name in ("field-notes", "playground", "shop-flutter"):
            await type_command(d, name)
            await d.until(lambda n=name: d.explorer.open_app is not None and d.explorer.open_app.title == n)


async def test_keys_of_one_packet_each_find_what_those_before_them_did(drive: Drive) -> None:
    def send(d: Driver, text: str) -> None:
        names = {":": "colon", "-": "minus", "/": "slash", "\t": "tab", "\r": "enter"}
        for char in text:
            d.app.post_message(events.Key(names.get(char, char), char))

    async with drive() as d:
        await d.loaded()
        send(d, ":acme-a\tlatest\r")
        await d.until(lambda: d.explorer.open_build is not None and d.app.screen is d.explorer)
        assert d.explorer.open_app.title == "acme-android"
        assert not d.explorer.apps.rows.marked  # the letters have not acted on the list
        send(d, ":stats\r:transfers\r")
        await d.until(lambda: type(d.app.screen).__name__ == "TransfersScreen")


async def test_in_a_line_a_colon_is_a_colon_and_a_question_is_answered_first(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.press("slash", *"branch", "colon", *"main")
        await d.until(lambda: d.explorer.builds.filter_text == "branch:main")
        await d.press("ctrl+p")
        await d.until(lambda: type(d.app.screen).__name__ == "Palette")
        await d.press("escape", "enter", "equals_sign")
        await d.until(lambda: isinstance(d.app.screen, TextDialog))
        await d.press("colon", "ctrl+p")
        await d.pilot.pause()
        assert isinstance(d.app.screen, TextDialog)


async def test_columns_of_ones_own(demo: DemoServers, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('[columns]\nbuilds = ["number", "commit", "nothing"]\n')
    async with opened(demo) as services:
        app = DigsiteApp(services, now=lambda: NOW)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            d = Driver(app, pilot, services, demo)
            await d.open_app("acme-android")
            build = d.explorer.builds.rows.rows[0]
            await d.until(lambda: re.search(rf"#{build.number} +{(build.commit_sha or '')[:8]}", d.screen_text()))
            assert "succeeded" not in d.screen_text()
            assert any("nothing" in toast for toast in d.toasts)


async def test_a_list_that_is_slow_says_for_whom_it_waits(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        provider = await d.services.sessions[d.explorer.open_app.ref.account].provider()

        async def hang(*_: object) -> Any:
            await asyncio.Event().wait()

        monkeypatch.setattr(provider, "artifacts", hang)
        await d.press("enter")
        await d.until(lambda: "▁▁▁" in d.screen_text())
        monkeypatch.setattr("tui.widgets.pane.PATIENCE_S", 0.0)
        await d.until(lambda: "Still waiting for demo-bitrise, " in d.screen_text())


async def test_the_mouse_can_be_left_to_the_terminal(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("M")
        await d.until(lambda: any("the terminal's" in toast for toast in d.toasts))
        await d.press("M")
        await d.until(lambda: any("works here" in toast for toast in d.toasts))


@pytest.mark.parametrize("over_ssh", [True, False])
async def test_nothing_is_animated_over_ssh(drive: Drive, monkeypatch: pytest.MonkeyPatch, over_ssh: bool) -> None:
    monkeypatch.delenv("TEXTUAL_ANIMATIONS", raising=False)
    if over_ssh:
        monkeypatch.setenv("SSH_CONNECTION", "10.0.0.2 50000 10.0.0.9 22")
    else:
        monkeypatch.delenv("SSH_CONNECTION", raising=False)
    async with drive() as d:
        assert (d.app.animation_level == "none") is over_ssh
