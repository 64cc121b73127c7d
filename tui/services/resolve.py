"""From a path to the things it names, with as few calls as the providers allow."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Generic, TypeVar

from tui.errors import BadPayload, NotFound, PathError
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
    Page,
    Status,
)
from tui.paths import BuildSelector, DigPath, encode, join
from tui.providers import Provider
from tui.safe_text import clean
from tui.services.session import Session

T = TypeVar("T")

SEARCH_PAGES = 40
"""Pages of builds that are looked through for a number or `latest@branch` where the server has no filter."""
_GLOB: Final = re.compile(r"[*?[]")
_ESCAPED_GLOB: Final = re.compile(r"\[([*?[])\]")
"""How a glob writes one of its own characters as itself."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """All pages of a list, each thing once."""

    items: tuple[T, ...]
    gap: BadPayload | None = None
    """Why there may be more than these."""


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
    gap: BadPayload | None = None
    """Why the path may mean more than this, or another thing: a list that it was looked up in has gaps."""

    def refuse_gaps(self) -> None:
        """For what changes something: that must not be a part of what is meant, nor a thing of the same title.

        Raises:
            BadPayload: A list that the path was looked up in has gaps.
        """
        if self.gap is not None:
            raise BadPayload(
                f"{self.gap.message} Nothing was changed.",
                hint="Name the app and the artifacts by their ids, and the build by its number.",
            )

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
    """How a path names an artifact: by title; with its id where a sibling answers to that; by id where it has none.

    A title that is a glob is printed so that it stays a title: the path of what was deleted must not mean others.
    """
    others = [other for other in siblings if other.ref != artifact.ref]
    for name in (artifact.title, f"{artifact.title}~{artifact.ref.artifact}"):
        wanted = _texts(_as_literal(name))
        if artifact.title and not any(wanted & {a.title, a.ref.artifact, _title_and_id(a)} for a in others):
            return encode(_as_literal(name))
    return encode(_as_literal(artifact.ref.artifact))


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

    async def find(self, path: DigPath, *, partly: bool = False) -> Found:
        """Looks a path up.

        Args:
            path: What to find.
            partly: Whether a glob may match in a list with gaps: for what only reads, and tells of `Found.gap`.

        Raises:
            PathError: It names no account, or more than one app or build, or one id of two artifacts.
            NotFound: One of its parts does not exist.
            BadPayload: It was not found, or is a glob, and the list has gaps.
            DigsiteError: A provider could not be asked.
        """
        if path.account is None:
            raise PathError("The path names no account.", hint="Write ACCOUNT/APP/BUILD/ARTIFACT.")
        session = self.session(path.account)
        provider = await session.provider()
        if path.app is None:
            return Found(session, provider)
        gaps: list[BadPayload] = []
        app, named = await self._app(provider, session, path.app, gaps)
        build = await self._build(provider, app, path.build, gaps) if path.build is not None else None
        chosen: tuple[Artifact, ...] = ()
        siblings: tuple[Artifact, ...] = ()
        if build is not None and path.artifact is not None:
            listed = await list_artifacts(provider, build)
            siblings = listed.items
            chosen = _matching_artifacts(listed, path.artifact, gaps, partly=partly)
        return Found(session, provider, app, build, chosen, siblings, named, gaps[0] if gaps else None)

    async def _app(self, provider: Provider, session: Session, name: str, gaps: list[BadPayload]) -> tuple[App, str]:
        account = session.account.name
        apps = await list_apps(provider)
        listed = apps.items
        by_id = [app for app in listed if app.ref.app == name]
        by_title = [app for app in listed if app.title == name]
        if not by_id and by_title and apps.gap is not None:
            gaps.append(apps.gap)
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

    async def _build(self, provider: Provider, app: App, selector: BuildSelector, gaps: list[BadPayload]) -> Build:
        if selector.is_newest:
            return await self._newest(provider, app, selector, gaps)
        if selector.text.isdecimal() and len(selector.text) < 10:
            build = await self._numbered(provider, app, int(selector.text))
            if build is not None:
                return build
        try:
            return await provider.build(BuildRef(app.ref.account, app.ref.app, BuildId(selector.text)))
        except NotFound as error:
            raise NotFound(
                f"There is no build {clean(selector.text)!r} of {clean(app.title)}.",
                hint=f"digsite ls {join(app.ref.account, app.ref.app)} lists the newest.",
            ) from error

    async def _numbered(self, provider: Provider, app: App, number: int) -> Build | None:
        """The build of that number; a server may ignore the filter, so each is looked at."""
        async for page in _pages(provider, app, BuildQuery(number=number)):
            found = {build.ref: build for build in page.items if build.number == number}
            if len(found) > 1:
                ids = ", ".join(join(app.ref.account, app.ref.app, ref.build) for ref in found)
                raise PathError(
                    f"{len(found)} builds of {clean(app.title)} have the number {number}.", hint=f"Choose one: {ids}."
                )
            if found:
                return next(iter(found.values()))
        return None

    async def _newest(self, provider: Provider, app: App, selector: BuildSelector, gaps: list[BadPayload]) -> Build:
        """The first that is finished, and of the status and branch, which the server may have ignored."""
        status = Status.SUCCEEDED if selector.text == "latest-green" else None
        gap: BadPayload | None = None
        async for page in _pages(provider, app, BuildQuery(branch=selector.branch, status=status)):
            gap = gap or gap_of(page, "builds")
            for build in page.items:
                is_wanted = build.status is status if status is not None else build.status.is_finished
                if is_wanted and selector.branch in {None, build.branch}:
                    gaps.extend([gap] if gap is not None else [])
                    return build
        if gap is not None:
            raise gap
        what = "finished build" if status is None else "green build"
        where = f" on branch {clean(selector.branch)!r}" if selector.branch else ""
        raise NotFound(f"{clean(app.title)} has no {what}{where} among those the server lists.")


def _as_literal(text: str) -> str:
    """A glob that matches this text alone."""
    return _GLOB.sub(r"[\g<0>]", text)


def _texts(pattern: str) -> set[str]:
    """What a pattern says word for word: itself, and the text that it is the escaped form of."""
    is_glob = _GLOB.search(_ESCAPED_GLOB.sub("", pattern)) is not None
    return {pattern} if is_glob else {pattern, _ESCAPED_GLOB.sub(r"\1", pattern)}


def _title_and_id(artifact: Artifact) -> str:
    return f"{artifact.title}~{artifact.ref.artifact}"


def _matching_artifacts(
    listed: Listed[Artifact], pattern: str, gaps: list[BadPayload], *, partly: bool
) -> tuple[Artifact, ...]:
    """By id, else by title and id, else by title, else as a glob: a title is what anybody may have chosen."""
    everything, wanted = listed.items, _texts(pattern)
    for exact in (
        [a for a in everything if a.ref.artifact in wanted],
        [a for a in everything if _title_and_id(a) in wanted],
    ):
        if len(exact) > 1:
            ids = ", ".join(clean(a.ref.artifact) for a in exact)
            raise PathError(f"{len(exact)} artifacts of this build answer to {clean(pattern)!r}.", hint=f"Ids: {ids}.")
        if exact:
            return tuple(exact)
    found = (
        [a for a in everything if a.title == pattern]
        or [a for a in everything if a.title in wanted]
        or [a for a in everything if fnmatchcase(a.title, pattern)]
    )
    if not found and listed.gap is not None:
        raise BadPayload(f"No artifact that can be read matches {clean(pattern)!r}. {listed.gap.message}")
    if not found:
        titles = ", ".join(clean(a.title, 60) for a in everything[:5]) or "none"
        raise NotFound(f"No artifact of this build matches {clean(pattern)!r}.", hint=f"There are: {titles}.")
    if listed.gap is not None:
        if not partly and found[0].title not in wanted:
            raise listed.gap
        gaps.append(listed.gap)
    return tuple(found)


def gap_of(page: Page[Any], what: str) -> BadPayload | None:
    """Why a page may lack something; None where it is whole.

    Args:
        page: Of a list.
        what: The things in it: `apps`.
    """
    if page.note:
        return BadPayload(page.note)
    if page.unreadable:
        return BadPayload(f"The list of {what} may be incomplete: some of its items cannot be read.")
    return None


async def _listed(fetch: Callable[[Cursor | None], Awaitable[Page[T]]], what: str) -> tuple[list[T], BadPayload | None]:
    items: list[T] = []
    gap: BadPayload | None = None
    cursor: Cursor | None = None
    while True:
        page = await fetch(cursor)
        items.extend(page.items)
        gap = gap or gap_of(page, what)
        if (cursor := page.next_cursor) is None:
            return items, gap


async def list_apps(provider: Provider) -> Listed[App]:
    """Every app of an account that the provider lists, and why there may be more."""
    apps, gap = await _listed(provider.apps, "apps")
    return Listed(tuple({app.ref: app for app in apps}.values()), gap)


async def list_artifacts(provider: Provider, build: Build) -> Listed[Artifact]:
    """Every artifact of a build that the provider lists, and why there may be more."""
    artifacts, gap = await _listed(lambda cursor: provider.artifacts(build, cursor), "artifacts")
    return Listed(tuple({artifact.ref: artifact for artifact in artifacts}.values()), gap)


async def all_apps(provider: Provider) -> AsyncIterator[App]:
    """Every app of an account.

    Raises:
        BadPayload: The list has gaps; told once all that it has was given.
    """
    listed = await list_apps(provider)
    for app in listed.items:
        yield app
    if listed.gap is not None:
        raise listed.gap


async def all_artifacts(provider: Provider, build: Build) -> AsyncIterator[Artifact]:
    """Every artifact of a build that can be read; `list_artifacts` tells of gaps as well."""
    for artifact in (await list_artifacts(provider, build)).items:
        yield artifact


async def _pages(provider: Provider, app: App, query: BuildQuery) -> AsyncIterator[Page[Build]]:
    cursor: Cursor | None = None
    for _ in range(SEARCH_PAGES):
        page = await provider.builds(app.ref, query, cursor)
        yield page
        if (cursor := page.next_cursor) is None:
            return
