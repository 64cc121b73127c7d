"""Builds that lie in folders of a web server: an example of a provider plug-in.

The server lists its folders as JSON and has one secret. For nginx:

    map $http_authorization $has_token { default 0; "Bearer SECRET" 1; }
    location / {
        autoindex on;
        autoindex_format json;
        secure_link $arg_md5,$arg_expires;
        secure_link_md5 "$secure_link_expires$uri SECRET";
        set $allowed $has_token$secure_link;
        if ($allowed ~ "^00?$") { return 401; }
    }

A build is a folder /APP/NUMBER/ of files. `build.json` in it tells what a folder cannot, with the keys `status`,
`branch`, `workflow`, `commit` and `message`; `build.log` is its log. The token opens lists; a file is downloaded by a
link signed with it, because digsite sends no token to where the bytes are.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, NoReturn

from tui.errors import BadPayload, CredentialError, NotFound, NotSupported, ProviderError
from tui.http import ApiClient, Dialect
from tui.models import (
    Account,
    Action,
    App,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
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
from tui.providers import SetupField
from tui.secret import Secret

PAGE_SIZE: Final = 20
"""Builds of a page; each costs a call for its build.json."""
LINK_TIME: Final = timedelta(minutes=10)
"""For so long a signed link works."""

_ALL: Final = BuildQuery()
_FACTS, _LOG = "build.json", "build.log"
_KINDS: Final = {"ipa": ArtifactKind.IPA, "apk": ArtifactKind.APK, "aab": ArtifactKind.AAB}
_ONLY_FILES: Final = "A web server only hands out files: this cannot be done there."
_DIALECT: Final = Dialect(
    explain=lambda _: None,
    auth_hint="Ask whoever runs the server for its token.",
    role_hint="The server's token may not read this.",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing (nginx docs, ngx_http_autoindex_module)."""

    name: str
    is_folder: bool
    changed_at: datetime
    size_bytes: int | None

    @classmethod
    def read(cls, data: object) -> Entry | None:
        """The entry; None where the server sent something else."""
        match data:
            case {"name": str(name), "type": "directory" | "file" as kind, "mtime": str(mtime), **rest} if name:
                size = rest.get("size")
                try:
                    changed_at = parsedate_to_datetime(mtime).astimezone(UTC)
                except ValueError:
                    return None
                return cls(name, kind == "directory", changed_at, size if isinstance(size, int) else None)
            case _:
                return None


class BearerToken:
    """How requests are authorised."""

    def __init__(self, token: Secret) -> None:
        self._header = Secret(f"Bearer {token.reveal()}")

    async def header(self, clock_offset_s: float) -> Secret:
        """Always the same."""
        return self._header

    def renew(self) -> bool:
        """There is no other."""
        return False


