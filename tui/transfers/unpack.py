"""Unpacks a zip archive beside itself, or refuses the whole of it before the first byte is written.

An archive from a build is hostile input: entries that leave the folder, links, names that fall together, and a few
kilobytes that become a full disk. What is unpacked stands in a hidden folder until all of it is there.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import struct
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

from tui.errors import Destination, TransferError
from tui.safe_text import clean
from tui.transfers.destination import ConflictRule, candidates, check_room, from_os_error

MAX_ENTRIES: Final = 100_000
MAX_TOTAL_BYTES: Final = 20 << 30
MAX_RATIO: Final = 200
"""Unpacked to packed size; only above `RATIO_FREE_BYTES`: small text may compress better than that."""
RATIO_FREE_BYTES: Final = 100 << 20
MAX_DIRECTORY_BYTES: Final = 16 << 20
"""Of the central directory, which is read as a whole."""

_BLOCK_BYTES: Final = 1 << 20
_LOCAL_HEADER_BYTES: Final = 30
_END_RECORD: Final = struct.Struct("<4s4H2LH")
_END64_LOCATOR: Final = struct.Struct("<4sLQL")
_END64_RECORD: Final = struct.Struct("<4sQ2H2L4Q")
_READABLE: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""`zipfile` unpacks all else without a limit: 2 kB of bzip2 become gigabytes in memory at once."""
_METHODS: Final = {9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
"""Others that an archive may name (APPNOTE.TXT, 4.4.5)."""


class Refused(TransferError):
    """The archive is not unpacked, and nothing of it was written; the message has the reason."""


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive by its content; blocks."""
    return zipfile.is_zipfile(path)


def unpack(archive: Path, folder: Path, check_stop: Callable[[], None] = lambda: None) -> Path:
    """Unpacks into a new folder; blocks.

    Args:
        archive: The zip file.
        folder: The folder to make; `folder (2)` and so on when there is one already.
        check_stop: Called between blocks; may raise to give up, which leaves nothing behind.

    Returns:
        The folder that was made.

    Raises:
        Refused: The archive is damaged or hostile.
        DiskFull: There is no room for its contents.
        Destination: The folder cannot be written.
    """
    try:
        with archive.open("rb") as file:
            _check_directory_size(file, archive)
            with zipfile.ZipFile(file) as opened:
                entries = opened.infolist()
                _check(entries, archive)
                check_room(folder.parent, sum(entry.file_size for entry in entries))
                return _extract(opened, entries, folder, check_stop)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Refused(f"{archive.name} is damaged or not a zip file: {clean(str(error), 200)}") from error
    except OSError as error:
        raise from_os_error(error, folder) from error


def _extract(
    opened: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], folder: Path, check_stop: Callable[[], None]
) -> Path:
    private = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.parent))
    stage = private / "stage"  # made with the user's own permissions, which the private folder does not have
    try:
        stage.mkdir()
        for entry in entries:
            check_stop()
            target = stage.joinpath(*_components(entry))
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            mode = 0o777 if (entry.external_attr >> 16) & stat.S_IXUSR else 0o666
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as output, opened.open(entry) as packed:
                while block := packed.read(_BLOCK_BYTES):
                    check_stop()
                    output.write(block)
        return _publish(stage, folder)
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _publish(stage: Path, folder: Path) -> Path:
    for path in candidates(folder, ConflictRule.RENAME):
        if not os.path.lexists(path):
            return stage.rename(path)
    raise Destination(f"{folder} and all names like it are taken.")


def _check(entries: Sequence[zipfile.ZipInfo], archive: Path) -> None:
    """Looks at all entries before anything is written.

    Raises:
        Refused: One of them, or their sum, is not acceptable.
    """
    if len(entries) > MAX_ENTRIES:
        raise Refused(f"{archive.name} has {len(entries):,} entries; more than {MAX_ENTRIES:,} are refused.")
    names: dict[tuple[str, ...], tuple[str, ...]] = {}
    files: set[tuple[str, ...]] = set()
    folders: set[tuple[str, ...]] = set()
    for entry in entries:
        _check_kind(entry)
        path = _components(entry)
        for depth in range(1, len(path) + 1):
            part = path[:depth]
            if names.setdefault(tuple(map(_folded, part)), part) != part or part in files:
                raise _refused(entry, "has the name of another entry")
        (folders if entry.is_dir() else files).add(path)
        folders.update(path[:depth] for depth in range(1, len(path)))
    if files & folders:
        raise Refused(f"{archive.name} has a file and a folder of the same name.")
    _check_sizes(entries, archive)


def _check_kind(entry: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise _refused(entry, "is a link")
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _refused(entry, "is a device or another special file")
    if entry.flag_bits & 0x1:
        raise _refused(entry, "is encrypted")
    if entry.compress_type not in _READABLE:
        method = _METHODS.get(entry.compress_type, f"method {entry.compress_type}")
        raise _refused(entry, f"is packed with {method}, and only stored and deflated ones are unpacked")


def _check_sizes(entries: Sequence[zipfile.ZipInfo], archive: Path) -> None:
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if total > MAX_TOTAL_BYTES:
        raise Refused(f"{archive.name} unpacks to {total:,} bytes; more than {MAX_TOTAL_BYTES:,} are refused.")
    if total > RATIO_FREE_BYTES and total > packed * MAX_RATIO:
        raise Refused(f"{archive.name} unpacks {packed:,} bytes to {total:,}, as only a trap does.")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise _refused(entry, "shares its bytes with another entry")
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size


def _components(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """The parts of an entry's path, as the archive spells it: `zipfile` itself would repair it silently.

    Raises:
        Refused: The path leaves the folder, or could be read as one that does.
    """
    name = entry.orig_filename
    parts = tuple(name.removesuffix("/").split("/"))
    if any(part in {"", ".", ".."} for part in parts):
        raise _refused(entry, "does not stay in the folder")
    if "\\" in name or re.match(r"[A-Za-z]:", name):
        raise _refused(entry, "does not stay in the folder")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in name):
        raise _refused(entry, "has control characters in its name")
    if any(len(part.encode()) > 255 for part in parts) or len(parts) > 100:
        raise _refused(entry, "has too long a name")
    return parts


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _refused(entry: zipfile.ZipInfo, reason: str) -> Refused:
    return Refused(f"The archive is not unpacked: its entry {clean(entry.orig_filename, 120)!r} {reason}.")


def _check_directory_size(file: IO[bytes], archive: Path) -> None:
    """`zipfile` reads the whole central directory at once, as large as the archive says it is."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_RECORD.size - _END64_LOCATOR.size - 0xFFFF))
    tail = file.read()
    found = tail.rfind(b"PK\5\6")
    if found < 0 or len(tail) - found < _END_RECORD.size:
        raise Refused(f"{archive.name} is not a zip file.")
    directory = _END_RECORD.unpack_from(tail, found)[5]
    locator = found - _END64_LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\6\7":
        file.seek(min(size, _END64_LOCATOR.unpack_from(tail, locator)[2]))
        record = file.read(_END64_RECORD.size)
        if len(record) == _END64_RECORD.size:
            directory = max(directory if directory != 0xFFFFFFFF else 0, _END64_RECORD.unpack(record)[8])
    if directory > MAX_DIRECTORY_BYTES:
        raise Refused(f"{archive.name} has a table of contents of {directory:,} bytes, which is refused.")
    file.seek(0)
