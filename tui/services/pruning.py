"""Deletes at the provider what an archive holds: a plan first, then each copy is read back right before its deletion.

Any doubt keeps the artifact: an incomplete list, a pin, a size that differs, a copy that is not what was archived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from tui.archive.layout import Layout, build_folder, twin_folder
from tui.archive.manifest import Entry, Manifest, TornManifest
from tui.archive.reader import Reader
from tui.archive.store import ArchiveError, Store
from tui.errors import AuthError, BadPayload, Conflict, DigsiteError, NotAllowed, RateLimited
from tui.models import App, Artifact, Build, BuildQuery, BuildRef, Cursor, Verb
from tui.models.rules import RetentionRule
from tui.paths import join
from tui.providers import Provider
from tui.services.archiving import whole_list
from tui.services.changes import Changes
from tui.services.pins import Pins
from tui.services.resolve import Found, artifact_part, build_part
from tui.stats.retention import effective_rules, longest_days
from tui.threads import in_daemon_thread

_ENDING: Final = (AuthError, NotAllowed, RateLimited)
"""What the next deletion would meet as well."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One artifact that may be deleted, and its copy."""

    artifact: Artifact
    path: str
    folder: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What would be deleted."""

    candidates: tuple[Candidate, ...]
    pinned: int
    """Artifacts that only a pin keeps."""
    not_archived: int
    """Builds and artifacts that are old enough but not in the archive."""


class Pruner:
    """Prunes one app.

    Args:
        store: The archive that must hold a copy.
        changes: Sends deletions, with a line in the journal before and after.
        pins: What is never deleted.
        retention: The user's retention rules: builds whose artifacts are surely gone are not listed.
    """

    def __init__(self, store: Store, changes: Changes, pins: Pins, retention: Sequence[RetentionRule] = ()) -> None:
        self._reader = Reader(store)
        self._layout = Layout(store)
        self._changes = changes
        self._pins = pins
        self._retention = effective_rules(retention)

    async def plan(self, found: Found, *, older_than: timedelta, keep: int) -> PrunePlan:
        """Finds what may be deleted of an app.

        Args:
            found: The app.
            older_than: Since the end of the build.
            keep: The newest so many finished builds of each branch keep everything; so do all of a branch that has a
                build without a date.

        Raises:
            DigsiteError: A list could not be read completely, or the archive cannot be read.
        """
        app, provider = found.app, found.provider
        if app is None:
            raise BadPayload("Prune wants an app.")
        now, pinned, missing = datetime.now(UTC), 0, 0
        held = {pin.ref for pin in self._pins.all()}
        folder = await in_daemon_thread(lambda: self._layout.find_app(app.ref, app.title), name="archive") or ""
        archived = set(await in_daemon_thread(lambda: self._reader.builds(folder), name="archive") if folder else [])
        seen: Counter[str] = Counter()
        undated: set[str] = set()
        candidates: list[Candidate] = []
        days = longest_days(provider.account.provider, self._retention)
        oldest = now - timedelta(days=days + 1) if days is not None else None
        for build in _newest_first(await _all_builds(provider, app, oldest)) if archived else ():
            if not build.status.is_finished:
                continue
            branch = build.branch or build.tag or ""
            seen[branch] += 1
            if build.created_at is None:
                undated.add(branch)
            if branch in undated or seen[branch] <= keep:
                continue
            if build.finished_at is None or now - build.finished_at <= older_than:
                continue
            look = partial(self._manifest, folder, build, archived)
            place, manifest = await in_daemon_thread(look, name="archive")
            if manifest is None:
                missing += 1
                continue
            siblings = tuple(await whole_list(provider, build))
            for artifact in siblings:
                entry = manifest.entry(artifact.ref.artifact)
                if provider.refusal(Verb.DELETE, artifact) is not None:
                    continue
                if entry is None or artifact.size_bytes != entry.size_bytes:
                    missing += 1
                elif {artifact.ref, build.ref} & held:
                    pinned += 1
                else:
                    part = artifact_part(artifact, siblings)
                    path = f"{found.path}/{join(build_part(build))}/{part}"
                    candidates.append(Candidate(artifact, path, place, entry))
        return PrunePlan(tuple(candidates), pinned, missing)

    async def prune(
        self,
        provider: Provider,
        candidates: Sequence[Candidate],
        report: Callable[[Candidate, DigsiteError | None], None],
    ) -> list[DigsiteError]:
        """Deletes what was confirmed, one after the other; gives what failed.

        Args:
            provider: Of all of them.
            candidates: Exactly those that were confirmed.
            report: Told of each, and why it was kept.
        """
        failures: list[DigsiteError] = []
        for each in candidates:
            try:
                await self._delete(provider, each)
            except DigsiteError as error:
                failures.append(error)
                report(each, error)
                if isinstance(error, _ENDING):
                    break
            else:
                report(each, None)
        return failures

    async def _delete(self, provider: Provider, candidate: Candidate) -> None:
        if self._pins.holds(candidate.artifact.ref):
            raise Conflict("It was pinned meanwhile; it was not deleted.")
        check = self._reader.check_entry
        trouble = await in_daemon_thread(lambda: check(candidate.folder, candidate.entry), name="archive")
        if trouble is not None:
            raise ArchiveError(f"Its copy is {trouble}; it was not deleted.", hint="Run: digsite archive verify")
        await self._changes.delete(provider, candidate.artifact)

    def _manifest(self, app_folder: str, build: Build, archived: Collection[str]) -> tuple[str, Manifest | None]:
        for folder in (build_folder(app_folder, build), twin_folder(app_folder, build)):
            with suppress(TornManifest):
                manifest = self._reader.manifest(folder) if folder in archived else None
                if manifest is not None and manifest.build.ref == build.ref:
                    return folder, manifest
        return app_folder, None


async def _all_builds(provider: Provider, app: App, after: datetime | None) -> list[Build]:
    """Every build since a moment, each once; a list with gaps would make others the newest of a branch.

    Raises:
        BadPayload: The list has gaps.
    """
    found: dict[BuildRef, Build] = {}
    cursor: Cursor | None = None
    while True:
        page = await provider.builds(app.ref, BuildQuery(after=after), cursor)
        if page.unreadable or page.note:
            raise BadPayload(page.note or "The provider's list of builds has unreadable items.")
        found.update((build.ref, build) for build in page.items)
        if (cursor := page.next_cursor) is None:
            return list(found.values())


def _newest_first(builds: Iterable[Build]) -> list[Build]:
    """Those without a date come first: nobody knows how new they are, and what their branches keep."""
    last = datetime.max.replace(tzinfo=UTC)
    return sorted(builds, key=lambda build: build.created_at or last, reverse=True)
