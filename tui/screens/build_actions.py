"""What screens do with a build: show it, its log, its tests, why it is red; start, repeat, abort and follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual.screen import Screen

from tui.errors import DigsiteError
from tui.models import App, AppRef, Build
from tui.models.inspection import BuildVerb, StartRequest
from tui.safe_text import clean
from tui.services import Services
from tui.services.start_choices import StartChoice, last_choice, remember_choice
from tui.widgets.dialogs import ConfirmDialog
from tui.widgets.format import build_name, status

BITRISE, XCODE_CLOUD = "bitrise", "xcode-cloud"


@dataclass
class BuildActions:
    """Acts on builds; answers and failures are shown on one screen.

    Args:
        screen: Where.
        services: To act with.
        now: The clock, aware UTC.
        follow: Told of each build whose end the user wants to know.
        started: Told of a new build.
        changed: Told of a build that is another now.
    """

    screen: Screen[Any]
    services: Services
    now: Callable[[], datetime]
    follow: Callable[[Build], None]
    started: Callable[[Build], None]
    changed: Callable[[Build], None]

    def do(self, what: str, app: App | None, build: Build | None, path: str) -> None:
        """Does one thing.

        Args:
            what: `view`, `log`, `follow`, `why`, `tests`, `start`, `rebuild` or `abort`.
            app: The app that is open, for a start.
            build: The build concerned.
            path: Of the build.
        """
        if what == "start":
            if app is None and build is None:
                self._say("Open an app to start a build.", severity="warning")
            else:
                self._run(self._start(app.ref if app else build.ref.app_ref, app, build), "start a build")  # type: ignore[union-attr]
        elif build is None:
            self._say("Choose a build first.", severity="warning")
        elif what in {"rebuild", "abort"}:
            self._run(self._rebuild(build) if what == "rebuild" else self._abort(build), what)
        else:
            self._show(what, build, path)

    def _say(self, text: str, *, severity: str = "information") -> None:
        self.screen.app.notify(clean(text), severity=severity, markup=False)  # type: ignore[arg-type]  # a Literal

    def _run(self, work: Any, description: str) -> None:
        self.screen.run_worker(work, description=description)

    def _show(self, what: str, build: Build, path: str) -> None:
        """Opens a screen; each is imported when it is wanted: the first paint waits for imports."""
        app = self.screen.app
        if what == "view":
            from tui.screens.build_view import BuildScreen

            app.push_screen(BuildScreen(self.services, build, path, self.now, self))
        elif what == "why":
            from tui.screens.why_red import WhyRedScreen

            app.push_screen(WhyRedScreen(self.services, build, path))
        elif what == "tests":
            from tui.screens.tests_view import TestsScreen

            app.push_screen(TestsScreen(self.services, build, path, self.now))
        else:
            from tui.screens.log_view import LogScreen

            follows = what == "follow" and not build.status.is_finished
            if follows:
                self.follow(build)
            app.push_screen(LogScreen(self.services, build, path, self.now, follow=follows))

    # Start, repeat, abort ---------------------------------------------------------------------------------

    async def _refused(self, ref: AppRef, verb: BuildVerb, build: Build | None) -> bool:
        provider = await self.services.sessions[ref.account].provider()
        reason = provider.build_refusal(verb, build)
        if reason is not None:
            self._say(reason, severity="warning")
        return reason is not None

    async def _start(self, ref: AppRef, app: App | None, build: Build | None) -> None:
        from tui.screens.start_dialog import Startable, StartDialog

        try:
            if await self._refused(ref, BuildVerb.START, None):
                return
            session = self.services.sessions[ref.account]
            provider = await session.provider()
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        kind = session.account.provider
        startable = Startable(
            ref,
            app.title if app else str(ref.app),
            lambda: provider.workflows(ref),
            lambda workflow: provider.git_refs(ref, workflow),
            takes_environment=kind != XCODE_CLOUD,
            takes_clean=kind != BITRISE,
        )
        choice = last_choice(ref)
        if not choice.workflow and build is not None:
            choice = StartChoice(build.workflow or "", ref=build.branch or "")
        answer = await self.screen.app.push_screen_wait(StartDialog(startable, choice))
        if answer is None:
            return
        chosen, request = answer
        try:
            remember_choice(ref, chosen)
        except OSError as error:
            self._say(f"The choice cannot be remembered: {error.strerror}.", severity="warning")
        await self._send(request)

    async def _rebuild(self, build: Build) -> None:
        try:
            if await self._refused(build.ref.app_ref, BuildVerb.REBUILD, build):
                return
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        dialog = ConfirmDialog(f"Repeat build {build_name(build)}?", _build_lines(build), verb="Rebuild")
        if await self.screen.app.push_screen_wait(dialog):
            await self._send(StartRequest(build.ref.app_ref, build.workflow or "", rebuild=build.ref))

    async def _send(self, request: StartRequest) -> None:
        try:
            provider = await self.services.sessions[request.app.account].provider()
            build = await self.services.builds.start(provider, request)
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        self.started(build)
        self.follow(build)
        self._say(f"Started: build {build_name(build)}. Its end will be told.")

    async def _abort(self, build: Build) -> None:
        try:
            if await self._refused(build.ref.app_ref, BuildVerb.ABORT, build):
                return
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        lines = [*_build_lines(build), "", "What it has built so far is lost."]
        dialog = ConfirmDialog(f"Abort build {build_name(build)}?", lines, verb="Abort")
        if not await self.screen.app.push_screen_wait(dialog):
            return
        try:
            provider = await self.services.sessions[build.ref.account].provider()
            now = await self.services.builds.abort(provider, build)
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        self.changed(now)
        self._say(f"Build {build_name(now)}: {status(now)}.")


def _build_lines(build: Build) -> list[str]:
    facts = [
        status(build),
        f"Workflow {build.workflow}" if build.workflow else "",
        f"Branch {build.tag or build.branch}" if build.tag or build.branch else "",
        f"Commit {build.commit_sha[:12]}  {build.commit_message or ''}" if build.commit_sha else "",
    ]
    return [fact for fact in facts if fact]
