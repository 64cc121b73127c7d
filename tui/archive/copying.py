"""Brings single artifacts into an archive: what is there already is adopted, the rest is streamed and proved."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tui.archive.layout import file_names
from tui.archive.manifest import Entry
from tui.archive.state import Sent, State
from tui.archive.store import ArchiveError, Piece, Store, Stored
from tui.archive.stream import Download
from tui.errors import Mismatch
from tui.models import Artifact, Source
from tui.storage import Storage

_OCCUPIED: Final = "{} of the archive has other files under the names of an artifact."


@dataclass(frozen=True, slots=True)
class Place:
    """Where an artifact may be, or is to be copied to."""

    key: str
    name: str
    """Of the file in its build's folder."""
    held_bytes: int | None
    """Of what is there, from a run that ended before its manifest was written; None when nothing is."""
    sent: Sent | None
    """What this machine had sent there of the artifact."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One artifact that is in the archive now."""

    entry: Entry
    moved_bytes: int
    """What came over the network for it."""
    is_adopted: bool
    """Whether it was there; bytes may have come all the same, to compare."""


def find_places(
    artifact: Artifact, folder: str, taken: Collection[str], there: Mapping[str, int], sent: Mapping[str, Sent]
) -> list[Place]:
    """Where an artifact may be already, and where it goes to if it is not: the last, if that is free.

    Args:
        artifact: What is copied.
        folder: Of its build.
        taken: Names of the other artifacts there, case-folded.
        there: Bytes of what the folder held before the first of them, by key: asked once for all of a build.
        sent: What this machine had sent there, by key.

    Raises:
        ArchiveError: There is no free name for it.
    """
    places = []
    for name in file_names(artifact, taken):
        key = f"{folder}/{name}"
        size, ours = there.get(key), sent.get(key)
        if ours is not None and ours.artifact_id != artifact.ref.artifact:
            ours = None
        if size is None or ours is not None or artifact.size_bytes in {None, size}:
            places.append(Place(key, name, size, ours))
        if size is None:
            return places
    if not places:
        raise ArchiveError(_OCCUPIED.format(folder))
    return places


class Copier:
    """Copies into one store. Blocking, for threads; several at once.

    Args:
        store: The archive.
        storage: The bare client.
        fetch_source: Asks the provider for a URL; blocks.
        stop: Set to end what is under way.
        downloads: Held while bytes come, and no longer: what came is made durable and proved beside the next download.
        state: Told what is sent where, so that the next run knows it again.
    """

    def __init__(
        self,
        store: Store,
        storage: Storage,
        fetch_source: Callable[[Artifact], Source],
        stop: threading.Event,
        downloads: threading.Semaphore,
        state: State,
    ) -> None:
        self._store = store
        self._storage = storage
        self._fetch_source = fetch_source
        self._stop = stop
        self._downloads = downloads
        self._state = state

    def copy(self, artifact: Artifact, places: Sequence[Place], source: Source | None) -> Copied:
        """Has the artifact in one of its places, from an earlier run or from the provider.

        What is there already is adopted when it is what this machine sent there, or what the provider has: name and
        size prove nothing, and what is adopted may be all that is left once the provider's copy is pruned.

        Args:
            artifact: What is copied.
            places: Where it may be; the last may be free.
            source: Its URL, where that is known already.

        Raises:
            StoreDown: The destination cannot be used.
            DigsiteError: The provider or its storage failed, or its places hold something else.
        """
        theirs: Stored | None = None
        for place in places:
            if place.held_bytes is None:
                return self._upload(artifact, place, source)
            held = Stored(place.held_bytes, sha256_of(self._store, place.key))
            if place.sent is not None and held.sha256 == place.sent.sha256:
                return Copied(_entry(artifact, place, held), 0, is_adopted=True)
            theirs = theirs or self._fetch(artifact)
            if held == theirs:
                return Copied(_entry(artifact, place, held), theirs.size_bytes, is_adopted=True)
        raise ArchiveError(_OCCUPIED.format(places[0].key.rpartition("/")[0]))

    def _upload(self, artifact: Artifact, place: Place, source: Source | None) -> Copied:
        def remember(sent: Stored) -> None:
            known = Sent(artifact.ref.artifact, sent.size_bytes, sent.sha256)
            self._state.add_sent(self._store.name, place.key, known)

        with closing(self._download(artifact, source)) as pieces:  # an error would keep it open as long as itself
            stored = self._store.upload(place.key, pieces, remember)
        return Copied(_entry(artifact, place, stored), stored.size_bytes, is_adopted=False)

    def _fetch(self, artifact: Artifact) -> Stored:
        """What the provider has, read and let go."""
        digest, size = hashlib.sha256(), 0
        with closing(self._download(artifact, None)) as pieces:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
        return Stored(size, digest.hexdigest())

    def _download(self, artifact: Artifact, source: Source | None) -> Generator[Piece, None, None]:
        with self._downloads:
            yield from Download(artifact, self._storage, self._fetch_source, self._stop, source)


def _entry(artifact: Artifact, place: Place, stored: Stored) -> Entry:
    return Entry(artifact, place.name, stored.size_bytes, stored.sha256, datetime.now(UTC))


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
