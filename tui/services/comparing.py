"""What changed between two builds, or two artifacts: sizes from listings, files from the archives' directories."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.errors import NotFound
from tui.models import Artifact, Build, BuildQuery, Cursor, Status
from tui.peek.diff import Change, Pair, compare_entries, compare_one, pair_titles
from tui.safe_text import clean

if TYPE_CHECKING:
    from tui.services.root import Services

SEARCH_PAGES: Final = 20
"""Pages of builds that are looked through for the one before."""
HISTORY_BUILDS: Final = 20
"""Builds of which an artifact's sizes are shown."""


@dataclass(frozen=True, slots=True)
class ArtifactChange:
    """One artifact in two builds."""

    change: Change
    pair: Pair[Artifact, Artifact]


@dataclass(frozen=True, slots=True)
class BuildComparison:
    """What two builds left behind."""

    before: Build
    after: Build
    artifacts: tuple[ArtifactChange, ...]
    """What changed most comes first."""


@dataclass(frozen=True, slots=True)
class FileComparison:
    """The files inside two archives."""

    before: Artifact
    after: Artifact
    files: tuple[Change, ...]
    """What changed most comes first."""
    moved_bytes: int
    """What it cost over the network."""


class Comparing:
    """Compares, with as few calls as that takes.

    Args:
        services: To list and to look inside with.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def previous_green(self, build: Build) -> Build:
        """The newest green build of the same workflow and branch before this one.

        Raises:
            NotFound: There is none among those the provider lists.
            DigsiteError: The provider cannot be asked.
        """
        query = BuildQuery(
            branch=build.branch, workflow=build.workflow, status=Status.SUCCEEDED, before=build.created_at
        )
        session = self._services.sessions[build.ref.account]
        cursor: Cursor | None = None
        for _ in range(SEARCH_PAGES):
            page = await self._services.listings.builds(session, build.ref.app_ref, cursor, query=query)
            for found in page.items:
                if _is_before(found, build):
                    return found
            if (cursor := page.next_cursor) is None:
                break
        where = " ".join(
            f"{word} {clean(name)!r}" for word, name in (("of", build.workflow), ("on", build.branch)) if name
        )
        raise NotFound(
            f"There is no green build {where} before this one.", hint="Mark two builds with space to compare them."
        )

    async def artifacts(self, build: Build) -> tuple[Artifact, ...]:
        """All artifacts of a build."""
        session = self._services.sessions[build.ref.account]
        found: list[Artifact] = []
        cursor: Cursor | None = None
        while True:
            page = await self._services.listings.artifacts(session, build, cursor)
            found += page.items
            if (cursor := page.next_cursor) is None:
                return tuple(found)

    async def builds(self, before: Build, after: Build) -> BuildComparison:
        """The artifacts of two builds, paired by title; version numbers in titles may differ.

        Raises:
            DigsiteError: The provider cannot be asked.
        """
        old, new = await asyncio.gather(self.artifacts(before), self.artifacts(after))
        changes = []
        for pair in pair_titles(_titled(old), _titled(new)):
            named = pair.after or pair.before
            sizes = [(a.size_bytes, a.size_bytes) if a is not None else None for a in (pair.before, pair.after)]
            changes.append(ArtifactChange(compare_one(named.title if named else "", *sizes), pair))
        changes.sort(key=lambda found: -abs(found.change.delta_bytes))
        return BuildComparison(before, after, tuple(changes))

    async def counterpart(self, artifact: Artifact, siblings: Sequence[Artifact], build: Build) -> Artifact:
        """The same artifact in another build.

        Args:
            artifact: What to look for.
            siblings: All artifacts of its own build.
            build: Where to look.

        Raises:
            NotFound: That build has none like it.
            DigsiteError: The provider cannot be asked.
        """
        old = await self.artifacts(build)
        for pair in pair_titles(_titled(old), _titled(siblings)):
            if pair.after is not None and pair.after.ref == artifact.ref and pair.before is not None:
                return pair.before
        raise NotFound(f"The other build has no artifact like {clean(artifact.title, 80)!r}.")

    async def files(self, before: Artifact, after: Artifact) -> FileComparison:
        """The files inside two archives, by their directories alone.

        Raises:
            PeekError: One of them is no archive that can be looked into.
            DigsiteError: The provider or the storage cannot be asked.
        """
        old, new = await asyncio.gather(self._services.look_inside(before), self._services.look_inside(after))
        changes = compare_entries(old.entries, new.entries)
        return FileComparison(before, after, tuple(changes), old.moved_bytes + new.moved_bytes)

    def sizes_before(self, build: Build, siblings: Sequence[Artifact]) -> list[list[int | None]]:
        """Sizes of a build's artifacts in green builds before it, as far as the catalog knows; asks nobody.

        Args:
            build: The build.
            siblings: All its artifacts.

        Returns:
            For each of the artifacts its sizes in bytes, newest first; None where a build had none like it.
        """
        catalog = self._services.catalog
        known = catalog.sizes_before(build, HISTORY_BUILDS) if catalog is not None else []
        return [list(row) for row in zip(*(paired_sizes(old, siblings) for old in known), strict=True)] or [
            [] for _ in siblings
        ]


def paired_sizes(old: Sequence[tuple[str, int]], siblings: Sequence[Artifact]) -> list[int | None]:
    """The size of each of the artifacts among the titles and sizes of another build; None where it has none."""
    pairs = pair_titles(old, _titled(siblings))
    return [pair.before for pair in pairs if pair.after is not None]


def _titled(artifacts: Sequence[Artifact]) -> list[tuple[str, Artifact]]:
    return [(artifact.title, artifact) for artifact in artifacts]


def _is_before(found: Build, build: Build) -> bool:
    if found.ref == build.ref or not found.status.is_finished:
        return False
    if found.number is not None and build.number is not None:
        return found.number < build.number
    return found.created_at is None or build.created_at is None or found.created_at <= build.created_at
