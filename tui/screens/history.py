"""Where the user has been: back and forward over what was opened, and the place where the last run ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.errors import PathError
from tui.models import App, Build
from tui.paths import DigPath
from tui.services.remembered import Remembered

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

_LIMIT: Final = 100
_PLACE: Final = "place"


@dataclass(frozen=True, slots=True)
class Visit:
    """An app that was opened, or a build of it."""

    app: App
    build: Build | None = None


class History:
    """Goes back and forward in one explorer.

    Args:
        screen: The explorer.
        remembered: Keeps the last place for the next run.
    """

    def __init__(self, screen: Explorer, remembered: Remembered) -> None:
        self._screen, self._remembered = screen, remembered
        self._visits: list[Visit] = []
        self._at = -1
        self._is_travelling = False
        self._place = ""
        try:
            self._last = DigPath.parse(remembered.get(_PLACE) or "")
        except PathError:
            self._last = DigPath()

    @property
    def last(self) -> DigPath:
        """Where the last run ended; empty when that is not known."""
        return self._last

    def keep(self) -> None:
        """At the end of the run: keeps the last place for the next one. It waits for the disk, so not before."""
        if self._place:
            self._remembered.set(_PLACE, self._place)

    def visited(self, app: App, build: Build | None = None) -> None:
        """Something was opened: what was ahead is forgotten."""
        self._place = self._screen.path_of(build or app)
        if self._is_travelling:
            return
        visit = Visit(app, build)
        if self._at >= 0 and self._visits[self._at] == visit:
            return
        self._visits[self._at + 1 :] = [visit]
        del self._visits[:-_LIMIT]
        self._at = len(self._visits) - 1

    def go(self, steps: int) -> None:
        """Back by a negative number, forward by a positive one; at first, back to where the last run ended."""
        if not self._visits and steps < 0 and self._last.app is not None:
            self._screen.open_path(self._last)
            return
        target = self._at + steps
        if not 0 <= target < len(self._visits):
            self._screen.notify(f"There is nothing further {'back' if steps < 0 else 'ahead'}.", markup=False)
            return
        self._at = target
        visit = self._visits[target]
        self._is_travelling = True
        try:
            self._show(visit)
        finally:
            self._is_travelling = False

    def _show(self, visit: Visit) -> None:
        if self._screen.open_app != visit.app or visit.build is None:
            self._screen.show_builds(visit.app)
        if visit.build is not None:
            self._screen.show_artifacts(visit.build)
