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
class Copied:
    """One artifact that is in the archive now."""

    entry: Entry
    moved_bytes: int
    """What came over the network for it; 0 when it was there."""


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

    def copy(self, artifact: Artifact, folder: str, taken: Collection[str], there: Mapping[str, int]) -> Copied:
        """Has the artifact in a build's folder, from an earlier run or from the provider.

        Args:
            artifact: What is copied.
            folder: Of its build.
            taken: Names of the other artifacts there, case-folded.
            there: Bytes of what the folder held before the first of them, by key: asked once for all of a build.

        Raises:
            StoreDown: The destination cannot be used.
            ArchiveError: There is no free name for it.
            DigsiteError: The provider or its storage failed.
        """
        for name in file_names(artifact, taken):
            key = f"{folder}/{name}"
            size = there.get(key)
            if size is None:
                with closing(self._download(artifact)) as pieces:  # an error would keep it open as long as itself
                    stored = self._store.upload(key, pieces)
                entry = Entry(artifact, name, stored.size_bytes, stored.sha256, datetime.now(UTC))
                return Copied(entry, stored.size_bytes)
            if size == artifact.size_bytes:  # a run that ended before its manifest was written
                return Copied(Entry(artifact, name, size, sha256_of(self._store, key), datetime.now(UTC)), 0)
        raise ArchiveError(f"{self._store.name} has other files under the names of an artifact in {folder}.")

    def _download(self, artifact: Artifact) -> Generator[Piece, None, None]:
        with self._downloads:
            yield from Download(artifact, self._storage, self._fetch_source, self._stop)


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
