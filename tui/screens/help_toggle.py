"""What every screen of digsite has: a key that shows its keys."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen


class HelpToggle(Screen[Any]):
    """Has the action `toggle_help`."""

    def action_toggle_help(self) -> None:
        """Shows all keys that work here and now."""
        from tui.screens.help_panel import HelpScreen, keys_of  # not before they are wanted

        self.app.push_screen(HelpScreen(keys_of(self), self.HELP or ""))
