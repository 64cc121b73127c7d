"""The table of contents of a remote zip, ipa, apk or bundle, and its members, within limits of bytes and memory."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from tui.errors import DigsiteError, NotFound
from tui.peek.remote import RemoteFile

MAX_ENTRIES: Final = 100_000
"""As many as are unpacked; each takes 600 bytes and 7 microseconds before the first of them is shown."""
MAX_MEMBER_BYTES: Final = 16 * 1024 * 1024
"""Of a member that is shown; a larger one is cut, and says so."""
MAX_SKIPPED_BYTES: Final = 2 * 1024 * 1024
"""Unpacked at most to come to a part in the middle of a member."""
_PIECE_BYTES: Final = 256 * 1024

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""What apps and bundles are packed with; others may want any amount of memory."""
_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_LOCAL_HEADER: Final = struct.Struct("<26xHH")
"""Lengths of the name and of the extra field (APPNOTE.TXT, 4.3.7)."""

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
    crc: int
    """CRC-32 of the unpacked bytes, as the directory says."""
    is_folder: bool
    is_encrypted: bool


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
            self._zip = zipfile.ZipFile(_Guarded(remote))
        except _BROKEN as error:
            raise PeekError(
                "This is not a zip archive that can be looked into.", hint="Download it to open it (key d)."
            ) from error
        self.entries = tuple(_entry(info) for info in self._zip.infolist())

    def has(self, name: str) -> bool:
        """Whether there is a member of that name."""
        return name in self._zip.NameToInfo

    def find(self, name: str) -> Entry:
        """The member of that name.

        Raises:
            NotFound: There is none.
        """
        info = self._zip.NameToInfo.get(name)
        if info is None:
            raise NotFound("The archive has no such member.", hint="digsite ls PATH// lists them.")
        return _entry(info)

    def copy(self, name: str, write: Callable[[bytes], object]) -> None:
        """Hands a whole member on, piece by piece, in constant memory.

        Args:
            name: The member; a few kilobytes may unpack to any number of gigabytes.
            write: Takes the next bytes. What it raises ends the copy, and is raised as it is.

        Raises:
            NotFound: There is no such member.
            PeekError: It is encrypted, or its data are broken.
            TransferError: It cannot be read.
        """
        with self._opened(name) as member:
            while piece := _read(member, _PIECE_BYTES):
                write(piece)

    def read(self, name: str, limit: int = MAX_MEMBER_BYTES) -> bytes:
        """A member's bytes, at most `limit` of them.

        Raises:
            NotFound: There is no such member.
            PeekError: It is encrypted, or its data are broken.
            TransferError: It cannot be read.
        """
        with self._opened(name) as member:
            return _read(member, limit)

    def slice(self, name: str, start: int, length: int) -> bytes:
        """A part of a member; fewer bytes at its end. What comes before has to be unpacked where it is packed.

        Raises:
            NotFound: There is no such member.
            PeekError: It is encrypted or broken, or more than `MAX_SKIPPED_BYTES` come before.
            TransferError: It cannot be read.
        """
        with self._opened(name) as member:
            info = self._zip.NameToInfo[name]
            if info.compress_type == zipfile.ZIP_STORED:  # what is before is not fetched
                with _broken_told():
                    header = self.remote.read_at(info.header_offset, _LOCAL_HEADER.size)
                    data = info.header_offset + _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(header))
                    return self.remote.read_at(data + start, max(0, min(length, info.file_size - start)))
            if start > MAX_SKIPPED_BYTES:
                raise PeekError("This part is too far into a packed member.")
            _read(member, start)
            return _read(member, length)

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        if self.find(name).is_encrypted:
            raise PeekError("This member is encrypted.")
        with _broken_told():
            if self._zip.NameToInfo[name].compress_type not in _METHODS:
                raise NotImplementedError
            member = self._zip.open(name)
        with member:
            yield member


def _read(member: IO[bytes], size: int) -> bytes:
    with _broken_told():
        return member.read(size)


@contextmanager
def _broken_told() -> Iterator[None]:
    """Around what reads an archive, and only that: an `OSError` of who takes the bytes is not the archive's."""
    try:
        yield
    except _BROKEN as error:
        raise PeekError("This member's data are broken, or packed in a way that cannot be read.") from error


class _Guarded(io.RawIOBase):
    """A remote file that counts the entries of its directory before an object is made for each of them."""

    def __init__(self, remote: RemoteFile) -> None:
        self._remote = remote

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._remote.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._remote.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        data = self._remote.read(size)
        if data.startswith(_DIRECTORY_ENTRY):  # the reader takes the whole directory at once
            count = data.count(_DIRECTORY_ENTRY)  # what the record at the end tells may be a lie
            if count > MAX_ENTRIES:
                raise PeekError(f"The archive names {count:,} entries, which is too many to look into.")
        return data


def _entry(info: zipfile.ZipInfo) -> Entry:
    return Entry(
        name=info.filename,
        size_bytes=info.file_size,
        packed_bytes=info.compress_size,
        crc=info.CRC,
        is_folder=info.filename.endswith("/"),
        is_encrypted=bool(info.flag_bits & 0x1),
    )
