"""What changed, what takes the space, and what an app tells of itself, by keys."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.pilot.conftest import NOW, Driver
from tests.pilot.test_pilot_explorer import finished
from tui.app import DigsiteApp
from tui.cli.demo import demo_sessions
from tui.config import load_config
from tui.demo import DemoServers
from tui.models import Artifact, Build
from tui.screens.artifact_detail import ArtifactScreen
from tui.screens.changes_view import ChangesScreen
from tui.screens.folder_sizes import FolderSizesScreen
from tui.screens.inside import InsideScreen
from tui.services import open_services
from tui.services.inside import Inside
from tui.widgets.dialogs import TextDialog
from tui.widgets.picture import PictureDialog

Drive = Callable[..., Any]


def is_green_release(build: Build) -> bool:
    return build.status == "succeeded" and build.workflow == "release"


def is_main_ipa(artifact: Artifact) -> bool:
    return artifact.title == "Acme.ipa"


async def loaded(d: Any) -> ChangesScreen:
    await d.until(lambda: isinstance(d.app.screen, ChangesScreen) and d.app.screen.lines)
    screen: ChangesScreen = d.app.screen
    return screen


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_build_against_the_green_one_before_then_a_file_in_it(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(size=size) as d:
        await d.open_app("Acme for iOS")
        rows = d.explorer.builds.rows
        rows.go_to(next(b for b in rows.rows if is_green_release(b)).ref)
        await d.press("C")
        screen = await loaded(d)
        assert "grew" in screen.headline
        assert "→" in screen.headline
        assert "Acme.ipa" in d.screen_text()
        await d.press("slash", *"Acme.ipa", "enter", "enter")
        await d.until(lambda: d.app.screen is not screen)
        files = await loaded(d)
        assert "Payload/Acme.app/Assets.car" in [change.name for change in files.lines]
        assert "unpacked sizes" in files.headline
        assert all(change.kind != "same" for change in files.lines)
        await d.press("enter")
        await d.until(lambda: isinstance(d.app.screen, TextDialog))
        assert "bytes" in d.app.screen.text
        await d.press("escape", "y", "q")
        await d.until(lambda: d.app.screen is screen)
        assert d.app.clipboard == files.lines[0].name
        await d.press("escape", "escape")
        await d.until(lambda: d.app.screen is d.explorer)


async def test_two_marked_builds_older_first(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("Acme for iOS")
        rows = d.explorer.builds.rows
        green = [b for b in rows.rows if is_green_release(b)][:2]
        for build in green:
            rows.go_to(build.ref)
            await d.press("space")
        await d.press("C")
        screen = await loaded(d)
        assert screen.headline.startswith(f"#{green[1].number} → #{green[0].number}")


async def test_an_artifact_against_its_like_and_a_column_that_tells_the_change(drive: Drive) -> None:
    async with drive(size=(200, 40)) as d:
        await d.open_app("Acme for iOS")
        await d.open_build(is_green_release)
        artifact = await d.go_to_artifact(is_main_ipa)
        asked = len([r for r in d.demo.requests if r.server == "storage"])
        assert asked == 0
        await d.press("C")
        screen = await loaded(d)
        assert d.app.screen.lines
        await d.press("escape")
        await d.until(lambda: d.app.screen is d.explorer)
        await d.pilot.pause()
        change = d.explorer._acting.comparing.change_text(artifact)
        assert change[0] in "+-"
        assert change in d.screen_text()
        assert screen.lines


async def test_three_marks_or_an_app_cannot_be_compared(drive: Drive) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press("C")
        assert "Choose a build or an artifact" in d.toasts[-1]
        await d.open_app("Acme for iOS")
        await d.press("space", "space", "space", "C")
        assert "Mark two rows" in d.toasts[-1]


async def test_the_detail_reads_the_app_only_when_it_is_opened(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("Acme for iOS")
        await d.open_build(finished)
        artifact = await d.go_to_artifact(lambda a: a.title == "Acme.app.dSYM.zip")
        await d.until(lambda: ("Artifact", artifact.title) in d.explorer.shown_facts)
        assert not [r for r in d.demo.requests if r.server == "storage"]
        await d.press("i")
        await d.until(lambda: isinstance(d.app.screen, ArtifactScreen))
        screen = d.app.screen
        await d.until(lambda: any(line.label == "dSYM UUID" for line in screen.lines))
        assert screen.lines[0].section == "App"
        assert any(line.text == artifact.title for line in screen.lines)
        await d.press("x")
        await d.until(lambda: isinstance(d.app.screen, InsideScreen))
        await d.press("q")
        await d.until(lambda: d.app.screen is d.explorer)
        await d.until(lambda: any(label == "dSYM UUID" for label, _ in d.explorer.shown_facts))


async def test_what_takes_the_space_by_folder(drive: Drive) -> None:
    async with drive(size=(80, 24)) as d:
        await d.open_app("Acme for iOS")
        await d.open_build(finished)
        await d.go_to_artifact(is_main_ipa)
        await d.press("x")
        await d.until(lambda: isinstance(d.app.screen, InsideScreen) and d.app.screen.members.rows.rows)
        inside = d.app.screen
        await d.press("m")
        await d.until(lambda: isinstance(d.app.screen, FolderSizesScreen) and d.app.screen.folders.rows.rows)
        screen = d.app.screen
        assert [share.path for share in screen.folders.rows.rows] == ["Payload/"]
        assert "100%" in d.screen_text()
        await d.press("enter", "enter")
        await d.until(lambda: len(screen.folders.rows.rows) > 3)
        shown = screen.folders.rows.shown_rows
        assert shown == sorted(shown, key=lambda share: -share.size_bytes)
        assert "━" in d.screen_text()
        await d.press("escape")
        await d.until(lambda: [share.path for share in screen.folders.rows.rows] == ["Payload/Acme.app/"])
        await d.press("enter", "slash", *"assets", "enter", "enter")
        await d.until(lambda: d.app.screen is inside)
        assert inside.members.rows.current.name == "Payload/Acme.app/Assets.car"


async def test_a_picture_is_shown_as_half_blocks_and_a_broken_one_as_bytes(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.peek.made import png

    data = png(4, 4, (b"\0" + bytes((255, 0, 0)) * 4) * 4, 2)

    async def read(self: Inside, name: str, limit: int) -> bytes:
        return data

    async with drive() as d:
        await d.open_app("Acme for iOS")
        await d.open_build(finished)
        await d.go_to_artifact(is_main_ipa)
        await d.press("x")
        await d.until(lambda: isinstance(d.app.screen, InsideScreen) and d.app.screen.members.rows.rows)
        screen = d.app.screen
        entry = screen.members.rows.rows[0]
        monkeypatch.setattr(Inside, "read", read)
        from dataclasses import replace

        screen.members.rows.append([replace(entry, name="Icon.png", size_bytes=len(data))])
        screen.members.rows.go_to("Icon.png")
        await d.press("enter")
        await d.until(lambda: isinstance(d.app.screen, PictureDialog))
        await d.pilot.pause()
        assert "▀▀▀▀" in d.screen_text()
        assert "4 x 4" in d.screen_text()
        await d.press("escape")
        data = data[:40] + zlib.compress(b"")
        await d.press("enter")
        await d.until(lambda: isinstance(d.app.screen, TextDialog))
        assert "This picture is broken. Its bytes are shown." in d.toasts


async def test_sizes_of_the_last_builds_from_the_catalog_ask_nobody(demo: DemoServers) -> None:
    async with open_services(load_config(), demo_sessions(demo), with_catalog=True) as services:
        app = DigsiteApp(services, now=lambda: NOW)
        async with app.run_test(size=(200, 50), notifications=True) as pilot:
            d = Driver(app, pilot, services, demo)
            await d.open_app("Acme for iOS")
            green = [b for b in d.explorer.builds.rows.rows if is_green_release(b)]
            older = next(b for b in green[1:] if b.branch == green[0].branch)
            await d.open_build(lambda b: b == older)
            await d.until(lambda: services.catalog is not None and services.catalog.artifacts(older.ref))
            await d.press("escape")
            await d.open_build(lambda b: b == green[0])
            artifact = await d.go_to_artifact(is_main_ipa)
            asked = len(demo.requests)
            facts = dict(d.explorer.facts())
            assert "2 builds" in facts["Sizes"]
            assert facts["Sizes"][0] in "▁█"
            await d.pilot.pause()
            assert d.explorer._acting.comparing.change_text(artifact) in d.screen_text()
            assert len(demo.requests) == asked
