"""The newest builds of all apps of all accounts in one list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.models import AccountName
from tui.models.filter import Fields
from tui.paths import BuildSelector, DigPath
from tui.screens.help_toggle import HelpToggle
from tui.services import Services
from tui.services.newest import AppBuild, Newest
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.dialogs import TextDialog
from tui.widgets.format import age, build_name, duration, status
from tui.widgets.keybar import KeyBar
from tui.widgets.lists import BUILD_FIELDS, build_tone
from tui.widgets.pane import Feed, Pane
from tui.widgets.rowlist import RowList

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class NewestScreen(HelpToggle):
    """Gives back the path of the build that was chosen, or None.

    Args:
        services: Accounts and listings.
        now: The clock, aware UTC.
    """

    HELP = """
# Newest builds

Builds of all apps of all accounts, the newest first; `/` filters them: `app:acme branch:main status:failed`.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left,backspace,N", "back", "Back", id="newest.back"),
        Binding("r", "refresh_rows", "Refresh", id="newest.refresh", tooltip="Ask all accounts again"),
        Binding("question_mark,f1", "toggle_help", "Help", id="app.help"),
        Binding("q", "close", "Close", id="newest.close"),
    ]

    def __init__(self, services: Services, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._services = services
        self._newest = Newest(services.listings, services.catalog)
        rows = RowList[AppBuild](
            _columns(now, lambda account: services.sessions[account].badge),
            key=lambda row: row[1].ref,
            order=_newest_first,
            id="newest-list",
        )
        self.builds = Pane[AppBuild]("Newest builds", rows, _FIELDS, now=now, has_titles=True, id="newest")

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield self.builds
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Crumbs).show("all apps", "")
        self.builds.rows.focus()
        self.builds.show("all apps", self._feeds(), empty=lambda: ("No builds in any account.",))

    def _feeds(self, *, anew: bool = False) -> list[Feed[AppBuild]]:
        feeds = []
        for name, session in self._services.sessions.items():
            if not self._newest.has_builds(session):
                continue
            kept = None if anew else self._newest.kept(name)
            feed = Feed[AppBuild](name, partial(self._newest.page, session, anew=anew))
            feed.owns = partial(_is_of_account, name)
            if kept is not None:
                feed.kept, feed.kept_at = kept.items, kept.seen_at
            feeds.append(feed)
        return feeds

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        row = self.builds.rows.current
        if row is not None:
            ref = row[1].ref
            self._leave(DigPath(ref.account, ref.app, BuildSelector(ref.build)))

    def _leave(self, path: DigPath | None) -> None:
        self.builds.clear()  # a page that is under way would come to a pane without its widgets
        self.dismiss(path)

    @on(Pane.ErrorAsked)
    def _error_asked(self, event: Pane.ErrorAsked) -> None:
        self.app.push_screen(TextDialog(type(event.error).__name__, str(event.error)))

    def action_refresh_rows(self) -> None:
        """Asks all accounts again."""
        self.builds.refresh_rows(self._feeds(anew=True))

    def action_back(self) -> None:
        """Clears the filter, else goes back."""
        if not self.builds.drop_filter():
            self._leave(None)

    def action_close(self) -> None:
        """Goes back."""
        self._leave(None)


def _is_of_account(name: AccountName, row: AppBuild) -> bool:
    return row[0].ref.account == name


def _newest_first(row: AppBuild) -> float:
    return -(row[1].created_at or _LONG_AGO).timestamp()


def _columns(now: Callable[[], datetime], badge: Callable[[AccountName], str]) -> tuple[Column[AppBuild], ...]:
    return (
        Column("badge", "Provider", lambda row: badge(row[0].ref.account), 3, drop=3, tone=lambda _: "muted"),
        Column("status", "Status", lambda row: status(row[1]), 11, tone=lambda row: build_tone(row[1]),
               sort=lambda row: row[1].status),
        Column("app", "App", lambda row: row[0].title, 12, grow=2, sort=lambda row: row[0].title.casefold()),
        Column("number", "Number", lambda row: build_name(row[1]), 7, align="right"),
        Column("branch", "Branch", lambda row: row[1].tag or row[1].branch or "", 10, grow=2,
               sort=lambda row: row[1].tag or row[1].branch or ""),
        Column("workflow", "Workflow", lambda row: row[1].workflow or "", 9, grow=1, drop=4, tone=lambda _: "muted",
               sort=lambda row: row[1].workflow),
        Column("took", "Took", lambda row: duration(row[1].duration_s), 7, align="right", drop=5,
               tone=lambda _: "muted", sort=lambda row: row[1].duration_s),
        Column("age", "Age", lambda row: age(row[1].created_at, now()), 3, align="right", drop=2,
               tone=lambda _: "muted"),
    )  # fmt: skip


def _of_build(read: Callable[..., str]) -> Callable[[AppBuild], str]:
    return lambda row: read(row[1])


_FIELDS: Final[Fields[AppBuild]] = Fields(
    haystack=lambda row: f"{row[0].title.lower()} {row[0].ref.account.lower()} {BUILD_FIELDS.haystack(row[1])}",
    texts={
        "app": lambda row: row[0].title.lower(),
        "account": lambda row: row[0].ref.account.lower(),
        **{name: _of_build(read) for name, read in BUILD_FIELDS.texts.items()},
    },
    date=lambda row: row[1].created_at,
)
