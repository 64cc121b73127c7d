"""A picture in half blocks: two pixels to a cell."""

from __future__ import annotations

from typing import ClassVar

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tui.peek.png import Picture
from tui.safe_text import clean


class PictureView(Widget):
    """Shows pixels; as large as they are."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._rows = picture.rows

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return len(self._rows[0])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return (len(self._rows) + 1) // 2

    def render_line(self, y: int) -> Strip:
        """Two rows of pixels."""
        if 2 * y >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        upper = self._rows[2 * y]
        lower = self._rows[2 * y + 1] if 2 * y + 1 < len(self._rows) else [None] * len(upper)
        return Strip(
            [
                Segment("▀", Style(color=Color.from_rgb(*top), bgcolor=Color.from_rgb(*low) if low else None))
                for top, low in zip(upper, lower, strict=True)
            ],
            len(upper),
        )


class PictureDialog(ModalScreen[None]):
    """Shows a picture over the screen. Any of esc, enter, q closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "close", "Close", id="picture.close")]

    def __init__(self, title: str, picture: Picture) -> None:
        super().__init__()
        self._title, self.picture = title, picture

    def compose(self) -> ComposeResult:
        picture = self.picture
        with Vertical(classes="dialog"):
            yield Static(
                Content(clean(f"{self._title} · {picture.full_width} x {picture.full_height}")), classes="dialog--title"
            )
            yield PictureView(picture)
            yield Static("esc closes", classes="dialog--prompt")

    def action_close(self) -> None:
        """Closes it."""
        self.dismiss(None)
