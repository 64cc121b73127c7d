"""Inside a build: its log, why it is red, its tests; start, repeat, abort and follow one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tui.models import Build, Status
from tui.peek.causes import Diagnosis, diagnose
from tui.screens import why_red
from tui.screens.build_follower import BuildEnded
from tui.screens.build_view import BuildScreen, timing
from tui.screens.log_members import MembersDialog
from tui.screens.log_view import LogScreen
from tui.screens.start_dialog import StartDialog
from tui.screens.tests_view import TestsScreen
from tui.screens.why_red import WhyRedScreen
from tui.services.start_choices import last_choice
from tui.widgets.dialogs import ConfirmDialog

Drive = Callable[..., Any]
BITRISE, XCODE = ("acme-android", "demo-bitrise"), ("Acme", "demo-xcode-cloud")


def is_red(build: Build) -> bool:
    return build.status is Status.FAILED


async def go_to_build(d: Any, app: tuple[str, str], wanted: Callable[[Build], bool]) -> Build:
    await d.open_app(*app)
    rows = d.explorer.builds.rows
    build: Build = next(build for build in rows.rows if wanted(build))
    rows.go_to(build.ref)
    await d.pilot.pause()
    return build


async def open_log(d: Any, app: tuple[str, str] = BITRISE, wanted: Callable[[Build], bool] = is_red) -> LogScreen:
    await go_to_build(d, app, wanted)
    await d.press("L")
    await d.until(lambda: isinstance(d.app.screen, LogScreen))
    screen: LogScreen = d.app.screen
    await d.until(lambda: screen.spool.lines and not screen.is_loading and screen.text.rows == screen.spool.lines)
    return screen


# Log ----------------------------------------------------------------------------------------------------------


async def test_a_log_is_searched_filtered_and_its_errors_are_found(drive: Drive) -> None:
    async with drive() as d:
        screen = await open_log(d)
        text = screen.text
        await d.press("slash", *"gradle", "enter")
        await d.until(lambda: "gradle" in text.current.lower())
        first = text.cursor_line
        await d.press("n")
        await d.until(lambda: text.cursor_line > first)
        await d.press("N")
        await d.until(lambda: text.cursor_line == first)
        await d.press("ampersand", *"Task", "enter")
        await d.until(lambda: 0 < text.rows < screen.spool.lines and not screen.workers._workers)
        assert "only /Task" in screen.state
        await d.press("G")
        assert "Task" in text.current
        await d.press("escape")
        assert text.rows == screen.spool.lines, "escape ends the filter first"
        await d.press("g", "e")
        await d.until(lambda: text.cursor_line > 0)
        assert any(word in text.current for word in ("error", "FAILED", "Exception", "e: ", "Could not"))
        await d.press("q")
        await d.until(lambda: d.app.screen is d.explorer)


async def test_a_search_for_what_is_not_there_says_so(drive: Drive) -> None:
    async with drive() as d:
        screen = await open_log(d)
        await d.press("slash", *"[b]no$such", "enter")
        await d.until(lambda: any("nowhere" in toast for toast in d.toasts))
        assert screen.text.cursor_line == 0


@pytest.mark.parametrize("size", [(120, 40), (50, 20)])
async def test_moving_in_a_log(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(size=size) as d:
        screen = await open_log(d)
        text = screen.text
        await d.press("j", "j", "k")
        assert text.cursor_line == 1
        await d.press("G")
        assert text.cursor_line == screen.spool.lines - 1
        await d.press("g")
        for _ in range(screen.spool.lines):  # every line is reached, wrapped or not
            before = text.cursor_line
            await d.press("ctrl+d")
            if text.cursor_line == before == screen.spool.lines - 1:
                break
        assert text.is_at_end
        await d.press("W")
        assert not text.is_wrapped
        await d.press("ctrl+u", "ctrl+u")
        assert not text.is_at_end


async def test_a_log_is_saved_as_it_came_and_never_overwrites(drive: Drive) -> None:
    async with drive() as d:
        screen = await open_log(d)
        for _ in range(2):
            await d.press("s")
            await d.settle()
        files = sorted(path.name for path in d.services.download_dir.iterdir())
        number = d.explorer.builds.rows.current.number
        assert files == [f"log-{number} (2).txt", f"log-{number}.txt"]
        saved = (d.services.download_dir / files[1]).read_bytes()
        assert len(saved) == screen.spool.size_bytes
        assert b"\x1b[" in saved


async def test_the_logs_of_a_bundle_can_be_chosen(drive: Drive) -> None:
    async with drive() as d:
        screen = await open_log(d, XCODE)
        first = screen.spool.read(0, 1000)
        assert "of " in screen.state
        await d.press("m")
        await d.until(lambda: isinstance(d.app.screen, MembersDialog))
        await d.press("G", "enter")
        await d.until(lambda: d.app.screen is screen and not screen.is_loading and screen.spool.size_bytes)
        assert screen.spool.read(0, 1000) != first


async def test_a_running_log_is_followed_and_going_up_pauses(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.screens.log_view.POLL_S", 0.05)
    async with drive() as d:
        build = await go_to_build(d, BITRISE, lambda build: build.status is Status.RUNNING)
        await d.press("w")
        await d.until(lambda: isinstance(d.app.screen, LogScreen))
        screen: LogScreen = d.app.screen
        await d.until(lambda: screen.spool.lines > 5 and not screen.is_loading)
        assert d.explorer._acting.follower.following.is_followed(build.ref)
        await d.until(lambda: screen.text.is_at_end)
        assert "following" in screen.state
        await d.press("k", "k", "k")
        spool = screen.spool
        spool.append(b"\none more\n")
        await d.until(lambda: "paused, +" in screen.state)
        await d.press("G")
        await d.until(lambda: "following" in screen.state)


async def test_lines_that_never_end_and_hostile_ones_do_no_harm(drive: Drive) -> None:
    async with drive(size=(80, 24)) as d:
        screen = await open_log(d)
        hostile = b"\x1b]52;c;eA==\x07\x1b[2J\x1b[Htitle\x9b31m [b]markup[/] \xe2\x80\xae\x00\n"
        screen.spool.append(b"\n" + b"x" * 1_000_000 + b"\n" + hostile + b"\xff\xfe\n")
        await d.until(lambda: screen.text.rows == screen.spool.lines)
        await d.press("G")
        assert "[b]markup[/]" in d.screen_text()
        seen = ""
        for _ in range(3):
            await d.press("ctrl+u")
            seen += d.screen_text()
        assert "xxxx" in seen
        assert all(char.isprintable() or char == "\n" for char in seen)


# Why red ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("app", [BITRISE, XCODE])
async def test_two_keys_tell_why_a_build_is_red(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, app: tuple[str, str]
) -> None:
    threads: list[str] = []

    def looked_through(build: Build, *parts: Any) -> Diagnosis:
        if any(parts):
            threads.append(threading.current_thread().name)
        return diagnose(build, *parts)

    monkeypatch.setattr(why_red, "diagnose", looked_through)
    async with drive() as d:
        await go_to_build(d, app, is_red)
        await d.press("e")
        await d.until(lambda: isinstance(d.app.screen, WhyRedScreen) and not d.app.screen.is_loading)
        screen: WhyRedScreen = d.app.screen
        assert screen.diagnosis is not None
        assert screen.headline == screen.diagnosis.headline[: len(screen.headline)]
        assert screen.diagnosis.kind.value != "unknown"
        assert screen.lines[0].section == "Cause"
        assert {line.section for line in screen.lines} & {"Issues", "First errors of the log"}
        copied: list[str] = []
        d.app.copy_to_clipboard = copied.append
        await d.press("y")
        assert copied == [screen.lines[0].text]
        assert set(threads) == {"why-red"}, "the event loop is not held"


async def test_a_green_build_is_not_called_red(drive: Drive) -> None:
    async with drive() as d:
        await go_to_build(d, BITRISE, lambda build: build.status is Status.SUCCEEDED)
        await d.press("e")
        await d.until(lambda: isinstance(d.app.screen, WhyRedScreen) and not d.app.screen.is_loading)
        assert "not red" in d.app.screen.headline


# Tests and the build ------------------------------------------------------------------------------------------


async def test_results_of_tests_come_failures_first_and_are_filtered(drive: Drive) -> None:
    async with drive() as d:
        await go_to_build(d, XCODE, is_red)
        await d.press("t")
        await d.until(lambda: isinstance(d.app.screen, TestsScreen) and d.app.screen.tests.rows.rows)
        screen: TestsScreen = d.app.screen
        shown = [test for _, test in screen.tests.rows.shown_rows]
        failures = [test.status.is_failure for test in shown]
        assert failures == sorted(failures, reverse=True)
        await d.press("slash", *"status:passed", "enter")
        assert 0 < screen.tests.rows.shown < len(shown)


async def test_everything_known_of_a_build(drive: Drive) -> None:
    async with drive() as d:
        build = await go_to_build(d, XCODE, is_red)
        await d.press("i")
        await d.until(lambda: isinstance(d.app.screen, BuildScreen) and "Actions" in d.screen_text())
        lines = {line.section for line in d.app.screen.lines}
        assert lines == {"Timing", "Build", "Actions"}
        assert "━" in d.screen_text()
        await d.press("L")
        await d.until(lambda: isinstance(d.app.screen, LogScreen))
        assert timing(replace(build, created_at=None), d.explorer._now()) == []


@pytest.mark.parametrize("key", ["L", "e", "t", "w", "B", "A"])
async def test_without_a_build_the_keys_say_what_they_want(drive: Drive, key: str) -> None:
    async with drive() as d:
        await d.loaded()
        await d.press(key)
        await d.until(lambda: any("Choose a build" in toast for toast in d.toasts))


# Start, repeat, abort -----------------------------------------------------------------------------------------


async def start_one(d: Any) -> Build:
    """Starts a build of a completed branch; gives the new row."""
    before = {build.ref for build in d.explorer.builds.rows.rows}
    await d.press("b")
    await d.until(lambda: isinstance(d.app.screen, StartDialog))
    dialog: StartDialog = d.app.screen
    dialog.query_one("#workflow").value = ""  # type: ignore[attr-defined]  # an Input
    await d.until(lambda: dialog.candidates)
    await d.press("down", "enter", "tab", "tab")
    dialog.query_one("#ref").value = ""  # type: ignore[attr-defined]
    await d.until(lambda: "main" in dialog.candidates)
    await d.press("down", "enter")
    dialog.query_one("#start").press()  # type: ignore[attr-defined]  # a Button
    await d.until(lambda: d.app.screen is d.explorer and d.explorer.builds.rows.rows[0].ref not in before)
    new: Build = d.explorer.builds.rows.rows[0]
    return new


@pytest.mark.parametrize("app", [BITRISE, XCODE])
async def test_a_build_is_started_followed_and_the_choice_remembered(drive: Drive, app: tuple[str, str]) -> None:
    async with drive() as d:
        await d.open_app(*app)
        new = await start_one(d)
        assert new.status in {Status.QUEUED, Status.RUNNING}
        assert d.explorer._acting.follower.following.is_followed(new.ref)
        assert last_choice(new.ref.app_ref).ref
        posts = [r for r in d.demo.requests if r.method == "POST"]
        assert len(posts) == 1


async def test_a_build_is_aborted_once_after_a_question(drive: Drive, home: Path) -> None:
    async with drive() as d:
        build = await go_to_build(d, BITRISE, lambda build: build.status is Status.RUNNING)
        await d.press("A")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("escape")
        await d.press("A")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("y")
        await d.until(lambda: d.explorer.builds.rows.find(build.ref).status is Status.ABORTED)
        assert len([r for r in d.demo.requests if r.method == "POST"]) == 1
        assert '"abort"' in (home / "state" / "changes.jsonl").read_text()


async def test_xcode_cloud_says_that_it_cannot_abort(drive: Drive) -> None:
    async with drive() as d:
        await go_to_build(d, XCODE, lambda _: True)
        await d.press("A")
        await d.until(lambda: d.toasts)
        assert any("API" in toast for toast in d.toasts)


async def test_a_build_is_repeated_after_a_question(drive: Drive) -> None:
    async with drive() as d:
        old = await go_to_build(d, BITRISE, is_red)
        await d.press("B")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("y")
        await d.until(lambda: any("Started" in toast for toast in d.toasts))
        new = d.explorer.builds.rows.rows[0]
        assert new.ref != old.ref
        assert new.branch == old.branch


async def test_the_end_of_a_followed_build_is_told(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async with drive() as d:
        build = await go_to_build(d, BITRISE, lambda build: build.status is Status.RUNNING)
        follower = d.explorer._acting.follower
        follower.follow(build)
        ended = replace(build, status=Status.FAILED)
        provider = await d.services.sessions[build.ref.account].provider()

        async def answer(ref: object) -> Build:
            return ended

        monkeypatch.setattr(provider, "build", answer)
        rung: list[int] = []
        told: list[BuildEnded] = []
        monkeypatch.setattr(d.app, "bell", lambda: rung.append(1))
        monkeypatch.setattr(d.explorer, "post_message", _noting(d.explorer.post_message, told))
        monkeypatch.setattr(follower.following, "clock", lambda: float("inf"))
        follower.tick()
        await d.until(lambda: rung)
        assert d.explorer.builds.rows.find(build.ref).status is Status.FAILED
        assert [event.title for event in told] == [f"Build #{build.number} ✗ failed"]


def _noting(post: Callable[[Any], bool], told: list[BuildEnded]) -> Callable[[Any], bool]:
    def noted(message: Any) -> bool:
        if isinstance(message, BuildEnded):
            told.append(message)
        return post(message)

    return noted
