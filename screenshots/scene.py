"""One scene: the explorer on the demo, and what drives it to a state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.pilot import Pilot
from textual.screen import Screen

from tui.app import DigsiteApp
from tui.demo.servers import DemoServers
from tui.models import Status
from tui.screens.explorer import Explorer
from tui.services import Services

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LISTED = timedelta(days=1)
LIMIT_S = 20
DOWNLOADS = Path("/home/ada/Downloads/digsite")
INSTALL_URL = "https://app.example/artifact/7626904/p/97bb1a87973bbc02"


class Scene:
    """The explorer on the demo, driven to one state."""

    def __init__(self, app: DigsiteApp, pilot: Pilot[str], demo: DemoServers, services: Services) -> None:
        self.app, self.pilot, self.demo, self.services = app, pilot, demo, services

    @property
    def explorer(self) -> Explorer:
        """The main screen."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, Explorer))

    async def until(self, condition: Callable[[], object]) -> None:
        """Lets the program go on until the condition holds."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await self.pilot.pause()

    async def opens(self, *keys: str) -> Screen[object]:
        """Presses keys of which the last opens another screen."""
        left = self.app.screen
        await self.pilot.press(*keys)
        await self.until(lambda: self.app.screen is not left and self.app.screen.is_mounted)
        return self.app.screen

    async def shows_apps(self) -> None:
        """Until both accounts have answered."""
        pane = self.explorer.apps
        await self.until(lambda: len({app.ref.account for app in pane.rows.rows}) == 2 and not pane.is_loading)

    async def open_app(self, title: str, account: str = "demo-bitrise") -> None:
        """Opens an app."""
        await self.shows_apps()
        rows = self.explorer.apps.rows
        app = next(a for a in rows.rows if (a.title, a.ref.account) == (title, account))
        rows.go_to(app.ref)
        await self.pilot.press("enter")
        await self.until(lambda: self.explorer.builds.rows.rows and self.explorer.builds.rows.has_focus)

    async def go_to_build(self, status: Status) -> None:
        """The cursor on the newest build of a status."""
        rows = self.explorer.builds.rows
        rows.go_to(next(build.ref for build in rows.rows if build.status is status))

    async def open_build(self, status: Status = Status.SUCCEEDED) -> None:
        """Opens the newest build of a status."""
        await self.go_to_build(status)
        await self.pilot.press("enter")
        await self.until(lambda: self.explorer.artifacts.rows.rows and self.explorer.artifacts.rows.has_focus)

    async def go_to_artifact(self, ending: str) -> None:
        """The cursor on the first artifact of such a name."""
        await self.rest()
        rows = self.explorer.artifacts.rows
        rows.go_to(next(artifact.ref for artifact in rows.rows if artifact.title.endswith(ending)))
        await self.rest()

    async def shows(self, text: str) -> None:
        """Until a text is on the screen."""
        await self.until(lambda: text in self._text)

    @property
    def _text(self) -> str:
        """What is on the screen now, line by line."""
        strips = self.app.screen._compositor.render_strips()  # noqa: SLF001  # there is no other way to it
        return "\n".join(strip.text for strip in strips)

    async def rest(self) -> None:
        """Until the detail has followed the cursor and nothing is under way; what waits for a dialog's answer may."""
        await self.until(
            lambda: all(work.is_finished or work.node.screen is not self.app.screen for work in self.app.workers)
        )
        await self.until(lambda: self.explorer.shown_facts == self.explorer.facts())


Act = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Setting:
    """With what a scene begins."""

    act: Act
    has_accounts: bool = True
    is_indexed: bool = False
    """Whether a part of the builds is in a catalog."""
    digs: Mapping[str, str] = field(default_factory=dict[str, str])
