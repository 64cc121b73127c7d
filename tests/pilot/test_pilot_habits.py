"""Back and forward, undo, QR codes, the command line of a row, themes, keys of one's own."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.parametrize(("size", "fits"), [((120, 40), True), ((80, 24), False)])
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
        assert url.rsplit("/", 1)[-1] in text
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
        await d.until(lambda: type(d.app.screen).__name__ == "CommandPalette")
        await d.press(*f"{build.number}")
        await d.until(lambda: f"#{build.number}" in d.screen_text().split(str(build.number), 1)[1])
        await d.until(lambda: "Go to this build" in d.screen_text())
        await d.press("down", "enter")
        await d.until(lambda: d.explorer.open_build == build)


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
