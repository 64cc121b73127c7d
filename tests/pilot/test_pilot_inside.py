"""Looking inside an artifact without downloading it."""

from __future__ import annotations

import plistlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pilot.test_pilot_explorer import finished
from tui.models import Artifact, ArtifactKind
from tui.peek import as_text
from tui.screens import inside
from tui.screens.inside import InsideScreen
from tui.widgets.detail import DetailPanel
from tui.widgets.dialogs import TextDialog

Drive = Callable[..., Any]


def is_ipa(artifact: Artifact) -> bool:
    return artifact.kind is ArtifactKind.IPA


async def open_ipa(d: Any) -> InsideScreen:
    await d.open_app("Acme for iOS")
    await d.open_build(finished)
    await d.go_to_artifact(is_ipa)
    await d.press("x")
    await d.until(lambda: isinstance(d.app.screen, InsideScreen) and d.app.screen.members.rows.rows)
    screen: InsideScreen = d.app.screen
    return screen


async def test_members_and_the_facts_of_the_app(drive: Drive) -> None:
    async with drive() as d:
        screen = await open_ipa(d)
        sizes = [entry.size_bytes for entry in screen.members.rows.shown_rows]
        assert sizes == sorted(sizes, reverse=True)
        panel = screen.query_one(DetailPanel)
        await d.until(lambda: panel.facts)
        facts = dict(panel.facts)
        assert facts["Identifier"].startswith("com.acme")
        moved = sum(1 for r in d.demo.requests if r.server == "storage")
        assert moved < 10
        await d.press("q")
        await d.until(lambda: d.app.screen is d.explorer)


async def test_a_property_list_is_readable(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def text(data: bytes) -> str:
        threads.append(threading.current_thread().name)
        return as_text(data)

    monkeypatch.setattr(inside, "as_text", text)
    async with drive() as d:
        screen = await open_ipa(d)
        await d.press("slash", *"Acme.app/Info.plist", "enter")
        await d.press("enter")
        await d.until(lambda: isinstance(d.app.screen, TextDialog))
        assert "<key>CFBundleIdentifier</key>" in d.app.screen.text
        assert threads == ["view"], "the event loop is not held"
        await d.press("escape", "escape")
        assert d.app.screen is screen, "the first escape clears the filter"
        await d.press("escape")
        await d.until(lambda: d.app.screen is d.explorer)


async def test_a_member_is_taken_out_and_never_overwrites(drive: Drive, home: Path) -> None:
    async with drive() as d:
        await open_ipa(d)
        await d.press("slash", *"Acme.app/Info.plist", "enter")
        await d.press("d")
        await d.settle()
        await d.press("d")
        await d.settle()
        folder = d.services.download_dir
        first, second = folder / "Info.plist", folder / "Info (2).plist"
        assert first.read_bytes() == second.read_bytes()
        assert plistlib.loads(first.read_bytes())["CFBundleIdentifier"].startswith("com.acme")
        assert first.is_relative_to(home)


async def test_what_is_no_archive_says_so(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        await d.go_to_artifact(lambda a: a.title.endswith(".log"))
        await d.press("x")
        await d.until(lambda: isinstance(d.app.screen, InsideScreen) and d.app.screen.members.errors)
        assert "not a zip archive" in " ".join(d.screen_text().split())
