"""Pictures inside archives: decoded within limits, or refused in words."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.peek.made import chunk, png
from tui.peek.png import PngError, decode

RED, GREEN = (255, 0, 0), (0, 255, 0)


def rows(*pixels: tuple[int, ...], kind: int = 0) -> bytes:
    return bytes([kind]) + b"".join(map(bytes, pixels))


def test_colours_palettes_and_what_is_transparent() -> None:
    assert decode(png(2, 1, rows(RED, GREEN), 2), 10, 10).rows == [[RED, GREEN]]
    assert decode(png(2, 1, rows((*RED, 255), (*GREEN, 0))), 10, 10).rows == [[RED, (0, 0, 0)]]
    palette = chunk(b"PLTE", bytes([*RED, *GREEN])) + chunk(b"tRNS", b"\xff\x00")
    assert decode(png(2, 1, rows((0,), (1,)), 3, extra=palette), 10, 10).rows == [[RED, (0, 0, 0)]]
    assert decode(png(2, 1, rows((7,), (9,)), 0), 10, 10).rows == [[(7, 7, 7), (9, 9, 9)]]
    assert decode(png(1, 1, rows((200, 255)), 4), 10, 10).rows == [[(200, 200, 200)]]


def test_all_filters() -> None:
    wanted = [[(10, 20, 30), (40, 50, 60), (90, 10, 200)]] * 5
    flat = [channel for pixel in wanted[0] for channel in pixel]
    body = bytes([0, *flat]) + bytes([1, *flat[:3], *((flat[n] - flat[n - 3]) % 256 for n in range(3, 9))])
    body += bytes([2] + [0] * 9)
    average = [(flat[n] - ((flat[n - 3] if n >= 3 else 0) + flat[n]) // 2) % 256 for n in range(9)]
    body += bytes([3, *average]) + bytes([4] + [0] * 9)
    # Under equal rows Paeth guesses the row above: all differences are nothing.
    assert decode(png(3, 5, body, 2), 10, 10).rows == wanted


def test_scaled_down_to_fit() -> None:
    line = rows(*[(*RED, 255)] * 50, *[(*GREEN, 255)] * 50)
    picture = decode(png(100, 60, line * 60), 10, 10)
    assert (len(picture.rows[0]), len(picture.rows)) == (10, 6)
    assert (picture.full_width, picture.full_height) == (100, 60)
    assert picture.rows[0] == [RED] * 5 + [GREEN] * 5


def test_the_variant_for_devices() -> None:
    content = zlib.compress(rows((0, 0, 255, 255)))[2:-4]
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"CgBI", bytes(4))
    data += chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)) + chunk(b"IDAT", content)
    assert decode(data, 5, 5).rows == [[RED]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GIF89a", "no PNG"),
        (png(5000, 5000, b""), "too large"),
        (png(1, 16_385, b""), "too large"),
        (png(16_385, 1, b""), "too large"),
        (png(2, 2, b""), "broken"),
        (png(1, 1, rows((1, 2, 3, 4), kind=9)), "broken"),
        (png(1, 1, b"", 5), "broken"),
        (png(1, 1, rows((0,)), 3)[:-30], "broken"),
    ],
)
def test_what_cannot_be_shown_says_why(data: bytes, words: str) -> None:
    with pytest.raises(PngError, match=words):
        decode(data, 10, 10)


def test_a_tall_picture_is_unpacked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = Random(1).randbytes(16_000 * 20 * 4)  # nothing that packs
    data = png(20, 16_000, b"".join(b"\0" + pixels[at : at + 80] for at in range(0, len(pixels), 80)))
    taken = 0

    class Counting:
        def __init__(self, window_bits: int) -> None:
            self._unpack = real(window_bits)

        def decompress(self, piece: bytes, most: int) -> bytes:
            nonlocal taken
            taken += len(piece)
            return self._unpack.decompress(piece, most)

        @property
        def unconsumed_tail(self) -> bytes:
            return self._unpack.unconsumed_tail

    real = zlib.decompressobj
    monkeypatch.setattr(zlib, "decompressobj", Counting)
    picture = decode(data, 20, 16_000)
    red, green, blue, alpha = pixels[-4:]
    assert len(picture.rows) == 16_000
    assert picture.rows[-1][-1] == (red * alpha // 255, green * alpha // 255, blue * alpha // 255)
    assert taken < 3 * len(data)


@pytest.mark.parametrize(("depth", "interlace", "words"), [(16, 0, "16 bits"), (8, 1, "interlaced")])
def test_other_kinds_say_so(depth: int, interlace: int, words: str) -> None:
    head = struct.pack(">IIBBBBB", 1, 1, depth, 6, 0, 0, interlace)
    with pytest.raises(PngError, match=words):
        decode(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head), 5, 5)


@given(st.data())
def test_a_damaged_picture_is_shown_or_refused(data: st.DataObject) -> None:
    content = bytearray(png(8, 4, rows(*[(*RED, 255)] * 8, kind=4) * 4))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PngError):
        assert decode(bytes(content), 6, 6).rows
