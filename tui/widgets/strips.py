"""Lines of a list as Textual paints them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from textwrap import wrap

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.widgets.columns import pad


def line(text: str, width: int, style: Style) -> Strip:
    """One text, cut or padded to so many cells."""
    return Strip([Segment(pad(text, width), style)], width)


def wrapped(texts: Iterable[str], width: int) -> list[str]:
    """Sentences as lines of so many characters."""
    return [part for text in texts for part in wrap(text, max(10, width)) or [""]]


def merged(pieces: list[tuple[str, Style]]) -> list[tuple[str, Style]]:
    """Neighbours of one style as one piece: each piece costs a full colour code on the line to the terminal."""
    cuts = [0, *(n for n, ((_, a), (_, b)) in enumerate(pairwise(pieces), 1) if a != b), len(pieces)]
    return [("".join(text for text, _ in pieces[a:b]), pieces[a][1]) for a, b in pairwise(cuts)]
