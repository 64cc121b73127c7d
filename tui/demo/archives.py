"""Zip files of any size that are never held: each piece is computed when it is asked for."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from tui.demo import seeds

BLOCK_BYTES: Final = 1 << 20
"""The step in which large bodies are made, hashed and sent."""

_HEADER_BYTES: Final = 16
_UTF8: Final = 0x0800
_DOS_TIME: Final = (2026 - 1980) << 25 | 1 << 21 | 1 << 16


class Body(Protocol):
    """The content of one artifact."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    def read(self, start: int, length: int) -> bytes:
        """The bytes from `start`, at most `length` of them and fewer at the end."""
        ...


@dataclass(frozen=True)
class Plain:
    """A small body that is held."""

    data: bytes

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.data)

    def read(self, start: int, length: int) -> bytes:
        """A slice."""
        return self.data[start : start + length]


@dataclass(frozen=True)
class Filler:
    """Incompressible bytes, computed by offset.

    Every block starts with its own number: a client that swaps or repeats whole blocks gets another checksum.
    """

    seed: str
    size: int

    def read(self, start: int, length: int) -> bytes:
        """A slice."""
        end = min(start + length, self.size)
        pieces = []
        while start < end:
            index, offset = divmod(start, BLOCK_BYTES)
            piece = self._block(index)[offset : offset + end - start]
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)

    def _block(self, index: int) -> bytes:
        header = seeds.octets(8, "filler", self.seed) + index.to_bytes(8, "big")
        return header + _common_block()[_HEADER_BYTES:]


@lru_cache(maxsize=1)
def _common_block() -> bytes:
    return seeds.octets(BLOCK_BYTES, "filler block")


def blocks(body: Body) -> Iterator[bytes]:
    """The whole body, in steps."""
    for start in range(0, body.size, BLOCK_BYTES):
        yield body.read(start, BLOCK_BYTES)


def sha256(body: Body) -> str:
    """The SHA-256 of a body, as hexadecimal digits."""
    digest = hashlib.sha256()
    for block in blocks(body):
        digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True)
class _Member:
    """One file as it stands in the zip."""

    name: bytes
    crc: int
    stored_bytes: int
    plain_bytes: int
    method: int

    def fields(self) -> bytes:
        """What the local and the central header have in common, from the version needed on."""
        return struct.pack(
            "<HHHIIIIHH",
            20,
            _UTF8,
            self.method,
            _DOS_TIME,
            self.crc,
            self.stored_bytes,
            self.plain_bytes,
            len(self.name),
            0,
        )

    def local(self) -> bytes:
        return b"PK\x03\x04" + self.fields() + self.name

    def central(self, offset: int) -> bytes:
        external = 0o100644 << 16
        tail = struct.pack("<HHHII", 0, 0, 0, external, offset)
        return b"PK\x01\x02" + struct.pack("<H", 3 << 8 | 20) + self.fields() + tail + self.name


class Archive:
    """A real zip file of an exact size: the given files, and one stored file that fills it up.

    Args:
        files: Names and contents, deflated where that helps.
        filler_name: The name of the file that fills up.
        size: Bytes of the whole zip.
        seed: What the filler's bytes depend on.
        filler_head: How the file that fills up begins.

    Raises:
        ValueError: The files alone are larger than `size`.
    """

    def __init__(
        self, files: Iterable[tuple[str, bytes]], *, filler_name: str, size: int, seed: str, filler_head: bytes = b""
    ) -> None:
        self.size: Final = size
        head = bytearray()
        central = bytearray()
        count = 0
        for name, data in files:
            member, stored = _compressed(name, data)
            central += member.central(len(head))
            head += member.local() + stored
            count += 1
        name_bytes = filler_name.encode()
        overhead = len(head) + 30 + len(name_bytes) + len(filler_head) + len(central) + 46 + len(name_bytes) + 22
        if size < overhead:
            raise ValueError(f"{overhead} bytes of files do not fit into a zip of {size} bytes")
        filler = Filler(seed, size - overhead)
        stored_bytes = len(filler_head) + filler.size
        member = _Member(name_bytes, _crc(filler, zlib.crc32(filler_head)), stored_bytes, stored_bytes, 0)
        central += member.central(len(head))
        head += member.local() + filler_head
        end = struct.pack("<HHHHIIH", 0, 0, count + 1, count + 1, len(central), len(head) + filler.size, 0)
        self._pieces: Final[Sequence[Body]] = (
            Plain(bytes(head)),
            filler,
            Plain(bytes(central) + b"PK\x05\x06" + end),
        )

    def read(self, start: int, length: int) -> bytes:
        """A slice."""
        end = min(start + length, self.size)
        parts = []
        base = 0
        for piece in self._pieces:
            if start < base + piece.size and base < end:
                inside = max(start, base) - base
                parts.append(piece.read(inside, end - base - inside))
            base += piece.size
        return b"".join(parts)


def _compressed(name: str, data: bytes) -> tuple[_Member, bytes]:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(data) + deflate.flush()
    method, stored = (8, packed) if len(packed) < len(data) else (0, data)
    return _Member(name.encode(), zlib.crc32(data), len(stored), len(data), method), stored


def _crc(body: Body, crc: int) -> int:
    for block in blocks(body):
        crc = zlib.crc32(block, crc)
    return crc
