"""The log of a build: readable from its first screen on, while the rest arrives; searched, followed, saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.errors import DigsiteError
from tui.folders import cache_dir
from tui.models import Build
from tui.peek.causes import ERROR_LINE
from tui.peek.loglines import LogSearch, LogSpool
from tui.safe_text import clean, safe_filename
from tui.screens.help_toggle import HelpToggle
from tui.screens.log_members import MembersDialog
from tui.services import Services
from tui.services.build_logs import POLL_S, QUIET_POLL_S
from tui.services.destinations import free_name
from tui.threads import in_daemon_thread
from tui.widgets.crumbs import Crumbs
from tui.widgets.format import build_name, size, status
from tui.widgets.keybar import KeyBar
from tui.widgets.logtext import LogText
from tui.widgets.sgr import plain

TICK_S: Final = 0.1
"""Between two looks at what has arrived."""
_SEARCH_STEP: Final = 4 << 20
"""Bytes that a search looks through before it tells what it found."""


class LogScreen(HelpToggle):
    """Shows a log.

    Args:
        services: To read it with.
        build: Whose log.
        path: Of the build, for the line on top.
        now: The clock, aware UTC.
        follow: Whether to stay at the end while it grows.
    """

    HELP = """
# Log

`/` searches, `n` and `N` go to the next and the previous match, `&` shows only matching lines, `e` goes from error
to error. `w` follows a running build; going up pauses that, `G` goes on.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left,backspace", "back", "Back", id="log.back", tooltip="Ends a search first"),
        # With priority: what follows in the same packet must find the line open, not act on the log.
        Binding("slash", "ask('/')", "Search", id="log.search", priority=True),
        Binding("n", "next(1)", "Next", id="log.next"),
        Binding("N", "next(-1)", "Previous", id="log.previous", show=False),
        Binding("ampersand", "ask('&')", "Only matches", id="log.only", priority=True),
        Binding("e", "error", "Next error", id="log.error"),
        Binding("w", "follow", "Follow", id="log.follow", tooltip="Stay at the end of a log that grows"),
        Binding("W", "wrap", "Wrap", id="log.wrap", show=False, tooltip="Wrap long lines, or cut them"),
        Binding("m", "choose_member", "Other log", id="log.member", tooltip="Another log of the same build"),
        Binding("s", "save", "Save", id="log.save", tooltip="Write the log into the download folder"),
        Binding("y", "copy", "Copy line", id="log.copy", show=False),
        Binding("question_mark,f1", "toggle_help", "Help", id="app.help"),
        Binding("q", "close", "Close", id="log.close"),
    ]

    def __init__(
        self, services: Services, build: Build, path: str, now: Callable[[], datetime], *, follow: bool = False
    ) -> None:
        super().__init__()
        self._services, self._build, self._path, self._now = services, build, path, now
        self._log = services.log(build)
        self._spool = LogSpool(cache_dir())
        self._search: LogSearch | None = None
        self._errors: LogSearch | None = None
        self._needle = ""
        self._only = False
        self._asks = ""
        self._jump: tuple[LogSearch, int] | None = None
        self._loading = False
        self._follows = follow
        self._scans = False
        self._problem = ""
        self._said = ""
        self._timer: Timer | None = None
        self.text = LogText(self._spool)

    @property
    def spool(self) -> LogSpool:
        """The log as far as it has arrived."""
        return self._spool

    @property
    def is_loading(self) -> bool:
        """Whether more of it is on its way."""
        return self._loading

    @property
    def state(self) -> str:
        """What the line below the text says."""
        return self._said

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield self.text
        yield Static("", id="log-state", markup=False)
        yield Input(compact=True, id="log-asked")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Crumbs).show(self._path, f"log · {status(self._build)}")
        self.query_one("#log-asked").display = False
        self.text.focus()
        self.text.follow(follows=self._follows)
        self._timer = self.set_interval(TICK_S, self._tick)
        self._load(None)

    def on_unmount(self) -> None:
        for search in (self._search, self._errors):
            if search is not None:
                search.stop()
        self._spool.close()

    # What arrives -----------------------------------------------------------------------------------------

    @work(exclusive=True, group="load", description="read a log")
    async def _load(self, member: str | None) -> None:
        self._loading = True
        spool = self._spool
        try:
            await self._log.read(spool.append, member=member)
            self._loading = False
            if self._follows and not self._log.is_complete:
                await self._go_on(spool)
        except DigsiteError as error:
            self.notify(clean(str(error)), severity="error", markup=False)
            self._problem = error.message
        finally:
            self._loading = False
            self._tick()

    async def _go_on(self, spool: LogSpool) -> None:
        """Asks for what was added until the build ends; less often while nothing is, or nobody looks."""
        pause = POLL_S
        while self._follows and not self._log.is_complete:
            await asyncio.sleep(pause)
            has_news = await self._log.more(spool.append)
            pause = POLL_S if has_news and self.app.app_focus else min(pause * 1.5, QUIET_POLL_S)
        if self._log.is_complete:
            await self._read_anew()

    async def _read_anew(self) -> None:
        """The build has ended: its whole log stands in for the pieces."""
        whole = LogSpool(cache_dir())
        try:
            await self._log.read(whole.append)
        except DigsiteError as error:
            whole.close()
            self.notify(clean(str(error)), severity="warning", markup=False)
            return
        self._show(whole)

    def _show(self, spool: LogSpool) -> None:
        self._forget_search()
        self._spool, old = spool, self._spool
        self._errors = None
        self.text.show(spool)
        old.close()

    def _tick(self) -> None:
        if not self.is_attached:
            return
        self.text.grown()
        if self._unfinished is not None:
            self._scan()
        self._say(self._state())

    def _state(self) -> str:
        text, log = self.text, self._log
        shown = f"{text.cursor_line + 1:,} of {self._spool.lines:,} lines" if self._spool.lines else "no lines yet"
        parts = [shown, size(self._spool.size_bytes)]
        if self._loading:
            parts.append("loading…")
        elif self._problem:
            parts.append(self._problem)
        if self._follows and not log.is_complete:
            parts.append("following" if not text.new_lines else f"paused, +{text.new_lines:,} lines")
        if self._search is not None:
            hits = len(self._search.hits)
            parts.append(
                f"{'only ' if self._only else ''}/{self._needle}: {hits:,}{'' if self._search.is_current else '+'}"
            )
        if log.member is not None and len(log.members) > 1:
            parts.append(f"{log.member.name.rpartition('/')[2]} of {len(log.members)} logs, m changes")
        return " · ".join(parts)

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self.query_one("#log-state", Static).update(Content(clean(text)))

    @on(LogText.Moved)
    def _moved(self, event: LogText.Moved) -> None:
        event.stop()
        self._say(self._state())

    # Search -----------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the line itself a slash is a slash."""
        return action != "ask" or self.focused is not self.query_one("#log-asked")

    def action_ask(self, kind: str) -> None:
        """Opens the line for a search (`/`), or for a filter (`&`)."""
        self._asks = kind
        asked = self.query_one("#log-asked", Input)
        asked.placeholder = "search" if kind == "/" else "show only lines with"
        asked.value = ""
        asked.display = True
        self.set_focus(asked)

    @on(Input.Submitted)
    def _asked(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_input()
        if not event.value:
            self._forget_search()
            return
        self._only = self._asks == "&"
        self._needle = event.value
        if self._search is not None:
            self._search.stop()
        self._search = LogSearch.of_text(self._spool, event.value)
        self.text.mark(event.value)
        self.text.choose(self._search.hits if self._only else None)
        if not self._only:
            self._jump = (self._search, 1)
        self._scan()
        self._try_jump()

    def _close_input(self) -> None:
        self.query_one("#log-asked").display = False
        self.set_focus(self.text)

    def _forget_search(self) -> bool:
        had = self._search is not None
        if self._search is not None:
            self._search.stop()
        self._search, self._needle, self._only, self._jump = None, "", False, None
        if had:
            self.text.mark("")
            self.text.choose(None)
        return had

    @property
    def _unfinished(self) -> LogSearch | None:
        searches = (self._search, self._errors)
        return next((search for search in searches if search is not None and not search.is_current), None)

    @work(description="search a log")
    async def _scan(self) -> None:
        if self._scans:  # a search has one thread
            return
        self._scans = True
        try:
            while (search := self._unfinished) is not None:
                await in_daemon_thread(partial(search.run, _SEARCH_STEP), name="search")
                self._try_jump()
                if self._only:
                    self.text.grown()
                self._say(self._state())
        finally:
            self._scans = False

    def action_next(self, direction: int) -> None:
        """To the next match, or the one before."""
        if self._search is None:
            self.action_ask("/")
        else:
            self._start_jump(self._search, direction)

    def action_error(self) -> None:
        """To the first line that tells of an error; from there to the next."""
        if self._errors is None:
            self._errors = LogSearch(self._spool, ERROR_LINE)
        self._start_jump(self._errors, 1)

    def _start_jump(self, search: LogSearch, direction: int) -> None:
        self._jump = (search, direction)
        self._scan()
        self._try_jump()

    def _try_jump(self) -> None:
        """Goes where a jump leads, as soon as that is found."""
        if self._jump is None:
            return
        search, direction = self._jump
        here = self.text.cursor_line
        line = search.after(here) if direction > 0 else search.before(here)
        if line is None and not search.is_current:
            return
        self._jump = None
        if line is None and search.hits:
            line = search.hits[0 if direction > 0 else -1]  # on from the other end
        if line is None:
            what = (
                f"“{self._needle}” is nowhere in the log." if search is self._search else "No line tells of an error."
            )
            self.notify(clean(what), severity="warning", markup=False)
        else:
            if self._only and search is not self._search:
                self._forget_search()
            self.text.go_to(line)

    # What else is done ------------------------------------------------------------------------------------

    def action_back(self) -> None:
        """Closes the search line, ends the search, or goes back."""
        if self.query_one("#log-asked").display:
            self._close_input()
        elif not self._forget_search():
            self.dismiss(None)

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss(None)

    def action_follow(self) -> None:
        """Follows a log that grows, or stops that."""
        if self._build.status.is_finished or self._log.is_complete:
            self.notify("The build has ended: its log is complete.")
            return
        self._follows = not self._follows
        self.text.follow(follows=self._follows)
        if self._follows and not self._loading:
            self._follow_on()
        self._say(self._state())

    @work(exclusive=True, group="load", description="follow a log")
    async def _follow_on(self) -> None:
        try:
            await self._go_on(self._spool)
        except DigsiteError as error:
            self._follows = False
            self.notify(clean(str(error)), severity="error", markup=False)

    def action_wrap(self) -> None:
        """Wraps long lines, or cuts them."""
        self.text.wrap(wrapped=not self.text.is_wrapped)

    def action_copy(self) -> None:
        """Copies the line under the cursor."""
        line = plain(self.text.current)
        self.app.copy_to_clipboard(line)
        self.notify(clean(f"Sent to the terminal's clipboard: {line}", 200), markup=False)

    @work(description="save a log")
    async def action_save(self) -> None:
        """Writes what has arrived into the download folder, as it came."""
        name = safe_filename(f"log-{build_name(self._build).lstrip('#')}.txt", unique=str(self._build.ref.build))
        target = free_name(self._services.download_dir, name)
        spool = self._spool
        note = " (as far as it has arrived)" if self._loading or not self._log.is_complete else ""

        def write() -> None:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                spool.copy(file.write)

        try:
            await in_daemon_thread(write, name="save")
        except OSError as error:
            self.notify(clean(f"{target} cannot be written: {error.strerror}."), severity="error", markup=False)
        else:
            self.notify(clean(f"Written{note}: {target}"), markup=False)

    @work(description="choose a log")
    async def action_choose_member(self) -> None:
        """Chooses another log of the bundles."""
        if len(self._log.members) < 2:
            self.notify("This build has one log.", severity="warning")
            return
        chosen = await self.app.push_screen_wait(MembersDialog(self._log.members))
        if chosen is not None:
            self._show(LogSpool(cache_dir()))
            self._load(chosen.path)
