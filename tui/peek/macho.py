"""The UUIDs that bind binaries and their debug symbols: Mach-O headers, thin and fat, read by parts.

Source of the format: Apple, `mach-o/loader.h` (mach_header, load_command, uuid_command), `mach-o/fat.h` (fat_header,
fat_arch, fat_arch_64).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

HEAD_BYTES: Final = 4096
"""Read of each binary at first."""
_MAX_COMMANDS_BYTES: Final = 64 * 1024
_MAX_SLICES: Final = 16

_THIN: Final = {
    b"\xfe\xed\xfa\xce": (">", 28),
    b"\xfe\xed\xfa\xcf": (">", 32),
    b"\xce\xfa\xed\xfe": ("<", 28),
    b"\xcf\xfa\xed\xfe": ("<", 32),
}
"""Byte order and length of the header, by magic number."""
_FAT: Final = {b"\xca\xfe\xba\xbe": struct.Struct(">iiIII"), b"\xca\xfe\xba\xbf": struct.Struct(">iiQQII")}
_LC_UUID: Final = 0x1B
_CPUS: Final = {7: "i386", 12: "arm", 7 | 1 << 24: "x86_64", 12 | 1 << 24: "arm64", 12 | 2 << 24: "arm64_32"}

Read = Callable[[int, int], bytes]
"""Gives the bytes from an offset on, at most so many."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one architecture of a binary is known by."""

    cpu: str
    uuid: UUID


def is_mach_o(head: bytes) -> bool:
    """Whether a file that begins so is a binary of Apple's."""
    return head[:4] in _THIN or (head[:4] in _FAT and 0 < int.from_bytes(head[4:8], "big") <= _MAX_SLICES)


def slices(read: Read) -> Iterator[Slice]:
    """The architectures of a binary that have a UUID; none where the file is no binary or a broken one.

    Whatever `read` raises ends it.
    """
    head = read(0, HEAD_BYTES)
    if not is_mach_o(head):
        return
    arch = _FAT.get(head[:4])
    if arch is None:
        yield from _slice(head, 0, read)
        return
    for n in range(int.from_bytes(head[4:8], "big")):
        entry = head[8 + n * arch.size : 8 + (n + 1) * arch.size]
        if len(entry) == arch.size:
            offset = arch.unpack(entry)[2]
            yield from _slice(read(offset, HEAD_BYTES), offset, read)


def _slice(head: bytes, offset: int, read: Read) -> Iterator[Slice]:
    if head[:4] not in _THIN or len(head) < 28:
        return
    order, start = _THIN[head[:4]]
    cpu, _, _, count, size = struct.unpack_from(f"{order}iiIII", head, 4)
    end = start + min(size, _MAX_COMMANDS_BYTES)
    if end > len(head) == HEAD_BYTES:
        head = read(offset, end)
    at = start
    for _ in range(min(count, end // 8)):
        if at + 8 > min(end, len(head)):
            return
        command, length = struct.unpack_from(f"{order}II", head, at)
        if command == _LC_UUID and length >= 24 and at + 24 <= len(head):
            yield Slice(_CPUS.get(cpu, f"cpu {cpu}"), UUID(bytes=head[at + 8 : at + 24]))
            return
        at += max(length, 8)
