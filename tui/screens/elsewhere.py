"""Ways from the explorer to somewhere else: a path, the search, the newest builds, the saved digs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tui.digs import read_dig
from tui.errors import DigsiteError, PathError
from tui.models import AccountName, AppRef, BuildRef
from tui.models.filter import Fields, FilterError, parse_filter
from tui.paths import DigPath
from tui.safe_text import clean
from tui.services import Services
from tui.services.resolve import Found
from tui.widgets.lists import APP_FIELDS, ARTIFACT_FIELDS, BUILD_FIELDS

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

ALL: Final = "All"
"""The tab that is no dig: the apps of all accounts."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """Where a dig has led."""

    name: str
    filter: str
    account: AccountName | None
    app: AppRef | None
    build: BuildRef | None

    def is_shown_by(self, screen: Explorer) -> bool:
        """Whether the explorer still shows it; it may be drilled down from there."""
        if self.build is not None:
            pane: Any = screen.artifacts
            is_there = screen.open_build is not None and screen.open_build.ref == self.build
        elif self.app is not None:
            pane, is_there = screen.builds, screen.open_app is not None and screen.open_app.ref == self.app
        else:
            pane, is_there = screen.apps, screen.only_account == self.account
        return is_there and (not self.filter or pane.filter_text == self.filter)


class Elsewhere:
    """Asks where to go and takes one explorer there.

    Args:
        screen: The explorer.
        services: Accounts and the catalog.
        now: The clock, aware UTC.
    """

    def __init__(self, screen: Explorer, services: Services, now: Callable[[], datetime]) -> None:
        self._screen, self._services, self._now = screen, services, now
        self._opened: _Opened | None = None
        self._wanted: str | None = None

    def go(self, what: str) -> None:
        """What a key asks for: `search`, `newest` or `digs`."""
        {"search": self.search, "newest": self.newest, "digs": self.digs}[what]()

    def search(self) -> None:
        """Searches in everything that was listed."""
        from tui.screens.search import SearchScreen  # none of these before they are wanted

        self._screen.app.push_screen(SearchScreen(self._services.catalog, self._now), self._go)

    def newest(self) -> None:
        """Shows the newest builds of all apps."""
        from tui.screens.feed_view import NewestScreen

        self._screen.app.push_screen(NewestScreen(self._services, self._now), self._go)

    def digs(self) -> None:
        """Lists the saved digs."""
        from tui.screens.digs_dialog import DigsDialog

        self._screen.app.push_screen(DigsDialog(self._digs), self._chosen)

    # Saved digs as tabs -----------------------------------------------------------------------------------

    @property
    def _digs(self) -> Mapping[str, str]:
        return self._services.config.habits.digs

    @property
    def tabs(self) -> list[str]:
        """What the tabs are called; none where no dig is saved."""
        return [ALL, *(f"@{name}" for name in self._digs)] if self._digs else []

    @property
    def tab(self) -> int:
        """The tab that is on its way, else the one that is shown."""
        names, name = list(self._digs), self._wanted
        if name is None and self._opened is not None and self._opened.is_shown_by(self._screen):
            name = self._opened.name
        return names.index(name) + 1 if name in names else 0

    def open_tab(self, index: int) -> None:
        """Opens the dig of a tab; the first shows the apps of all accounts."""
        if index:
            self._chosen(list(self._digs)[index - 1])
        else:
            self._show_all()

    def _show_all(self) -> None:
        screen = self._screen
        screen.workers.cancel_group(screen, "open")
        self._opened = self._wanted = None
        if screen.only_account is None:  # all apps are there already
            screen.apps.drop_filter()
            screen.focus_pane(screen.apps)
        else:
            screen.show_account(None)
        screen.show_tab()

    def next_tab(self, steps: int) -> None:
        """Opens the tab so many further, round the ends."""
        if self._digs:
            self.open_tab((self.tab + steps) % len(self.tabs))
        else:
            self._screen.notify("There are no saved digs; & shows how to write one.", markup=False)

    def _chosen(self, name: str | None) -> None:
        if name is None:
            return
        dig = read_dig(self._digs[name])
        try:
            self.open(DigPath.parse(dig.path), dig.filter, dig=name)
        except PathError as error:
            self._refuse(error)

    # Paths ------------------------------------------------------------------------------------------------

    def start(self, path: DigPath, row_filter: str) -> None:
        """Goes where the command line says, which may have been a dig."""
        self.open(path, row_filter, dig=next((name for name in self._digs if self._is(name, path, row_filter)), None))

    def _is(self, name: str, path: DigPath, row_filter: str) -> bool:
        dig = read_dig(self._digs[name])
        try:
            return (DigPath.parse(dig.path), dig.filter) == (path, row_filter)
        except PathError:
            return False

    def open(self, path: DigPath, row_filter: str = "", *, dig: str | None = None) -> None:
        """Goes to what a path names, and filters what is listed there; says why where that cannot be.

        Args:
            path: Where to; a newer one takes the place of one that is still on its way.
            row_filter: In the filter language.
            dig: The saved dig that this is, by name.
        """
        self._wanted = dig
        self._screen.show_tab()
        self._screen.run_worker(
            self._open(path, row_filter, dig), group="open", exclusive=True, description="open a path"
        )

    def _go(self, path: DigPath | None) -> None:
        if path is not None:
            self.open(path)

    async def _open(self, path: DigPath, row_filter: str, dig: str | None) -> None:
        try:
            await self.show(path, row_filter, dig)
        except DigsiteError as error:
            self._refuse(error)
        self._wanted = None  # not where a newer one has cancelled this: it is wanted then
        self._screen.show_tab()

    async def show(self, path: DigPath, row_filter: str, dig: str | None) -> None:
        """The same as `open`, done when it is shown.

        Raises:
            DigsiteError: It cannot be found, or the filter is wrong.
        """
        screen, resolver = self._screen, self._services.resolver
        self._check(row_filter, APP_FIELDS if path.app is None else ARTIFACT_FIELDS if path.build else BUILD_FIELDS)
        if path.app is None:
            account = None if path.account is None else resolver.session(path.account).account.name
            self._opened = _Opened(dig, row_filter, account, None, None) if dig else None
            screen.show_account(account)
        else:
            found = await resolver.find(path)
            app = found.app.ref if found.app is not None else None
            build = found.build.ref if found.build is not None else None
            self._opened = _Opened(dig, row_filter, None, app, build) if dig else None
            self._show_found(found)
        if row_filter:
            screen.pane.set_filter(row_filter)

    def _check(self, row_filter: str, fields: Fields[Any]) -> None:
        try:
            parse_filter(row_filter, fields, now=self._now())
        except FilterError as error:
            raise PathError(f"Filter {row_filter!r}: {error}.") from error

    def _show_found(self, found: Found) -> None:
        screen = self._screen
        if found.app is not None:
            screen.apps.rows.append([found.app])
            screen.apps.rows.go_to(found.app.ref)
            screen.show_builds(found.app)
        if found.build is not None:
            screen.builds.rows.append([found.build])
            screen.builds.rows.go_to(found.build.ref)
            screen.show_artifacts(found.build)
        if found.artifacts:
            screen.artifacts.rows.append(found.siblings)
            screen.artifacts.rows.go_to(found.artifacts[0].ref)

    def _refuse(self, error: DigsiteError) -> None:
        self._screen.notify(clean(str(error)), severity="error", markup=False)
