"""The cells of the terminal, as they should be and as they were sent; the difference is all that is written.

Textual writes whole segments, each with its full colour code: 2,000 bytes for a cursor that moves by a row and a
detail that follows, of which some 200 say something new. So its output is read back into cells here. What is not
cells (modes, queries, the clipboard) is handed on as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from rich.cells import split_graphemes

from tui.terminal.pen import PLAIN, Pen, after, change, change_for_blank, on_blanks

_TOKEN: Final = re.compile(
    r"\x1b\[([\d;]*)([Hm])"  # cursor position, colours
    r"|\x1b\]8;([^\x07\x1b]*)\x1b\\"  # hyperlink
    r"|\x1b\[\?2026[hl]"  # synchronized update: set anew around what is really written
    r"|(\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP(?:[^\x1b]|\x1b[^\\])*\x1b\\"
    r"|\x1b[^\[\]]|[\x00-\x09\x0b-\x1f\x7f])"
    r"|\n"
)
_SYNC_START: Final = "\x1b[?2026h"
_SYNC_END: Final = "\x1b[?2026l"
_SYNC_FROM: Final = 1_000
"""Characters from which a frame is marked as one; a shorter one arrives in one packet anyway."""
_ALTERNATE_SCREEN: Final = "\x1b[?1049"

_SHORT_GAP: Final = 3
"""Unchanged cells between two changed ones that are written once more: to step over them costs as much."""

Place = tuple[int, int]
"""Column and line."""


class _Run:
    """Neighbouring cells to write with one pen."""

    __slots__ = ("blank_pen", "end", "glyphs", "is_blank", "is_steady", "pen", "x", "y")

    def __init__(self, x: int, y: int, glyph: str, pen: Pen) -> None:
        self.x, self.y = x, y
        self.end = x + 1
        self.glyphs = [glyph]
        self.pen, self.blank_pen = pen, on_blanks(pen)
        self.is_blank = glyph == " "
        """Whether its colour does not matter."""
        self.is_steady = True
        """Whether terminals agree on where it ends."""

    def take(self, glyph: str, pen: Pen) -> bool:
        """Takes the next cell in, if one pen can write it too."""
        if glyph == " ":
            if pen != self.blank_pen:
                return False
        elif self.is_blank:
            if on_blanks(pen) != self.blank_pen:
                return False
            self.pen, self.is_blank = pen, False
        elif pen != self.pen:
            return False
        self.glyphs.append(glyph)
        self.end += 1
        return True

    def codes(self, pen: Pen) -> tuple[str, Pen]:
        """What must be written before it after another pen, and the pen then."""
        return change_for_blank(pen, self.pen) if self.is_blank else (change(pen, self.pen), self.pen)


class Cells:
    """The screen of a terminal.

    Args:
        width: Columns.
        height: Lines.
    """

    def __init__(self, width: int, height: int) -> None:
        self._pen = PLAIN
        self._x = self._y = 0
        self._synchronized = False
        self._cursor_sent: Place | None = None
        self._pen_sent: Pen | None = None
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Takes another size: empty, and to be written anew."""
        self.width, self.height = width, height
        self._glyphs = [[" "] * width for _ in range(height)]
        self._pens = [[PLAIN] * width for _ in range(height)]
        self.forget()

    def forget(self) -> None:
        """What the terminal shows is unknown: a line that is fed again will be written whole."""
        self._sent_glyphs = [[""] * self.width for _ in range(self.height)]
        self._sent_pens: list[list[Pen | None]] = [[None] * self.width for _ in range(self.height)]
        self._dirty: set[int] = set()
        self._cursor_sent = self._pen_sent = None

    # Reading ----------------------------------------------------------------------------------------------

    def feed(self, data: str) -> str:
        """Reads output into the cells; gives back what must be handed on as it is."""
        others: list[str] = []
        at = 0
        for token in _TOKEN.finditer(data):
            if token.start() > at:
                self._put(data[at : token.start()])
            at = token.end()
            parameters, final, link, other = token.groups()
            if final == "m":
                self._pen = after(self._pen, parameters)
            elif final == "H":
                line, _, column = parameters.partition(";")
                self._x, self._y = int(column or 1) - 1, int(line or 1) - 1
            elif link is not None:
                self._pen = self._pen._replace(link="" if link == ";" else link)
            elif other is not None:
                others.append(other)
                if other.startswith(_ALTERNATE_SCREEN):
                    self.forget()
            elif token[0] == "\n":
                self._x, self._y = 0, self._y + 1
            else:
                self._synchronized = True
        if at < len(data):
            self._put(data[at:])
        return "".join(others)

    def _put(self, text: str) -> None:
        x, y = self._x, self._y
        glyphs = _split(text)
        self._x = end = x + len(glyphs)
        if not 0 <= y < self.height or x >= self.width:
            return
        if end > self.width:
            cut, end = self.width - x, self.width
            glyphs = glyphs[:cut] if glyphs[cut] else [*glyphs[: cut - 1], " "]
        line, pens, blank = self._glyphs[y], self._pens[y], on_blanks(self._pen)
        if line[x] == "" and x:  # the right half of a wide character whose left half stays
            line[x - 1] = " "
        if end < self.width and line[end] == "":
            line[end] = " "
        line[x:end] = glyphs
        pens[x:end] = [blank if glyph == " " else self._pen for glyph in glyphs]
        self._dirty.add(y)

    # Writing ----------------------------------------------------------------------------------------------

    def frame(self, *, place_cursor: bool = False) -> str:
        """What brings the terminal up to date; empty when it is.

        Runs of one pen are written together, wherever they stand: to move costs less than to change colours.

        Args:
            place_cursor: Whether the cursor, which is hidden, is led to where it should be: an input method of the
                terminal opens its window there.
        """
        runs = [run for y in sorted(self._dirty) for run in self._runs(y)]
        for y in self._dirty:
            self._sent_glyphs[y][:] = self._glyphs[y]
            self._sent_pens[y][:] = self._pens[y]
        self._dirty.clear()
        pen, here = self._pen_sent, self._cursor_sent
        if not runs and (not place_cursor or here == (self._x, self._y)):
            return ""
        parts: list[str] = []
        if pen is None:
            pen = PLAIN
            parts.append("\x1b[m")
        for run in _in_order(runs, pen):
            codes, pen = run.codes(pen)
            parts += (_move(here, run.x, run.y), codes, *run.glyphs)
            here = (run.end, run.y) if run.end < self.width and run.is_steady else None
        if place_cursor:
            parts.append(_move(here, self._x, self._y))
            here = (self._x, self._y)
        self._pen_sent, self._cursor_sent = pen, here
        data = "".join(parts)
        return f"{_SYNC_START}{data}{_SYNC_END}" if self._synchronized and len(data) > _SYNC_FROM else data

    def end(self) -> str:
        """What leaves the terminal without colours of ours."""
        pen, self._pen_sent = self._pen_sent, PLAIN
        return "\x1b[m" if pen is None else change(pen, PLAIN)

    def _runs(self, y: int) -> list[_Run]:
        """What of a line differs from what was sent, cut by pen."""
        glyphs, pens = self._glyphs[y], self._pens[y]
        runs: list[_Run] = []
        run: _Run | None = None
        for x in self._changed(y):
            glyph, pen = glyphs[x], pens[x]
            if run is not None and run.end < x:
                run = self._over_gap(run, x)
            if run is None or not run.take(glyph, pen):
                run = _Run(x, y, glyph, pen)
                runs.append(run)
            while run.end < self.width and not glyphs[run.end]:  # the right half of a wide character
                run.end += 1
            if not _is_steady(glyph):
                run.is_steady, run = False, None
        return runs

    def _over_gap(self, run: _Run, x: int) -> _Run | None:
        """The run, led over a short gap up to `x`; None where its pen forbids that."""
        gap = slice(run.end, x)
        glyphs, pens = self._glyphs[run.y][gap], self._pens[run.y][gap]
        if len(glyphs) > _SHORT_GAP or not "".join(glyphs).isascii() or self._pens[run.y][x] != run.pen:
            return None
        for glyph, pen in zip(glyphs, pens, strict=True):
            if not run.take(glyph, pen):
                return None
        return run

    def _changed(self, y: int) -> list[int]:
        """Columns that differ from what was sent; of a wide character the left one, for both.

        What follows a character that terminals may draw wider than it should be is written again after it.
        """
        glyphs, pens, old_glyphs, old_pens = self._glyphs[y], self._pens[y], self._sent_glyphs[y], self._sent_pens[y]
        if glyphs == old_glyphs and pens == old_pens:
            return []
        cells = zip(glyphs, old_glyphs, pens, old_pens, strict=True)
        columns = [x for x, (glyph, old, pen, old_pen) in enumerate(cells) if glyph != old or pen != old_pen]
        if "".join(glyphs).isascii() and "".join(old_glyphs).isascii():
            return columns
        unsure = {x + 1 for x in columns if x + 1 < self.width and not _is_steady(glyphs[x] + old_glyphs[x])}
        whole = {x if glyphs[x] or not x else x - 1 for x in unsure.union(columns)}
        return sorted(whole)


