"""From a path to the things it names, with as few calls as the providers allow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tui.errors import NotFound, PathError
from tui.models import (
    AccountName,
    App,
    AppId,
    AppRef,
    Artifact,
    Build,
    BuildId,
    BuildQuery,
    BuildRef,
    Cursor,
    Status,
)
from tui.paths import BuildSelector, DigPath, encode, join
from tui.providers import Provider
from tui.safe_text import clean
from tui.services.session import Session

SEARCH_PAGES = 40
"""Pages of builds that are looked through for `latest@branch` where the server has no filter."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a path named, as deep as it went. `artifacts` is empty unless the path named some."""

    session: Session
    provider: Provider
    app: App | None = None
    build: Build | None = None
    artifacts: tuple[Artifact, ...] = ()
    siblings: tuple[Artifact, ...] = ()
    """All artifacts of the build, where the path named some of them."""
    app_part: str = ""
    """How a path names the app: by title where that is unambiguous, else by id."""

    def path_of(self, artifact: Artifact, siblings: tuple[Artifact, ...] = ()) -> str:
        """The path that names one artifact of this build, its id added where a title occurs twice."""
        return f"{self.path}/{artifact_part(artifact, siblings)}"

    @property
    def path(self) -> str:
        """The path of the account, app and build."""
        parts = [str(self.session.account.name)]
        if self.app is not None:
            parts.append(self.app_part)
        if self.build is not None:
            parts.append(build_part(self.build))
        return join(*parts)


def app_part(app: App, siblings: Iterable[App]) -> str:
    """How a path names an app: by title where no other app of the account has it as title or id, else by id."""
    taken = not app.title or any(
        other.ref != app.ref and other.ref.account == app.ref.account and app.title in {other.title, other.ref.app}
        for other in siblings
    )
    return str(app.ref.app) if taken else app.title


def build_part(build: Build) -> str:
    """How a path names a build: by number, else by id."""
    return str(build.number) if build.number is not None else str(build.ref.build)


def artifact_part(artifact: Artifact, siblings: tuple[Artifact, ...] = ()) -> str:
    """How a path names an artifact: by title; with its id where a sibling has the same title, or it has none."""
    if not artifact.title:
        return encode(str(artifact.ref.artifact))
    twin = any(other.title == artifact.title and other.ref != artifact.ref for other in siblings)
    return encode(f"{artifact.title}~{artifact.ref.artifact}" if twin else artifact.title)


class Resolver:
    """Looks paths up in the accounts of this run."""

    def __init__(self, sessions: Mapping[AccountName, Session]) -> None:
        self._sessions = sessions

    def session(self, name: str) -> Session:
        """The account of that name.

        Raises:
            PathError: There is none; the hint lists those that are.
        """
        found = self._sessions.get(AccountName(name))
        if found is None:
            known = ", ".join(self._sessions) or "none; run: digsite accounts add"
            raise NotFound(f"There is no account {clean(name)!r}.", hint=f"Accounts: {known}.")
        return found

    async def find(self, path: DigPath) -> Found:
        """Looks a path up.

        Raises:
            PathError: It names no account, or more than one app.
            NotFound: One of its parts does not exist.
            DigsiteError: A provider could not be asked.
        """
        if path.account is None:
            raise PathError("The path names no account.", hint="Write ACCOUNT/APP/BUILD/ARTIFACT.")
        session = self.session(path.account)
        provider = await session.provider()
        if path.app is None:
            return Found(session, provider)
        app, named = await self._app(provider, session, path.app)
        if path.build is None:
            return Found(session, provider, app, app_part=named)
        build = await self._build(provider, app, path.build)
        if path.artifact is None:
            return Found(session, provider, app, build, app_part=named)
        siblings = tuple([artifact async for artifact in all_artifacts(provider, build)])
        chosen = _matching_artifacts(siblings, path.artifact)
        return Found(session, provider, app, build, chosen, siblings, named)

    async def _app(self, provider: Provider, session: Session, name: str) -> tuple[App, str]:
        account = session.account.name
        listed = [app async for app in all_apps(provider)]
        by_id = [app for app in listed if app.ref.app == name]
        by_title = [app for app in listed if app.title == name]
        if not by_id and len(by_title) > 1:
            ids = ", ".join(join(account, app.ref.app) for app in by_title)
            raise PathError(
                f"{len(by_title)} apps of {account} are called {clean(name)!r}.", hint=f"Choose one: {ids}."
            )
        if by_id or by_title:
            app = (by_id or by_title)[0]
            return app, app_part(app, listed)
        try:
            app = await provider.app(AppRef(account, AppId(name)))
        except NotFound as error:
            hint = f"digsite ls {encode(account)} lists them."
            raise NotFound(f"There is no app {clean(name)!r} in {account}.", hint=hint) from error
        return app, str(app.ref.app)

    async def _build(self, provider: Provider, app: App, selector: BuildSelector) -> Build:
        if selector.is_newest:
            return await self._newest(provider, app, selector)
        if selector.text.isdecimal() and len(selector.text) < 10:
            async for build in _matching(provider, app, BuildQuery(number=int(selector.text))):
                return build
        try:
            return await provider.build(BuildRef(app.ref.account, app.ref.app, BuildId(selector.text)))
        except NotFound as error:
            raise NotFound(
                f"There is no build {clean(selector.text)!r} of {clean(app.title)}.",
                hint=f"digsite ls {join(app.ref.account, app.ref.app)} lists the newest.",
            ) from error

    async def _newest(self, provider: Provider, app: App, selector: BuildSelector) -> Build:
        status = Status.SUCCEEDED if selector.text == "latest-green" else None
        async for build in _matching(provider, app, BuildQuery(branch=selector.branch, status=status)):
            if build.status.is_finished:
                return build
        what = "finished build" if status is None else "green build"
        where = f" on branch {clean(selector.branch)!r}" if selector.branch else ""
        raise NotFound(f"{clean(app.title)} has no {what}{where} among those the server lists.")


def _matching_artifacts(everything: tuple[Artifact, ...], pattern: str) -> tuple[Artifact, ...]:
    """By title, else by id, else by both, else as a glob."""
    for wanted in (
        [a for a in everything if a.title == pattern],
        [a for a in everything if a.ref.artifact == pattern],
        [a for a in everything if f"{a.title}~{a.ref.artifact}" == pattern],
        [a for a in everything if fnmatchcase(a.title, pattern)],
    ):
        if wanted:
            return tuple(wanted)
    titles = ", ".join(clean(a.title, 60) for a in everything[:5]) or "none"
    raise NotFound(f"No artifact of this build matches {clean(pattern)!r}.", hint=f"There are: {titles}.")


async def all_apps(provider: Provider) -> AsyncIterator[App]:
    """Every app of an account, page after page."""
    cursor: Cursor | None = None
    while True:
        page = await provider.apps(cursor)
        for app in page.items:
            yield app
        if (cursor := page.next_cursor) is None:
            return


async def all_artifacts(provider: Provider, build: Build) -> AsyncIterator[Artifact]:
    """Every artifact of a build, page after page."""
    cursor: Cursor | None = None
    while True:
        page = await provider.artifacts(build, cursor)
        for artifact in page.items:
            yield artifact
        if (cursor := page.next_cursor) is None:
            return


async def _matching(provider: Provider, app: App, query: BuildQuery) -> AsyncIterator[Build]:
    cursor: Cursor | None = None
    for _ in range(SEARCH_PAGES):
        page = await provider.builds(app.ref, query, cursor)
        for build in page.items:
            yield build
        if (cursor := page.next_cursor) is None:
            return
