"""What the bytes on disk bear out of the claims that an earlier run left about them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.transfers.claim import Claim, Prefix
from tui.transfers.spans import Proof, combine_crc

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK_BYTES: Final = 1 << 20

Read = Callable[[int, int], bytes]
"""Gives bytes of the file: from an offset, at most so many."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Bytes that are what they were when they were claimed."""

    digest: _Hash
    """The state of the SHA-256 of the first `hashed_bytes`, to go on with."""
    hashed_bytes: int
    spans: tuple[Proof, ...]
    """Further ones, in order; none overlaps another or the prefix."""


def prove(claims: Sequence[Claim], read: Read, there: int, check_stop: Callable[[], None]) -> Proved:
    """Reads what is claimed once, in order.

    Args:
        claims: All about the same object.
        read: Reads the file.
        there: Its size.
        check_stop: Called between blocks; may raise to give up.
    """
    disk = _Disk(read, check_stop)
    digest, hashed = disk.longest_prefix([claim.prefix for claim in claims if claim.prefix.end <= there])
    claimed = {span for claim in claims for span in claim.spans if hashed < span.end <= there}
    proved: list[Proof] = []
    for span in sorted(claimed, key=lambda span: (span.start, -span.end)):
        if proved and span.start < proved[-1].end:
            continue
        start = max(span.start, hashed)
        if (crc := disk.crc_from(start, span)) is not None:
            proved.append(Proof(start, span.end, crc))
    return Proved(digest, hashed, tuple(proved))


class _Disk:
    def __init__(self, read: Read, check_stop: Callable[[], None]) -> None:
        self._read, self._check_stop = read, check_stop

    def longest_prefix(self, claimed: Sequence[Prefix]) -> tuple[_Hash, int]:
        """The longest that is borne out: its hash and its length."""
        digest, at = hashlib.sha256(), 0
        best = digest.copy(), 0
        for prefix in sorted(claimed):
            for block in self._blocks(at, prefix.end):
                digest.update(block)
            at = prefix.end
            if digest.hexdigest() == prefix.sha256:
                best = digest.copy(), at
        return best

    def crc_from(self, start: int, span: Proof) -> int | None:
        """The CRC-32 of what a span has from an offset within it on; None when its bytes have changed."""
        first, rest = self._crc(span.start, start), self._crc(start, span.end)
        return rest if combine_crc(first, rest, span.end - start) == span.crc else None

    def _crc(self, start: int, end: int) -> int:
        crc = 0
        for block in self._blocks(start, end):
            crc = zlib.crc32(block, crc)
        return crc

    def _blocks(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            self._check_stop()
            block = self._read(start, min(_BLOCK_BYTES, end - start))
            if not block:  # cut off by another program just now
                return
            yield block
            start += len(block)
