"""A titled pane: a list that loads page by page, its filter, its errors and its empty states."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, ClassVar, Final, Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.errors import DigsiteError
from tui.models import Cursor, Page
from tui.models.filter import Fields, FilterError, parse_filter
from tui.safe_text import clean
from tui.widgets.format import age, count, size
from tui.widgets.rowlist import RowList
from tui.widgets.titles import ColumnTitles

T = TypeVar("T")

Fetch = Callable[[Cursor | None], Awaitable[Page[T]]]
"""Gives one page; the cursor is that of the page before."""

SKELETON_S: Final = 0.15
"""A list that takes longer to come shows the shape of rows meanwhile."""
PATIENCE_S: Final = 5.0
"""From then on it says for whom it waits, and how long already."""
_SKELETON: Final = ("▁▁▁▁▁▁▁▁  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁", "▁▁▁▁▁▁  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁", "▁▁▁▁▁▁▁▁▁  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁")
EMPTY_PAGES: Final = 3
"""Pages without a row in a sequence, after which the pane stops to ask by itself."""


@dataclass(eq=False)
class Feed(Generic[T]):
    """One source of rows. A pane has several where accounts are merged: one that fails leaves the others usable."""

    name: str
    fetch: Fetch[T]
    cursor: Cursor | None = None
    more: bool = True
    busy: bool = False
    total: int | None = None
    empty_pages: int = 0
    note: str | None = None
    error: DigsiteError | None = None
    seen: set[Cursor] = field(default_factory=set[Cursor])
    owns: Callable[[T], bool] = lambda _: True
    """Whether a row came from this feed; needed where a pane has several."""
    reach: str = ""
    """Where a filter looks for rows beyond those that are loaded, in words; empty when it does not."""
    replaces: bool = False
    """Whether its first page stands in for all rows of now, rather than being merged with them."""
    is_near: bool = False
    """Whether page after page is asked for until all are there, as they cost no request."""
    kept: tuple[T, ...] = ()
    """Rows of an earlier listing, shown until the first page is there."""
    kept_at: datetime | None = None
    """When they were listed, aware UTC; None once the provider has answered."""


class Pane(Vertical, Generic[T]):
    """One list of the drill-down.

    Args:
        title: What the rows are, in the plural: `Builds`.
        rows: The list, ready to be filled.
        fields: What a filter can look at.
        now: The clock, aware UTC.
        size_of: Bytes of a row, for the sum in the title; None where rows have none.
        has_titles: Whether a line over the list names its columns.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority: keys typed in one go, or come in one packet over SSH, must each find the right focus.
        Binding("slash", "filter", "Filter", id="pane.filter", priority=True),
        Binding("enter,down", "leave_filter(False)", "Keep", id="filter.keep", priority=True),
        Binding("escape", "leave_filter(True)", "Clear", id="filter.clear", priority=True),
        Binding("exclamation_mark", "error_detail", "Error detail", id="pane.error", show=False),
    ]

    @dataclass
    class Failed(Message):
        """A page could not be loaded; the pane shows why."""

        pane: Pane[Any]
        error: DigsiteError

    @dataclass
    class FilterSettled(Message):
        """The user has left the filter line, or cleared it."""

        pane: Pane[Any]

    @dataclass
    class ErrorAsked(Message):
        """The user wants the whole error."""

        error: DigsiteError

    def __init__(
        self,
        title: str,
        rows: RowList[T],
        fields: Fields[T],
        *,
        now: Callable[[], datetime],
        size_of: Callable[[T], int | None] | None = None,
        has_titles: bool = False,
        id: str,  # noqa: A002  # Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._title = title
        self._subject = ""
        self._fields = fields
        self._now = now
        self._size_of = size_of
        self._feeds: list[Feed[T]] = []
        self._empty: Callable[[], tuple[str, ...]] = lambda: ("Nothing here.",)
        self._filter_text = ""
        self._filter_problem = ""
        self.rows = rows
        self._titles = ColumnTitles(rows) if has_titles else None
        # Made when there is something to show or to type: the first paint is quicker without them.
        self._banner: Static | None = None
        self._line: Input | None = None
        self._waiting: Timer | None = None
        self._loading_since: float | None = None

    def compose(self) -> ComposeResult:
        if self._titles is not None:
            yield self._titles
        yield self.rows

    def on_mount(self) -> None:
        self._waiting = self.set_interval(1.0, self._settle, pause=True)
        self._retitle()

    # What the screen asks and tells -----------------------------------------------------------------------

    @property
    def is_loading(self) -> bool:
        """Whether a page is on its way."""
        return any(feed.busy for feed in self._feeds)

    @property
    def _has_more(self) -> bool:
        return any(feed.more and feed.error is None for feed in self._feeds)

    @property
    def errors(self) -> list[DigsiteError]:
        """Why rows are missing, feed by feed."""
        return [feed.error for feed in self._feeds if feed.error is not None]

    @property
    def as_of(self) -> datetime | None:
        """When the oldest rows that the provider has not confirmed were listed; None when all are of now."""
        return min((feed.kept_at for feed in self._feeds if feed.kept_at is not None), default=None)

    @property
    def filter_text(self) -> str:
        """What is typed into the filter."""
        return self._filter_text

    def show(self, subject: str, feeds: Sequence[Feed[T]], *, empty: Callable[[], tuple[str, ...]]) -> None:
        """Shows something else: old rows go, the first page of every feed is asked for.

        Args:
            subject: What the rows belong to, for the title.
            feeds: Where rows come from; always new objects, they are the tokens by which late answers are known.
            empty: Lines to show when everything is loaded and there is no row.
        """
        self.clear(subject)
        self._empty = empty
        self.rows.append(row for feed in feeds for row in feed.kept)
        self._start(feeds)

    def refresh_rows(self, feeds: Sequence[Feed[T]]) -> None:
        """Asks again for the first pages; rows, cursor, filter, sort and marks stay meanwhile and after."""
        self.workers.cancel_node(self)
        self._start(feeds)

    def restart(self, feeds: Sequence[Feed[T]]) -> None:
        """Shows the rows of other feeds under the same filter; those of now stay until the first page is there."""
        self.workers.cancel_node(self)
        for feed in feeds:
            feed.replaces = True
        self._start(feeds)

    def clear(self, subject: str = "", *lines: str) -> None:
        """Empties the pane and stops what is under way."""
        self.workers.cancel_node(self)
        self._feeds, self._subject = [], subject
        self.rows.set_marks(())
        self._set_filter("")
        self.rows.replace([])
        self.rows.set_placeholder(*lines)
        self._settle()

    def drop_filter(self) -> bool:
        """Clears the filter; False when there was none."""
        had = bool(self._filter_text) or (self._line is not None and self._line.display)
        if had:
            self.action_leave_filter(clear=True)
        return had

    def set_filter(self, text: str) -> None:
        """Filters as if that had been typed and kept."""
        self._set_filter(text)
        self.post_message(self.FilterSettled(self))

    # Loading ----------------------------------------------------------------------------------------------

    def _start(self, feeds: Sequence[Feed[T]]) -> None:
        unconfirmed = {feed.name: feed.kept_at for feed in self._feeds}
        self._feeds = list(feeds)
        for feed in self._feeds:
            feed.kept_at = feed.kept_at or unconfirmed.get(feed.name)  # the rows of now stay until there is an answer
            self._ask(feed)
        self._settle()

    def _ask(self, feed: Feed[T]) -> None:
        if feed.more and not feed.busy and feed.error is None:
            feed.busy = True
            self._load_page(feed)
            self._settle()

    @work(description="load a page")
    async def _load_page(self, feed: Feed[T]) -> None:
        first = feed.cursor is None
        try:
            if first:  # what is known already is painted before anything is set in motion
                await self.wait_for_refresh()
            page = await feed.fetch(feed.cursor)
        except DigsiteError as error:
            if feed in self._feeds:
                feed.error = error
                self.post_message(self.Failed(self, error))
            return
        else:
            if feed in self._feeds:
                self._take(feed, page, first=first)
        finally:
            feed.busy = False
            if feed in self._feeds and self.is_attached:
                self._settle()
        if feed in self._feeds and feed.more and (feed.is_near or self._wants_more()):
            self._ask(feed)

    def _take(self, feed: Feed[T], page: Page[T], *, first: bool) -> None:
        feed.total, feed.note, feed.kept_at = page.total, page.note or feed.note, None
        if page.unreadable:
            feed.note = f"{page.unreadable} items unreadable"
        feed.empty_pages = 0 if page.items else feed.empty_pages + 1
        cursor = page.next_cursor
        if cursor is not None and cursor in feed.seen:
            cursor, feed.note = None, "list may be incomplete: the server repeats a page"
        if cursor is not None:
            feed.seen.add(cursor)
        feed.cursor, feed.more = cursor, cursor is not None
        self.rows.set_gone([self.rows.key(row) for row in page.items], gone=False)
        if first and feed.replaces:
            self.rows.replace(page.items)
        elif first and self.rows.rows:
            self._merge(feed, page)
        else:
            self.rows.append(page.items)

    def _merge(self, feed: Feed[T], page: Page[T]) -> None:
        """A first page over old rows: the page, then the old rows of this feed that follow it.

        Without an overlap, or at the end of the listing, old rows of this feed are gone on the server.
        """
        key = self.rows.key
        new = {key(row) for row in page.items}
        others = [row for row in self.rows.rows if not feed.owns(row)]
        old = [row for row in self.rows.rows if feed.owns(row)]
        last = max((n for n, row in enumerate(old) if key(row) in new), default=len(old))
        rest = old[last + 1 :] if page.next_cursor is not None else []
        self.rows.replace([*others, *page.items, *(row for row in rest if key(row) not in new)])

    def _wants_more(self) -> bool:
        if any(feed.reach for feed in self._feeds):
            return self.rows.shown < self.rows.size.height
        if self._filter_text or any(feed.empty_pages >= EMPTY_PAGES for feed in self._feeds):
            return False
        return self.rows.shown < self.rows.size.height

    @on(RowList.NearEnd)
    def _near_end(self, event: RowList.NearEnd) -> None:
        event.stop()
        for feed in self._feeds:
            # A filter looks at what is loaded; only one that the provider knows of pulls in page after page.
            if feed.reach or not self._filter_text:
                self._ask(feed)

    # What is said around the rows -------------------------------------------------------------------------

    def _settle(self) -> None:
        """Brings tail, placeholder, error banner and title in line with the state."""
        if not self.rows.is_attached:  # its screen is being closed, and its parts are gone before it
            return
        loading = self.is_loading
        self._keep_time(loading=loading)
        self.rows.set_tail(self._tail(loading=loading))
        if self._feeds:
            self.rows.set_placeholder(*self._placeholder(loading=loading))
        self._show_errors()
        self._retitle()

    def _keep_time(self, *, loading: bool) -> None:
        """Looks again while something is on its way, and only then."""
        if loading and self._loading_since is None:
            self._loading_since = monotonic()
            self.set_timer(SKELETON_S, self._settle)
            if self._waiting is not None:
                self._waiting.resume()
        elif not loading:
            self._loading_since = None
            if self._waiting is not None:
                self._waiting.pause()

    def _patience(self) -> str:
        """For whom the pane waits, once that takes long."""
        waited_s = monotonic() - self._loading_since if self._loading_since is not None else 0.0
        if waited_s < PATIENCE_S:
            return ""
        names = ", ".join(clean(feed.name, 40) for feed in self._feeds if feed.busy)
        return f"Still waiting for {names}, {waited_s:.0f} s"

    def _tail(self, *, loading: bool) -> str:
        if loading:
            return self._patience() or "loading…"
        return "more…" if self._has_more else ""

    def _placeholder(self, *, loading: bool) -> tuple[str, ...]:
        if loading:
            pages = sum(feed.empty_pages for feed in self._feeds if feed.reach)
            if pages:
                return (f"Nothing in {count(pages, 'page')} yet…", "esc stops.")
            is_slow = self._loading_since is not None and monotonic() - self._loading_since >= SKELETON_S
            return (self._patience() or "Loading…", *(("", *_SKELETON) if is_slow else ()))
        if self._filter_text and self.rows.rows:
            return (f"Nothing matches “{clean(self._filter_text)}”.", "esc clears the filter.")
        if self.errors:
            return ()
        return self._empty()

    def _show_errors(self) -> None:
        lines = [self._filter_problem] if self._filter_problem else []
        for feed in self._feeds:
            if feed.error is not None:
                hint = f" {feed.error.hint}" if feed.error.hint else ""
                lines.append(f"{clean(feed.name)} · r retries, ! detail")
                lines.append(clean(f"{feed.error.message}{hint}"))
        if self._banner is None:
            if not lines:
                return
            self._banner = Static(classes="pane--error", markup=False)
            self.mount(self._banner, before=0)
        self._banner.display = bool(lines)
        self._banner.update(Content("\n".join(lines)))

    def _retitle(self) -> None:
        rows, loaded = self.rows, len(self.rows.rows)
        title = f"{self._title} · {clean(self._subject, 40)}" if self._subject else self._title
        self.border_title = Content(title)
        parts = []
        if loaded or self._feeds:
            totals = [feed.total for feed in self._feeds]
            known = sum(total for total in totals if total is not None) if None not in totals else None
            if self._filter_text:
                parts.append(f"{rows.shown:,} of {loaded:,}{'+' if self._has_more else ''}")
            elif known is not None and known > loaded:
                parts.append(f"{loaded:,} of {known:,}")
            else:
                parts.append(f"{loaded:,}{'+' if self._has_more else ''}")
        parts.extend(self._sums())
        if rows.sort_title:
            parts.append(rows.sort_title)
        if self.as_of is not None:
            parts.append(f"as of {age(self.as_of, self._now())} ago")
        parts.extend(clean(feed.reach) for feed in self._feeds if feed.reach)
        parts.extend(clean(feed.note) for feed in self._feeds if feed.note)
        self.border_subtitle = Content(" · ".join(parts))

    def _sums(self) -> list[str]:
        marked, size_of = self.rows.marked, self._size_of
        if marked:
            total = f", {size(sum(size_of(row) or 0 for row in marked))}" if size_of else ""
            return [f"{len(marked):,} marked{total}"]
        if size_of and self.rows.rows:
            return [size(sum(size_of(row) or 0 for row in self.rows.rows if not self.rows.is_gone(self.rows.key(row))))]
        return []

    @on(RowList.Changed)
    def _rows_changed(self, event: RowList.Changed) -> None:
        event.stop()
        self._retitle()
        if self._titles is not None:
            self._titles.look()

    def action_error_detail(self) -> None:
        """Shows the first error whole."""
        if self.errors:
            self.post_message(self.ErrorAsked(self.errors[0]))

    # Filter -----------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Opens the filter line."""
        if not self.is_attached:  # a key that came in as its screen was closed
            return
        line = self._filter_line()
        line.display = True
        self.screen.set_focus(line)

    def _filter_line(self) -> Input:
        if self._line is None:
            self._line = Input(placeholder="filter", compact=True, classes="pane--filter")
            self.mount(self._line)
        return self._line

    def action_leave_filter(self, clear: bool) -> None:
        """From the filter line back to the list; `clear` takes the filter away."""
        if clear:
            self._set_filter("")
        self.screen.set_focus(self.rows)
        self._show_line()
        self.post_message(self.FilterSettled(self))

    def _show_line(self) -> None:
        """The line is there while it is typed into or filters."""
        if self._line is not None:
            self._line.display = bool(self._filter_text) or self.screen.focused is self._line

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the filter line a slash is a slash; outside it enter opens and escape goes back."""
        if action in {"filter", "leave_filter"}:
            # Not `has_focus`: that is set later, by an event, when keys of the same packet have passed already.
            is_typing = self._line is not None and self.screen.focused is self._line
            return is_typing is (action == "leave_filter")
        return True

    def _set_filter(self, text: str) -> None:
        if self._line is not None or (text and self.is_attached):
            line = self._filter_line()
            with line.prevent(Input.Changed):
                line.value = text
        self._apply_filter(text)

    def _apply_filter(self, text: str) -> None:
        self._filter_text, self._filter_problem = text, ""
        try:
            self.rows.set_filter(parse_filter(text, self._fields, now=self._now()))
        except FilterError as error:
            self._filter_problem = f"Filter: {error}."
        self._show_line()
        self._settle()

    @on(Input.Changed)
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._apply_filter(event.value)  # the line itself may be further by now: never written back
