"""Brings single artifacts into an archive: what is there already is adopted, the rest is streamed and proved."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from tui.archive.layout import file_names
from tui.archive.manifest import Entry
from tui.archive.store import ArchiveError, Piece, Store
from tui.archive.stream import Download
from tui.errors import Mismatch
from tui.models import Artifact, Source
from tui.storage import Storage


@dataclass(frozen=True, slots=True)
class Place:
    """Where an artifact belongs in an archive."""

    key: str
    name: str
    """Of the file in its build's folder."""
    held_bytes: int | None
    """Of the artifact, from a run that ended before its manifest was written; None when it is still to be copied."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One artifact that is in the archive now."""

    entry: Entry
    moved_bytes: int
    """What came over the network for it; 0 when it was there."""


def find_place(artifact: Artifact, folder: str, taken: Collection[str], there: Mapping[str, int]) -> Place:
    """Where an artifact is, or is to be copied to.

    Args:
        artifact: What is copied.
        folder: Of its build.
        taken: Names of the other artifacts there, case-folded.
        there: Bytes of what the folder held before the first of them, by key: asked once for all of a build.

    Raises:
        ArchiveError: There is no free name for it.
    """
    for name in file_names(artifact, taken):
        key = f"{folder}/{name}"
        size = there.get(key)
        if size is None or size == artifact.size_bytes:
            return Place(key, name, size)
    raise ArchiveError(f"Other files in {folder} of the archive have the names of an artifact.")


class Copier:
    """Copies into one store. Blocking, for threads; several at once.

    Args:
        store: The archive.
        storage: The bare client.
        fetch_source: Asks the provider for a URL; blocks.
        stop: Set to end what is under way.
        downloads: Held while bytes come, and no longer: what came is made durable and proved beside the next download.
    """

    def __init__(
        self,
        store: Store,
        storage: Storage,
        fetch_source: Callable[[Artifact], Source],
        stop: threading.Event,
        downloads: threading.Semaphore,
    ) -> None:
        self._store = store
        self._storage = storage
        self._fetch_source = fetch_source
        self._stop = stop
        self._downloads = downloads

    def copy(self, artifact: Artifact, place: Place, source: Source | None) -> Copied:
        """Has the artifact in its place, from an earlier run or from the provider.

        Args:
            artifact: What is copied.
            place: Where it belongs.
            source: Its URL, where that is known already.

        Raises:
            StoreDown: The destination cannot be used.
            DigsiteError: The provider or its storage failed.
        """
        if place.held_bytes is not None:
            digest = sha256_of(self._store, place.key)
            return Copied(Entry(artifact, place.name, place.held_bytes, digest, datetime.now(UTC)), 0)
        with closing(self._download(artifact, source)) as pieces:  # an error would keep it open as long as itself
            stored = self._store.upload(place.key, pieces)
        entry = Entry(artifact, place.name, stored.size_bytes, stored.sha256, datetime.now(UTC))
        return Copied(entry, stored.size_bytes)

    def _download(self, artifact: Artifact, source: Source | None) -> Generator[Piece, None, None]:
        with self._downloads:
            yield from Download(artifact, self._storage, self._fetch_source, self._stop, source)


def check_held(store: Store, folder: str, entries: Iterable[Entry]) -> None:
    """Asks the store once more for what was copied into a folder, right before the manifest says that it is there.

    Raises:
        Mismatch: It has something less, or of another size.
    """
    held = dict(store.objects(folder))
    for entry in entries:
        key = f"{folder}/{entry.file}"
        if held.get(key) != entry.size_bytes and store.size(key) != entry.size_bytes:  # a listing may be late
            raise Mismatch(f"{store.name} does not hold what was sent to it.", hint="Check the store.")


def sha256_of(store: Store, key: str) -> str:
    """The SHA-256 of an object, read from its store.

    Raises:
        NotStored: There is none.
    """
    digest = hashlib.sha256()
    for piece in store.stream(key):
        digest.update(piece)
    return digest.hexdigest()