def _in_order(runs: list[_Run], pen: Pen) -> Iterator[_Run]:
    """Run by run, always going on with the pen that takes the shortest code."""
    groups: dict[tuple[Pen, bool], list[_Run]] = {}
    for run in runs:
        groups.setdefault((run.pen, run.is_blank), []).append(run)
    while groups:
        nearest = min(groups, key=lambda group: len(groups[group][0].codes(pen)[0]))
        pen = groups[nearest][0].codes(pen)[1]
        yield from groups.pop(nearest)


def _move(here: Place | None, x: int, y: int) -> str:
    """The shortest way to a cell."""
    if here == (x, y):
        return ""
    if here is None or here[1] != y:
        return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"
    steps = x - here[0]
    return f"\x1b[{steps if steps > 1 else ''}C" if 0 < steps <= x else f"\x1b[{x + 1}G"


def _split(text: str) -> list[str]:
    """One entry a cell: the right half of a wide character is empty."""
    if text.isascii():
        return list(text)
    return list(_split_wide(text))


@lru_cache(maxsize=2048)
def _split_wide(text: str) -> tuple[str, ...]:
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        cells.extend((text[start:end], *[""] * (width - 1)) if width else ())
    return tuple(cells)


@lru_cache(maxsize=4096)
def _is_steady(text: str) -> bool:
    """Whether all terminals give a text the same width: no emoji, nothing combined, no script that is shaped."""
    return text.isascii() or all(map(_is_steady_character, text))


def _is_steady_character(character: str) -> bool:
    if unicodedata.east_asian_width(character) in "WF":
        return "\u3000" <= character < "\ufe00" or "\uff00" <= character < "\uffe0"
    return character < "\u0300" or "\u2010" <= character < "\u2e00"
