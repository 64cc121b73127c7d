"""Which build and artifact a file on disk, or a crash's UUID, comes from: newest builds first, calls counted."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from tui import folders
from tui.errors import DigsiteError, NotFound
from tui.models import App, Artifact, ArtifactKind, ArtifactRef, Build, Cursor, Source
from tui.paths import DigPath, join
from tui.peek import Archive, Entry, PeekError, RemoteFile
from tui.providers import Provider
from tui.services.inside import md5_of
from tui.services.resolve import all_apps, app_part, artifact_part, build_part
from tui.storage import LocalFile
from tui.threads import in_daemon_thread
from tui.transfers.history import History

if TYPE_CHECKING:
    from tui.services.root import Services

_READ_BYTES: Final = 1 << 20
_MAX_PAGES: Final = 100
"""Of builds of one app, however few a page has."""


@dataclass(frozen=True, slots=True)
class Identified:
    """Where something comes from."""

    path: str
    how: str
    """What told so, in words."""
    is_proved: bool
    """Whether contents were compared, not only size and title."""
    artifact: ArtifactRef
    build: Build | None = None
    """None where the provider has it no more."""


@dataclass
class Spent:
    """What a search has cost so far."""

    builds: int = 0
    calls: int = 0
    """To providers."""
    moved_bytes: int = 0
    """Over the network from storages."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An app that is searched, and how a path names it."""

    provider: Provider
    app: App
    path: str


@dataclass
class Identifying:
    """Searches.

    Args:
        services: To list and to look inside with.
        told: Called after each build that was looked at.
    """

    services: Services
    told: Callable[[Spent], None]
    spent: Spent = field(default_factory=Spent)

    async def file(self, file: Path, scope: DigPath, limit: int) -> Identified:
        """Finds the artifact that a file is a copy of.

        Args:
            file: On this machine.
            scope: Where to search: everywhere, an account, an app or a build.
            limit: Builds that are looked at.

        Raises:
            NotFound: Nothing there is this file.
            OSError: The file cannot be read.
            DigsiteError: A provider cannot be asked.
        """
        local = _local(self.services, file)
        if (known := await self._from_history(local, scope)) is not None:
            return known
        async for place, build in self._builds(scope, limit):
            artifacts = await self._artifacts(place, build)
            for artifact in sorted(artifacts, key=lambda a: a.title != file.name):
                how = await self._same(local, artifact)
                if how:
                    path = f"{place.path}/{join(build_part(build))}/{artifact_part(artifact, artifacts)}"
                    return Identified(path, how, how != _LIKELY, artifact.ref, build)
        raise self._unknown("is this file", limit)

    async def uuid(self, uuid: UUID, scope: DigPath, limit: int) -> Identified:
        """Finds the artifact that has the debug symbols of a crash, or the program itself.

        Raises:
            NotFound: Nothing there has that UUID.
            DigsiteError: A provider cannot be asked.
        """
        async for place, build in self._builds(scope, limit):
            artifacts = await self._artifacts(place, build)
            for artifact in sorted(filter(_may_have_uuid, artifacts), key=_symbols_first):
                if (name := await self._binary_inside(artifact, str(uuid).upper())) is not None:
                    path = f"{place.path}/{join(build_part(build))}/{artifact_part(artifact, artifacts)}"
                    return Identified(path, f"has {name}", is_proved=True, artifact=artifact.ref, build=build)
        raise self._unknown("has this UUID", limit)

    def _unknown(self, what: str, limit: int) -> NotFound:
        more = "--limit looks further back." if self.spent.builds >= limit else None
        return NotFound(f"No artifact of {self.spent.builds:,} builds {what}.", hint=more)

    # What is searched -------------------------------------------------------------------------------------

    async def _builds(self, scope: DigPath, limit: int) -> AsyncIterator[tuple[_Place, Build]]:
        """Builds of all apps in the scope together, newest first; unfinished ones are left out."""
        if scope.build is not None:
            found = await self.services.resolver.find(scope)
            self.spent.calls += 2
            if found.app is not None and found.build is not None:
                app_path = join(found.session.account.name, found.app_part)
                self.spent.builds += 1
                yield _Place(found.provider, found.app, app_path), found.build
            return
        order = count()
        heap: list[tuple[float, int, Build, _Place, AsyncIterator[Build]]] = []

        async def push(place: _Place, builds: AsyncIterator[Build]) -> None:
            if (build := await anext(builds, None)) is not None:
                moment = build.created_at.timestamp() if build.created_at else 0.0
                heapq.heappush(heap, (-moment, next(order), build, place, builds))

        places = await self._places(scope)
        await asyncio.gather(*(push(place, self._builds_of(place)) for place in places))
        while heap and self.spent.builds < limit:
            _, _, build, place, builds = heapq.heappop(heap)
            self.spent.builds += 1
            yield place, build
            self.told(self.spent)
            await push(place, builds)

    async def _places(self, scope: DigPath) -> list[_Place]:
        if scope.app is not None:
            found = await self.services.resolver.find(scope)
            self.spent.calls += 1
            return [_Place(found.provider, found.app, found.path)] if found.app is not None else []
        sessions = list(self.services.sessions.values())
        if scope.account is not None:
            sessions = [self.services.resolver.session(scope.account)]
        places = []
        for session in sessions:
            provider = await session.provider()
            apps = [app async for app in all_apps(provider)]
            self.spent.calls += 1
            places += [_Place(provider, app, join(app.ref.account, app_part(app, apps))) for app in apps]
        return places

    async def _builds_of(self, place: _Place) -> AsyncIterator[Build]:
        cursor: Cursor | None = None
        for _ in range(_MAX_PAGES):
            page = await place.provider.builds(place.app.ref, cursor=cursor)
            self.spent.calls += 1
            for build in page.items:
                if build.status.is_finished:
                    yield build
            if (cursor := page.next_cursor) is None:
                return

    async def _artifacts(self, place: _Place, build: Build) -> tuple[Artifact, ...]:
        found: list[Artifact] = []
        cursor: Cursor | None = None
        while True:
            page = await place.provider.artifacts(build, cursor)
            # A provider with actions asks for those, then for the artifacts of each.
            self.spent.calls += 1 + len({artifact.action.id for artifact in page.items if artifact.action})
            found += page.items
            if (cursor := page.next_cursor) is None:
                return tuple(found)

    # Whether it is the one --------------------------------------------------------------------------------

    async def _from_history(self, local: _LocalFile, scope: DigPath) -> Identified | None:
        """What digsite itself has downloaded."""
        with closing(History(folders.state_dir() / "transfers.sqlite")) as history:
            finished = history.of_size(local.size_bytes)
        if not finished:
            return None
        sha256 = await local.digest("sha256")
        for known in finished:
            ref = known.artifact
            if known.sha256 == sha256 and (scope.account is None or scope.account == ref.account):
                return await self._named(ref)
        return None

    async def _named(self, ref: ArtifactRef) -> Identified:
        how = "same SHA-256 as what was downloaded from there"
        by_id = join(ref.account, ref.app, ref.build, ref.artifact)
        if ref.account not in self.services.sessions:
            return Identified(by_id, how, is_proved=True, artifact=ref)
        self.spent.calls += 3
        try:
            found = await self.services.resolver.find(DigPath.parse(by_id))
        except NotFound:
            return Identified(by_id, f"{how}; it is gone on the server", is_proved=True, artifact=ref)
        path = found.path_of(found.artifacts[0], found.siblings)
        return Identified(path, how, is_proved=True, artifact=ref, build=found.build)

    async def _same(self, local: _LocalFile, artifact: Artifact) -> str | None:
        """What tells that an artifact is the file, in words; None when it is another one."""
        has_name = artifact.title == local.file.name
        if artifact.size_bytes != local.size_bytes and (artifact.size_bytes is not None or not has_name):
            return None
        self.spent.calls += 1
        try:
            if (entries := await local.entries()) is not None:
                inside = await self.services.look_inside(artifact)
                self.spent.moved_bytes += inside.moved_bytes
                return "same files inside, by CRC-32" if _alike(entries, inside.entries) else None
            if (md5 := await md5_of(self.services.storage, self._source, artifact)) is not None:
                return "same MD5" if md5 == await local.digest("md5") else None
        except DigsiteError:
            pass  # it cannot be read now: size and title are all there is
        return _LIKELY if has_name and artifact.size_bytes == local.size_bytes else None

    async def _source(self, artifact: Artifact) -> Source:
        return await (await self.services.sessions[artifact.ref.account].provider()).source(artifact)

    async def _binary_inside(self, artifact: Artifact, uuid: str) -> str | None:
        self.spent.calls += 1
        try:
            inside = await self.services.look_inside(artifact)
            binaries = await inside.symbols()
            if artifact.kind in {ArtifactKind.IPA, ArtifactKind.XCARCHIVE}:
                facts = await inside.facts()
                binaries += [b for b in facts.binaries if not b.is_symbols] if facts is not None else []
        except DigsiteError:
            return None  # expired, or no archive after all: others may have it
        self.spent.moved_bytes += inside.moved_bytes
        return next(
            (f"{'the symbols of ' if b.is_symbols else ''}{b.name} ({b.cpu})" for b in binaries if b.uuid == uuid), None
        )


