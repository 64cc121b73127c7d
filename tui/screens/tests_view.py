"""The tests of a build: failures first, filtered, with durations and destinations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.models import Build, Cursor, Page
from tui.models.filter import Fields
from tui.models.inspection import TestResult, TestStatus
from tui.safe_text import clean, clean_lines
from tui.screens.help_toggle import HelpToggle
from tui.services import Services
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.dialogs import TextDialog
from tui.widgets.format import build_name, count
from tui.widgets.keybar import KeyBar
from tui.widgets.pane import Feed, Pane
from tui.widgets.rowlist import RowList

_GLYPHS = {
    TestStatus.FAILED: "✗",
    TestStatus.MIXED: "✗",
    TestStatus.PASSED: "✓",
    TestStatus.SKIPPED: "»",
    TestStatus.EXPECTED_FAILURE: "✓",
    TestStatus.UNKNOWN: "?",
}
_TONES = {TestStatus.FAILED: "bad", TestStatus.MIXED: "warn", TestStatus.PASSED: "good", TestStatus.SKIPPED: "muted"}
_Row = tuple[int, TestResult]

_FIELDS: Fields[_Row] = Fields(
    haystack=lambda row: f"{row[1].name} {row[1].suite or ''} {row[1].message or ''} {_destinations(row[1])}".lower(),
    texts={
        "status": lambda row: str(row[1].status),
        "suite": lambda row: (row[1].suite or "").lower(),
        "on": lambda row: _destinations(row[1]).lower(),
    },
)


class TestsScreen(HelpToggle):
    """Shows test results.

    Args:
        services: To read them with.
        build: Whose.
        path: Of the build.
        now: The clock, aware UTC.
    """

    __test__ = False

    HELP = """
# Tests

Failures come first. `/` filters: `status:failed suite:Login on:iPhone timeout`; `enter` shows the whole message.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left,backspace", "back", "Back", id="tests.back"),
        Binding("y", "copy", "Copy", id="tests.copy", tooltip="Copy the test's name and message"),
        Binding("question_mark,f1", "toggle_help", "Help", id="app.help"),
        Binding("q", "close", "Close", id="tests.close"),
    ]

    def __init__(self, services: Services, build: Build, path: str, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._services, self._build, self._path = services, build, path
        columns: tuple[Column[_Row], ...] = (
            Column("status", "Status", lambda row: f"{_GLYPHS[row[1].status]} {_word(row[1].status)}", 10,
                   tone=lambda row: _TONES.get(row[1].status, ""), sort=lambda row: row[1].status),
            Column("name", "Name", lambda row: row[1].name, 16, grow=2, sort=lambda row: row[1].name),
            Column("message", "Message", lambda row: " ".join((row[1].message or "").split()), 14, grow=2, drop=2,
                   tone=lambda _: "bad"),
            Column("on", "On", lambda row: _destinations(row[1]), 12, grow=1, drop=3, tone=lambda _: "muted"),
            Column("took", "Took", lambda row: seconds(row[1].duration_s), 7, align="right", drop=1,
                   tone=lambda _: "muted", sort=lambda row: row[1].duration_s or 0.0),
        )  # fmt: skip
        rows = RowList[_Row](columns, key=lambda row: row[0], group=lambda row: row[1].suite)
        self.tests = Pane[_Row]("Tests", rows, _FIELDS, now=now, has_titles=True, id="tests")

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield self.tests
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Crumbs).show(self._path, "tests")
        self.tests.rows.focus()
        name = build_name(self._build)
        self.tests.show(name, [Feed[_Row](name, self._load)], empty=lambda: ("This build ran no tests.",))

    async def _load(self, cursor: Cursor | None) -> Page[_Row]:
        provider = await self._services.sessions[self._build.ref.account].provider()
        results = await self._services.tests().read(provider, self._build)
        failed = sum(1 for test in results if test.status.is_failure)
        self.query_one(Crumbs).show(self._path, f"{failed:,} of {count(len(results), 'test')} failed")
        by_suite = sorted(results, key=lambda test: (not test.status.is_failure, test.suite or ""))
        return Page(tuple(enumerate(by_suite)), total=len(results))

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        row = self.tests.rows.current
        if row is not None:
            self.app.push_screen(TextDialog(row[1].name, "\n".join(_lines(row[1]))))

    def action_back(self) -> None:
        """Clears the filter, else goes back."""
        if not self.tests.drop_filter():
            self.dismiss(None)

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """Copies name and message of the test under the cursor."""
        row = self.tests.rows.current
        if row is not None:
            name = f"{row[1].suite}.{row[1].name}" if row[1].suite else row[1].name
            text = clean(f"{name}: {row[1].message}" if row[1].message else name, 4000)
            self.app.copy_to_clipboard(text)
            self.notify(clean(f"Sent to the terminal's clipboard: {text}", 200), markup=False)


def seconds(duration_s: float | None) -> str:
    """`0.014s`, `2.5s`, `3m 05s`; empty when unknown."""
    if duration_s is None:
        return ""
    if duration_s < 1:
        return f"{duration_s:.3f}s"
    return f"{duration_s:.1f}s" if duration_s < 60 else f"{int(duration_s // 60)}m {int(duration_s % 60):02d}s"


def _destinations(test: TestResult) -> str:
    """Where it failed; where it failed nowhere, where it ran."""
    failed = [run.destination for run in test.runs if run.status.is_failure]
    return ", ".join(name for name in failed or [run.destination for run in test.runs] if name)


def _word(status: TestStatus) -> str:
    """The status in one word: what failed as expected is told by its glyph."""
    return "expected" if status is TestStatus.EXPECTED_FAILURE else str(status)


def _lines(test: TestResult) -> list[str]:
    lines = [f"{_GLYPHS[test.status]} {test.status}", f"Suite    {test.suite or ''}"]
    if test.place is not None:
        lines.append(f"At       {test.place.path}:{test.place.line if test.place.line is not None else ''}")
    lines += [
        f"On       {run.destination or 'unknown'} · {run.status} · {seconds(run.duration_s)}" for run in test.runs
    ]
    if test.message:
        lines += ["", *clean_lines(test.message).split("\n")]
    return lines
