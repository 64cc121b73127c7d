"""A provider of real files, whose lists and files a test may spoil, and runs that archive and prune what it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.services.fake_provider import ACME, FakeProvider, app
from tui.archive.layout import MANIFEST
from tui.archive.manifest import Manifest
from tui.archive.opening import open_store
from tui.archive.reader import Reader, Trouble
from tui.archive.state import State
from tui.errors import NotFound
from tui.models import (
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
    Cursor,
    Page,
    Source,
    Status,
)
from tui.models.rules import ArchiveRule, RetentionRule
from tui.services.archive_jobs import Job, Summary, open_target
from tui.services.archiving import Archiver
from tui.services.changes import Changes
from tui.services.pins import Pins
from tui.services.pruning import PrunePlan, Pruner
from tui.services.resolve import Found
from tui.storage import Storage
from tui.storage.local import LocalFile

NOW = datetime.now(UTC).replace(microsecond=0)


def built(number: int, days_ago: float, *, ident: str = "", status: Status = Status.SUCCEEDED) -> Build:
    at = NOW - timedelta(days=days_ago)
    ref = BuildRef(ACME, AppId("one"), BuildId(ident or f"b{number}"))
    return Build(ref, number, status, "", branch="main", created_at=at, started_at=at, finished_at=at)


@dataclass
class Vendor(FakeProvider):
    """One app, "One"."""

    folder: Path = Path()
    files: dict[str, list[Artifact]] = field(default_factory=dict[str, list[Artifact]])
    """By build."""
    pages: Sequence[Page[Build]] = ()
    """What is listed instead of the builds."""
    budget: None = None

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        return Page(tuple(self.all_apps))

    async def builds(self, app: AppRef, query: BuildQuery, cursor: Cursor | None = None) -> Page[Build]:
        if self.pages:
            return self.pages[int(cursor or 0)]
        after = query.after
        return Page(tuple(b for b in self.all_builds if None in {after, b.created_at} or b.created_at >= after))  # type: ignore[operator]

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        return Page(tuple(self.files.get(build.ref.build, ())))

    async def artifact(self, artifact: Artifact) -> Artifact:
        for each in self.files[artifact.ref.build]:
            if each.ref == artifact.ref:
                return each
        raise NotFound("gone")

    async def delete(self, ref: ArtifactRef) -> None:
        self.calls.append(f"delete {ref.artifact}")
        self.files[ref.build] = [each for each in self.files[ref.build] if each.ref != ref]

    async def source(self, artifact: Artifact) -> Source:
        self.calls.append(f"source {artifact.ref.artifact}")
        if not self.path(artifact).exists():
            raise NotFound("no such file")
        return Source(LocalFile(self.path(artifact)), artifact.size_bytes)

    def path(self, artifact: Artifact) -> Path:
        return self.folder / artifact.ref.artifact

    def put(self, build: Build, ident: str, title: str, data: bytes) -> Artifact:
        ref = ArtifactRef(ACME, AppId("one"), build.ref.build, ArtifactId(ident))
        artifact = Artifact(ref, title, ArtifactKind.IPA, "file", size_bytes=len(data), is_public=False)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path(artifact).write_bytes(data)
        self.files.setdefault(build.ref.build, []).append(artifact)
        return artifact


@dataclass
class Session:
    """As much of one as a run needs."""

    _provider: Vendor

    @property
    def account(self) -> Any:
        return self._provider.account

    async def provider(self) -> Vendor:
        return self._provider


@dataclass
class Place:
    """A vendor, a folder to archive to, and what this machine remembers."""

    root: Path
    vendor: Vendor
    machine: str = "this"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def reader(self) -> Reader:
        return Reader(open_store(str(self.archive)))

    async def run(self, *, retention: Sequence[RetentionRule] = ()) -> Summary:
        """As `digsite archive run` with a rule that wants everything."""
        rule = ArchiveRule(str(self.archive), statuses=frozenset())
        state = self._state()
        try:
            archiver = self._archiver([Session(self.vendor)], state, retention)
            return await archiver.run([(rule, open_store(rule.destination))])
        finally:
            state.close()

    async def keep(self, build: Build, *chosen: Artifact) -> Summary:
        """As the explorer's key does."""
        state = self._state()
        target = open_target(
            ArchiveRule(str(self.archive), statuses=frozenset()), open_store(str(self.archive)), by_hand=True
        )
        ids = frozenset(artifact.ref.artifact for artifact in chosen) or None
        try:
            archiver = self._archiver([], state, ())
            job = Job(target, self.vendor, self.vendor.all_apps[0], build, "acme/One/1", ids)  # type: ignore[arg-type]
            return await archiver.run_build(job)
        finally:
            state.close()

    async def plan(self, *, keep: int, days: int = 1) -> PrunePlan:
        found = Found(Session(self.vendor), self.vendor, self.vendor.all_apps[0], app_part="One")  # type: ignore[arg-type]
        return await self.pruner.plan(found, older_than=timedelta(days=days), keep=keep)

    @property
    def pruner(self) -> Pruner:
        return Pruner(open_store(str(self.archive)), Changes(), Pins(self.root / "pins.json"))

    def held(self) -> dict[str, bytes]:
        """What the manifests say is there, by artifact, as the archive has it."""
        return {
            entry.artifact.ref.artifact: (self.archive / folder / entry.file).read_bytes()
            for folder, manifest in self.manifests().items()
            for entry in manifest.entries
        }

    def manifests(self) -> dict[str, Manifest]:
        return {folder: manifest for folder, manifest, _ in self.reader.manifests("") if manifest is not None}

    def troubles(self) -> list[Trouble]:
        reader = self.reader
        return [f.trouble for folder, m, names in reader.manifests("") for f in reader.check(folder, m, names)]

    def unwrite(self) -> None:
        """As if a run had been killed right before its manifests, on a machine that is gone."""
        for path in self.archive.rglob(MANIFEST):
            path.unlink()
        self.machine += "'s successor"

    def _state(self) -> State:
        return State(self.root / f"{self.machine}.sqlite")

    def _archiver(self, sessions: Sequence[Any], state: State, retention: Sequence[RetentionRule]) -> Archiver:
        return Archiver(
            sessions,
            Storage(allow_loopback=True),
            state,
            retention=retention,
            jobs=2,
            dry_run=False,
            report=lambda _: None,
        )


def place(root: Path, *builds: Build) -> Place:
    return Place(root, Vendor(all_apps=[app("one", "One")], all_builds=list(builds), folder=root / "vendor"))