_LIKELY: Final = "same size and title"


@dataclass
class _LocalFile:
    """The file that is looked for; what telling it apart takes is read once, when it is wanted."""

    services: Services
    file: Path
    size_bytes: int
    _digests: dict[str, str] = field(default_factory=dict[str, str])
    _entries: tuple[Entry, ...] | None = None
    _is_read: bool = False

    async def digest(self, name: str) -> str:
        """Its SHA-256 or MD5 in hex."""
        if name not in self._digests:
            self._digests[name] = await in_daemon_thread(lambda: _digest(self.file, name), name="digest")
        return self._digests[name]

    async def entries(self) -> tuple[Entry, ...] | None:
        """What its directory names; None when it is no archive."""
        if not self._is_read:
            try:
                self._entries = await in_daemon_thread(self._read_entries, name="peek")
            except PeekError:
                self._entries = None
            self._is_read = True
        return self._entries

    def _read_entries(self) -> tuple[Entry, ...]:
        return Archive(RemoteFile(self.services.storage, lambda: LocalFile(self.file), self.size_bytes)).entries


def _local(services: Services, file: Path) -> _LocalFile:
    return _LocalFile(services, file, file.stat().st_size)


def _digest(file: Path, name: str) -> str:
    digest = hashlib.new(name, usedforsecurity=False)
    with file.open("rb") as opened:
        while block := opened.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _alike(one: Sequence[Entry], other: Sequence[Entry]) -> bool:
    return len(one) == len(other) and {(e.name, e.size_bytes, e.crc) for e in one} == {
        (e.name, e.size_bytes, e.crc) for e in other
    }


def _may_have_uuid(artifact: Artifact) -> bool:
    title = artifact.title.lower()
    return artifact.kind in {ArtifactKind.IPA, ArtifactKind.XCARCHIVE} or ".dsym" in title or "xcarchive" in title


def _symbols_first(artifact: Artifact) -> int:
    return 0 if ".dsym" in artifact.title.lower() else 2 if artifact.kind is ArtifactKind.IPA else 1
