"""The table of contents of a remote zip, ipa, apk or bundle, and its members, within limits of bytes and memory."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tui.errors import DigsiteError, NotFound
from tui.peek.remote import RemoteFile

MAX_ENTRIES: Final = 500_000
MAX_MEMBER_BYTES: Final = 16 * 1024 * 1024
"""Of a member that is shown; a larger one is cut, and says so."""
_PIECE_BYTES: Final = 256 * 1024

_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    UnicodeDecodeError,
    ValueError,
    OverflowError,
    IndexError,
    OSError,
)
"""What the standard library's zip reader raises on archives that lie."""


class PeekError(DigsiteError):
    """The file cannot be looked into."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of an archive."""

    name: str
    """As the archive spells it: hostile text."""
    size_bytes: int
    packed_bytes: int
    is_folder: bool
    is_encrypted: bool
    modified_at: datetime | None


class Archive:
    """A remote archive, opened: its directory has been read, nothing else.

    Args:
        remote: The file; blocking, so this class belongs into a thread.

    Raises:
        PeekError: It is no zip archive, or its directory cannot be believed.
        TransferError: It cannot be read.
    """

    def __init__(self, remote: RemoteFile) -> None:
        self.remote = remote
        try:
            self._zip = zipfile.ZipFile(remote)
        except _BROKEN as error:
            raise PeekError(
                "This is not a zip archive that can be looked into.", hint="Download it to open it (key d)."
            ) from error
        infos = self._zip.infolist()
        if len(infos) > MAX_ENTRIES:
            raise PeekError(f"The archive names {len(infos):,} entries, which is too many to look into.")
        self._infos = {info.filename: info for info in infos}
        self.entries = tuple(_entry(info) for info in infos)

    def find(self, name: str) -> Entry:
        """The member of that name.

        Raises:
            NotFound: There is none.
        """
        info = self._infos.get(name)
        if info is None:
            raise NotFound("The archive has no such member.", hint="digsite ls PATH// lists them.")
        return _entry(info)

    def copy(self, name: str, write: Callable[[bytes], object]) -> None:
        """Hands a whole member on, piece by piece, in constant memory; raises as `read` does."""
        entry = self.find(name)
        if entry.is_encrypted:
            raise PeekError("This member is encrypted.")
        with _broken_is_ours(), self._zip.open(self._infos[name]) as member:
            while piece := member.read(_PIECE_BYTES):
                write(piece)

    def read(self, name: str, limit: int = MAX_MEMBER_BYTES) -> bytes:
        """A member's bytes, at most `limit` of them.

        Raises:
            NotFound: There is no such member.
            PeekError: It is encrypted, or its data are broken.
            TransferError: It cannot be read.
        """
        entry = self.find(name)
        if entry.is_encrypted:
            raise PeekError("This member is encrypted.")
        with _broken_is_ours(), self._zip.open(self._infos[name]) as member:
            return member.read(limit)


@contextmanager
def _broken_is_ours() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise PeekError("This member's data are broken, or packed in a way that cannot be read.") from error


def _entry(info: zipfile.ZipInfo) -> Entry:
    return Entry(
        name=info.filename,
        size_bytes=info.file_size,
        packed_bytes=info.compress_size,
        is_folder=info.is_dir(),
        is_encrypted=bool(info.flag_bits & 0x1),
        modified_at=_moment(info.date_time),
    )


def _moment(parts: tuple[int, int, int, int, int, int]) -> datetime | None:
    try:
        return datetime(*parts, tzinfo=UTC)
    except ValueError:
        return None
