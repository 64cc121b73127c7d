"""One App Store Connect key, as far as Xcode Cloud is concerned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import quote

from tui.errors import NotFound, NotSupported, ProviderError
from tui.http import ApiClient, Authorization, Dialect, RetryPolicy
from tui.models import (
    Account,
    Action,
    App,
    AppRef,
    Artifact,
    ArtifactKind,
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
from tui.models.inspection import (
    BuildVerb,
    GitRef,
    Issue,
    IssueKind,
    LogPart,
    StartRequest,
    TestResult,
    TestStatus,
    Workflow,
)
from tui.providers import presigned
from tui.providers.protocol import ALL_BUILDS
from tui.providers.xcode_cloud import inside, parse
from tui.providers.xcode_cloud.listing import MAX_PAGE_SIZE, Listing, readable
from tui.providers.xcode_cloud.starting import Starting
from tui.secret import Secret

T = TypeVar("T")

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
_NO_ABORT: Final = "Apple's API cannot cancel a run; App Store Connect and Xcode can."
_READ_ONLY: Final = "This account is read-only (read_only in config.toml, --read-only or DIGSITE_READ_ONLY)."
_AGAIN: Final = Cursor("again")
"""Bundles are few: while more of them can come, all are listed again."""
_ISSUE_ORDER: Final = tuple(IssueKind)
_TEST_ORDER: Final = tuple(TestStatus)


class XcodeCloudProvider:
    """Reads what one key may see, and starts runs; Apple's API changes nothing else. Implements `Provider`."""

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
        self._listing: Final = Listing(self._client)
        self._starting: Final = Starting(self._client, self._listing)

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
        self._listing.items(answer)
        return self._identity

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        """Products, with the bundle ids of their apps."""
        page, _ = await self._listing.page(
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
        return readable(app, "product")

    async def builds(self, app: AppRef, query: BuildQuery = ALL_BUILDS, cursor: Cursor | None = None) -> Page[Build]:
        """Build runs, newest first. The API has no filter: a page holds what matches of one of its pages."""
        is_filtered = query != ALL_BUILDS
        page, _ = await self._listing.page(
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
        return readable(build, "build run")

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        """The artifacts of all actions of a run, in the order of the actions; always one page."""
        actions = await self._actions(build)
        pages = await _gather([self._action_artifacts(build, action) for action in actions.items])
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
                *(_entry("ciBuildActions", action.id, "issues") for action in actions.items),
                *(_entry("ciBuildActions", action.id, "testResults") for action in actions.items if _is_test(action)),
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
        return await self._listing.all(
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

    def build_refusal(self, verb: BuildVerb, build: Build | None = None) -> str | None:
        """Why it cannot be done."""
        if verb is BuildVerb.ABORT:
            return _NO_ABORT
        if verb not in {BuildVerb.START, BuildVerb.REBUILD}:
            return None
        if self._identity.scope:
            return "This token opens only some ways to read; starting a build needs the key."
        return _READ_ONLY if self.account.read_only else None

    async def log(self, build: Build, cursor: Cursor | None = None) -> LogPart:
        """The log bundles that there are now, those of before `cursor` too; an action's comes when it has ended."""
        artifacts = (await self.artifacts(build)).items
        bundles = tuple(artifact for artifact in artifacts if artifact.kind is ArtifactKind.LOGS)
        if not bundles:
            hint = _RETENTION if build.status.is_finished else "An action's log comes when the action has ended."
            raise NotFound("This build has no log.", hint=hint)
        if build.status.is_finished:
            return LogPart(bundles=bundles, is_complete=True)
        return LogPart(bundles=bundles, next_cursor=_AGAIN)

    async def actions(self, build: Build) -> tuple[Action, ...]:
        """The actions of a run."""
        return (await self._actions(build)).items

    async def stack(self, build: Build) -> str | None:
        """The versions of Xcode and macOS that the run's workflow asks for now: a run keeps none of its own."""
        answer = await self._client.get(
            "v1", "ciBuildRuns", build.ref.build, what="build run", params={"include": "workflow"}
        )
        workflow = parse.related_id(parse.item(answer), "workflow", parse.included(answer))
        if workflow is None:
            return None
        include = {"include": "xcodeVersion,macOsVersion"}
        return parse.stack(await self._client.get("v1", "ciWorkflows", workflow, what="workflow", params=include))

    async def issues(self, build: Build) -> tuple[Issue, ...]:
        """The issues of all actions, errors first; an action that counts none is not asked."""
        actions = [action for action in await self.actions(build) if _has_issues(action)]
        pages = await _gather([self._found(action, "issues", inside.parse_issue) for action in actions])
        found = [issue for page in pages for issue in page.items]
        return tuple(sorted(found, key=lambda issue: _ISSUE_ORDER.index(issue.kind)))

    async def tests(self, build: Build) -> tuple[TestResult, ...]:
        """The results of all test actions, failures first."""
        actions = [action for action in await self.actions(build) if _is_test(action)]
        pages = await _gather([self._found(action, "testResults", inside.parse_test) for action in actions])
        found = [result for page in pages for result in page.items]
        return tuple(sorted(found, key=lambda result: _TEST_ORDER.index(result.status)))

    async def workflows(self, app: AppRef) -> tuple[Workflow, ...]:
        """The workflows of a product, disabled ones too."""
        return await self._starting.workflows(app)

    def git_refs(self, app: AppRef, workflow: Workflow) -> AsyncIterator[GitRef]:
        """Branches and tags of the workflow's repository, then its open pull requests."""
        return self._starting.git_refs(workflow.id)

    async def start(self, request: StartRequest) -> Build:
        """Starts a run, or repeats one."""
        started = await self._starting.start(request)
        try:
            # The answer to a start includes neither workflow nor branch.
            return await self.build(started.ref)
        except ProviderError:
            return started

    async def abort(self, ref: BuildRef, reason: str) -> None:
        """Refused always."""
        raise NotSupported(_NO_ABORT)

    async def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        """Any call of the API."""
        return await self._client.call(method, path, body)

    async def recent_builds(self, cursor: Cursor | None = None) -> Page[tuple[App, Build]]:
        """Refused: build runs are listed by product, workflow or repository only (App Store Connect API)."""
        raise NotSupported("App Store Connect lists build runs of one product only.")

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    def _see_headers(self, headers: Mapping[str, str]) -> None:
        self._budget = parse.parse_budget(headers, datetime.now(UTC)) or self._budget

    async def _read_artifact(self, artifact: Artifact) -> Mapping[str, object]:
        answer = await self._client.get("v1", "ciArtifacts", artifact.ref.artifact, what="artifact")
        return readable(parse.item(answer), "artifact")

    async def _found(self, action: Action, name: str, parse_item: Callable[[object, Action], T | None]) -> Page[T]:
        """One of the lists of an action."""
        return await self._listing.all(
            ("v1", "ciBuildActions", action.id, name),
            lambda data, _along: parse_item(data, action),
            what="build action",
        )

    async def _action_artifacts(self, build: Build, action: Action) -> Page[Artifact]:
        try:
            return await self._listing.all(
                ("v1", "ciBuildActions", action.id, "artifacts"),
                lambda data, _along: parse.parse_artifact(data, build, action),
                what="build action",
            )
        except NotFound:
            # The action was listed a moment ago, so what is not found are its artifacts.
            return Page((), note=f"The artifacts of some actions are gone. {_RETENTION}")


async def _gather(calls: Sequence[Coroutine[None, None, T]]) -> list[T]:
    """Makes calls side by side, of which the client lets four through at a time; stops all at the first failure."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _is_test(action: Action) -> bool:
    return action.kind in {"TEST", None}


def _has_issues(action: Action) -> bool:
    """Whether an action counts issues, or does not tell."""
    counts = action.issues
    if counts is None:
        return True
    return any(count != 0 for count in (counts.errors, counts.warnings, counts.test_failures, counts.analyzer_warnings))


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
