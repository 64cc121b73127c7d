"""The driver of a real terminal: sends the cells that changed, and no frame to a terminal that is still busy."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import termios
from contextlib import suppress
from threading import Event, Thread
from types import FrameType
from typing import IO, Any, Final

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.widgets import Input

from tui.ascii_glyphs import to_ascii, wanted
from tui.terminal.cells import Cells

BUSY_S: Final = 0.1
"""How long a frame waits before the next look whether the terminal takes output again."""
SETTLED_S: Final = 0.05
"""How long the window must have kept its size before it is painted anew."""

LEAVE_S: Final = 1.0
"""How long the last output may take at the end."""


class Surviving:
    """The terminal as a file that loses what a vanished terminal cannot take.

    An error would end Textual's writer thread; its queue then fills, and who writes next, or ends it, waits for ever.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Writes, as far as there is a terminal."""
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """Flushes, as far as there is a terminal."""
        with suppress(OSError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class CellDriver(LinuxDriver):
    """Textual's driver, with a memory of the screen.

    Textual hands over a frame by `write` and ends it by `flush`. While the terminal takes no output (a slow line, a
    stopped reader) frames fall together in the cells: nothing is queued, and the event loop is never blocked.
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file: Any = Surviving(self._file)
        self._cells = Cells(*self._get_terminal_size())
        self._output = sys.__stderr__.fileno() if sys.__stderr__ else 2  # where Textual writes to
        self._waiting: asyncio.TimerHandle | None = None
        self._active = False
        self._ascii = wanted(os.environ)

    def start_application_mode(self) -> None:
        """Takes the terminal, at the start or after a suspension."""
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual gives it no annotations
        self._active = True
        told = signal.getsignal(signal.SIGWINCH)

        def resized(number: int, frame: FrameType | None) -> None:
            self._loop.call_soon_threadsafe(self._resize)
            if callable(told):
                told(number, frame)

        signal.signal(signal.SIGWINCH, resized)
        self._loop.call_soon(self.redraw)

    def stop_application_mode(self) -> None:
        """Gives the terminal back."""
        self._active = False
        super().write(self._cells.end())
        super().stop_application_mode()

    def close(self) -> None:
        """Ends the output; what a stopped terminal has not taken by then is thrown away, or quitting would wait."""
        ended = Event()
        Thread(target=self._discard_output, args=(ended,), name="discard-output", daemon=True).start()
        super().close()
        ended.set()

    def _discard_output(self, ended: Event) -> None:
        pause_s = LEAVE_S
        while not ended.wait(pause_s):
            with suppress(termios.error):
                termios.tcflush(self._output, termios.TCOFLUSH)
            pause_s = BUSY_S

    def redraw(self) -> None:
        """Writes the whole screen again, whatever the terminal shows now."""
        self._cells.forget()
        self._app.refresh()

    def write(self, data: str) -> None:
        """Takes output of Textual; what is not cells goes out at once."""
        others = self._cells.feed(to_ascii(data) if self._ascii else data)
        if others:
            super().write(others)

    def flush(self) -> None:
        """Ends a frame."""
        if self._waiting is None:
            self._send()

    def _send(self) -> None:
        self._waiting = None
        if not self._active:
            return
        if not select.select([], [self._output], [], 0)[1]:
            self._wait(BUSY_S)
        elif frame := self._cells.frame(place_cursor=isinstance(self._app.focused, Input)):
            super().write(frame)

    def _wait(self, seconds: float) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = self._loop.call_later(seconds, self._send)

    def _resize(self) -> None:
        """The terminal may have cut and moved what it shows; frames wait until Textual has arranged it anew."""
        self._cells.resize(*self._get_terminal_size())
        self._app.refresh()
        self._wait(SETTLED_S)
