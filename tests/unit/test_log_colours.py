"""Lines of logs on a screen: colours stay, everything else that a terminal would obey does not."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color

from tui.widgets.sgr import MAX_SHOWN_CHARS, for_terminal, plain, styled

HOSTILE = st.text(st.sampled_from("ab \t\x1b[]0;13;m8HJ\x07\\P^_\x9b\x9d\x00\r\n\u202e\u2028\ue000é日"), max_size=80)


@given(HOSTILE | st.text(max_size=60))
def test_nothing_but_text_is_left(line: str) -> None:
    shown = plain(line)
    assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}]


@given(HOSTILE)
def test_only_colours_reach_a_terminal(line: str) -> None:
    printed = for_terminal(line.replace("\n", ""), colours=True)
    rest = re.sub(r"\x1b\[[\d;:]*m", "", printed).replace("\t", "")
    assert not [char for char in rest if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}]
    assert "\x1b" not in for_terminal(line, colours=False)
    if "\x1b" in printed:
        assert printed.endswith("\x1b[m"), "the next line begins without colours"


@pytest.mark.parametrize(
    ("codes", "colour", "background", "bold"),
    [
        ("31", Color.from_ansi(1), None, None),
        ("31;1", Color.from_ansi(1), None, True),
        ("92;44", Color.from_ansi(10), Color.from_ansi(4), None),
        ("38;5;208", Color.from_ansi(208), None, None),
        ("38;2;1;2;3", Color.from_rgb(1, 2, 3), None, None),
        ("48;5;999;1", None, Color.from_ansi(255), True),
        ("31;1;22;39", None, None, None),
        ("31;0", None, None, None),
        ("99999999999999;8;5;77", None, None, None),
        ("38", None, None, None),
        ("38;5", None, None, None),
    ],
)
def test_colours(codes: str, colour: Color | None, background: Color | None, bold: bool | None) -> None:
    ((text, style),) = styled(f"\x1b[{codes}mx")
    assert (text, style.color, style.bgcolor, style.bold) == ("x", colour, background, bold)


def test_a_long_line_is_cut() -> None:
    assert len(plain("x" * 1_000_000)) == MAX_SHOWN_CHARS
    assert plain("x" * 1_000_000).endswith("…")
    assert plain("\x1b[31m" * 100_000 + "x").endswith("…")


def test_tabs_stop_where_a_terminal_stops() -> None:
    assert plain("a\tb\x1b[1m\tc") == "a       b       c"
