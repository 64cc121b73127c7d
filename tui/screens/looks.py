"""Theme and keys as the user wants them: chosen at the start, told where they cannot be, watched while it runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from textual.app import App
from textual.theme import Theme

from tui.folders import config_dir
from tui.habits import Habits
from tui.safe_text import clean
from tui.services.remembered import Remembered
from tui.widgets.few_colours import in_sixteen
from tui.widgets.keymaps import KeymapProblem, keymap
from tui.widgets.themes import ANSI_DARK, ANSI_LIGHT, DARK, OWN, changed_at, user_themes

PERIOD_S: Final = 2.0
"""How often the folder of the user's themes is looked at."""
_THEME: Final = "theme"
_FEW: Final = ("standard", "windows")
"""What Rich calls sixteen colours."""


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
        if "SSH_CONNECTION" in os.environ and "TEXTUAL_ANIMATIONS" not in os.environ:
            app.animation_level = "none"  # frames of a scroll are not worth the line
        self._choose_theme()
        self.use_keymap(habits.keymap)

    def watch(self) -> None:
        """Once the app runs: suits the terminal, tells what could not be used, and follows changes."""
        if self._app.console.color_system in _FEW and not self._app.is_headless:  # a picture has all colours
            for theme in OWN:
                self._app.register_theme(in_sixteen(theme))
            self._app.mutate_reactive(App.theme)
        self._tell()
        if self._keymap:
            self._app.call_after_refresh(self._check_keys)
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
        # Before Textual looks at them at its start: to set them the usual way reads all style sheets twice more.
        self._app.set_reactive(App.ansi_theme_dark, ANSI_DARK)
        self._app.set_reactive(App.ansi_theme_light, ANSI_LIGHT)
        self._app.set_reactive(App.theme, next(name for name in candidates if name in there))
        self._app.stylesheet.set_variables(self._app.get_css_variables())

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

    def use_keymap(self, name: str) -> None:
        """Lets keys do what a map says, for this run; the user's own keys stay over it."""
        try:
            self._keymap = keymap(name, self._habits.keys)
        except KeymapProblem as problem:
            self._problems.append(str(problem))
            self._keymap = dict(self._habits.keys)
        self._app.set_keymap(self._keymap)
        if self._app.is_running:
            self._check_keys()

    def _check_keys(self) -> None:
        from tui.screens.bindings import problems  # every screen: not before the first paint

        self._problems += problems(type(self._app), self._habits.keys, self._keymap)
        self._tell()

    def _tell(self) -> None:
        problems, self._problems = self._problems, []
        for problem in problems:
            self._app.notify(clean(problem, 400), severity="warning", markup=False, timeout=15)
