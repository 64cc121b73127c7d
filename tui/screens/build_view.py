"""Everything known of a build: facts, how long it waited and ran, its actions, what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.errors import DigsiteError
from tui.models import Action, Build, IssueCounts, Status
from tui.safe_text import clean
from tui.screens.build_actions import BuildActions
from tui.screens.panel import PanelLine, PanelScreen
from tui.services import Services
from tui.widgets.facts import build_facts
from tui.widgets.format import GLYPHS, build_name, count, duration, status

_BAR_CELLS = 30
_ACTION_TONES = {Status.SUCCEEDED: "good", Status.FAILED: "bad", Status.ERRORED: "bad", Status.RUNNING: "busy"}


class BuildScreen(PanelScreen):
    """Shows a build.

    Args:
        services: To read its actions with.
        build: What is known already.
        path: Of the build.
        now: The clock, aware UTC.
        actions: What can be done with it.
    """

    NAME = "Build"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("L", "build('log')", "Log", id="build-view.log"),
        Binding("w", "build('follow')", "Follow", id="build-view.follow", show=False),
        Binding("e", "build('why')", "Why red", id="build-view.why"),
        Binding("t", "build('tests')", "Tests", id="build-view.tests"),
        Binding("i", "close", "Back", id="build-view.back", show=False),
        Binding("B", "build('rebuild')", "Rebuild", id="build-view.rebuild", show=False),
        Binding("A", "build('abort')", "Abort", id="build-view.abort", show=False),
    ]

    def __init__(
        self, services: Services, build: Build, path: str, now: Callable[[], datetime], actions: BuildActions
    ) -> None:
        super().__init__(path, label_cells=14)
        self._services, self._build, self._now, self._actions = services, build, now, actions
        self._parts: Sequence[Action] = ()

    def on_mount(self) -> None:
        super().on_mount()
        self._show()
        self._load()

    @work(description="read a build")
    async def _load(self) -> None:
        try:
            provider = await self._services.sessions[self._build.ref.account].provider()
            self._build = await provider.build(self._build.ref)
            self._parts = await provider.actions(self._build)
            self._build = replace(self._build, stack=await provider.stack(self._build))
        except DigsiteError as error:
            self.notify(clean(str(error)), severity="error", markup=False)
        self._show()

    def _show(self) -> None:
        build = self._build
        is_bad = build.status in {Status.FAILED, Status.ERRORED}
        self.show_headline(f"{build_name(build)} {status(build)} · {build.workflow or ''}", is_bad=is_bad)
        lines = [PanelLine("Timing", label, text) for label, text in timing(build, self._now())]
        lines += [PanelLine("Build", label, value) for label, value in build_facts(build, self._now())]
        lines += [
            PanelLine(
                "Actions", duration(_took(action)) or "-", _action_text(action), _ACTION_TONES.get(action.status, "")
            )
            for action in self._parts
        ]
        self.show_lines(lines)

    def action_build(self, what: str) -> None:
        """Does something with this build."""
        self._actions.do(what, None, self._build, self._path)


def timing(build: Build, now: datetime) -> list[tuple[str, str]]:
    """A bar of the time it waited and the time it ran, and both in words; nothing while it is not known."""
    if build.created_at is None:
        return []
    ended = build.finished_at or (None if build.status.is_finished else now)
    started = build.started_at or ended
    if started is None:
        return []
    queued = max(0.0, (started - build.created_at).total_seconds())
    ran = max(0.0, (ended - build.started_at).total_seconds()) if ended and build.started_at else 0.0
    total = queued + ran
    cells = round(_BAR_CELLS * queued / total) if total else 0
    bar = "╌" * cells + "━" * (_BAR_CELLS - cells)
    words = [f"queued {duration(queued)}"]
    if build.started_at is not None:
        words.append(f"{'ran' if build.finished_at else 'running'} {duration(ran)}")
    return [(duration(total), f"{bar}  {', '.join(words)}")]


def _took(action: Action) -> float | None:
    if action.started_at is None or action.finished_at is None:
        return None
    return (action.finished_at - action.started_at).total_seconds()


def _action_text(action: Action) -> str:
    word = f"unknown ({action.status_raw})" if action.status is Status.UNKNOWN else str(action.status)
    found = issue_words(action.issues)
    return f"{GLYPHS[action.status]} {action.name} · {word}{f' · {found}' if found else ''}"


def issue_words(issues: IssueCounts | None) -> str:
    """What an action found, in words; empty when nothing."""
    if issues is None:
        return ""
    counts = (
        (issues.errors, "error"),
        (issues.test_failures, "test failure"),
        (issues.warnings, "warning"),
        (issues.analyzer_warnings, "analyzer warning"),
    )
    return ", ".join(count(number, what) for number, what in counts if number)
