"""An archive as an account: what the provider dropped is still there, to list, look into and download.

An account of it has no secret; `destination` in config.toml names the folder or bucket.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Final, NoReturn, TypeVar

from tui.archive.manifest import Manifest, TornManifest
from tui.archive.reader import ArchivedApp, Reader
from tui.errors import NotFound, NotSupported
from tui.models import (
    Account,
    Action,
    App,
    AppId,
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
from tui.models.inspection import BuildVerb, GitRef, Issue, LogPart, StartRequest, TestResult, Workflow
from tui.threads import in_daemon_thread

T = TypeVar("T")

_PAGE: Final = 50
_ALL: Final = BuildQuery()
_REFUSAL: Final = "An archive only keeps what was there: this cannot be done with a copy."
_DELETE: Final = "digsite never deletes from an archive; remove the files there by hand."


class ArchiveProvider:
    """Implements `Provider` over one archive.

    Args:
        account: Whose copies they seem to be.
        reader: Of the archive.
    """

    capabilities: Final = Capabilities()
    budget: Budget | None = None
    clock_offset_s: float | None = None

    def __init__(self, account: Account, reader: Reader) -> None:
        self.account: Final = account
        self._reader = reader
        self._apps: dict[AppId, ArchivedApp] = {}
        self._folders: dict[BuildRef, str] = {}

    async def check(self) -> Identity:
        """Whether the archive can be read."""
        await _thread(lambda: self._reader.store.folders(""))
        return Identity(self._reader.store.name)

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        """All apps of all accounts that were archived."""
        listed = await _thread(self._reader.apps)
        self._apps = {self._app_id(each): each for each in listed}
        return Page(tuple(self._named(each) for each in listed))

    async def app(self, ref: AppRef) -> App:
        """One app."""
        return self._named(await self._find(ref))

    async def builds(self, app: AppRef, query: BuildQuery = _ALL, cursor: Cursor | None = None) -> Page[Build]:
        """One page of builds, the highest number first; filtered here, so a page may be empty."""
        found = await self._find(app)
        start = int(cursor) if cursor else 0

        def read() -> Page[Build]:
            folders = self._reader.builds(found.folder)
            if query.number is not None:
                folders = [folder for folder in folders if folder.rpartition("/")[2] == str(query.number)]
            manifests = [self._manifest(folder) for folder in folders[start : start + _PAGE]]
            builds = [self._owned(each.build, app) for each in manifests if each is not None]
            named = zip(folders[start : start + _PAGE], manifests, strict=True)
            self._folders |= {self._owned(m.build, app).ref: folder for folder, m in named if m is not None}
            following = Cursor(str(start + _PAGE)) if start + _PAGE < len(folders) else None
            torn = sum(each is None for each in manifests)
            return Page(tuple(b for b in builds if _matches(b, query)), following, unreadable=torn)

        return await _thread(read)

    async def build(self, ref: BuildRef) -> Build:
        """One build."""
        _, manifest = await self._opened(ref)
        return self._owned(manifest.build, ref.app_ref)

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        """The copies of a build."""
        _, manifest = await self._opened(build.ref, build.number)
        return Page(tuple(self._copy(entry.artifact, entry.size_bytes, build.ref) for entry in manifest.entries))

    async def artifact(self, artifact: Artifact) -> Artifact:
        """The same, read again."""
        _, manifest = await self._opened(artifact.ref.build_ref)
        entry = manifest.entry(artifact.ref.artifact)
        if entry is None:
            raise NotFound(f"{self._reader.store.name} has no copy of it.")
        return self._copy(entry.artifact, entry.size_bytes, artifact.ref.build_ref)

    async def source(self, artifact: Artifact) -> Source:
        """The file, or a signed URL."""
        folder, manifest = await self._opened(artifact.ref.build_ref)
        entry = manifest.entry(artifact.ref.artifact)
        if entry is None:
            raise NotFound(f"{self._reader.store.name} has no copy of it.")
        key = f"{folder}/{entry.file}"
        url = await _thread(lambda: self._reader.store.source(key))
        return Source(url, entry.size_bytes)

    def refusal(self, verb: Verb, artifact: Artifact) -> str | None:
        """Copies can be downloaded, nothing else."""
        return {Verb.DOWNLOAD: None, Verb.DELETE: _DELETE}.get(verb, _REFUSAL)

    def build_refusal(self, verb: BuildVerb, build: Build | None = None) -> str | None:
        """Nothing can be done with a build."""
        return _REFUSAL

    async def set_public(self, artifact: Artifact, enabled: bool) -> Artifact:
        """Refused."""
        _refuse()

    async def delete(self, ref: ArtifactRef) -> None:
        """Refused."""
        raise NotSupported(_DELETE)

    async def log(self, build: Build, cursor: Cursor | None = None) -> LogPart:
        """Refused: logs are archived only where they are artifacts."""
        _refuse()

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

    async def workflows(self, app: AppRef) -> tuple[Workflow, ...]:
        """None: nothing can be started."""
        return ()

    async def git_refs(self, app: AppRef, workflow: Workflow) -> AsyncIterator[GitRef]:
        """None."""
        nothing: tuple[GitRef, ...] = ()
        for ref in nothing:
            yield ref

    async def start(self, request: StartRequest) -> Build:
        """Refused."""
        _refuse()

    async def abort(self, ref: BuildRef, reason: str) -> None:
        """Refused."""
        _refuse()

    async def recent_builds(self, cursor: Cursor | None = None) -> Page[tuple[App, Build]]:
        """Refused: what is newest is at the provider."""
        raise NotSupported("An archive lists the builds of one app only.")

    async def aclose(self) -> None:
        """Nothing is open."""

    def _app_id(self, found: ArchivedApp) -> AppId:
        """Its folder: apps of several accounts are together here."""
        return AppId(found.folder)

    def _named(self, found: ArchivedApp) -> App:
        return replace(found.app, ref=AppRef(self.account.name, self._app_id(found)), provider=self.account.provider)

    def _owned(self, build: Build, app: AppRef) -> Build:
        return replace(build, ref=BuildRef(self.account.name, app.app, build.ref.build))

    def _copy(self, artifact: Artifact, size_bytes: int, build: BuildRef) -> Artifact:
        ref = ArtifactRef(self.account.name, build.app, build.build, artifact.ref.artifact)
        return replace(artifact, ref=ref, size_bytes=size_bytes, is_public=None, install_url=None)

    async def _find(self, ref: AppRef) -> ArchivedApp:
        found = self._apps.get(ref.app)
        if found is None and ref.app.count("/") == 1:
            found = await _thread(lambda: self._reader.app(ref.app))
        if found is None:
            raise NotFound(f"{self._reader.store.name} has no such app.")
        self._apps[ref.app] = found
        return found

    async def _opened(self, ref: BuildRef, number: int | None = None) -> tuple[str, Manifest]:
        """A build's folder, by its number where that is known; else all are looked through."""
        app = await self._find(ref.app_ref)

        def search() -> tuple[str, Manifest]:
            known = self._folders.get(ref) or (f"{app.folder}/{number}" if number is not None else None)
            for folder in [known] if known is not None else self._reader.builds(app.folder):
                manifest = self._manifest(folder)
                if manifest is not None and manifest.build.ref.build == ref.build:
                    self._folders[ref] = folder
                    return folder, manifest
            raise NotFound(f"{self._reader.store.name} has no such build.")

        return await _thread(search)

    def _manifest(self, folder: str) -> Manifest | None:
        try:
            return self._reader.manifest(folder)
        except TornManifest:
            return None


def _matches(build: Build, query: BuildQuery) -> bool:
    created = build.created_at
    return (
        query.branch in {None, build.branch}
        and query.workflow in {None, build.workflow}
        and query.status in {None, build.status}
        and query.number in {None, build.number}
        and (query.after is None or (created is not None and created >= query.after))
        and (query.before is None or (created is not None and created < query.before))
    )


def _refuse() -> NoReturn:
    raise NotSupported(_REFUSAL)


async def _thread(function: Callable[[], T]) -> T:
    return await in_daemon_thread(function, name="archive")