class AutoindexProvider:
    """Implements `Provider` for one server."""

    capabilities: Final = Capabilities()
    budget: Final = None

    def __init__(self, account: Account, token: Secret, url: str) -> None:
        self.account: Final = account
        self._token = token
        self._client = ApiClient(account=account, base_url=url, authorization=BearerToken(token), dialect=_DIALECT)

    @property
    def clock_offset_s(self) -> float | None:
        """As the server's answers tell."""
        return self._client.clock_offset_s

    # Reading: a folder is a list --------------------------------------------------------------------------

    async def check(self) -> Identity:
        """Lists the top folder."""
        await self._list()
        return Identity(f"token of {self._client.origin.host}")

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        """The top folders; a listing has no pages."""
        if cursor is not None:
            raise ProviderError("The list of apps has one page.")
        return Page(tuple(self._app(entry) for entry in await self._list() if entry.is_folder))

    async def app(self, ref: AppRef) -> App:
        """One of them."""
        return self._app(_named(ref.app, await self._list()))

    async def builds(self, app: AppRef, query: BuildQuery = _ALL, cursor: Cursor | None = None) -> Page[Build]:
        """The folders of an app, the one changed last first; the server filters nothing, so a page may be empty."""
        if cursor is not None and not cursor.isdecimal():
            raise ProviderError("This is not the cursor of a page.")
        start = int(cursor or 0)
        found = sorted(await self._list(app.app), key=lambda entry: (entry.changed_at, entry.name), reverse=True)
        folders = [entry for entry in found if entry.is_folder and _may_match(entry, query)]
        builds = await asyncio.gather(*(self._build(app, entry) for entry in folders[start : start + PAGE_SIZE]))
        following = Cursor(str(start + PAGE_SIZE)) if start + PAGE_SIZE < len(folders) else None
        return Page(tuple(build for build in builds if _matches(build, query)), following)

    async def build(self, ref: BuildRef) -> Build:
        """One folder."""
        return await self._build(ref.app_ref, _named(ref.build, await self._list(ref.app)))

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        """The files of a folder."""
        entries = await self._list(build.ref.app, build.ref.build)
        files = [entry for entry in entries if not entry.is_folder and entry.name not in {_FACTS, _LOG}]
        return Page(tuple(_artifact(build.ref, entry) for entry in files))

    async def artifact(self, artifact: Artifact) -> Artifact:
        """The file as it is listed now."""
        ref = artifact.ref
        return _artifact(ref.build_ref, _named(ref.artifact, await self._list(ref.app, ref.build)))

    async def source(self, artifact: Artifact) -> Source:
        """A signed link to the file."""
        ref = artifact.ref
        return self._signed((await self.artifact(artifact)).size_bytes, ref.app, ref.build, ref.artifact)

    async def log(self, build: Build, cursor: Cursor | None = None) -> LogPart:
        """build.log, whole."""
        entry = _named(_LOG, await self._list(build.ref.app, build.ref.build))
        return LogPart(source=self._signed(entry.size_bytes, build.ref.app, build.ref.build, _LOG), is_complete=True)

    async def workflows(self, app: AppRef) -> tuple[Workflow, ...]:
        """Those of the newest builds."""
        names = {build.workflow for build in (await self.builds(app)).items if build.workflow}
        return tuple(Workflow(name, name) for name in sorted(names))

    async def git_refs(self, app: AppRef, workflow: Workflow) -> AsyncIterator[GitRef]:
        """Branches of the newest builds."""
        for name in sorted({build.branch for build in (await self.builds(app)).items if build.branch}):
            yield GitRef(name, name, GitRefKind.BRANCH)

    async def actions(self, build: Build) -> tuple[Action, ...]:
        """None."""
        return ()

    async def stack(self, build: Build) -> str | None:
        """As far as it is known of the build."""
        return build.stack

    async def issues(self, build: Build) -> tuple[Issue, ...]:
        """None."""
        return ()

    async def tests(self, build: Build) -> tuple[TestResult, ...]:
        """None."""
        return ()

    # What such a server cannot do is refused in a sentence ------------------------------------------------

    def refusal(self, verb: Verb, artifact: Artifact) -> str | None:
        """Files can be downloaded, nothing else."""
        return None if verb is Verb.DOWNLOAD else _ONLY_FILES

    def build_refusal(self, verb: BuildVerb, build: Build | None = None) -> str | None:
        """Logs can be read, nothing else."""
        return None if verb is BuildVerb.LOG else _ONLY_FILES

    async def set_public(self, artifact: Artifact, enabled: bool) -> Artifact:
        """Refused."""
        _refuse()

    async def delete(self, ref: ArtifactRef) -> None:
        """Refused."""
        _refuse()

    async def start(self, request: StartRequest) -> Build:
        """Refused."""
        _refuse()

    async def abort(self, ref: BuildRef, reason: str) -> None:
        """Refused."""
        _refuse()

    async def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        """Refused: there is no API."""
        _refuse()

    async def recent_builds(self, cursor: Cursor | None = None) -> Page[tuple[App, Build]]:
        """Refused: each folder is listed alone, so digsite asks the apps one by one."""
        _refuse()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _list(self, *folders: str) -> list[Entry]:
        answer = await self._client.get(*folders, "", what="folder")  # the last part makes the slash at the end
        if not isinstance(answer, list):
            raise BadPayload("The server's answer is not a list of files.")
        return [entry for entry in map(Entry.read, answer) if entry is not None]

    def _app(self, entry: Entry) -> App:
        return App(AppRef(self.account.name, AppId(entry.name)), entry.name, self.account.provider)

    async def _build(self, app: AppRef, entry: Entry) -> Build:
        try:
            answer = await self._client.get(app.app, entry.name, _FACTS, what="build.json")
        except NotFound:
            answer = None
        known = answer.items() if isinstance(answer, dict) else ()
        facts = {key: value for key, value in known if isinstance(value, str)}
        word = facts.get("status", "not told")
        status = Status(word) if word in set(Status) else Status.UNKNOWN
        return Build(
            BuildRef(app.account, app.app, BuildId(entry.name)),
            _number(entry),
            status,
            word,
            branch=facts.get("branch"),
            workflow=facts.get("workflow"),
            commit_sha=facts.get("commit"),
            commit_message=facts.get("message"),
            created_at=entry.changed_at,
            finished_at=entry.changed_at if status.is_finished else None,
        )

    def _signed(self, size_bytes: int | None, *parts: str) -> Source:
        """A link that works without the token (nginx docs, ngx_http_secure_link_module)."""
        expires_at = datetime.now(UTC).replace(microsecond=0) + LINK_TIME
        origin, expires = self._client.origin, int(expires_at.timestamp())
        text = f"{expires}{origin.path}/{'/'.join(parts)} {self._token.reveal()}"
        digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
        signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        url = origin.url(*parts, params={"md5": signature, "expires": str(expires)})
        return Source(Secret(url), size_bytes, expires_at)


