"""The explorer: apps, builds and artifacts side by side, the focus moving right as you drill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.timer import Timer
from textual.widgets import Static

from tui.errors import DigsiteError, NotFound
from tui.models import AccountName, App, Artifact, Build
from tui.safe_text import clean
from tui.screens.acting import Acting
from tui.screens.explorer_keys import BINDINGS
from tui.screens.help_toggle import HelpToggle
from tui.services import Services
from tui.widgets.crumbs import Crumbs
from tui.widgets.detail import DetailPanel
from tui.widgets.facts import Facts, app_facts, build_facts
from tui.widgets.keybar import KeyBar
from tui.widgets.lists import APP_FIELDS, ARTIFACT_FIELDS, BUILD_FIELDS, app_list, artifact_list, build_list
from tui.widgets.pane import Pane
from tui.widgets.rowlist import RowList

if TYPE_CHECKING:
    from tui.paths import DigPath
    from tui.widgets.dock import TransfersDock
    from tui.widgets.tabs import TabStrip

DETAIL_REST_S = 0.08
"""The cursor must have rested so long before the detail follows: never once per key of a held arrow."""
PREFETCH_REST_S = 0.15
"""After so long what is behind the row under the cursor is fetched in advance."""
DOCK_PERIOD_S = 0.5


class Explorer(HelpToggle):
    """The main screen.

    Args:
        services: Accounts and transfers.
        start: Where to open; None opens at the list of apps.
        start_filter: What is filtered there.
        now: The clock, aware UTC.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (20, "-one"), (70, "-two"), (110, "-three"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (5, "-short"), (30, "-tall")]  # noqa: RUF012
    HELP = """
# digsite

Drill from app to build to artifact with `enter`, go back with `esc`.
Filter a list with `/`: `branch:main status:failed since:7d !debug`.
Mark rows with `space`; `d`, `p` and `X` then act on all marked rows.
`:` takes commands and goes anywhere: `:stats`, `:acme-android/latest-green@main`.
"""
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    def __init__(
        self, services: Services, *, start: DigPath | None, start_filter: str = "", now: Callable[[], datetime]
    ) -> None:
        super().__init__(classes="-at-apps")
        self._level = "apps"
        self._services, self._start, self._start_filter, self._now = services, start, start_filter, now
        self._acting = acting = Acting(self, services, now)
        columns = services.config.habits.columns
        self._app_rows = app_list(lambda account: services.sessions[account].badge, columns.get("apps", ()))
        self._build_rows = build_list(now, columns.get("builds", ()))
        self._artifact_rows = artifact_list(
            now,
            lambda artifact: acting.comparing.change_text(artifact),
            columns.get("artifacts", ()),
            kept=lambda artifact: acting.keeping.text(artifact),
            has_archive=bool(services.config.archive_rules),
        )
        self.apps = Pane[App]("Apps", self._app_rows, APP_FIELDS, now=now, id="apps")
        self.builds = Pane[Build]("Builds", self._build_rows, BUILD_FIELDS, now=now, id="builds")
        self.artifacts = Pane[Artifact](
            "Artifacts",
            self._artifact_rows,
            ARTIFACT_FIELDS,
            now=now,
            size_of=lambda a: a.size_bytes,
            id="artifacts",
        )
        self.open_app: App | None = None
        self.open_build: Build | None = None
        self.only_account: AccountName | None = None
        self._detail_timer: Timer | None = None
        self._dock: TransfersDock | None = None
        self._tabs = self._make_tabs() if services.config.habits.digs else None

    def _make_tabs(self) -> TabStrip:
        from tui.widgets.tabs import TabStrip  # here and below, what is not for the first paint

        return TabStrip(self._acting.elsewhere.tabs, id="digs-tabs")

    def compose(self) -> ComposeResult:
        yield Crumbs()
        if self._tabs is not None:
            yield self._tabs
        with Container(id="body"):
            with Horizontal(id="panes"):
                yield self.apps
                yield self.builds
                yield self.artifacts
            detail = DetailPanel(id="detail")
            detail.border_title = "Detail"
            yield detail
        yield KeyBar()
        yield Static("The window is too small for digsite.", id="too-small")

    def on_mount(self) -> None:
        self._app_rows.focus()
        self.builds.clear("", "Open an app to see its builds.")
        self.artifacts.clear("", "Open a build to see its artifacts.")
        self.set_interval(DOCK_PERIOD_S, self._poll_transfers)
        self.apps.show("", self._acting.feeds.apps(), empty=self._acting.feeds.no_apps)
        self.call_after_refresh(self._begin)  # the first paint waits for no answer

    def on_unmount(self) -> None:
        self._acting.history.keep()

    def _begin(self) -> None:
        self._acting.follower.start()
        self._acting.downloads.restore()
        catalog = self._services.catalog
        if catalog is not None and catalog.message:
            self.notify(clean(catalog.message), severity="warning", markup=False)
        for problem in self._services.problems:
            self.notify(clean(str(problem)), severity="error", markup=False)
        self._tell_unknown_columns()
        if not self._services.sessions:
            self._acting.accounts.choose(welcome=True)
        if self._start is not None and self._start.account is not None:
            self._acting.elsewhere.start(self._start, self._start_filter)

    def _tell_unknown_columns(self) -> None:
        chosen = self._services.config.habits.columns
        for pane in (self.apps, self.builds, self.artifacts):
            if unknown := set(chosen.get(str(pane.id), ())) - pane.rows.column_keys:
                self.notify(f"[columns] {pane.id}: there is no {', '.join(sorted(unknown))}.", markup=False)

    # Panes and where the focus is -------------------------------------------------------------------------

    @property
    def services(self) -> Services:
        """What the screen works with."""
        return self._services

    @property
    def pane(self) -> Pane[Any]:
        """The pane that has the focus, or had it last."""
        panes: dict[str, Pane[Any]] = {"apps": self.apps, "builds": self.builds, "artifacts": self.artifacts}
        return panes[self._level]

    def _go(self, level: str) -> None:
        self._level = level
        for name in ("apps", "builds", "artifacts"):
            self.set_class(name == level, f"-at-{name}")

    def on_descendant_focus(self) -> None:
        for pane in (self.apps, self.builds, self.artifacts):
            if self.focused is not None and pane in self.focused.ancestors:
                self._go(str(pane.id))
        self._follow()

    def focus_pane(self, pane: Pane[Any]) -> None:
        """Goes to a pane."""
        self._go(str(pane.id))  # the pane may be hidden on a narrow screen until it is where we are
        self.call_after_refresh(pane.rows.focus)

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        match event.rows.current:
            case App() as app:
                self.show_builds(app)
            case Build() as build:
                self.show_artifacts(build)
            case Artifact():
                self.action_detail()

    def show_builds(self, app: App) -> None:
        """Opens an app."""
        self.open_app, self.open_build, self._acting.narrowing.query = app, None, None
        self.builds.show(app.title, self._acting.feeds.builds(app), empty=lambda: ("This app has no builds.",))
        self.artifacts.clear("", "Open a build to see its artifacts.")
        self.focus_pane(self.builds)
        self._acting.history.visited(app)

    def show_artifacts(self, build: Build) -> None:
        """Opens a build."""
        self.open_build = build
        name = f"#{build.number}" if build.number is not None else str(build.ref.build)
        feeds = self._acting.feeds
        rows = self.builds.rows
        self.artifacts.show(
            name, feeds.artifacts(build), empty=lambda: feeds.no_artifacts(rows.find(build.ref) or build)
        )
        self.focus_pane(self.artifacts)
        self._acting.keeping.look(self.open_app, build)
        if self.open_app is not None:
            self._acting.history.visited(self.open_app, build)

    @on(Pane.FilterSettled)
    def _filter_settled(self, event: Pane.FilterSettled) -> None:
        """A filter of builds reaches beyond what is loaded, where its terms are whole words that a provider knows."""
        event.stop()
        if event.pane is not self.builds or self.open_app is None:
            return
        if self._acting.narrowing.follow(self.builds.filter_text, self._build_rows.shown_rows):
            self.builds.restart(self._acting.feeds.builds(self.open_app, self._acting.narrowing.query))

    def action_back(self) -> None:
        """Closes the filter, else goes one pane back."""
        if self.pane.drop_filter():
            return
        if self.pane is self.artifacts:
            self.focus_pane(self.builds)
        elif self.pane is self.builds:
            self.focus_pane(self.apps)

    # Refresh ----------------------------------------------------------------------------------------------

    def action_refresh_pane(self) -> None:
        """Loads this pane again."""
        self.refresh_pane(self.pane)

    def refresh_pane(self, pane: Pane[Any]) -> None:
        """Loads one pane again; its rows stay meanwhile."""
        if pane is self.apps:
            self.apps.refresh_rows(self._acting.feeds.apps(self.only_account, anew=True))
        elif pane is self.builds and self.open_app is not None:
            self.builds.refresh_rows(self._acting.feeds.builds(self.open_app, self._acting.narrowing.query, anew=True))
        elif pane is self.artifacts and self.open_build is not None:
            self.artifacts.refresh_rows(self._acting.feeds.artifacts(self.open_build, anew=True))

    def action_refresh_all(self) -> None:
        """Loads all panes again."""
        for pane in (self.apps, self.builds, self.artifacts):
            self.refresh_pane(pane)

    # Detail, breadcrumb, dock -----------------------------------------------------------------------------

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        if event.rows is self.pane.rows:
            self._follow()

    def _follow(self) -> None:
        self.workers.cancel_group(self, "prefetch")
        if self._detail_timer is not None:
            self._detail_timer.stop()
        self._detail_timer = self.set_timer(DETAIL_REST_S, self.show_place)

    def show_place(self) -> None:
        """Shows detail and path of the row under the cursor."""
        if not self.is_attached:
            return
        self.query_one(DetailPanel).show(self.facts())
        self.show_tab()
        row = self.pane.rows.current
        place = row or (self.open_build if self.pane is self.artifacts else self.open_app)
        account = place.ref.account if place is not None else None
        self.query_one(Crumbs).show(self.path_of(place), self._acting.place.account_side(account))
        if self.pane.rows.is_placed:
            self._detail_timer = self.set_timer(PREFETCH_REST_S - DETAIL_REST_S, partial(self._prefetch, row))

    @work(group="prefetch", exclusive=True, description="fetch in advance")
    async def _prefetch(self, row: App | Build | Artifact | None) -> None:
        listings = self._services.listings
        with suppress(DigsiteError):  # it shows when the row is opened
            match row:
                case App() if row != self.open_app:
                    await listings.prefetch_builds(self._services.sessions[row.ref.account], row.ref)
                case Build() if row != self.open_build:
                    await listings.prefetch_artifacts(self._services.sessions[row.ref.account], row)
                case _:
                    return

    @property
    def shown_facts(self) -> Facts:
        """What the detail panel shows: it follows once the cursor rests."""
        return self.query_one(DetailPanel).facts

    def facts(self) -> Facts:
        """What is known of the row under the cursor."""
        match self.pane.rows.current:
            case App() as app:
                return app_facts(app)
            case Build() as build:
                return build_facts(build, self._now())
            case Artifact() as artifact:
                return [*self._acting.comparing.facts(artifact), *self._acting.keeping.facts(artifact)]
            case _:
                return []

    def path_of(self, row: App | Build | Artifact | None) -> str:
        """The path of a row, as the command line takes it."""
        return self._acting.place.path_of(row)

    def _poll_transfers(self) -> None:
        snapshot = self._acting.downloads.shown()
        if self._dock is None:
            if not (snapshot.transfers and self.is_attached):
                return
            from tui.widgets.dock import TransfersDock

            self._dock = TransfersDock()
            self.mount(self._dock, before=self.query_one(KeyBar))
        self._dock.show(snapshot)

    def action_detail(self) -> None:
        """Everything known of this row, on a screen of its own."""
        row = self.pane.rows.current
        if isinstance(row, Build):
            self.action_build("view")
        elif isinstance(row, Artifact):
            self._acting.comparing.show_detail(row)
        elif facts := self.facts():
            from tui.widgets.dialogs import TextDialog

            width = max(len(label) for label, _ in facts)
            self.app.push_screen(
                TextDialog("Detail", "\n".join(f"{label:<{width}}  {value}" for label, value in facts))
            )
        self._acting.artifacts.load_install_url()

    @on(Pane.Failed)
    def _failed(self, event: Pane.Failed) -> None:
        """An app or build that was opened and is not there: its row says so, the other rows stay."""
        if isinstance(event.error, NotFound):
            if event.pane is self.builds and self.open_app is not None:
                self.apps.rows.set_gone([self.open_app.ref], gone=True)
            elif event.pane is self.artifacts and self.open_build is not None:
                self.builds.rows.set_gone([self.open_build.ref], gone=True)

    @on(Pane.ErrorAsked)
    def _error_asked(self, event: Pane.ErrorAsked) -> None:
        from tui.widgets.dialogs import TextDialog

        error = event.error
        hint = f"\n\n{error.hint}" if error.hint else ""
        self.app.push_screen(TextDialog(type(error).__name__, f"{error.message}{hint}"))

    # What is done with rows -------------------------------------------------------------------------------

    def chosen(self) -> Sequence[App | Build | Artifact]:
        """The marked rows of this pane, else the row under the cursor."""
        rows: RowList[Any] = self.pane.rows
        return rows.marked or ([rows.current] if rows.current is not None else [])

    def action_download(self) -> None:
        """Downloads the chosen artifacts, or all artifacts of the chosen builds."""
        self._acting.downloads.start(self.chosen(), with_options=False)

    def action_download_options(self) -> None:
        """Downloads after a dialog: folder, names, what to do where a name is taken, unpacking."""
        self._acting.downloads.start(self.chosen(), with_options=True)

    def action_transfers(self) -> None:
        """Opens the list of all transfers."""
        self._acting.views.show_transfers()

    def action_publish(self) -> None:
        """Switches the public install page of the chosen artifacts."""
        self._acting.artifacts.publish(self.chosen())

    def action_delete(self) -> None:
        """Deletes the chosen artifacts, after a question."""
        self._acting.artifacts.delete(self.chosen())

    def action_keep(self, how: str) -> None:
        """Pins the chosen rows, or archives them."""
        (self._acting.keeping.pin if how == "pin" else self._acting.keeping.archive)(self.chosen())

    def action_view(self, number: int) -> None:
        """Goes to a view; 1 to 3 are the panes."""
        self._acting.views.show(number)

    def action_look_inside(self) -> None:
        """Opens the artifact under the cursor as an archive."""
        from tui.screens.inside import InsideScreen  # not before it is wanted: the first paint waits for imports

        row = self.pane.rows.current
        if isinstance(row, Artifact):
            self.app.push_screen(
                InsideScreen(self._services, row, self.path_of(row), self._now, self._acting.comparing.keep_facts)
            )
        else:
            self.notify("Open a build and choose an artifact to look inside.", severity="warning")

    def action_compare(self) -> None:
        """Shows what changed between two marked rows, or since the green build before."""
        self._acting.comparing.compare()

    def action_build(self, what: str) -> None:
        """Shows or changes the build under the cursor, or the one whose artifacts are shown."""
        row = self.pane.rows.current
        build = row if isinstance(row, Build) else self.open_build if self.pane is self.artifacts else None
        self._acting.builds.do(what, row if isinstance(row, App) else self.open_app, build, self.path_of(build))

    def action_undo(self) -> None:
        """Takes back what was done last."""
        self._acting.undo.back()

    def action_hand_off(self, what: str) -> None:
        """Copies, opens or shows the row under the cursor in another form."""
        self._acting.hand_off.do(what, self.pane.rows.current)

    def action_programs(self) -> None:
        """Offers programs and commands of the user's own for the row under the cursor."""
        self._acting.programs.offer(self.pane.rows.current)

    def action_elsewhere(self, what: str) -> None:
        """Asks where to go: search, newest builds, saved digs."""
        self._acting.elsewhere.go(what)

    def action_tab(self, steps: int) -> None:
        """Goes to the saved dig so many tabs further."""
        self._acting.elsewhere.next_tab(steps)

    def on_tab_strip_chosen(self, event: TabStrip.Chosen) -> None:
        event.stop()
        self._acting.elsewhere.open_tab(event.index)

    def show_tab(self) -> None:
        """Marks the tab of what is shown."""
        if self._tabs is not None:
            self._tabs.show(self._acting.elsewhere.tab)

    def open_path(self, path: DigPath) -> None:
        """Goes to what a path names; says why where that cannot be."""
        self._acting.elsewhere.open(path)

    async def go(self, path: DigPath, row_filter: str, dig: str | None) -> None:
        """Goes to what a path names, or raises a DigsiteError."""
        self.workers.cancel_group(self, "open")
        await self._acting.elsewhere.show(path, row_filter, dig)

    def action_travel(self, steps: int) -> None:
        """Goes back or forward over what was opened."""
        self._acting.history.go(steps)

    @on(RowList.Marked)
    def _marked(self, event: RowList.Marked) -> None:
        self._acting.undo.did("Marks", partial(event.rows.set_marks, event.before))

    def action_cancel_transfers(self) -> None:
        """Cancels what runs; with nothing running, clears what is finished."""
        self._acting.downloads.cancel()

    def action_accounts(self) -> None:
        """Opens the list of accounts."""
        self._acting.accounts.choose()

    def show_account(self, account: AccountName | None) -> None:
        """Switches to the apps of one account, or back to those of all."""
        self.only_account = account
        self.apps.show(account or "", self._acting.feeds.apps(account), empty=self._acting.feeds.no_apps)
        self.focus_pane(self.apps)
