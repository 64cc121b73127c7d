"""What the explorer does with accounts: choose one, add one, leave for the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.models import AccountName
from tui.safe_text import clean
from tui.services import Services
from tui.services.session import Session

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer


class AccountActions:
    """Opens the dialogs about accounts over one explorer and carries out what was chosen there."""

    def __init__(self, screen: Explorer, services: Services) -> None:
        self._screen, self._services = screen, services

    def choose(self, *, welcome: bool = False) -> None:
        """Opens the list of accounts; where there is none yet, as a welcome."""
        self._screen.run_worker(self._choose(welcome=welcome), description="accounts")

    async def _choose(self, *, welcome: bool) -> None:
        from tui.screens.accounts import ADD, DEMO, SHOW, AccountsDialog, AddAccountDialog  # not for the first paint

        app = self._screen.app
        choice = await app.push_screen_wait(AccountsDialog(self._services, welcome=welcome))
        kind, _, name = (choice or "").partition(":")
        if kind == DEMO:
            app.exit(DEMO)
        elif kind == SHOW:
            self._screen.show_account(AccountName(name) if name else None)
        elif kind == ADD:
            added = await app.push_screen_wait(AddAccountDialog(name))
            if added is not None:
                self._services.add_session(Session(added.account))
                told = f"{added.account.name}: {added.identity.label}. Secret in: {added.stored_in}."
                self._screen.notify(clean(told), markup=False)
                self._screen.action_refresh_pane()
