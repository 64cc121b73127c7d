"""What the line on top says: the path of a row, its account, and what is left of the call limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.models import AccountName, App, AppRef, Artifact, Build
from tui.paths import join
from tui.services import Services
from tui.services.resolve import app_part, artifact_part, build_part

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer


class Place:
    """Names rows of one explorer."""

    def __init__(self, screen: Explorer, services: Services) -> None:
        self._screen, self._services = screen, services

    def path_of(self, row: App | Build | Artifact | None) -> str:
        """The path of a row, as the command line takes it; empty for none."""
        match row:
            case App():
                return join(row.ref.account, app_part(row, self._screen.apps.rows.rows))
            case Build():
                return join(row.ref.account, self._app_part(row.ref.app_ref), build_part(row))
            case Artifact():
                opened = self._screen.open_build
                build = build_part(opened) if opened else str(row.ref.build)
                siblings = tuple(self._screen.artifacts.rows.rows)
                parent = join(row.ref.account, self._app_part(row.ref.build_ref.app_ref), build)
                return f"{parent}/{artifact_part(row, siblings)}"
            case None:
                return ""

    def _app_part(self, ref: AppRef) -> str:
        app = self._screen.open_app
        return app_part(app, self._screen.apps.rows.rows) if app is not None and app.ref == ref else str(ref.app)

    def account_side(self, account: AccountName | None) -> str:
        """The account with what restricts it."""
        session = self._services.sessions.get(account) if account is not None else None
        if session is None:
            return ""
        parts = [str(session.account.name)]
        if session.account.read_only:
            parts.append("read-only")
        budget = session.opened.budget if session.opened is not None else None
        if budget is not None:
            parts.append(f"{budget.remaining:,} of {budget.limit:,} calls left")
        return " · ".join(parts)
