"""Global search: apps, builds and artifacts of everything that was listed, while one types."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from tui.assets import stylesheet
from tui.catalog.store import Catalog
from tui.models import ArtifactRef, BuildRef
from tui.models.findings import Findings, Hit
from tui.paths import DigPath
from tui.services.searching import CatalogSearch, path_of
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.format import GLYPHS, age, count, size
from tui.widgets.keybar import KeyBar
from tui.widgets.rowlist import RowList


class SearchScreen(Screen[DigPath | None]):
    """Gives back the path of what was chosen, or None.

    Args:
        catalog: What was listed; None in a run that keeps nothing.
        now: The clock, aware UTC.
    """

    CSS_PATH = stylesheet("search")
    HELP = """
# Search

Looks for words in everything that was listed: names of apps, numbers, branches, workflows and messages of builds,
titles of artifacts. All words must be there: `acme 88 ipa`.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="search.close"),
        Binding("down", "move(1)", "Down", id="search.down", show=False, priority=True),
        Binding("up", "move(-1)", "Up", id="search.up", show=False, priority=True),
        Binding("pagedown", "page(1)", "Page down", id="search.page-down", show=False, priority=True),
        Binding("pageup", "page(-1)", "Page up", id="search.page-up", show=False, priority=True),
    ]

    def __init__(self, catalog: Catalog | None, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._search = CatalogSearch(catalog) if catalog is not None else None
        self._now = now
        self._found_for = ""
        self._opens = False  # enter came before the answer
        self.rows = RowList[Hit](_columns(now), key=lambda hit: hit.ref, group=_heading, id="search-hits")

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Input(placeholder="words in names, branches, numbers, messages, titles", compact=True, id="search-words")
        with Vertical(classes="frame") as frame:
            frame.border_title = "Found"
            yield self.rows
        yield Static("", id="search-state", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Crumbs).show("Search in everything that was listed", "")
        self.query_one(Input).focus()
        self._say(None)

    @property
    def state(self) -> str:
        """What is said below the hits."""
        return str(self.query_one("#search-state", Static).content)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._opens = False
        self._look_for(event.value)

    @work(exclusive=True, group="search", description="search")
    async def _look_for(self, words: str) -> None:
        if self._search is None:
            return
        async for found in self._search.find(words):
            self._found_for = words
            self.rows.replace(found.hits)
            self._say(found)
            if self._opens and found.hits:
                self._open()

    def _say(self, found: Findings | None) -> None:
        words = self.query_one(Input).value.strip()
        if self._search is None:
            lines = ("Nothing is kept in this run, so there is nothing to search in.",)
        elif found is not None and found.is_partial and not found.hits:
            lines = ("Nothing yet…",)
        elif words:
            lines = (f"Nothing that was listed has {'all of this' if ' ' in words else 'this'}.",)
        else:
            lines = ("Type words; all of them must be there.",)
        self.rows.set_placeholder(*lines)
        parts = []
        if found is not None and words:
            parts.append(f"{len(found.hits):,}{'+' if found.has_more or found.is_partial else ''} found")
            if found.is_partial:
                parts.append("partial: not everything was looked through yet")
        parts.extend(self._coverage())
        self.query_one("#search-state", Static).update(Content(" · ".join(parts)))

    def _coverage(self) -> list[str]:
        search = self._search
        if search is None:
            return []
        parts = [f"{count(search.apps, 'app')}, {count(search.builds, 'build')}"]
        if search.as_of is not None:
            parts[0] += f", oldest listing: {age(search.as_of, self._now())}"
        if search.never_listed:
            parts.append(f"{count(search.never_listed, 'app')} never opened")
        if search.unlisted:
            parts.append(f"artifacts of {count(search.unlisted, 'build')} never listed")
        return [*parts, "digsite index completes it"] if len(parts) > 1 else parts

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._found_for == event.value:
            self._open()
        else:
            self._opens = True

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self._open()

    def _open(self) -> None:
        if self.rows.current is not None and self.is_current:
            self.dismiss(path_of(self.rows.current))

    def action_move(self, rows: int) -> None:
        """Moves through the hits; the words keep the focus."""
        self.rows.action_move(rows)

    def action_page(self, pages: int) -> None:
        """Moves by a page."""
        self.rows.action_page(pages)

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss(None)


def _heading(hit: Hit) -> str:
    match hit.ref:
        case ArtifactRef():
            return "Artifacts"
        case BuildRef():
            return "Builds"
        case _:
            return "Apps"


def _columns(now: Callable[[], datetime]) -> tuple[Column[Hit], ...]:
    return (
        Column("name", "Name", _name, 20, grow=2),
        Column("place", "Place", _place, 12, grow=2, tone=lambda _: "muted"),
        Column("size", "Size", lambda hit: "" if hit.title is None else size(hit.size_bytes), 8, align="right", drop=2,
               tone=lambda _: "muted"),
        Column("age", "Age", lambda hit: age(hit.created_at, now()), 3, align="right", drop=1,
               tone=lambda _: "muted"),
    )  # fmt: skip


def _name(hit: Hit) -> str:
    if isinstance(hit.ref, ArtifactRef):
        return hit.title or f"({hit.ref.artifact})"
    if isinstance(hit.ref, BuildRef):
        glyph = f"{GLYPHS[hit.status]} " if hit.status is not None else ""
        return f"{glyph}{_build(hit)} {hit.branch or ''} {hit.commit_message or ''}"
    return hit.app_title


def _place(hit: Hit) -> str:
    if isinstance(hit.ref, ArtifactRef):
        return f"{hit.app_title} {_build(hit)} {hit.branch or ''}"
    if isinstance(hit.ref, BuildRef):
        return f"{hit.app_title} {hit.workflow or ''}"
    return str(hit.ref.account)


def _build(hit: Hit) -> str:
    return f"#{hit.number}" if hit.number is not None else ""
