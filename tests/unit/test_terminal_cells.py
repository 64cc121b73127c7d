"""Only cells that changed are written, and the terminal shows the same as if all had been."""

from __future__ import annotations

from typing import Any

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, set_cell_size

from tui.terminal.cells import Cells

WIDTH, HEIGHT, HALF = 24, 5, 12
RED, DIM_ON_BLUE, BOLD = "38;2;255;0;0", "2;38;2;9;9;9;48;2;0;0;200", "1;3;48;5;17"

Drawing = tuple[int, int, list[tuple[str, str]]]
"""Line, column, and pieces of text with their colour codes."""

pieces = st.lists(
    st.tuples(
        st.text(alphabet="ab  ✓│日本é", max_size=9),
        st.sampled_from(["", "1", "4", "7", "9;31", "97;104", RED, DIM_ON_BLUE, BOLD, "4;" + RED]),
    ),
    max_size=4,
)
drawings = st.tuples(st.integers(0, HEIGHT - 1), st.sampled_from([0, HALF]), pieces)
frames = st.lists(st.lists(drawings, max_size=6), max_size=6)


def as_textual_writes(drawing: Drawing) -> str:
    """Half a line: a position, then segments, each with its whole colour code, padded to its width."""
    y, x, parts = drawing
    out, room = [f"\x1b[{y + 1};{x + 1}H"], HALF
    for text, codes in [*parts, (" " * HALF, "")]:
        fitted = set_cell_size(text, min(room, cell_len(text)))
        room -= cell_len(fitted)
        out.append(f"\x1b[{codes}m{fitted}\x1b[0m" if codes else fitted)
    return "".join(out)


def shown(screen: pyte.Screen) -> list[list[tuple[Any, ...]]]:
    """What can be seen: the colour of a blank cannot."""
    lines = []
    for y in range(HEIGHT):
        line = []
        for x in range(WIDTH):
            c = screen.buffer[y][x]
            marks = (c.bg, c.reverse, c.underscore, c.strikethrough)
            seen = c.data != " " or c.reverse or c.underscore or c.strikethrough
            line.append((c.data, *marks, c.fg, c.bold, c.italics) if seen else (c.data, *marks))
        lines.append(line)
    return lines


def terminal() -> tuple[pyte.Screen, pyte.Stream]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7l")
    return screen, stream


def opened() -> Cells:
    """Of an empty terminal, the cursor at home."""
    cells = Cells(WIDTH, HEIGHT)
    for y in range(HEIGHT):
        cells.feed(f"\x1b[{y + 1};1H{' ' * WIDTH}")
    cells.feed("\x1b[1;1H")
    cells.frame()
    return cells


@settings(max_examples=300, deadline=None)
@given(frames)
def test_the_terminal_shows_the_same_as_if_everything_had_been_written(frames: list[list[Drawing]]) -> None:
    plain, plain_stream = terminal()
    frugal, frugal_stream = terminal()
    cells = opened()
    for frame in frames:
        data = "".join(map(as_textual_writes, frame))
        plain_stream.feed(data)
        assert cells.feed(data) == ""
        frugal_stream.feed(cells.frame())
        assert shown(frugal) == shown(plain)
        assert cells.frame() == ""


def test_a_frame_without_a_change_is_empty() -> None:
    cells = opened()
    data = "\x1b[2;1H\x1b[1;38;2;1;2;3mhello\x1b[0m"
    cells.feed(data)
    assert "hello" in cells.frame()
    cells.feed(data)
    assert cells.frame() == ""


def test_one_changed_character_costs_a_move_and_itself() -> None:
    cells = opened()
    cells.feed("\x1b[2;1Hbuild 148220 failed")
    cells.frame()
    cells.feed("\x1b[2;1Hbuild 148221 failed")
    assert cells.frame() == "\x1b[12G1"


