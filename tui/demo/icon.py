"""The picture that the demo's apps carry as their icon: rings in the sand."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from typing import Final

_SIZE: Final = 64
_SAND, _OCHRE, _CHARCOAL = (0xE8, 0xDF, 0xD0), (0xD9, 0xA4, 0x41), (0x1C, 0x1A, 0x17)


@cache
def icon() -> bytes:
    """A PNG of 64 x 64 pixels, 8-bit RGB."""
    rows = b"".join(b"\0" + b"".join(bytes(_colour(x, y)) for x in range(_SIZE)) for y in range(_SIZE))
    header = struct.pack(">IIBBBBB", _SIZE, _SIZE, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _colour(x: int, y: int) -> tuple[int, int, int]:
    distance = (2 * x - _SIZE + 1) ** 2 + (2 * y - _SIZE + 1) ** 2
    for limit, colour in ((14**2, _OCHRE), (26**2, _SAND), (40**2, _OCHRE), (54**2, _SAND)):
        if distance < limit:
            return colour
    return _CHARCOAL


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
