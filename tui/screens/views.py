"""The views behind the keys 1 to 7: the three panes, transfers, statistics, what expires, what is public."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tui.paths import DigPath
from tui.screens.catalog_actions import CatalogActions
from tui.screens.downloads import Downloads
from tui.screens.keeping import Keeping
from tui.screens.transfers import TransfersScreen
from tui.screens.undo import Undo
from tui.services import Services

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer
    from tui.screens.storage_views import StorageScreen

TRANSFERS: Final = 4
STATISTICS: Final = 5
EXPIRING: Final = 6
PUBLIC: Final = 7


class Views:
    """Switches the views of one explorer."""

    def __init__(
        self,
        screen: Explorer,
        services: Services,
        now: Callable[[], datetime],
        undo: Undo,
        downloads: Downloads,
        keeping: Keeping,
    ) -> None:
        self._screen, self._services, self._now, self._undo, self._keeping = screen, services, now, undo, keeping
        self._actions = CatalogActions(screen, services, undo, downloads)

    def show(self, number: int) -> None:
        """Goes to a view; 1 to 3 are the panes of the explorer."""
        if number < TRANSFERS:
            self._screen.focus_pane((self._screen.apps, self._screen.builds, self._screen.artifacts)[number - 1])
        elif number == TRANSFERS:
            self.show_transfers()
        else:
            view = self._kind(number)(self._services, self._now, self._actions, self._keeping, self._undo)
            self._screen.app.push_screen(view, self._left)

    def show_transfers(self) -> None:
        """Goes to the list of all transfers."""
        self._screen.app.push_screen(TransfersScreen(self._services.transfers), self._left)

    def _kind(self, number: int) -> type[StorageScreen[Any]]:
        if number == STATISTICS:
            from tui.screens.stats_view import StatsScreen  # here and below: the first paint waits for imports

            return StatsScreen
        if number == EXPIRING:
            from tui.screens.expiring_view import ExpiringScreen

            return ExpiringScreen
        from tui.screens.public_view import PublicScreen

        return PublicScreen

    def _left(self, wanted: int | DigPath | None) -> None:
        if isinstance(wanted, int):
            self.show(wanted)
        elif wanted is not None:
            self._screen.open_path(wanted)
