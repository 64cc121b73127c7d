"""Glyphs for terminals that show ASCII only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.ascii_glyphs import to_ascii, wanted
from tui.models import Status
from tui.widgets.format import GLYPHS


@given(st.text(max_size=30))
def test_every_text_becomes_ascii_of_the_same_width(text: str) -> None:
    assert to_ascii(text).isascii()
    assert to_ascii(to_ascii(text)) == to_ascii(text)


def test_known_glyphs_letters_and_wide_characters() -> None:
    assert to_ascii("✓ Zoë · 日本…") == "+ Zoe - ????~"
    assert "?" not in "".join(to_ascii(glyph) for status, glyph in GLYPHS.items() if status is not Status.UNKNOWN)
    assert len({to_ascii(glyph) for glyph in GLYPHS.values()}) >= len(GLYPHS) - 1


@pytest.mark.parametrize(
    ("environ", "is_wanted"),
    [
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "C.utf8"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),
        ({"LC_CTYPE": "UTF-8"}, False),
        ({}, False),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, True),
    ],
)
def test_when_it_is_wanted(environ: dict[str, str], is_wanted: bool) -> None:
    assert wanted(environ) is is_wanted
