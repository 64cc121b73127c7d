"""Pages of apps, builds and artifacts: never asked for twice at once, not again while fresh, kept in the catalog."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar, cast

from tui.catalog.store import Catalog, Kept
from tui.models import AccountName, App, AppRef, Artifact, ArtifactRef, Build, BuildQuery, BuildRef, Cursor, Page
from tui.providers.protocol import ALL_BUILDS
from tui.services.session import Session

T = TypeVar("T")
_Key: TypeAlias = tuple[Hashable, ...]
"""What is listed, of what, and from where: a query, a cursor."""

FRESH_S: Final = 15.0
"""Seconds for which a first page is not fetched again unless the user refreshes."""
PREFETCH_BUDGET: Final = 0.2
"""Nothing is fetched in advance once less than this share of the call limit is left."""


@dataclass
class _UnderWay:
    """One request that several may wait for; it is cancelled when the last of them gives up."""

    task: asyncio.Task[Page[Any]]
    waiters: int = 0


@dataclass
class Listings:
    """Fetches pages for the explorer.

    Args:
        catalog: Where listings are kept; None keeps none.
        clock: Seconds that only go up.
    """

    catalog: Catalog | None = None
    clock: Callable[[], float] = monotonic
    _under_way: dict[_Key, _UnderWay] = field(default_factory=dict["_Key", _UnderWay])
    _fresh: dict[_Key, tuple[float, Page[Any]]] = field(default_factory=dict["_Key", "tuple[float, Page[Any]]"])
    _gathered: dict[BuildRef, list[Artifact]] = field(default_factory=dict[BuildRef, "list[Artifact]"])
    _changes: Counter[BuildRef] = field(default_factory=Counter[BuildRef])
    """How often artifacts of a build were changed from here: a list that was asked for before may be of before."""

    # What was listed before -------------------------------------------------------------------------------

    def kept_apps(self, account: AccountName) -> Kept[App] | None:
        """The apps of an account as last listed."""
        return self.catalog.apps(account) if self.catalog else None

    def kept_builds(self, app: AppRef) -> Kept[Build] | None:
        """The newest builds of an app as last listed."""
        return self.catalog.builds(app) if self.catalog else None

    def kept_artifacts(self, build: BuildRef) -> Kept[Artifact] | None:
        """The artifacts of a build as last listed."""
        return self.catalog.artifacts(build) if self.catalog else None

    # What the provider lists now --------------------------------------------------------------------------

    async def apps(self, session: Session, cursor: Cursor | None, *, anew: bool = False) -> Page[App]:
        """One page of an account's apps.

        Args:
            session: The account.
            cursor: Of the page before.
            anew: Asks even if the page is fresh.
        """
        account = session.account.name

        async def fetch() -> Page[App]:
            page = await (await session.provider()).apps(cursor)
            if self.catalog is not None:
                complete = cursor is None and page.next_cursor is None and not page.unreadable
                self.catalog.keep_apps(account, page.items, complete=complete)
            return page

        return await self._page(("apps", account, cursor), fetch, anew=anew)

    async def builds(
        self,
        session: Session,
        app: AppRef,
        cursor: Cursor | None,
        *,
        query: BuildQuery = ALL_BUILDS,
        anew: bool = False,
    ) -> Page[Build]:
        """One page of an app's builds."""

        async def fetch() -> Page[Build]:
            page = await (await session.provider()).builds(app, query, cursor)
            if self.catalog is not None:
                self.catalog.keep_builds(app, page.items)
            return page

        return await self._page(("builds", app, query, cursor), fetch, anew=anew)

    async def artifacts(
        self, session: Session, build: Build, cursor: Cursor | None, *, anew: bool = False
    ) -> Page[Artifact]:
        """One page of a build's artifacts; asked for again where one of them was changed meanwhile."""
        while True:
            changes = self._changes[build.ref]
            fetch = partial(self._fetch_artifacts, session, build, cursor, changes)
            page = await self._page(("artifacts", build.ref, cursor, changes), fetch, anew=anew)
            if changes == self._changes[build.ref]:
                return page

    async def _fetch_artifacts(
        self, session: Session, build: Build, cursor: Cursor | None, changes: int
    ) -> Page[Artifact]:
        page = await (await session.provider()).artifacts(build, cursor)
        if changes == self._changes[build.ref]:
            self._gather(build, page, first=cursor is None)
        return page

    async def prefetch_builds(self, session: Session, app: AppRef) -> None:
        """Fetches the first builds of an app in advance, while the call limit is far."""
        if _may_prefetch(session):
            await self.builds(session, app, None)

    async def prefetch_artifacts(self, session: Session, build: Build) -> None:
        """Fetches the artifacts of a build in advance, where that costs one call and the call limit is far."""
        provider = session.opened
        if _may_prefetch(session) and provider is not None and not provider.capabilities.groups_by_action:
            await self.artifacts(session, build, None)

    def published(self, artifact: ArtifactRef, *, is_public: bool) -> None:
        """Its public install page was switched: who lists it next asks the provider."""
        self.ask_again(artifact.build_ref)
        if self.catalog is not None:
            self.catalog.keep_public(artifact, is_public)

    def gone(self, artifact: ArtifactRef) -> None:
        """It was deleted, or found to be: who lists its build next asks the provider."""
        self.ask_again(artifact.build_ref)
        if self.catalog is not None:
            self.catalog.forget(artifact)

    def ask_again(self, build: BuildRef) -> None:
        """What was listed of its artifacts, or is being listed now, does not count any more."""
        self._changes[build] += 1
        self._gathered.pop(build, None)

    def _gather(self, build: Build, page: Page[Artifact], *, first: bool) -> None:
        """Keeps a list of artifacts once it is whole: a part of it would look like a deletion."""
        gathered = [] if first else self._gathered.pop(build.ref, None)
        if gathered is None or self.catalog is None or page.unreadable or page.note:
            return
        gathered.extend(page.items)
        if page.next_cursor is None:
            self.catalog.keep_artifacts(build, gathered)
        else:
            self._gathered[build.ref] = gathered

    async def _page(self, key: _Key, fetch: Callable[[], Awaitable[Page[T]]], *, anew: bool) -> Page[T]:
        if not anew and (fresh := self._fresh.get(key)) is not None and self.clock() - fresh[0] < FRESH_S:
            return cast("Page[T]", fresh[1])
        shared = self._under_way.get(key)
        if shared is None:
            shared = self._under_way[key] = _UnderWay(asyncio.ensure_future(self._fetch(key, fetch)))
        shared.waiters += 1
        try:
            return cast("Page[T]", await asyncio.shield(shared.task))
        finally:
            shared.waiters -= 1
            if not shared.waiters and not shared.task.done():
                self._under_way.pop(key, None)
                shared.task.cancel()

    async def _fetch(self, key: _Key, fetch: Callable[[], Awaitable[Page[Any]]]) -> Page[Any]:
        try:
            page = await fetch()
        finally:
            self._under_way.pop(key, None)
        self._forget_old()
        self._fresh[key] = (self.clock(), page)
        return page

    def _forget_old(self) -> None:
        limit = self.clock() - FRESH_S
        for key in [key for key, (fetched_at, _) in self._fresh.items() if fetched_at < limit]:
            del self._fresh[key]


def _may_prefetch(session: Session) -> bool:
    provider = session.opened
    budget = provider.budget if provider is not None else None
    return provider is not None and (budget is None or budget.remaining >= budget.limit * PREFETCH_BUDGET)
