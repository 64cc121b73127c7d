"""Archives what the user chose in the explorer, and tells what of a build is archived."""

from __future__ import annotations

from collections.abc import Sequence

from tui.archive.opening import open_store
from tui.archive.state import State
from tui.archive.store import Store
from tui.errors import DigsiteError
from tui.folders import state_dir
from tui.models import App, Artifact, ArtifactId, Build
from tui.models.rules import ArchiveRule
from tui.paths import join
from tui.services.archive_jobs import Job, Summary, Target, find_folder, open_target
from tui.services.archive_lock import archive_lock
from tui.services.archiving import Archiver
from tui.services.resolve import build_part
from tui.services.root import Services
from tui.threads import in_daemon_thread


class ChosenArchive:
    """The destinations of config.toml, opened when first asked for.

    Args:
        services: With the rules, of which there is at least one.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stores: dict[str, Store] = {}
        self._looked_at: dict[str, Target] = {}
        """By destination; each knows which folders apps have."""

    @property
    def destination(self) -> str:
        """Where it archives to: the destination of the first rule."""
        return self._services.config.archive_rules[0].destination

    def archived(self, app: App, build: Build) -> frozenset[ArtifactId]:
        """Artifacts of a build that a destination has, by their manifests; blocks, for threads.

        Raises:
            DigsiteError: A destination does not answer.
        """
        found: set[ArtifactId] = set()
        for destination in dict.fromkeys(rule.destination for rule in self._services.config.archive_rules):
            if destination not in self._looked_at:
                target = open_target(ArchiveRule(destination), self._store(destination), by_hand=True)
                self._looked_at[destination] = target
            _, manifest = find_folder(self._looked_at[destination], app, build)
            if manifest is not None:
                found.update(entry.artifact.ref.artifact for entry in manifest.entries)
        return frozenset(found)

    async def archive(self, app: App, build: Build, artifacts: Sequence[Artifact] = ()) -> Summary:
        """Copies artifacts of a build, or all of them where none are named; failures are in the summary.

        Raises:
            DigsiteError: Another run archives on this machine, or the destination cannot be opened.
        """
        services = self._services
        provider = await services.sessions[build.ref.account].provider()
        store = await in_daemon_thread(lambda: self._store(self.destination), name="archive")
        target = open_target(ArchiveRule(self.destination, statuses=frozenset()), store, by_hand=True)
        path = f"{join(app.ref.account, app.title)}/{join(build_part(build))}"
        chosen = frozenset(artifact.ref.artifact for artifact in artifacts) or None
        state = State(state_dir() / "archive.sqlite")
        try:
            archiver = Archiver(
                (),
                services.storage,
                state,
                retention=services.config.retention_rules,
                jobs=services.config.jobs,
                dry_run=False,
                report=lambda _: None,
            )
            with archive_lock():
                return await archiver.run_build(Job(target, provider, app, build, path, chosen))
        finally:
            state.close()

    def _store(self, destination: str) -> Store:
        if destination not in self._stores:
            self._stores[destination] = open_store(destination)
        return self._stores[destination]


def outcome(summary: Summary) -> str:
    """What became of one build or artifact, in words.

    Raises:
        DigsiteError: Some of it is not archived; why.
    """
    for _, error in summary.failures:
        raise error
    for item in summary.items:
        if item.error is not None:
            raise item.error
    if summary.busy:
        raise DigsiteError("Another archiver is at this build.", hint="Try again when it is done.")
    if summary.empty:
        return "nothing to archive"
    copied = sum(item.what in {"copied", "adopted"} for item in summary.items)
    return f"archived, {copied:,} new" if copied else "archived already"
