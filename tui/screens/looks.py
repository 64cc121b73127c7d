"""Theme and keys as the user wants them: chosen at the start, told where they cannot be, watched while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from textual.app import App
from textual.binding import Binding
from textual.theme import Theme

from tui.folders import config_dir
from tui.habits import Habits
from tui.safe_text import clean
from tui.screens.explorer import Explorer
from tui.services.remembered import Remembered
from tui.widgets.keymaps import KeymapProblem, clashes, keymap
from tui.widgets.pane import Pane
from tui.widgets.rowlist import RowList
from tui.widgets.themes import DARK, OWN, changed_at, user_themes

PERIOD_S: Final = 2.0
"""How often the folder of the user's themes is looked at."""
_THEME: Final = "theme"


class Looks:
    """Sets an app up, and keeps its theme in line with the file it comes from.

    Args:
        app: The app, not running yet.
        habits: What config.toml says.
        remembered: Keeps the theme that was chosen.
    """

    def __init__(self, app: App[Any], habits: Habits, remembered: Remembered) -> None:
        self._app, self._habits, self._remembered = app, habits, remembered
        self._folder = config_dir() / "themes"
        self._seen: Mapping[Path, int] = {}
        self._problems: list[str] = []
        self._choose_theme()
        self._choose_keys()

    def watch(self) -> None:
        """Once the app runs: tells what could not be used, and follows changes."""
        self._tell()
        self._app.theme_changed_signal.subscribe(self._app, self._theme_changed)
        self._app.set_interval(PERIOD_S, self._look)

    def _choose_theme(self) -> None:
        """That of config.toml, else the one that was chosen last, else ours."""
        for theme in OWN:
            self._app.register_theme(theme)
        self._read_themes()
        there, wanted = self._app.available_themes, self._habits.theme
        if wanted is not None and wanted not in there:
            self._problems.append(f"theme = {wanted!r} is not there; the palette (:) shows all that are.")
        candidates = (wanted, self._remembered.get(_THEME), DARK.name)
        self._app.theme = next(name for name in candidates if name in there)

    def _read_themes(self) -> None:
        self._seen = changed_at(self._folder)
        themes, problems = user_themes(self._folder)
        for theme in themes:
            self._app.register_theme(theme)
        self._problems += problems

    def _look(self) -> None:
        if changed_at(self._folder) != self._seen:
            self._read_themes()
            self._tell()
            self._app.mutate_reactive(App.theme)  # by the same name there are other colours now

    def _theme_changed(self, theme: Theme) -> None:
        self._remembered.set(_THEME, theme.name)

    def _choose_keys(self) -> None:
        owners = (Explorer, RowList, Pane, type(self._app))
        bindings = [each for owner in owners for each in owner.BINDINGS if isinstance(each, Binding)]
        try:
            chosen = keymap(self._habits.keymap, self._habits.keys, [each.id for each in bindings if each.id])
        except KeymapProblem as problem:
            self._problems.append(str(problem))
            return
        self._problems += clashes(bindings, chosen)
        self._app.set_keymap(chosen)

    def _tell(self) -> None:
        problems, self._problems = self._problems, []
        for problem in problems:
            self._app.notify(clean(problem, 400), severity="warning", markup=False, timeout=15)