def test_the_cursor_goes_where_an_input_method_looks_for_it() -> None:
    cells = opened()
    cells.feed("\x1b[2;1Hname: jo\x1b[1;1H")
    assert cells.frame(place_cursor=True).endswith("\x1b[H")
    cells.feed("\x1b[2;8H")
    assert cells.frame() == ""
    assert cells.frame(place_cursor=True) == "\x1b[2;8H"
    assert cells.frame(place_cursor=True) == ""


def test_what_is_not_cells_is_handed_on() -> None:
    cells = opened()
    for other in ("\x1b[?1006h", "\x1b[>25u", "\x1b]52;c;aGVsbG8=\a", "\a", "\x1b[?25l", "\x1b[5 q"):
        assert cells.feed(other) == other
    assert cells.feed("\x1b[?2026h\x1b[1;1Hx\x1b[?2026l") == ""


def test_a_long_frame_is_marked_as_one_where_the_terminal_can() -> None:
    cells = Cells(100, 20)
    page = "".join(f"\x1b[{y + 1};1H{y:<100}" for y in range(20))
    cells.feed(page)
    assert "2026" not in cells.frame()
    cells.feed("\x1b[?2026h\x1b[1;1Hx\x1b[?2026l")
    assert "2026" not in cells.frame()
    cells.forget()
    cells.feed(page)
    frame = cells.frame()
    assert frame.startswith("\x1b[?2026h")
    assert frame.endswith("\x1b[?2026l")


def test_after_the_alternate_screen_everything_is_written_again() -> None:
    cells = opened()
    cells.feed("\x1b[1;1Hsame")
    cells.frame()
    assert cells.feed("\x1b[?1049h") == "\x1b[?1049h"
    cells.feed("\x1b[1;1Hsame")
    assert "same" in cells.frame()


def test_characters_terminals_do_not_agree_on_are_followed_by_a_position() -> None:
    for text in ("👩‍👩‍👧x", "❤️x", "e\u0301x", "नमस्ते x", "שלום x"):
        cells = opened()
        cells.feed(f"\x1b[3;1H{text}{' ' * (WIDTH - cell_len(text))}")
        frame = cells.frame()
        column = cell_len(text[:-1]) + 1
        assert f"\x1b[3;{column}Hx" in frame or f"\x1b[3;{column - 1}H x" in frame, text


def test_half_of_a_wide_character_never_stays() -> None:
    cells = opened()
    screen, stream = terminal()
    cells.feed("\x1b[1;1H日本")
    stream.feed(cells.frame())
    cells.feed("\x1b[1;2Hab")
    stream.feed(cells.frame())
    assert screen.display[0].rstrip() == " ab"


def test_what_stands_beyond_the_edge_is_cut() -> None:
    cells = opened()
    screen, stream = terminal()
    cells.feed(f"\x1b[1;1H{'x' * (WIDTH - 1)}日\x1b[{HEIGHT + 3};1Hbelow\x1b[2;{WIDTH + 9}Hbeside")
    stream.feed(cells.frame())
    assert screen.display == ["x" * (WIDTH - 1) + " ", *[" " * WIDTH] * (HEIGHT - 1)]


def test_the_end_leaves_no_colour() -> None:
    cells = opened()
    cells.feed("\x1b[1;1H\x1b[1;31mred\x1b[0m")
    cells.frame()
    screen, stream = terminal()
    stream.feed(f"\x1b[1;31m{cells.end()}x")
    assert (screen.buffer[0][0].fg, screen.buffer[0][0].bold) == ("default", False)
    assert cells.end() == ""


def test_a_link_is_written_around_its_text_only() -> None:
    cells = opened()
    cells.feed("\x1b[1;1Ha \x1b]8;id=1;https://x.test\x1b\\link\x1b]8;;\x1b\\ b")
    frame = cells.frame()
    assert "\x1b]8;id=1;https://x.test\x1b\\link" in frame
    assert frame.count("https://x.test") == 1
    assert "\x1b]8;;\x1b\\" in frame + cells.end()
