"""The newest builds of all apps of an account, however the provider lists them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

from tui.catalog.store import Catalog, Kept
from tui.errors import DigsiteError, NotSupported
from tui.models import AccountName, App, AppRef, Build, Cursor, Page
from tui.services.listings import PREFETCH_BUDGET, Listings
from tui.services.session import ARCHIVE, Session

AppBuild = tuple[App, Build]
"""A build with its app."""

MAX_APPS: Final = 20
"""So many apps are asked for their builds where a provider has no list of all."""
KEPT: Final = 100
"""Builds of an account that are shown from the catalog first."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Newest:
    """Lists builds over all apps.

    Args:
        listings: To list the builds of one app.
        catalog: Knows which apps were busy last; None knows nothing.
    """

    def __init__(self, listings: Listings, catalog: Catalog | None) -> None:
        self._listings, self._catalog = listings, catalog

    @staticmethod
    def has_builds(session: Session) -> bool:
        """Whether an account has builds of its own; an archive has copies of others'."""
        return session.account.provider != ARCHIVE

    def kept(self, account: AccountName) -> Kept[AppBuild] | None:
        """The newest of what was listed before."""
        return self._catalog.newest(account, KEPT) if self._catalog is not None else None

    async def page(self, session: Session, cursor: Cursor | None, *, anew: bool = False) -> Page[AppBuild]:
        """One page: the provider's own list, else the newest of the apps that were busy last; newest first.

        Args:
            session: The account.
            cursor: Of the page before.
            anew: Asks even for what was listed seconds ago.

        Raises:
            DigsiteError: The provider cannot be asked.
        """
        provider = await session.provider()
        try:
            return await provider.recent_builds(cursor)
        except NotSupported:
            return await self._of_apps(session, anew=anew)

    async def _of_apps(self, session: Session, *, anew: bool) -> Page[AppBuild]:
        apps = (await self._listings.apps(session, None)).items
        busy = self._busy(session.account.name)
        chosen = sorted(apps, key=lambda app: busy.get(app.ref, _LONG_AGO), reverse=True)[: _affordable(session)]
        pages = await asyncio.gather(
            *(self._listings.builds(session, app.ref, None, anew=anew) for app in chosen), return_exceptions=True
        )
        found: list[AppBuild] = []
        failed = 0
        for app, page in zip(chosen, pages, strict=True):
            if isinstance(page, Page):
                found.extend((app, build) for build in page.items)
            elif isinstance(page, DigsiteError) and failed + 1 < len(chosen):
                failed += 1
            else:
                raise page
        found.sort(key=lambda each: each[1].created_at or _LONG_AGO, reverse=True)
        asked = len(chosen) - failed
        return Page(tuple(found), note=f"{asked:,} of {len(apps):,} apps asked" if asked < len(apps) else None)

    def _busy(self, account: AccountName) -> dict[AppRef, datetime]:
        """When the newest build of each app began, as far as the catalog knows."""
        return self._catalog.busy(account) if self._catalog is not None else {}


def _affordable(session: Session) -> int:
    """How many apps may be asked: each costs a call, and most of the call limit is for what the user opens."""
    budget = session.opened.budget if session.opened is not None else None
    if budget is None:
        return MAX_APPS
    return max(1, min(MAX_APPS, int(budget.remaining - budget.limit * PREFETCH_BUDGET)))
