"""The Textual application: wiring only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual import constants, screen
from textual.app import App
from textual.await_remove import AwaitRemove
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.driver import Driver
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import WorkerFailed

from tui.assets import stylesheet
from tui.screens.explorer import Explorer
from tui.screens.looks import Looks
from tui.services import Services
from tui.services.remembered import Remembered

if TYPE_CHECKING:
    from tui.paths import DigPath
    from tui.screens.build_follower import BuildEnded

screen.UPDATE_PERIOD = 1 / 250  # type: ignore[misc]  # Textual waits one to two of these after a repaint for the next
"""Seconds. At its 1/60 a key after any other change was answered 17 to 33 ms late; nothing is painted more often that
does not change more often."""

LATER_STYLES: Final = tuple(stylesheet(name) for name in ("dialogs", "inside", "transfers", "builds", "storage"))
"""Style sheets of what opens over the explorer; read once that is painted."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DigsiteApp(App[str]):
    """The explorer as a program. Its result is `demo` when the user asked for the demo, else None.

    Args:
        services: Opened by the caller, closed by the caller.
        start: Where to open.
        start_filter: What is filtered there.
        now: The clock, aware UTC; frozen for screenshots.
    """

    TITLE = "digsite"
    CSS_PATH = [stylesheet("base"), stylesheet("explorer")]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = False  # Textual's own: it acts on the hits of what was typed before, not of what is there
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Quit", id="app.interrupt", show=False, priority=True, system=True),
        Binding("ctrl+l", "redraw", "Redraw", id="app.redraw", show=False, tooltip="Write the whole screen again"),
        # With priority: what follows in the same packet must find the line open.
        Binding("colon", "palette(False)", "Commands", id="app.palette", show=False, priority=True,
                tooltip="Type what to do or where to go: commands, names, paths"),
        Binding("ctrl+p", "palette(True)", "Commands", id="app.palette-anywhere", show=False, priority=True,
                tooltip="The same while a line is typed, such as a filter"),
    ]  # fmt: skip

    def __init__(
        self,
        services: Services,
        *,
        start: DigPath | None = None,
        start_filter: str = "",
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        super().__init__()
        self._services, self._start, self._start_filter, self._now = services, start, start_filter, now
        self._interrupted = False
        self._has_mouse = True
        self._looks = Looks(self, services.config.habits, Remembered())

    def get_driver_class(self) -> type[Driver]:
        """The driver that sends changed cells only; Textual's own on Windows, or where the environment names one."""
        usual = super().get_driver_class()
        if sys.platform == "win32" or constants.DRIVER:
            return usual
        from tui.terminal.driver import CellDriver

        return CellDriver

    def get_default_screen(self) -> Screen[None]:
        """The explorer itself: an empty screen below it would be arranged and painted first."""
        return Explorer(self._services, start=self._start, start_filter=self._start_filter, now=self._now)

    def on_mount(self) -> None:
        self._looks.watch()
        self.call_after_refresh(self._read_later_styles)

    def _read_later_styles(self) -> None:
        self.stylesheet.read_all(LATER_STYLES)
        self.stylesheet.parse()
        if len(self.screen_stack) > 1:  # a key was quicker
            self.refresh_css()

    def action_toggle_mouse(self) -> None:
        """Leaves the mouse to the terminal, so that text can be selected; or takes it back."""
        self._has_mouse = not self._has_mouse
        name = "_enable_mouse_support" if self._has_mouse else "_disable_mouse_support"
        getattr(self._driver, name, lambda: None)()
        self.notify("The mouse works here." if self._has_mouse else "The mouse is the terminal's: select text with it.")

    # Output -----------------------------------------------------------------------------------------------

    def action_redraw(self) -> None:
        """Mends a screen that something else has written on."""
        # Drivers of Textual's own have no memory of the screen that could be wrong.
        getattr(self._driver, "redraw", self.refresh)()

    def on_build_ended(self, event: BuildEnded) -> None:
        """Rings, and has the terminal show a notice."""
        from tui.terminal.notice import notice

        self.bell()
        if self._driver is not None and not self.is_headless:
            self._driver.write(notice(event.title, event.text, os.environ))
            self._driver.flush()

    def copy_to_clipboard(self, text: str) -> None:
        """Has the terminal take a text, through tmux and screen too; what it would cut is not sent."""
        from tui.terminal.clipboard import sequence

        written = sequence(text, os.environ)
        if written is None or self._driver is None:
            return
        self._clipboard = text
        self._driver.write(written)

    def action_interrupt(self) -> None:
        """Quits at the second time within two seconds."""
        if self._interrupted:
            self.exit()
            return
        self._interrupted = True
        self.set_timer(2.0, self._forget_interrupt)
        self.notify("Press ctrl+c again to quit.", timeout=2)

    def _forget_interrupt(self) -> None:
        self._interrupted = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Questions are answered first; and in a line a colon is a colon."""
        if action != "palette":
            return True
        return not self.screen.is_modal and (True in parameters or not isinstance(self.focused, Input))

    async def action_palette(self, _in_line: bool) -> None:
        """Asks for a command, or for where to go; is done once the line takes what is typed next."""
        from tui.screens.palette import Palette  # not before it is opened

        explorer = self.screen_stack[0]
        if isinstance(explorer, Explorer):
            await self.push_screen(Palette(self.screen, explorer, self._looks))

    def _fatal_error(self) -> None:
        """Stands in for Textual's own, which prints the locals of every frame; the exit code is 1 already."""
        from rich.text import Text

        from tui.crash import explain

        error: BaseException | None = self._exception
        if isinstance(error, WorkerFailed):  # it has no traceback; what it was raised for has
            error = error.error
        if error is not None:
            self._exit_renderables.append(Text(explain(error)))
        self._close_messages_no_wait()

    def _prune(self, *nodes: Widget, parent: DOMNode | None = None) -> AwaitRemove:
        """Ends the workers of what goes first; Textual does so when the children, which they ask for, are gone."""
        for worker in list(self.workers):
            if not set(nodes).isdisjoint(worker.node.ancestors_with_self):
                worker.cancel()
        return super()._prune(*nodes, parent=parent)

    def end_by_signal(self, number: int) -> None:
        """Ends in order and tells by the exit code which signal it was."""
        self.exit(return_code=128 + number)
