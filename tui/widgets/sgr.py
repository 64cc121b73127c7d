"""Colours of a log: the SGR sequences in a line as styles; every other escape and control character made harmless."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from rich.color import Color
from rich.style import Style

from tui.safe_text import clean

MAX_SHOWN_CHARS: Final = 4000
"""Of one line; the rest is cut with an ellipsis."""
TAB: Final = 8

_PIECE: Final = re.compile(
    r"\x1b\[([\d;:]*)m"  # colours
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-Za-z]|\x1b[=>78A-Z\\^_]"
)
_clean = clean.__wrapped__  # log lines are many and long: they would only fill the cache


@dataclass(frozen=True, slots=True)
class _Pen:
    colour: Color | None = None
    background: Color | None = None
    bold: bool | None = None
    dim: bool | None = None
    italic: bool | None = None
    underline: bool | None = None
    reverse: bool | None = None

    def style(self) -> Style:
        """As Rich has it; unset stays open."""
        return Style(
            color=self.colour,
            bgcolor=self.background,
            bold=self.bold,
            dim=self.dim,
            italic=self.italic,
            underline=self.underline,
            reverse=self.reverse,
        )


_PLAIN: Final = _Pen()

_ATTRIBUTES: Final[dict[int, Callable[[_Pen], _Pen]]] = {
    1: lambda pen: replace(pen, bold=True),
    2: lambda pen: replace(pen, dim=True),
    3: lambda pen: replace(pen, italic=True),
    4: lambda pen: replace(pen, underline=True),
    7: lambda pen: replace(pen, reverse=True),
    22: lambda pen: replace(pen, bold=None, dim=None),
    23: lambda pen: replace(pen, italic=None),
    24: lambda pen: replace(pen, underline=None),
    27: lambda pen: replace(pen, reverse=None),
}


def styled(line: str) -> list[tuple[str, Style]]:
    """A line of a log in pieces that are safe to show, each with its colours.

    Args:
        line: Hostile text without line breaks.
    """
    cut = line[: MAX_SHOWN_CHARS * 4]
    pieces: list[tuple[str, Style]] = []
    pen, at, room = _PLAIN, 0, MAX_SHOWN_CHARS
    column = 0
    for found in [*_PIECE.finditer(cut), None]:
        end = found.start() if found else len(cut)
        if end > at and room > 0:
            text = _shown(cut[at:end], column)
            text = text if len(text) <= room else text[: room - 1] + "…"
            pieces.append((text, pen.style()))
            room, column = room - len(text), column + len(text)
        if found is None:
            break
        at = found.end()
        if found[1] is not None:
            pen = _after(pen, found[1])
    if room > 0 and len(cut) < len(line):
        pieces.append(("…", Style()))
    return pieces


def plain(line: str) -> str:
    """The same without colours."""
    return "".join(text for text, _ in styled(line))


def for_terminal(line: str, *, colours: bool) -> str:
    """A whole line to be printed: colours where they are wanted, nothing else that a terminal would obey."""
    shown, at = [], 0
    has_colours = False
    for found in _PIECE.finditer(line):
        shown.append(_harmless(line[at : found.start()]))
        if colours and found[1] is not None:
            shown.append(f"\x1b[{found[1]}m")
            has_colours = True
        at = found.end()
    shown.append(_harmless(line[at:]))
    return "".join(shown) + ("\x1b[m" if has_colours else "")


def _harmless(text: str) -> str:
    return "\t".join(_clean(part, len(part) + 1) for part in text.split("\t")) if text else ""


def _shown(text: str, column: int) -> str:
    if "\t" in text:
        text = (" " * (column % TAB) + text).expandtabs(TAB)[column % TAB :]
    return text if text.isascii() and text.isprintable() else str(_clean(text, len(text) + 1))


def _after(pen: _Pen, parameters: str) -> _Pen:
    """The pen after an SGR sequence (ECMA-48, 8.3.117); what is not known changes nothing."""
    numbers = iter([int(part) if part and len(part) < 5 else 0 for part in re.split("[;:]", parameters)])
    for number in numbers:
        if number == 0:
            pen = _PLAIN
        elif (change := _ATTRIBUTES.get(number)) is not None:
            pen = change(pen)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            pen = replace(pen, colour=Color.from_ansi(number - 30 if number < 90 else number - 82))
        elif 40 <= number <= 47 or 100 <= number <= 107:
            pen = replace(pen, background=Color.from_ansi(number - 40 if number < 100 else number - 92))
        elif number == 39:
            pen = replace(pen, colour=None)
        elif number == 49:
            pen = replace(pen, background=None)
        elif number in {38, 48}:
            kind = next(numbers, 0)
            values = [min(value, 255) for value in islice(numbers, 1 if kind == 5 else 3 if kind == 2 else 0)]
            colour = Color.from_ansi(values[0]) if len(values) == 1 else None
            if len(values) == 3:
                colour = Color.from_rgb(*values)
            if colour is not None:
                pen = replace(pen, colour=colour) if number == 38 else replace(pen, background=colour)
    return pen
