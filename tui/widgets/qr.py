"""A QR code in the terminal: two modules a cell, dark on light whatever the theme, with its quiet zone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar, Final

import segno
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tui.safe_text import clean

QUIET_ZONE: Final = 4
"""Modules of light around the code: the least that ISO/IEC 18004 lets a reader count on."""
_INK: Final = Style(color=Color.parse("#000000"), bgcolor=Color.parse("#ffffff"))
_DARK: Final = Style(bgcolor=Color.parse("#000000"))
_LIGHT: Final = Style(bgcolor=Color.parse("#ffffff"))
_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_FRAME_COLUMNS, _FRAME_LINES = 6, 7
"""What the dialog needs around the code: borders, padding, title and the URL."""
_TEXT_COLUMNS: Final = 26
"""What it needs where the texts stand beside the code: no line more than that. 24 lines hold most URLs so."""


class QrCode(Widget):
    """The code of one text.

    Args:
        text: What a phone shall read.
        with_blocks: Whether the terminal has half blocks; else each module is a pair of coloured blanks.
    """

    def __init__(self, text: str, *, with_blocks: bool) -> None:
        super().__init__()
        self._with_blocks = with_blocks
        code = segno.make(text, error="l", micro=False)
        self._rows = [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET_ZONE)]
        self.styles.width, self.styles.height = self.extent

    @property
    def extent(self) -> tuple[int, int]:
        """Columns and lines that it takes."""
        modules = len(self._rows)
        return (modules, (modules + 1) // 2) if self._with_blocks else (modules * 2, modules)

    def lines(self) -> Iterator[str]:
        """The code as text, where half blocks make it up."""
        light = [False] * len(self._rows)
        for at in range(0, len(self._rows), 2):
            above, below = self._rows[at], (self._rows[at + 1 : at + 2] or [light])[0]
            yield "".join(_HALVES[pair] for pair in zip(above, below, strict=True))

    def render_line(self, y: int) -> Strip:
        """One line of the code."""
        if self._with_blocks:
            return Strip([Segment(list(self.lines())[y], _INK)])
        row = self._rows[y]
        cuts = [0, *(n for n, (a, b) in enumerate(pairwise(row), 1) if a is not b), len(row)]
        return Strip([Segment("  " * (b - a), _DARK if row[a] else _LIGHT) for a, b in pairwise(cuts)])


class QrDialog(ModalScreen[None]):
    """Shows a URL as a QR code where the window has room for it, and always as text to select.

    In a low window the texts stand beside the code instead of around it.

    Args:
        title: What it leads to.
        url: What the code says.
        with_blocks: Whether the terminal has half blocks.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,Q", "close", "Close", id="qr.close")]

    def __init__(self, title: str, url: str, *, with_blocks: bool) -> None:
        super().__init__()
        self._title, self._url, self._with_blocks = title, url, with_blocks

    def compose(self) -> ComposeResult:
        code = QrCode(self._url, with_blocks=self._with_blocks)
        columns, lines = code.extent
        size = self.app.size
        title = Static(Content(clean(self._title)), classes="dialog--title")
        texts = (
            Static(Content(clean(self._url, 4000)), classes="dialog--url"),
            Static("esc closes", classes="dialog--prompt"),
        )
        if columns + _FRAME_COLUMNS <= size.width and lines + _FRAME_LINES <= size.height:
            yield Vertical(title, code, *texts, classes="dialog")
        elif columns + _TEXT_COLUMNS <= size.width and lines <= size.height:
            yield Horizontal(code, Vertical(title, *texts), classes="dialog -beside")
        else:
            room = f"{columns + _TEXT_COLUMNS}x{lines}"
            text = f"The QR code needs a window of {room}; this one has {size.width}x{size.height}."
            yield Vertical(title, Static(Content(text)), *texts, classes="dialog")

    def action_close(self) -> None:
        """Closes it."""
        self.dismiss(None)