class AutoindexPlugin:
    """Implements `ProviderPlugin`; the entry point in pyproject.toml names it."""

    name: str = "autoindex"
    title: str = "Web server"
    badge: str = "WEB"
    default_url: str = "https://builds.example.com"
    secret_label: str = "Token of the server"
    fields: Sequence[SetupField] = ()

    def check_secret(self, secret: Secret, options: Mapping[str, str]) -> Secret:
        """The token without blanks around it."""
        token = secret.reveal().strip()
        if not token or not token.isascii() or any(char.isspace() for char in token):
            raise CredentialError("The token is empty or has blanks or characters that are not ASCII in it.")
        return Secret(token)

    def expires_at(self, secret: Secret) -> datetime | None:
        """Never."""
        return None

    def environment(self, environ: Mapping[str, str]) -> tuple[Account, Secret] | None:
        """The environment describes none."""
        return None

    def open(self, account: Account, secret: Secret) -> AutoindexProvider:
        """Opens the server at the account's `url`; nothing is sent yet."""
        return AutoindexProvider(account, secret, account.url or self.default_url)


def _named(name: str, entries: list[Entry]) -> Entry:
    for entry in entries:
        if entry.name == name:
            return entry
    raise NotFound("The server has nothing of that name.")


def _artifact(build: BuildRef, entry: Entry) -> Artifact:
    suffix = entry.name.rpartition(".")[2].lower()
    return Artifact(
        ArtifactRef(build.account, build.app, build.build, ArtifactId(entry.name)),
        entry.name,
        _KINDS.get(suffix, ArtifactKind.FILE),
        suffix or "file",
        size_bytes=entry.size_bytes,
        created_at=entry.changed_at,
    )


def _number(entry: Entry) -> int | None:
    return int(entry.name) if entry.name.isdecimal() and len(entry.name) < 10 else None


def _may_match(entry: Entry, query: BuildQuery) -> bool:
    """What can be told before its build.json is read."""
    return (
        query.number in {None, _number(entry)}
        and (query.after is None or entry.changed_at >= query.after)
        and (query.before is None or entry.changed_at < query.before)
    )


def _matches(build: Build, query: BuildQuery) -> bool:
    return (
        query.branch in {None, build.branch}
        and query.workflow in {None, build.workflow}
        and query.status in {None, build.status}
    )


def _refuse() -> NoReturn:
    raise NotSupported(_ONLY_FILES)
