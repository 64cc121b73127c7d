"""One App Store Connect key, as far as Xcode Cloud is concerned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import quote

from tui.errors import BadPayload, NotFound, NotSupported
from tui.http import ApiClient, Authorization, Dialect, RetryPolicy
from tui.models import (
    Account,
    Action,
    App,
    AppRef,
    Artifact,
    ArtifactRef,
    Budget,
    Build,
    BuildQuery,
    BuildRef,
    Capabilities,
    Cursor,
    Identity,
    Page,
    Source,
    Verb,
)
from tui.providers import presigned
from tui.providers.paging import Trail
from tui.providers.protocol import ALL_BUILDS
from tui.providers.xcode_cloud import parse
from tui.secret import Secret

T = TypeVar("T")

MAX_PAGE_SIZE: Final = 200
"""The documented maximum; every list is asked for with a limit because the default is not documented."""
BUILD_PAGE_SIZE: Final = 50
"""Builds come with their workflows and branches, so a page of them is large."""
_RETENTION: Final = "Xcode Cloud keeps artifacts for up to 30 days after the build."

_DIALECT: Final = Dialect(
    explain=parse.parse_error,
    auth_hint="Check key id, issuer id (none for an individual key) and that the key is not revoked.",
    role_hint="The key needs a role that may see Xcode Cloud; or an agreement waits in App Store Connect.",
)
_BUILD_INCLUDE: Final = {"include": "workflow,sourceBranchOrTag,pullRequest"}
_APP_INCLUDE: Final = {"include": "app"}
_REFUSALS: Final = {
    Verb.PUBLISH: "Xcode Cloud has no public install pages; testers get builds through TestFlight.",
    Verb.DELETE: f"Apple's API cannot delete artifacts. {_RETENTION}",
}


class XcodeCloudProvider:
    """Reads what one key may see; Apple's API changes nothing here. Implements `Provider`."""

    def __init__(
        self,
        account: Account,
        authorization: Authorization,
        *,
        url: str,
        identity: Identity,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.account: Final = account
        self.capabilities: Final = Capabilities(groups_by_action=True, retention_days=30, retention_rule=_RETENTION)
        self.authorization: Final = authorization
        self._identity = identity
        self._budget: Budget | None = None
        self._client: Final = ApiClient(
            account=account,
            base_url=url,
            authorization=authorization,
            dialect=_DIALECT,
            policy=policy,
            on_headers=self._see_headers,
        )

    @property
    def budget(self) -> Budget | None:
        """Calls left in the rolling hour, by the last answer that told."""
        return self._budget

    @property
    def clock_offset_s(self) -> float | None:
        """The server's clock minus ours in seconds, by the last answer that told its time."""
        return self._client.clock_offset_s

    async def check(self) -> Identity:
        """Lists one product."""
        answer = await self._client.get("v1", "ciProducts", what="list of products", params={"limit": "1"})
        self._list(answer)
        return self._identity

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        """Products, with the bundle ids of their apps."""
        page, _ = await self._page(
            ("v1", "ciProducts"),
            {**_APP_INCLUDE, "limit": str(MAX_PAGE_SIZE)},
            cursor,
            lambda data, along: parse.parse_app(data, along, self.account.name, self.account.provider),
            what="list of products",
        )
        return page

    async def app(self, ref: AppRef) -> App:
        """One product."""
        answer = await self._client.get("v1", "ciProducts", ref.app, what="product", params=_APP_INCLUDE)
        along = parse.included(answer)
        app = parse.parse_app(parse.item(answer), along, self.account.name, self.account.provider)
        return _readable(app, "product")

    async def builds(self, app: AppRef, query: BuildQuery = ALL_BUILDS, cursor: Cursor | None = None) -> Page[Build]:
        """Build runs, newest first. The API has no filter: a page holds what matches of one of its pages."""
        is_filtered = query != ALL_BUILDS
        page, _ = await self._page(
            ("v1", "ciProducts", app.app, "buildRuns"),
            # Without this sort the oldest come first (rorkai/App-Store-Connect-CLI#1052).
            {
                "sort": "-number",
                **_BUILD_INCLUDE,
                "limit": str(MAX_PAGE_SIZE if is_filtered else BUILD_PAGE_SIZE),
            },
            cursor,
            lambda data, along: parse.parse_build(data, along, app),
            what="product",
        )
        if not is_filtered:
            return page
        chosen = tuple(build for build in page.items if _matches(build, query))
        is_past = any(_is_before(build, query) for build in page.items)
        return replace(page, items=chosen, next_cursor=None if is_past else page.next_cursor, total=None)

    async def build(self, ref: BuildRef) -> Build:
        """One build run."""
        answer = await self._client.get("v1", "ciBuildRuns", ref.build, what="build run", params=_BUILD_INCLUDE)
        build = parse.parse_build(parse.item(answer), parse.included(answer), ref.app_ref)
        return _readable(build, "build run")

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        """The artifacts of all actions of a run, in the order of the actions; always one page."""
        actions = await self._actions(build)
        try:
            async with asyncio.TaskGroup() as group:
                # The client lets four calls through at a time.
                tasks = [group.create_task(self._action_artifacts(build, action)) for action in actions.items]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        pages = [task.result() for task in tasks]
        return Page(
            tuple(artifact for page in pages for artifact in page.items),
            unreadable=actions.unreadable + sum(page.unreadable for page in pages),
            note=next((page.note for page in (actions, *pages) if page.note), None),
        )

    async def scope(self, app: App | None = None, build: Build | None = None) -> tuple[str, ...]:
        """The requests that the views of all apps, of one app or of one build make, as scope entries of a token.

        Paths are literal, so a token opens nothing that did not exist when it was minted. `limit`, `cursor` and `sort`
        do not count when requests are compared (App Store Connect API docs, generating-tokens-for-api-requests).
        """
        if build is not None:
            run = build.ref.build
            actions = await self._actions(build)
            artifacts = (await self.artifacts(build)).items
            return (
                _entry("ciBuildRuns", run, params=_BUILD_INCLUDE),
                _entry("ciBuildRuns", run, "actions"),
                *(_entry("ciBuildActions", action.id, "artifacts") for action in actions.items),
                *(_entry("ciArtifacts", artifact.ref.artifact) for artifact in artifacts),
            )
        if app is not None:
            product = app.ref.app
            return (
                _entry("ciProducts", product, params=_APP_INCLUDE),
                _entry("ciProducts", product, "buildRuns", params=_BUILD_INCLUDE),
            )
        return _entry("ciProducts"), _entry("ciProducts", params=_APP_INCLUDE)

    async def _actions(self, build: Build) -> Page[Action]:
        return await self._all(
            ("v1", "ciBuildRuns", build.ref.build, "actions"),
            lambda data, _along: parse.parse_action(data),
            what="build run",
        )

    async def artifact(self, artifact: Artifact) -> Artifact:
        """The artifact as the server has it now."""
        data = await self._read_artifact(artifact)
        return replace(artifact, size_bytes=_newer(parse.file_size(data), artifact.size_bytes))

    async def source(self, artifact: Artifact) -> Source:
        """A fresh download URL, valid for a limited time (App Store Connect API docs, ciArtifacts)."""
        data = await self._read_artifact(artifact)
        url = parse.download_url(data)
        if url is None:
            raise NotFound(
                "Xcode Cloud gives no download link for this artifact: it has expired or is not available.",
                hint=_RETENTION,
            )
        size_bytes = _newer(parse.file_size(data), artifact.size_bytes)
        return Source(url=Secret(url), size_bytes=size_bytes, expires_at=presigned.expiry(url))

    def refusal(self, verb: Verb, artifact: Artifact) -> str | None:
        """Why it cannot be done: everything but downloading is missing from Apple's API."""
        return _REFUSALS.get(verb)

    async def set_public(self, artifact: Artifact, enabled: bool) -> Artifact:
        """Refused always."""
        raise NotSupported(_REFUSALS[Verb.PUBLISH])

    async def delete(self, ref: ArtifactRef) -> None:
        """Refused always."""
        raise NotSupported(_REFUSALS[Verb.DELETE])

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    def _list(self, answer: object) -> list[object]:
        received = parse.items(answer)
        if received is None:
            raise BadPayload(f"The answer of {self._client.origin.host} is not a list.")
        return received

    def _see_headers(self, headers: Mapping[str, str]) -> None:
        self._budget = parse.parse_budget(headers, datetime.now(UTC)) or self._budget

    async def _read_artifact(self, artifact: Artifact) -> Mapping[str, object]:
        answer = await self._client.get("v1", "ciArtifacts", artifact.ref.artifact, what="artifact")
        return _readable(parse.item(answer), "artifact")

    async def _action_artifacts(self, build: Build, action: Action) -> Page[Artifact]:
        try:
            return await self._all(
                ("v1", "ciBuildActions", action.id, "artifacts"),
                lambda data, _along: parse.parse_artifact(data, build, action),
                what="build action",
            )
        except NotFound:
            # The action was listed a moment ago, so what is not found are its artifacts.
            return Page((), note=f"The artifacts of some actions are gone. {_RETENTION}")

    async def _all(
        self,
        segments: tuple[str, ...],
        parse_item: Callable[[object, parse.Included], T | None],
        *,
        what: str,
    ) -> Page[T]:
        """All pages of a short list as one."""
        collected: list[T] = []
        unreadable = 0
        cursor: Cursor | None = None
        while True:
            page, cursor = await self._page(segments, {"limit": str(MAX_PAGE_SIZE)}, cursor, parse_item, what=what)
            collected.extend(page.items)
            unreadable += page.unreadable
            if cursor is None:
                return Page(tuple(collected), unreadable=unreadable, note=page.note)

    async def _page(
        self,
        segments: tuple[str, ...],
        params: Mapping[str, str],
        cursor: Cursor | None,
        parse_item: Callable[[object, parse.Included], T | None],
        *,
        what: str,
    ) -> tuple[Page[T], Cursor | None]:
        """One page, and its next cursor again, which a filter of ours may drop from the page."""
        trail = Trail.read(cursor)
        if trail.token:
            answer = await self._client.get_link(trail.token, what=what)
        else:
            answer = await self._client.get(*segments, what=what, params=params)
        received = self._list(answer)
        along = parse.included(answer)
        parsed = (parse_item(data, along) for data in received)
        readable = tuple(item for item in parsed if item is not None)
        next_cursor, note = trail.follow(parse.next_link(answer), received)
        unreadable = len(received) - len(readable)
        return Page(readable, next_cursor, parse.total_items(answer), unreadable, note), next_cursor


def _readable(item: T | None, noun: str) -> T:
    if item is None:
        raise BadPayload(f"The answer of Xcode Cloud is not a readable {noun}.")
    return item


def _entry(*segments: str, params: Mapping[str, str] | None = None) -> str:
    """One request as a token's scope names it: `GET /v1/ciProducts?include=app`."""
    query = "&".join(f"{name}={value}" for name, value in (params or {}).items())
    path = "/".join(quote(segment, safe="") for segment in ("v1", *segments))
    return f"GET /{path}?{query}" if query else f"GET /{path}"


def _newer(fresh: int | None, known: int | None) -> int | None:
    return known if fresh is None else fresh


def _matches(build: Build, query: BuildQuery) -> bool:
    """Whether a run is one of those asked for; a run without a date is not left out because of dates."""
    created = build.created_at
    return (
        query.branch in (None, build.branch)
        and query.workflow in (None, build.workflow)
        and query.status in (None, build.status)
        and query.number in (None, build.number)
        and (query.after is None or created is None or created >= query.after)
        and (query.before is None or created is None or created < query.before)
    )


def _is_before(build: Build, query: BuildQuery) -> bool:
    """Whether no later page can hold a match: runs come by falling number, and so by falling date."""
    if query.number is not None and build.number is not None and build.number <= query.number:
        return True
    return query.after is not None and build.created_at is not None and build.created_at < query.after
