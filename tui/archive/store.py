"""Where copies are kept: what a folder and a bucket have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from tui.errors import DigsiteError
from tui.secret import Secret

PART_BYTES: Final = 8 << 20
"""Uploads go in parts of this size, except for the last; smaller files go in one."""
OWN_FOLDER: Final = ".digsite"
"""Of the store: claims, and files that are still being written."""


Piece = bytes | memoryview
"""Of a content; a view is good until the next piece is asked for."""


class ArchiveError(DigsiteError):
    """An archive cannot do what it was asked."""


class StoreDown(ArchiveError):
    """The destination does not answer, refuses, or is full: no other copy would succeed now."""


class NotStored(ArchiveError):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One object, as it was sent and as the store has proved to hold it."""

    size_bytes: int
    sha256: str


def nobody(_: Stored) -> None:
    """Hears an announcement that nobody wants."""


class Store(Protocol):
    """Objects by key; a key is a relative path with `/`. Blocking, for threads; any thread may call.

    Every method may raise `StoreDown`.
    """

    @property
    def name(self) -> str:
        """For people; never a credential."""
        ...

    def read(self, key: str) -> bytes:
        """A small object.

        Raises:
            NotStored: There is none.
        """
        ...

    def stream(self, key: str) -> Iterator[bytes]:
        """An object of any size, in pieces.

        Raises:
            NotStored: There is none.
        """
        ...

    def size(self, key: str) -> int | None:
        """Bytes of an object; None when there is none."""
        ...

    def create(self, key: str, data: bytes, *, durable: bool = True) -> bool:
        """Writes a small object unless there is one; False when there is.

        Args:
            key: Where to.
            data: The content.
            durable: Whether it is to outlive a power failure.
        """
        ...

    def write(self, key: str, data: bytes) -> None:
        """Writes a small object, whole or not at all, over what is there."""
        ...

    def upload(self, key: str, pieces: Iterator[Piece], announce: Callable[[Stored], None] = nobody) -> Stored:
        """Writes an object that appears when it is complete, and has the store prove that it is what was sent.

        Args:
            key: Where to; the caller has seen that nothing is there. A folder refuses what came since; in a bucket,
                where two write the same artifact at once, the later one writes the same bytes.
            pieces: The content; what it raises is raised here, and nothing stays behind.
            announce: Called in any thread with what was sent, before there is an object of that key.

        Raises:
            ArchiveError: There is another object of that key, or the store holds something else than was sent.
        """
        ...

    def folders(self, key: str) -> list[str]:
        """Names of the folders directly in a folder; `""` is the root."""
        ...

    def objects(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Key and size of every object in a folder and below; not those of digsite's own folder."""
        ...

    def delete(self, key: str) -> None:
        """Removes an object, if it is there."""
        ...

    def source(self, key: str) -> Secret:
        """Where `tui.storage` can read an object, for an hour at most."""
        ...
