"""What is copied of a row, and what is said of it."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.pilot.conftest import NOW
from tests.pilot.test_pilot_explorer import finished, is_apk
from tui.widgets.choice import ChoiceDialog
from tui.widgets.dialogs import SignedDialog

Drive = Callable[..., Any]


async def test_the_default_is_never_a_signed_url(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        await d.press("y")
        await d.until(lambda: d.app.clipboard)
        install = d.explorer.artifacts.rows.find(artifact.ref).install_url
        assert d.app.clipboard == install or d.app.clipboard.startswith(f"demo-bitrise/acme-android/{build.number}/")


async def test_of_a_public_artifact_the_install_url_is_copied(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(lambda build: build.branch == "release/4.0" and finished(build))
        artifact = await d.go_to_artifact(lambda each: is_apk(each) and each.is_public)
        assert artifact.install_url is None  # a list does not tell it
        await d.press("y")
        await d.until(lambda: d.app.clipboard.startswith("http"))
        assert d.app.clipboard == d.explorer.artifacts.rows.find(artifact.ref).install_url
        await d.press("Y")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        assert "Install" in d.screen_text()


async def test_a_signed_url_says_that_it_works_for_anyone_and_how_long(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        await d.go_to_artifact(is_apk)
        await d.press("Y")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        await d.press("s")
        await d.until(lambda: isinstance(d.app.screen, SignedDialog))
        assert "Works for anyone for " in d.screen_text()
        assert d.app.clipboard == d.app.screen.text
        assert urlsplit(d.app.clipboard).query
        later = NOW + timedelta(days=3650)
        d.app.screen._now = lambda: later
        d.app.screen._count_down()
        await d.pilot.pause()
        assert "Has expired" in d.screen_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_curl_line_downloads_the_artifact(drive: Drive, tmp_path: Any) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        await d.press("Y")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        await d.press("c")
        await d.until(lambda: isinstance(d.app.screen, SignedDialog))
        line = d.app.clipboard
        assert shlex.split(line)[0] == "curl"
        ran = await asyncio.create_subprocess_exec(*shlex.split(line), cwd=tmp_path, stderr=asyncio.subprocess.DEVNULL)
        assert await ran.wait() == 0
        assert (tmp_path / artifact.title).stat().st_size == artifact.size_bytes


async def test_the_scp_line_names_the_file_that_was_downloaded_here(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        await d.go_to_artifact(is_apk)
        await d.press("Y")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        assert "scp" not in d.screen_text()
        await d.press("escape", "d")
        await d.until(lambda: "1 done" in d.dock_text)
        await d.press("Y")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        await d.press("f")
        await d.until(lambda: d.app.clipboard.startswith("scp "))
        (transfer,) = d.services.transfers.snapshot().transfers
        assert str(transfer.target) in d.app.clipboard


async def test_the_scp_line_knows_what_an_earlier_run_has_downloaded(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        await d.press("d")
        await d.until(lambda: "1 done" in d.dock_text)
        (done,) = d.services.transfers.snapshot().transfers
        await d.press("c")  # and it is no longer listed
        await d.until(lambda: not d.services.transfers.snapshot().transfers)
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(lambda each: each.ref == build.ref)
        await d.go_to_artifact(lambda each: each.ref == artifact.ref)
        await d.press("Y")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        await d.press("f")
        await d.until(lambda: d.app.clipboard.startswith("scp "))
        assert shlex.split(d.app.clipboard)[1].endswith(f":{done.target}")
        done.target.unlink()
        await d.press("Y")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        assert not d.app.screen.query("#choice-scp")
