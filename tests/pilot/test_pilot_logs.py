"""A long log over a slow line: its first screen is there before the rest, and leaving it ends everything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.pilot.test_pilot_builds import BITRISE, go_to_build, is_red
from tests.transfers.conftest import Answer, FaultServer
from tui.models import Build, Cursor, Source
from tui.models.inspection import LogPart
from tui.screens.log_view import LogScreen
from tui.secret import Secret

Drive = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    running = FaultServer()
    running.body = b"".join(b"line %d of a long log\n" % n for n in range(200_000))
    yield running
    running.close()


async def open_from(d: Any, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> LogScreen:
    build = await go_to_build(d, BITRISE, is_red)
    provider = await d.services.sessions[build.ref.account].provider()

    async def log(build: Build, cursor: Cursor | None = None) -> LogPart:
        return LogPart(source=Source(Secret(server.url("/log")), None), is_complete=True)

    monkeypatch.setattr(provider, "log", log)
    await d.press("L")
    await d.until(lambda: isinstance(d.app.screen, LogScreen))
    screen: LogScreen = d.app.screen
    return screen


async def test_the_first_screen_comes_before_the_rest(
    drive: Drive, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = threading.Event()
    server.plan = [Answer(pause=rest)]
    async with drive() as d:
        screen = await open_from(d, server, monkeypatch)
        await d.until(lambda: screen.text.rows > 1000)
        assert "line 0 of a long log" in d.screen_text()
        assert "loading" in screen.state
        await d.press("slash", *"line 777 of", "enter")
        await d.until(lambda: screen.text.cursor_line == 777)
        rest.set()
        await d.until(lambda: "loading" not in screen.state and screen.text.rows == 200_000)
        assert screen.text.cursor_line == 777, "what arrives moves nothing"
        await d.press("G")
        assert "line 199999 of a long log" in d.screen_text()
        assert "200,000 of 200,000 lines" in screen.state


async def test_leaving_a_log_ends_its_reading(
    drive: Drive, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = threading.Event()
    server.plan = [Answer(pause=rest)]
    async with drive() as d:
        screen = await open_from(d, server, monkeypatch)
        await d.until(lambda: screen.text.rows > 1000)
        await d.press("q")
        await d.until(lambda: d.app.screen is d.explorer)
        await d.until(lambda: screen.spool.is_closed)
        await d.until(lambda: not [thread for thread in threading.enumerate() if thread.name == "log"])
        rest.set()
        await d.settle()


async def test_a_log_that_cannot_be_read_says_why(
    drive: Drive, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.always = Answer(status=404, text=b"<Error><Code>NoSuchKey</Code></Error>")
    async with drive() as d:
        screen = await open_from(d, server, monkeypatch)
        await d.until(lambda: "no longer has the file" in screen.state)
