"""Which bytes are there, which are missing, and who fetches them."""

from __future__ import annotations

import random
import zlib
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tui.transfers.pieces import Pieces
from tui.transfers.spans import Proof, Spans, combine_crc

MB = 1 << 20


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_the_crc_of_two_pieces_is_that_of_both(first: bytes, second: bytes) -> None:
    combined = combine_crc(zlib.crc32(first), zlib.crc32(second), len(second))
    assert combined == zlib.crc32(first + second)


@given(st.integers(1, 400), st.integers(0, 2**32), st.integers(1, 5))
def test_connections_in_any_order_end_in_one_span_with_the_crc_of_the_rest(size: int, seed: int, lanes: int) -> None:
    chance = random.Random(seed)
    data = chance.randbytes(size)
    spans = Spans()
    starts = sorted({0, *(chance.randrange(size) for _ in range(lanes))})
    ends = [*starts[1:], size]
    open_ones = [(spans.open(start), end) for start, end in zip(starts, ends, strict=True)]
    while open_ones:
        span, end = chance.choice(open_ones)
        step = min(end - span.end, chance.randint(1, 50))
        spans.grow(span, data[span.end : span.end + step])
        if span.end == end:
            spans.close(span)
            open_ones.remove((span, end))
    first = ends[0]
    assert spans.proofs() == ([(first, size, zlib.crc32(data[first:]))] if first < size else [])
    assert (spans.prefix, spans.total, spans.end) == (size, size, size)
    assert list(spans.gaps(size)) == []


def test_gaps_prefix_and_what_is_held_before_a_gap() -> None:
    spans = Spans(10, [Proof(20, 30, 2), Proof(30, 35, 3)])
    assert (spans.total, spans.prefix) == (25, 10)
    assert list(spans.gaps(50)) == [(10, 20), (35, 50)]
    assert list(spans.gaps(None)) == [(10, 20), (35, None)]
    assert (spans.held_before(10), spans.held_before(35), spans.held_before(12)) == (10, 15, 0)


def test_pieces_never_overlap_and_cover_the_file() -> None:
    size = 300 * MB + 5
    pieces = Pieces(Spans(0, [Proof(50 * MB, 60 * MB, 0)]), 4)
    taken = []
    while (piece := pieces.take(size, ranged=True, wait=False)) is not None:
        taken.append(piece)
    covered = sorted([(p.start, p.end or 0) for p in taken] + [(50 * MB, 60 * MB)])
    assert covered[0][0] == 0
    assert covered[-1][1] == size
    assert all(a[1] == b[0] for a, b in pairwise(covered))
    assert not taken[-1].is_bounded
    pieces.give_back(taken[2])
    again = pieces.take(size, ranged=True, wait=False)
    assert again is not None
    assert (again.start, again.end) == (taken[2].start, taken[2].end)


def test_a_single_connection_takes_all_that_is_missing() -> None:
    piece = Pieces(Spans(), 4).take(None, ranged=False, wait=False)
    assert piece is not None
    assert (piece.start, piece.end, piece.is_bounded) == (0, None, False)


def test_a_piece_ends_where_that_of_another_connection_begins_when_the_size_is_unknown() -> None:
    pieces = Pieces(Spans(), 4)
    broken = pieces.take(200 * MB, ranged=True, wait=False)
    other = pieces.take(200 * MB, ranged=True, wait=False)
    assert broken is not None
    assert other is not None
    pieces.give_back(broken)
    again = pieces.take(None, ranged=True, wait=False)
    assert again is not None
    assert (again.start, again.end, again.is_bounded) == (0, other.start, True)
