"""A small PNG picture, scaled down to be shown in cells; also in the variant that Xcode makes for devices.

Sources: W3C, Portable Network Graphics (Third Edition), sections 5, 7, 9 and 11. The variant begins with a chunk
`CgBI`, has no zlib header, and swaps red and blue (observed, undocumented by Apple).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_PNG_BYTES: Final = 4 * 1024 * 1024
"""Of a file that is decoded."""
MAX_PIXELS: Final = 2_000_000
"""A larger picture takes seconds to decode."""
_MAX_SIDE: Final = 16_384
"""So does one of many rows, however narrow they are."""
_SLICE_BYTES: Final = 16 * 1024
"""Handed to the decompressor at once: it copies what it has not used yet."""
_UNPACKED_BYTES: Final = 64 * 1024
"""Taken from it at once."""

_GRAY, _RGB, _PALETTE, _GRAY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS: Final = {_GRAY: 1, _RGB: 3, _PALETTE: 1, _GRAY_ALPHA: 2, _RGBA: 4}

Pixel = tuple[int, int, int]


class PngError(ValueError):
    """The picture cannot be shown; the text says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of pixels, each red, green and blue from 0 to 255."""

    rows: list[list[Pixel]]
    full_width: int
    """Pixels of the file, before it was scaled down."""
    full_height: int


@dataclass
class _Header:
    width: int
    height: int
    color: int
    is_apples: bool
    palette: bytes = b""
    alphas: bytes = b""


def decode(data: bytes, columns: int, lines: int) -> Picture:
    """Decodes a picture of 8 bits a channel, scaled down to fit; what is transparent becomes dark.

    Args:
        data: The file.
        columns: Pixels across at most.
        lines: Pixels down at most.

    Raises:
        PngError: It is broken, too large, interlaced, or of another depth.
    """
    try:
        header, body = _parts(data)
        return _picture(header, body, max(1, columns), max(1, lines))
    except (struct.error, zlib.error, IndexError) as error:
        raise PngError("This picture is broken.") from error


def _parts(data: bytes) -> tuple[_Header, bytes]:
    if not data.startswith(SIGNATURE):
        raise PngError("This is no PNG picture.")
    header: _Header | None = None
    is_apples = False
    body = bytearray()
    for kind, content in _chunks(data):
        if kind == b"CgBI":
            is_apples = True
        elif kind == b"IHDR":
            header = _header(content, is_apples=is_apples)
        elif header is None:
            raise PngError("This picture is broken.")
        elif kind == b"PLTE":
            header.palette = content
        elif kind == b"tRNS":
            header.alphas = content
        elif kind == b"IDAT":
            body += content
    if header is None:
        raise PngError("This picture is broken.")
    return header, bytes(body)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _header(content: bytes, *, is_apples: bool) -> _Header:
    width, height, depth, color, _, _, interlace = struct.unpack_from(">IIBBBBB", content)
    if not width or not height or color not in _CHANNELS:
        raise PngError("This picture is broken.")
    if width * height > MAX_PIXELS or max(width, height) > _MAX_SIDE:
        raise PngError(f"This picture is too large to show here: {width} x {height} pixels.")
    if depth != 8 or interlace:
        raise PngError(f"This picture is {'interlaced' if interlace else f'of {depth} bits'}, which is not shown here.")
    return _Header(width, height, color, is_apples)


def _picture(header: _Header, body: bytes, columns: int, lines: int) -> Picture:
    scale = max(1.0, header.width / columns, header.height / lines)
    width, height = max(1, int(header.width / scale)), max(1, int(header.height / scale))
    xs = [int((x + 0.5) * header.width / width) for x in range(width)]
    wanted = {int((y + 0.5) * header.height / height) for y in range(height)}
    rows = [[_pixel(header, row, x) for x in xs] for y, row in enumerate(_rows(header, body)) if y in wanted]
    if not rows:
        raise PngError("This picture is broken.")
    return Picture(rows, header.width, header.height)


def _rows(header: _Header, body: bytes) -> Iterator[bytes]:
    """Rows without their filters, one after another: only few are held. A cut picture just ends."""
    step = _CHANNELS[header.color]
    length = header.width * step
    above = bytes(length)
    held = bytearray()
    left = header.height
    for piece in _unpacked(body, -zlib.MAX_WBITS if header.is_apples else zlib.MAX_WBITS):
        held += piece
        while len(held) > length:
            above = _unfiltered(held[0], held[1 : length + 1], above, step)
            del held[: length + 1]
            yield above
            left -= 1
            if not left:
                return


def _unpacked(body: bytes, window_bits: int) -> Iterator[bytes]:
    """The data of all rows, in pieces; what is broken is an error only when it is come to."""
    unpack = zlib.decompressobj(window_bits)
    for at in range(0, len(body), _SLICE_BYTES):
        rest = body[at : at + _SLICE_BYTES]
        while piece := unpack.decompress(rest, _UNPACKED_BYTES):
            yield piece
            rest = unpack.unconsumed_tail


def _unfiltered(kind: int, row: bytearray, above: bytes, step: int) -> bytes:
    if kind == 1:
        for n in range(step, len(row)):
            row[n] = (row[n] + row[n - step]) & 255
    elif kind == 2:
        return bytes([(a + b) & 255 for a, b in zip(row, above, strict=True)])
    elif kind == 3:
        for n in range(len(row)):
            left = row[n - step] if n >= step else 0
            row[n] = (row[n] + (left + above[n]) // 2) & 255
    elif kind == 4:
        for n in range(len(row)):
            left, corner = (row[n - step], above[n - step]) if n >= step else (0, 0)
            row[n] = (row[n] + _paeth(left, above[n], corner)) & 255
    elif kind:
        raise PngError("This picture is broken.")
    return bytes(row)


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    to_left, to_above, to_corner = abs(guess - left), abs(guess - above), abs(guess - corner)
    if to_left <= to_above and to_left <= to_corner:
        return left
    return above if to_above <= to_corner else corner


def _pixel(header: _Header, row: bytes, x: int) -> Pixel:
    match header.color:
        case 0:
            return (row[x], row[x], row[x])
        case 2:
            red, green, blue, alpha = *row[3 * x : 3 * x + 3], 255
        case 3:
            index = row[x]
            red, green, blue = header.palette[3 * index : 3 * index + 3].ljust(3, b"\0")
            alpha = header.alphas[index] if index < len(header.alphas) else 255
        case 4:
            red, alpha = row[2 * x], row[2 * x + 1]
            green = blue = red
        case _:
            red, green, blue, alpha = row[4 * x : 4 * x + 4]
    if header.is_apples:
        return (blue, green, red)  # multiplied by alpha already
    return (red * alpha // 255, green * alpha // 255, blue * alpha // 255)
