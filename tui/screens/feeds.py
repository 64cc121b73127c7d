"""Where the explorer's rows come from: the catalog first, then the provider; and what is said where there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from tui.catalog.store import Kept
from tui.models import AccountName, App, Artifact, Build, BuildQuery
from tui.models.filter import build_query
from tui.providers import plugin
from tui.services import Services
from tui.services.session import Session
from tui.widgets.format import timestamp
from tui.widgets.pane import Feed, Fetch

T = TypeVar("T")


class Feeds:
    """Makes the feeds of the three panes; always new ones, they are the tokens by which late answers are known.

    Args:
        services: Accounts and listings.
        now: The clock, aware UTC.
    """

    def __init__(self, services: Services, now: Callable[[], datetime]) -> None:
        self._services, self._now = services, now

    def apps(self, only: AccountName | None = None, *, anew: bool = False) -> list[Feed[App]]:
        """One feed an account, or that of one only; `anew` asks the provider even where its answer is fresh."""
        listings = self._services.listings
        feeds = []
        for name, session in self._services.sessions.items():
            if only not in {None, name}:
                continue
            kept = None if anew else listings.kept_apps(name)
            feed = _feed(name, partial(listings.apps, session, anew=anew), kept)
            feed.owns = partial(_is_of_account, name)
            feeds.append(feed)
        return feeds

    def builds(self, app: App, query: BuildQuery | None = None, *, anew: bool = False) -> list[Feed[Build]]:
        """The builds of an app; those of a query where there is one, from all that the provider lists."""
        listings, session = self._services.listings, self._services.sessions[app.ref.account]
        if query is None:
            kept = None if anew else listings.kept_builds(app.ref)
            return [_feed(app.ref.account, partial(listings.builds, session, app.ref, anew=anew), kept)]
        feed = _feed(app.ref.account, partial(listings.builds, session, app.ref, query=query, anew=anew), None)
        feed.reach = self._reach(session, query)
        return [feed]

    def _reach(self, session: Session, query: BuildQuery) -> str:
        """Whether the server looks for the builds or digsite goes through them, in words for the title."""
        provider = session.opened
        asked = {field.name for field in fields(query) if getattr(query, field.name) is not None}
        if provider is not None and asked <= provider.capabilities.server_filters:
            return f"filtered by {plugin(session.account.provider).title}"
        return "filtered here, page by page"

    def artifacts(self, build: Build, *, anew: bool = False) -> list[Feed[Artifact]]:
        """The artifacts of a build."""
        listings, session = self._services.listings, self._services.sessions[build.ref.account]
        kept = None if anew else listings.kept_artifacts(build.ref)
        return [_feed(build.ref.account, partial(listings.artifacts, session, build, anew=anew), kept)]

    def no_apps(self) -> tuple[str, ...]:
        """What is said where there is no app."""
        if not self._services.sessions:
            return ("No account yet.", "@ adds one; `digsite demo` shows the program without.")
        return ("No apps: these accounts see none.",)

    def no_artifacts(self, build: Build) -> tuple[str, ...]:
        """What is said where a build has no artifact: none yet, expired by which rule, or none at all."""
        provider = self._services.sessions[build.ref.account].opened
        rules = provider.capabilities if provider is not None else None
        ended = build.finished_at
        if not build.status.is_finished:
            return ("No artifacts yet: the build has not finished.",)
        if rules is not None and rules.retention_days is not None and ended is not None:
            last = ended + timedelta(days=rules.retention_days)
            if last < self._now():
                return (f"Expired about {timestamp(last)[:10]}.", rules.retention_rule or "")
        return ("This build left no artifacts.",)


class Narrowing:
    """What the filter of the builds asks of the provider, beyond what is loaded.

    Args:
        now: The clock, aware UTC.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.query: BuildQuery | None = None

    def follow(self, text: str, shown: Sequence[Build]) -> bool:
        """Takes a filter that was settled on and the rows it shows; True when the query is another one now."""
        query = build_query(text, now=self._now())
        if query is not None and self.query is None and not _is_whole(query, shown):
            query = None
        is_other, self.query = query != self.query, query
        return is_other


def _is_whole(query: BuildQuery, shown: Sequence[Build]) -> bool:
    """Whether `branch:mai` is a whole name: not while it shows rows of which it is only a part."""
    return all(
        wanted is None or all((name or "").lower() == wanted.lower() for name in names)
        for wanted, names in (
            (query.branch, [build.branch for build in shown]),
            (query.workflow, [build.workflow for build in shown]),
        )
    )


def _is_of_account(name: AccountName, app: App) -> bool:
    return app.ref.account == name


def _feed(name: str, fetch: Fetch[T], kept: Kept[T] | None) -> Feed[T]:
    return Feed(name, fetch, kept=kept.items if kept else (), kept_at=kept.seen_at if kept else None)
