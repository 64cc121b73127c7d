"""Who fetches which bytes: the gaps of a file, handed out to its connections piece by piece, in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tui.transfers.spans import Spans

RANGED_BYTES: Final = 32 << 20
"""A file must be larger than this to be fetched over several connections."""
_MIN_PIECE_BYTES: Final = 8 << 20
_MAX_PIECE_BYTES: Final = 32 << 20
"""Large enough that asking costs nothing beside it, small enough that hashing in order keeps up."""


@dataclass(eq=False, slots=True)
class Piece:
    """Bytes that one connection is to fetch."""

    start: int
    end: int | None
    """Not included; None is the end of a file of unknown size."""
    is_bounded: bool = False
    """Whether it ends before the gap does, so that the request must say where."""
    got_bytes: int = 0
    """How much of it has come."""


class Pieces:
    """Hands out pieces so that no two connections fetch the same bytes. Any thread may call.

    Args:
        spans: What is there already.
        connections: How many there may be.
    """

    def __init__(self, spans: Spans, connections: int) -> None:
        self.spans = spans
        self._connections = connections
        self._busy: list[Piece] = []
        self._changed = threading.Condition()
        self._wakes = 0

    def take(self, size: int | None, *, ranged: bool, wait: bool) -> Piece | None:
        """The first piece that nobody fetches; give it back afterwards.

        Args:
            size: Of the file; None when unknown.
            ranged: Cut gaps up for several connections.
            wait: Wait for one that is given back, while others are being fetched.

        Returns:
            None when there is none, or `wake` was called.
        """
        with self._changed:
            wakes = self._wakes
            while True:
                for start, end in self._free(size):
                    piece = self._cut(start, end, size) if ranged else Piece(start, end, end != size)
                    self._busy.append(piece)
                    return piece
                if not wait or not self._busy or wakes != self._wakes:
                    return None
                self._changed.wait()

    def give_back(self, piece: Piece) -> None:
        """That piece is fetched, or somebody else may try."""
        with self._changed:
            self._busy.remove(piece)
            self._changed.notify_all()

    def wake(self) -> None:
        """Ends all waiting."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def _free(self, size: int | None) -> Iterator[tuple[int, int | None]]:
        for start, end in self.spans.gaps(size):
            at: int | None = start
            for piece in sorted(self._busy, key=lambda piece: piece.start):
                if at is None or (end is not None and piece.start >= end):
                    break
                if piece.end is not None and piece.end <= at:
                    continue
                if piece.start > at:
                    yield at, piece.start
                at = piece.end
            if at is not None and (end is None or at < end):
                yield at, end

    def _cut(self, start: int, end: int | None, size: int | None) -> Piece:
        if end is None or size is None:
            return Piece(start, end, is_bounded=end is not None)  # another connection's bytes may begin at the end
        share = -(-size // (2 * self._connections * (1 << 20))) << 20
        length = max(_MIN_PIECE_BYTES, min(_MAX_PIECE_BYTES, share))
        cut = min(end, start + length)
        return Piece(start, cut, cut != size)
