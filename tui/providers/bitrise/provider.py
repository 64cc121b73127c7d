"""One Bitrise account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from tui.errors import BadPayload, NotFound, NotSupported, OutcomeUnknown, ProviderError
from tui.http import ApiClient, Dialect, RetryPolicy
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
    Status,
    Verb,
)
from tui.models.inspection import (
    BuildVerb,
    GitRef,
    GitRefKind,
    Issue,
    LogPart,
    StartRequest,
    TestResult,
    Workflow,
)
from tui.providers import presigned
from tui.providers.bitrise import inside, parse
from tui.providers.bitrise.token import TokenAuthorization
from tui.providers.paging import Trail
from tui.providers.protocol import ALL_BUILDS
from tui.secret import Secret

T = TypeVar("T")

PAGE_SIZE: Final = 50
"""The documented maximum (Bitrise docs, pagination-of-api-calls)."""

_DIALECT: Final = Dialect(
    explain=parse.parse_error,
    auth_hint="The token may be wrong, expired or revoked: create one in Bitrise's settings.",
    role_hint="Changing artifacts needs the role developer, admin or owner in the app's team.",
)
_CAPABILITIES: Final = Capabilities(
    publish=True,
    delete=True,
    server_filters=frozenset({"branch", "workflow", "status", "number", "after", "before"}),
    # Bitrise docs, artifact-retention-policy: files 90 days, IPA, APK and AAB 150; before 2026-03-31 both 365.
    retention_days=150,
    retention_rule="Bitrise keeps files for 90 days, IPA, APK and AAB for 150.",
)
_STATUS_NUMBER: Final = {
    Status.QUEUED: 0,
    Status.RUNNING: 0,
    Status.ON_HOLD: 0,
    Status.SUCCEEDED: 1,
    Status.FAILED: 2,
}
"""What to ask for. Aborted builds have two numbers, 3 and 4, and the API takes one: we pick them out."""
_NEVER: Final = frozenset({Status.ERRORED, Status.SKIPPED})
"""States that no Bitrise build has."""
_READ_ONLY: Final = "This account is read-only (read_only in config.toml, --read-only or DIGSITE_READ_ONLY)."
_NO_LIST: Final = {
    BuildVerb.ISSUES: "Bitrise's API has no list of issues; what went wrong is in the log.",
    BuildVerb.TESTS: "Bitrise's API has no list of test results; they are in the result artifact, if a step left one.",
}


class BitriseProvider:
    """Reads and changes what one token may see. Implements `Provider`."""

    def __init__(
        self, account: Account, token: Secret, *, url: str, worded: bool, policy: RetryPolicy | None = None
    ) -> None:
        self.account: Final = account
        self.capabilities: Final = _CAPABILITIES
        self.budget: Final[Budget | None] = None
        """Bitrise documents no call limit."""
        self._client: Final = ApiClient(
            account=account,
            base_url=url,
            authorization=TokenAuthorization(token, worded=worded),
            dialect=_DIALECT,
            policy=policy,
        )

    @property
    def clock_offset_s(self) -> float | None:
        """The server's clock minus ours in seconds, by the last answer that told its time."""
        return self._client.clock_offset_s

    async def check(self) -> Identity:
        """Lists one app, which every kind of token may; `/me` only gives a name and may not exist for all."""
        self._list(await self._client.get("apps", what="list of apps", params={"limit": "1"}))
        try:
            user = parse.parse_user(await self._client.get("me", what="user"))
        except ProviderError:
            user = None
        return Identity(user or "workspace token")

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        """Apps, the one with the latest build first."""
        return await self._page(
            ("apps",),
            {"sort_by": "last_build_at"},
            cursor,
            lambda item: parse.parse_app(item, self.account.name, self.account.provider),
            what="list of apps",
        )

    async def app(self, ref: AppRef) -> App:
        """One app."""
        data = await self._read("apps", ref.app, what="app")
        return _readable(parse.parse_app(data, self.account.name, self.account.provider), "app")

    async def builds(self, app: AppRef, query: BuildQuery = ALL_BUILDS, cursor: Cursor | None = None) -> Page[Build]:
        """Builds, newest first, filtered by the server as far as it can."""
        if query.status in _NEVER:
            return Page(())
        page = await self._page(
            ("apps", app.app, "builds"),
            {"sort_by": "created_at", **_build_filters(query)},
            cursor,
            lambda item: parse.parse_build(item, app),
            what="app",
        )
        if query.status is None:
            return page
        chosen = tuple(build for build in page.items if build.status is query.status)
        # The server counted all that are not finished (or all builds), not the ones asked for.
        exact = query.status in {Status.SUCCEEDED, Status.FAILED}
        return replace(page, items=chosen, total=page.total if exact else None)

    async def build(self, ref: BuildRef) -> Build:
        """One build."""
        data = await self._read("apps", ref.app, "builds", ref.build, what="build")
        return _readable(parse.parse_build(data, ref.app_ref), "build")

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        """Artifacts of one build; without install URLs, which only `artifact` reads."""
        ref = build.ref
        return await self._page(
            ("apps", ref.app, "builds", ref.build, "artifacts"),
            {},
            cursor,
            lambda item: parse.parse_artifact(item, build),
            what="build",
        )

    async def artifact(self, artifact: Artifact) -> Artifact:
        """The artifact as the server has it now."""
        data = await self._read(*_segments(artifact.ref), what="artifact")
        return parse.update_artifact(artifact, data)

    async def source(self, artifact: Artifact) -> Source:
        """A fresh presigned URL, good for ten minutes (Bitrise docs, managing-build-artifacts)."""
        data = await self._read(*_segments(artifact.ref), what="artifact")
        url = parse.download_url(data)
        if url is None:
            raise NotFound(
                "Bitrise gives no download link for this artifact: it has expired or is not available.",
                hint="Bitrise keeps installable files for 150 days and other artifacts for 90 days.",
            )
        fresh = parse.update_artifact(artifact, data)
        return Source(url=Secret(url), size_bytes=fresh.size_bytes, expires_at=presigned.expiry(url))

    def refusal(self, verb: Verb, artifact: Artifact) -> str | None:
        """Why it cannot be done."""
        if verb is Verb.DOWNLOAD:
            return None
        if self.account.read_only:
            return _READ_ONLY
        if verb is Verb.DELETE or parse.is_installable(artifact):
            return None
        if artifact.kind is ArtifactKind.AAB:
            return "An app bundle (AAB) cannot be installed, so Bitrise gives it no public install page."
        return "Bitrise has public install pages for IPA and APK files only."

    async def set_public(self, artifact: Artifact, enabled: bool) -> Artifact:
        """Switches the public install page; an answer that does not tell whether it is on is read up.

        Raises:
            NotSupported: It can have none, or the account is read-only.
            OutcomeUnknown: The change was sent, and what came of it cannot be read.
            ProviderError: It was refused.
        """
        reason = self.refusal(Verb.PUBLISH, artifact)
        if reason is not None:
            raise NotSupported(reason)
        body = {"is_public_page_enabled": enabled}
        answer = await self._client.patch(*_segments(artifact.ref), what="artifact", body=body)
        data = parse.item(answer)
        if parse.tells_public(data):
            return parse.update_artifact(artifact, data)
        try:
            data = await self._read(*_segments(artifact.ref), what="artifact")
        except ProviderError as error:
            raise _unknown_page(str(error)) from error
        if not parse.tells_public(data):
            raise _unknown_page("The server does not tell whether it is on.")
        return parse.update_artifact(artifact, data)

    async def delete(self, ref: ArtifactRef) -> None:
        """Deletes an artifact for good."""
        await self._client.delete(*_segments(ref), what="artifact")

    def build_refusal(self, verb: BuildVerb, build: Build | None = None) -> str | None:
        """Why it cannot be done."""
        if verb in _NO_LIST or verb is BuildVerb.LOG:
            return _NO_LIST.get(verb)
        if self.account.read_only:
            return _READ_ONLY
        if verb is BuildVerb.ABORT and build is not None and build.status.is_finished:
            return "This build has ended; there is nothing to abort."
        return None

    async def log(self, build: Build, cursor: Cursor | None = None) -> LogPart:
        """The log's link once it is archived, else its pieces after `cursor`.

        There is none for up to 15 seconds after a start (bitrise-io/bitrise-cli, internal/build/service.go).
        """
        params = {} if cursor is None else {"after_timestamp": str(cursor)}
        return inside.parse_log(await self._client.get(*_build(build.ref), "log", what="log", params=params))

    async def actions(self, build: Build) -> tuple[Action, ...]:
        """None: a Bitrise build has steps, which only its log tells of."""
        return ()

    async def stack(self, build: Build) -> str | None:
        """The stack, which every build names."""
        return build.stack

    async def issues(self, build: Build) -> tuple[Issue, ...]:
        """None: see `build_refusal`."""
        return ()

    async def tests(self, build: Build) -> tuple[TestResult, ...]:
        """None: see `build_refusal`."""
        return ()

    async def workflows(self, app: AppRef) -> tuple[Workflow, ...]:
        """Those ever triggered; one that never ran is missing, one that is gone is not (Bitrise API, v0.1)."""
        answer = await self._client.get("apps", app.app, "build-workflows", what="app")
        return tuple(Workflow(name, name) for name in self._list(answer) if isinstance(name, str) and name)

    async def git_refs(self, app: AppRef, workflow: Workflow) -> AsyncIterator[GitRef]:
        """Branches that have builds; the API knows of no others."""
        for name in self._list(await self._client.get("apps", app.app, "branches", what="app")):
            if isinstance(name, str) and name:
                yield GitRef(name, name, GitRefKind.BRANCH)

    async def start(self, request: StartRequest) -> Build:
        """Starts a build, or repeats one; of commit, tag and branch the first counts."""
        self._client.check_writable()
        params = inside.start_params(request)
        if request.rebuild is not None:
            params = inside.rebuild_params(await self._read(*_build(request.rebuild), what="build"))
        answer = await self._client.post(
            "apps",
            request.app.app,
            "builds",
            what="app",
            body={"hook_info": {"type": "bitrise"}, "build_params": params},
        )
        started = inside.parse_started(answer, request)
        try:
            return await self.build(started.ref)
        except ProviderError:
            # It was started, whatever came of reading it.
            return started

    async def abort(self, ref: BuildRef, reason: str) -> None:
        """Aborts a build that is not finished; it counts as failed (Bitrise docs, triggering-and-aborting-builds)."""
        body = {
            "abort_reason": reason,
            "abort_with_success": False,
            "skip_git_status_report": False,
            "skip_notifications": False,
        }
        await self._client.post(*_build(ref), "abort", what="build", body=body)

    async def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        """Any call of the API."""
        return await self._client.call(method, path, body)

    async def recent_builds(self, cursor: Cursor | None = None) -> Page[tuple[App, Build]]:
        """Builds of all apps that the token may see, each with its app (Bitrise API, v0.1, build-list-all)."""
        return await self._page(
            ("builds",),
            {},
            cursor,
            lambda item: parse.parse_recent_build(item, self.account.name, self.account.provider),
            what="list of builds",
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _page(
        self,
        segments: tuple[str, ...],
        params: dict[str, str],
        cursor: Cursor | None,
        parse_item: Callable[[object], T | None],
        *,
        what: str,
    ) -> Page[T]:
        trail = Trail.read(cursor)
        params = {**params, "limit": str(PAGE_SIZE)}
        if trail.token:
            params["next"] = trail.token
        answer = await self._client.get(*segments, what=what, params=params)
        received = self._list(answer)
        readable = tuple(item for item in map(parse_item, received) if item is not None)
        token, unreadable_next = parse.next_page(answer)
        next_cursor, note = trail.follow(token, received)
        return Page(
            readable,
            next_cursor,
            total=parse.total_items(answer),
            unreadable=len(received) - len(readable),
            note=note or unreadable_next,
        )

    def _list(self, answer: object) -> list[object]:
        received = parse.items(answer)
        if received is None:
            raise BadPayload(f"The answer of {self._client.origin.host} is not a list.")
        return received

    async def _read(self, *segments: str, what: str) -> Mapping[str, object]:
        return _readable(parse.item(await self._client.get(*segments, what=what)), what)


def _unknown_page(why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The change of the public page was sent, but what came of it cannot be read: {why}",
        hint="Refresh the list and look again.",
    )


def _build(ref: BuildRef) -> tuple[str, ...]:
    return ("apps", ref.app, "builds", ref.build)


def _segments(ref: ArtifactRef) -> tuple[str, ...]:
    return (*_build(ref.build_ref), "artifacts", ref.artifact)


def _readable(item: T | None, noun: str) -> T:
    if item is None:
        raise BadPayload(f"The answer of Bitrise is not a readable {noun}.")
    return item


def _build_filters(query: BuildQuery) -> dict[str, str]:
    """The query as Bitrise's parameters; times are unix seconds."""
    filters: dict[str, str] = {}
    if query.branch is not None:
        filters["branch"] = query.branch
    if query.workflow is not None:
        filters["workflow"] = query.workflow
    if query.number is not None:
        filters["build_number"] = str(query.number)
    if query.status is not None and query.status in _STATUS_NUMBER:
        filters["status"] = str(_STATUS_NUMBER[query.status])
    if query.after is not None:
        filters["after"] = str(int(query.after.timestamp()))
    if query.before is not None:
        filters["before"] = str(int(query.before.timestamp()))
    return filters
