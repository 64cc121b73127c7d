"""Ways from the explorer to somewhere else: the search, the newest builds, the saved digs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from tui.digs import Dig
from tui.errors import DigsiteError, PathError
from tui.paths import DigPath
from tui.safe_text import clean
from tui.services import Services

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer


class Elsewhere:
    """Asks where to go and takes one explorer there.

    Args:
        screen: The explorer.
        services: Accounts and the catalog.
        now: The clock, aware UTC.
    """

    def __init__(self, screen: Explorer, services: Services, now: Callable[[], datetime]) -> None:
        self._screen, self._services, self._now = screen, services, now

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

        self._screen.app.push_screen(DigsDialog(self._services.config.habits.digs), self._dig)

    def open(self, path: DigPath, row_filter: str = "") -> None:
        """Goes to what a path names, and filters what is listed there."""
        self._screen.run_worker(self._open(path, row_filter), description="open a dig")

    def _go(self, path: DigPath | None) -> None:
        if path is not None:
            self._screen.open_path(path)

    def _dig(self, dig: Dig | None) -> None:
        if dig is None:
            return
        try:
            self.open(DigPath.parse(dig.path), dig.filter)
        except PathError as error:
            self._refuse(error)

    async def _open(self, path: DigPath, row_filter: str) -> None:
        screen = self._screen
        if not row_filter and path.app is not None:
            screen.open_path(path)
            return
        try:
            if path.app is None:
                name = None if path.account is None else self._services.resolver.session(path.account).account.name
                screen.show_account(name)
            else:
                found = await self._services.resolver.find(path)
                if found.app is not None:
                    screen.show_builds(found.app)
                if found.build is not None:
                    screen.show_artifacts(found.build)
        except DigsiteError as error:
            self._refuse(error)
            return
        if row_filter:
            screen.pane.set_filter(row_filter)

    def _refuse(self, error: DigsiteError) -> None:
        self._screen.notify(clean(str(error)), severity="error", markup=False)
