"""Why a build is red: the cause first, then issues, failed tests and the first errors of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from textual import work

from tui.errors import DigsiteError
from tui.folders import cache_dir
from tui.models import Build, Status
from tui.models.inspection import BuildVerb, Issue, IssueKind, SourceLine, TestResult
from tui.peek.causes import Diagnosis, diagnose
from tui.peek.loglines import LogLine
from tui.screens.panel import PanelLine, PanelScreen
from tui.services import Services
from tui.threads import in_daemon_thread
from tui.widgets.format import build_name, status

_SHOWN_ISSUES = 200
_TONES = {IssueKind.ERROR: "bad", IssueKind.TEST_FAILURE: "bad", IssueKind.WARNING: "warn"}


class WhyRedScreen(PanelScreen):
    """Shows a diagnosis, as its parts arrive.

    Args:
        services: To read issues, tests and log with.
        build: The build.
        path: Of the build.
    """

    NAME = "Why red"
    HELP = """
# Why red

The cause on top; below it what tells so. `y` copies a line, `enter` shows it whole.
"""

    def __init__(self, services: Services, build: Build, path: str) -> None:
        super().__init__(path, label_cells=15)
        self._services, self._build = services, build
        self._issues: Sequence[Issue] = ()
        self._tests: Sequence[TestResult] = ()
        self._log: Sequence[LogLine] = ()
        self._notes: list[PanelLine] = []
        self._left = 3
        self._turn = asyncio.Lock()
        self.diagnosis: Diagnosis | None = None
        """What is known so far."""

    @property
    def is_loading(self) -> bool:
        """Whether parts are still on their way."""
        return self._left > 0

    def on_mount(self) -> None:
        super().on_mount()
        self._show(diagnose(self._build))
        self._load()

    @work(description="why red")
    async def _load(self) -> None:
        build, log = self._build, self._services.log(self._build)
        provider_of = self._services.sessions[build.ref.account].provider

        async def issues() -> None:
            provider = await provider_of()
            if provider.build_refusal(BuildVerb.ISSUES, build) is None:
                self._issues = await provider.issues(build)

        async def tests() -> None:
            self._tests = await self._services.tests().read(await provider_of(), build)

        async def lines() -> None:
            self._log = await log.excerpt(cache_dir())

        parts: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (
            ("Issues", issues),
            ("Tests", tests),
            ("Log", lines),
        )
        await asyncio.gather(*(self._part(name, fetch) for name, fetch in parts))

    async def _part(self, name: str, fetch: Callable[[], Awaitable[Any]]) -> None:
        try:
            await fetch()
        except DigsiteError as error:
            self._notes.append(PanelLine("Not known", name, str(error), "muted"))
        async with self._turn:  # one after the other, so that what is shown last knows all parts
            found = await in_daemon_thread(
                lambda: diagnose(self._build, self._issues, self._tests, self._log), name="why-red"
            )
            self._left -= 1
            if self.is_attached:
                self._show(found)

    def _show(self, found: Diagnosis) -> None:
        build = self._build
        self.diagnosis = found
        is_red = build.status in {Status.FAILED, Status.ERRORED, Status.ABORTED, Status.UNKNOWN}
        if not is_red:
            self.show_headline(f"Build {build_name(build)} is not red: {status(build)}", is_bad=False)
        elif self.is_loading and found.kind.value == "unknown":
            self.show_headline("Looking at issues, tests and log…", is_bad=False)
        else:
            self.show_headline(found.headline, is_bad=True)
        lines = [PanelLine("Cause", str(found.kind), found.cause, "bad")] if is_red and found.cause else []
        if build.reason:
            lines.append(PanelLine("Cause", "reason given", build.reason))
        lines += [
            PanelLine("Issues", _place(issue.place) or str(issue.kind), issue.message, _TONES.get(issue.kind, ""))
            for issue in found.issues[:_SHOWN_ISSUES]
        ]
        lines += [PanelLine("Failed tests", _name(test), _failure(test), "bad") for test in found.failed_tests]
        lines += [
            PanelLine("First errors of the log", f"line {line.number:,}" if line.number else "near the end", line.text)
            for line in found.log
        ]
        self.show_lines([*lines, *sorted(self._notes)])
        if not lines:
            self.rows.set_placeholder("Looking…" if self.is_loading else "Nothing tells why.")


def _place(place: SourceLine | None) -> str:
    if place is None:
        return ""
    name = place.path.rpartition("/")[2]
    return f"{name}:{place.line}" if place.line is not None else name


def _name(test: TestResult) -> str:
    return f"{test.suite.rpartition('.')[2]}.{test.name}" if test.suite else test.name


def _failure(test: TestResult) -> str:
    failed = ", ".join(run.destination for run in test.runs if run.status.is_failure and run.destination)
    place = _place(test.place)
    parts = [
        " ".join((test.message or str(test.status)).split()),
        f"({place})" if place else "",
        f"on {failed}" if failed else "",
    ]
    return " ".join(part for part in parts if part)
