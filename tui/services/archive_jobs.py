"""What a run of the archive works on and what it tells: items, its summary, one build with its rule and destination."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tui.archive.claims import Claims
from tui.archive.copying import check_held
from tui.archive.layout import MANIFEST, Layout, build_folder, twin_folder
from tui.archive.manifest import Entry, Manifest
from tui.archive.reader import Reader
from tui.archive.store import Store
from tui.errors import DigsiteError
from tui.models import App, Artifact, ArtifactId, Build
from tui.models.rules import ArchiveRule
from tui.providers import Provider
from tui.services.resolve import artifact_part


@dataclass(frozen=True, slots=True)
class Item:
    """One artifact of a plan or a run."""

    path: str
    size_bytes: int | None
    destination: str
    what: str
    """`wanted`, `copied`, `adopted`, `lost`, `failed`."""
    error: DigsiteError | None = None


@dataclass
class Summary:
    """What a run did, or would do."""

    items: list[Item] = field(default_factory=list[Item])
    builds: int = 0
    """Builds that were looked at."""
    empty: int = 0
    """Builds that have nothing of what is wanted."""
    busy: int = 0
    """Builds that another archiver is at."""
    moved_bytes: int = 0
    failures: list[tuple[str, DigsiteError]] = field(default_factory=list[tuple[str, DigsiteError]])
    """Accounts, apps, builds and destinations that could not be done, by path."""

    def count(self, what: str) -> int:
        """Items of one outcome."""
        return sum(item.what == what for item in self.items)


@dataclass(frozen=True, slots=True)
class Target:
    """One rule with its opened destination."""

    rule: ArchiveRule
    mark: str
    """Of the rule; empty for what is chosen by hand, of which no later run takes anything as done."""
    store: Store
    layout: Layout
    reader: Reader
    claims: Claims


@dataclass(frozen=True, slots=True)
class Job:
    """One build to archive."""

    target: Target
    provider: Provider
    app: App
    build: Build
    path: str
    chosen: frozenset[ArtifactId] | None = None
    """Only these artifacts; None for all that the rule wants."""

    def wants(self, artifact: Artifact) -> bool:
        """Whether an artifact of the build is to be archived."""
        if self.chosen is not None:
            return artifact.ref.artifact in self.chosen
        return not self.target.rule.kinds or artifact.kind in self.target.rule.kinds


def open_target(rule: ArchiveRule, store: Store, *, by_hand: bool = False) -> Target:
    """A rule with what works on its destination."""
    return Target(rule, "" if by_hand else mark_of(rule), store, Layout(store), Reader(store), Claims(store))


def mark_of(rule: ArchiveRule) -> str:
    """What tells a rule from others, and from itself after a change."""
    text = repr(replace(rule, statuses=frozenset(), kinds=frozenset())) + repr(
        (sorted(rule.statuses), sorted(rule.kinds))
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def find_folder(target: Target, app: App, build: Build) -> tuple[str | None, Manifest | None]:
    """Where a build is or belongs, and what the archive knows of it; no folder before its app has one.

    Raises:
        LaterManifest: A later digsite has archived it.
    """
    app_folder = target.layout.find_app(app.ref, app.title)
    return (None, None) if app_folder is None else _find_in(target, app, build, app_folder)


def _find_in(target: Target, app: App, build: Build, app_folder: str) -> tuple[str, Manifest | None]:
    folder = build_folder(app_folder, build)
    manifest = target.reader.whole_manifest(folder, build, app.provider, app.title)
    if manifest is not None and manifest.build.ref != build.ref:
        folder = twin_folder(app_folder, build)
        manifest = target.reader.whole_manifest(folder, build, app.provider, app.title)
    return folder, manifest


@dataclass(frozen=True, slots=True)
class Begun:
    """A build that this run has claimed."""

    folder: str
    manifest: Manifest
    """What the archive knows of it."""
    there: Mapping[str, int]
    """Bytes of what the folder holds, by key."""


def begin(job: Job, folder: str | None, manifest: Manifest | None) -> Begun | None:
    """Claims a build; None while another archiver is at it.

    Args:
        job: The build.
        folder: Where it belongs; None takes its app's folder first.
        manifest: What was known of it before.

    Raises:
        LaterManifest: A later digsite has archived it.
    """
    target = job.target
    app_folder = target.layout.claim_app(job.app)
    folder = folder or build_folder(app_folder, job.build)
    if not target.claims.take(folder):
        return None
    there = dict(target.store.objects(folder))
    if manifest is None and f"{folder}/{MANIFEST}" in there:  # written since it was looked for
        now, manifest = _find_in(target, job.app, job.build, app_folder)
        if now != folder:  # of another build of this number
            target.claims.release(folder)
            return begin(job, now, manifest)
    return Begun(folder, manifest or Manifest(job.build, job.app.provider, job.app.title), there)


def finish(job: Job, folder: str, added: Sequence[Entry], manifest: Manifest | None) -> None:
    """Has the store show what was copied, then writes the manifest, if there is something new, and gives the build up.

    Raises:
        Mismatch: The store does not have it.
    """
    if added:
        check_held(job.target.store, folder, added)
    if manifest is not None:
        job.target.reader.write_manifest(folder, manifest)
    job.target.claims.release(folder)


def holds(manifest: Manifest | None, artifact: Artifact) -> bool:
    """Whether an artifact is archived as it is now."""
    entry = manifest.entry(artifact.ref.artifact) if manifest is not None else None
    return entry is not None and artifact.size_bytes in {None, entry.size_bytes}


def item_of(
    job: Job, artifact: Artifact, siblings: Sequence[Artifact], what: str, error: DigsiteError | None = None
) -> Item:
    """An artifact of a job with its path, for the summary."""
    path = f"{job.path}/{artifact_part(artifact, tuple(siblings))}"
    return Item(path, artifact.size_bytes, job.target.rule.destination, what, error)
