"""What Textual costs by itself: header, footer and three lists."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Footer, Header, OptionList


class Bare(App[None]):
    """The floor for a program of this kind."""

    BINDINGS = [("q", "quit", "Quit"), ("d", "bell", "Download"), ("f", "bell", "Filter")]  # noqa: RUF012
    CSS = "OptionList {width: 1fr; height: 1fr; border: round $accent}"

    def compose(self) -> ComposeResult:
        yield Header()
        with Horizontal():
            for _ in range(3):
                yield OptionList(*(f"row {n}" for n in range(100)))
        yield Footer()


if __name__ == "__main__":
    Bare().run()
