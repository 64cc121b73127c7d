"""Which bytes of a file are there, as spans; several connections fill them at once.

Each span has its CRC-32, by which it is proved in a later run; but not the one at the start of the file, which is
hashed anyway (`tui.transfers.part`): where there is one connection, a second checksum was a sixth of all work.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_POLYNOMIAL: Final = 0xEDB88320
"""Of CRC-32, lowest bit first."""


class Proof(NamedTuple):
    """Bytes from `start`, which is not 0, up to but not with `end`, and their CRC-32."""

    start: int
    end: int
    crc: int


class Span:
    """Bytes that are there; one connection at a time adds to its end. `crc` is 0 where `start` is."""

    __slots__ = ("crc", "end", "is_open", "start")

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.crc = 0
        self.is_open = True


class Spans:
    """All spans of one file. Safe in threads, as long as each open span is grown by one of them."""

    def __init__(self, prefix: int = 0, proofs: Iterable[Proof] = ()) -> None:
        self._lock = threading.Lock()
        self._spans: list[Span] = []
        for start, end, crc in ((0, prefix, 0), *sorted(proofs)):
            if end > start:
                span = Span(start)
                span.end, span.crc, span.is_open = end, crc, False
                self._spans.append(span)
                self._merge(span)

    @property
    def total(self) -> int:
        """How many bytes are there."""
        with self._lock:
            return sum(span.end - span.start for span in self._spans)

    @property
    def end(self) -> int:
        """Behind the last of them."""
        with self._lock:
            return max((span.end for span in self._spans), default=0)

    @property
    def prefix(self) -> int:
        """How many of them are there from the start without a gap."""
        with self._lock:
            at = 0
            for span in self._spans:
                if span.start != at:
                    break
                at = span.end
            return at

    def proofs(self, beyond: int = 0) -> list[Proof]:
        """The spans that reach beyond an offset, as they are now, without the one at the start."""
        with self._lock:
            return [Proof(s.start, s.end, s.crc) for s in self._spans if s.start and s.end > max(s.start, beyond)]

    def gaps(self, size: int | None) -> Iterator[tuple[int, int | None]]:
        """What is missing, in order: start and end, which is None at the end of a file of unknown size."""
        at = 0
        for start, end in self._held():
            if start > at:
                yield at, start
            at = end
        if size is None or at < size:
            yield at, size

    def held_before(self, offset: int) -> int:
        """How many bytes are there without a gap before an offset."""
        at = offset
        for start, end in reversed(self._held()):
            if end == at:
                at = start
        return offset - at

    def _held(self) -> list[tuple[int, int]]:
        with self._lock:
            return [(span.start, span.end) for span in self._spans if span.end > span.start]

    def open(self, start: int) -> Span:
        """The span to add bytes to from `start` on; `close` it afterwards."""
        with self._lock:
            for span in self._spans:
                if span.end == start and not span.is_open:
                    span.is_open = True
                    return span
            made = Span(start)
            self._spans.append(made)
            self._spans.sort(key=lambda span: span.start)
            return made

    def grow(self, span: Span, data: memoryview | bytes) -> None:
        """Takes in bytes that were written at the span's end."""
        crc = zlib.crc32(data, span.crc) if span.start else 0
        with self._lock:
            span.end += len(data)
            span.crc = crc

    def close(self, span: Span) -> None:
        """No more is added to the span for now."""
        with self._lock:
            span.is_open = False
            if span not in self._spans:  # all was forgotten meanwhile
                return
            if span.start == span.end:
                self._spans.remove(span)
            else:
                self._merge(span)

    def clear(self) -> None:
        """Nothing is there any more."""
        with self._lock:
            self._spans.clear()

    def _merge(self, span: Span) -> None:
        at = self._spans.index(span)
        for left, right in ((at, at + 1), (at - 1, at)):
            if left < 0 or right >= len(self._spans):
                continue
            one, other = self._spans[left], self._spans[right]
            if one.end == other.start and one.start and not one.is_open and not other.is_open:
                one.crc = combine_crc(one.crc, other.crc, other.end - other.start)
                one.end = other.end
                del self._spans[right]


def combine_crc(first: int, second: int, second_length: int) -> int:
    """The CRC-32 of two pieces one after the other, from theirs; as `crc32_combine` of zlib, which Python lacks."""
    factor, power = 1 << 31, 1 << 23  # x**0, and x**8: one byte more
    while second_length:
        if second_length & 1:
            factor = _multiply(power, factor)
        power = _multiply(power, power)
        second_length >>= 1
    return _multiply(factor, first) ^ second


def _multiply(a: int, b: int) -> int:
    """The product of two polynomials modulo that of the CRC."""
    product = 0
    bit = 1 << 31
    while bit:
        if a & bit:
            product ^= b
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
        bit >>= 1
    return product
