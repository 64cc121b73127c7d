"""The panel with all keys, for screens that show and hide it."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen


class HelpToggle(Screen[Any]):
    """Has the action `toggle_help`."""

    def action_toggle_help(self) -> None:
        """Shows or hides the panel with all keys."""
        if self.query("HelpPanel"):
            self.app.action_hide_help_panel()
        else:
            self.app.action_show_help_panel()
