"""Logs on disk: any line of any bytes, searches while it grows, pieces in any order, in little memory."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import Destination
from tui.models.inspection import LogChunk
from tui.peek import loglines
from tui.peek.causes import ERROR_LINE
from tui.peek.loglines import ChunkOrder, LogSearch, LogSpool, line_text, without_escapes

STEP = 1 << 30


@pytest.fixture
def spool() -> Iterator[LogSpool]:
    made = LogSpool()
    yield made
    made.close()


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"\n" * 40, b"x" * 300, b"a\nb\n"]), max_size=30))
def test_every_line_is_found_however_the_bytes_arrive(pieces: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loglines, "CHECKPOINT_BYTES", 16)
        patch.setattr(loglines, "MAX_LINE_BYTES", 4096)
        spool = LogSpool()
        for piece in pieces:
            spool.append(piece)
        whole = b"".join(pieces)
        wanted = whole.split(b"\n")[: -1 if whole.endswith(b"\n") or not whole else None]
        assert spool.lines == len(wanted)
        assert [spool.line(n)[:4096] for n in range(spool.lines)] == [line[:4096] for line in wanted]
        assert spool.line(spool.lines) == b""
        spool.close()


def test_a_line_of_a_megabyte_is_cut_and_the_next_is_found(spool: LogSpool) -> None:
    spool.append(b"first\n" + b"x" * 1_000_000)
    spool.append(b"x\nlast\n")
    assert spool.lines == 3
    assert len(spool.line(1)) == loglines.MAX_LINE_BYTES
    assert spool.line(2) == b"last"


def test_the_index_of_a_large_log_is_small(spool: LogSpool) -> None:
    piece = b"\n" * 4096 + b"CompileSwift normal arm64 /Volumes/workspace/repository/Acme/Login.swift\n" * 14_000
    tracemalloc.start()
    for _ in range(32):
        spool.append(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spool.size_bytes > 32_000_000
    assert spool.text(spool.lines - 1).startswith("CompileSwift")
    assert peak < 4_000_000


def test_a_search_goes_on_as_the_log_grows(spool: LogSpool) -> None:
    search = LogSearch.of_text(spool, "cart")
    spool.append(b"one\nthe Cart\n\x1b[31mca\x1b[0mrt in colours\nca")
    search.run(STEP)
    assert list(search.hits) == [1, 2]
    seen = [search.is_current]
    spool.append(b"rt at last\nend\n")
    seen.append(search.is_current)
    assert seen == [True, False]
    search.run(STEP)
    assert list(search.hits) == [1, 2, 3]
    assert (search.after(-1), search.after(1), search.after(3)) == (1, 2, None)
    assert (search.before(3), search.before(1)) == (2, None)


def test_capitals_in_a_search_matter_only_where_there_are_some(spool: LogSpool) -> None:
    spool.append(b"error\nERROR\nError\n")
    for needle, found in (("error", [0, 1, 2]), ("ERROR", [1])):
        search = LogSearch.of_text(spool, needle)
        search.run(STEP)
        assert list(search.hits) == found


@given(st.lists(st.sampled_from(["needle", "x" * 50, "", "needle needle"]), max_size=60), st.integers(1, 40))
def test_a_search_in_any_steps_finds_each_line_once(lines: list[str], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loglines, "_BLOCK_BYTES", 64)
        spool = LogSpool()
        spool.append("\n".join(lines).encode())
        search = LogSearch(spool, re.compile(b"needle"))
        while not search.is_current:
            search.run(block)
        assert list(search.hits) == [n for n, line in enumerate(lines) if "needle" in line]
        spool.close()


def test_error_lines_are_found_and_warnings_are_not(spool: LogSpool) -> None:
    spool.append(b"warning: 'x' is deprecated\n0 errors generated\nLogin.swift:3:1: \x1b[31merror: \x1b[0mno\nfine\n")
    search = LogSearch(spool, ERROR_LINE)
    search.run(STEP)
    assert list(search.hits) == [2]


def test_a_closed_log_takes_and_gives_nothing(spool: LogSpool) -> None:
    spool.append(b"x\n")
    spool.close()
    spool.append(b"y\n")
    assert (spool.line(0), spool.read(0, 10)) == (b"", b"")


def test_lines_as_a_terminal_leaves_them() -> None:
    assert line_text(b"10%\r50%\r100%\r\n") == "100%"
    assert line_text(b"\xff bytes") == "\ufffd bytes"
    assert without_escapes("\x1b[31;1mred\x1b[0m \x1b]8;;https://x\x07link\x1b]8;;\x07\x1b[K") == "red link"


def chunk(position: int) -> LogChunk:
    return LogChunk(position, f"<{position}>")


def test_pieces_are_put_in_order_and_taken_once() -> None:
    order = ChunkOrder()
    assert order.take([chunk(3), chunk(1), chunk(2)]) == b"<1><2><3>"
    assert order.take([chunk(2), chunk(3), chunk(4)]) == b"<4>"
    assert order.missing == 0


def test_a_piece_behind_a_gap_waits_then_the_gap_is_marked() -> None:
    order = ChunkOrder()
    assert order.take([chunk(0)]) == b"<0>"
    assert order.take([chunk(3)]) == b""
    assert order.take([]) == b""
    assert order.take([chunk(1)]) == b"<1>"
    for _ in range(ChunkOrder.PATIENCE):
        assert order.take([]) == b""
    shown = order.take([])
    assert shown.startswith(b"\n[digsite: pieces")
    assert shown.endswith(b"<3>")
    assert order.take([chunk(2)]) == b"", "too late"
    assert order.missing == 1


def test_nothing_is_held_back_at_the_end() -> None:
    order = ChunkOrder()
    order.take([chunk(0)])
    assert order.take([chunk(9)], final=True).endswith(b"<9>")


def test_no_log_fills_the_disk(spool: LogSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loglines, "MAX_SPOOL_BYTES", 10)
    spool.append(b"12345\n789")
    with pytest.raises(Destination, match="too large"):
        spool.append(b"abc")
    assert spool.text(1) == "789"
