"""Keeps running builds of the explorer up to date, and tells when a followed one ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.message import Message

from tui.models import Build, BuildRef
from tui.providers import Provider
from tui.safe_text import clean
from tui.services import Services
from tui.services.following import Following, run_hook
from tui.widgets.format import build_name, status

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

TICK_S: Final = 5.0
"""Between two looks whether one is due: costs nothing."""


@dataclass
class BuildEnded(Message):
    """A followed build has ended; the application tells the terminal."""

    title: str
    text: str


class BuildFollower:
    """Looks at builds for one explorer.

    Args:
        screen: Whose rows it keeps up to date.
        services: To ask with.
    """

    def __init__(self, screen: Explorer, services: Services) -> None:
        self._screen, self._services = screen, services
        self.following = Following(self._opened)
        self._looks = False

    def start(self) -> None:
        """From now on."""
        self._screen.set_interval(TICK_S, self.tick)

    def follow(self, build: Build) -> None:
        """Tells when a build ends."""
        self.following.follow(build)

    def _opened(self, ref: BuildRef) -> Provider | None:
        session = self._services.sessions.get(ref.account)
        return session.opened if session is not None else None

    def tick(self) -> None:
        """Asks for the builds that are due."""
        self.following.focus(has_focus=self._screen.app.app_focus)
        self.following.show(self._screen.builds.rows.rows)
        if (due := self.following.due) and not self._looks:
            self._looks = True
            self._screen.run_worker(self._look(due), group="follow", description="look at running builds")

    async def _look(self, due: list[Build]) -> None:
        try:
            for build in due:
                now, is_told = await self.following.look(build)
                if now != build:
                    self.changed(now)
                if is_told:
                    await self._tell(now)
        finally:
            self._looks = False

    def changed(self, build: Build) -> None:
        """A build is another now: rows and what is open show it."""
        screen = self._screen
        screen.builds.rows.update_row(build)
        if screen.open_build is not None and screen.open_build.ref == build.ref:
            screen.open_build = build
            if build.status.is_finished:
                screen.refresh_pane(screen.artifacts)

    def started(self, build: Build) -> None:
        """A new build stands on top."""
        screen = self._screen
        if screen.open_app is not None and screen.open_app.ref == build.ref.app_ref:
            others = [row for row in screen.builds.rows.rows if row.ref != build.ref]
            screen.builds.rows.replace([build, *others])

    async def _tell(self, build: Build) -> None:
        title = f"Build {build_name(build)} {status(build)}"
        text = " · ".join(part for part in (build.workflow, build.tag or build.branch) if part)
        self._screen.app.notify(clean(f"{title} · {text}"), markup=False)
        self._screen.post_message(BuildEnded(title, text))
        command = self._services.config.notify_command
        if command and (problem := await run_hook(command, build)):
            self._screen.app.notify(clean(problem), severity="error", markup=False)
