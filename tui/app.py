"""The Textual application: wiring only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import ClassVar

from textual import constants, on
from textual.app import App, SystemCommand
from textual.await_remove import AwaitRemove
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.dom import DOMNode
from textual.driver import Driver
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerFailed

from tui.assets import stylesheet
from tui.paths import DigPath
from tui.screens.build_follower import BuildEnded
from tui.screens.explorer import Explorer
from tui.screens.looks import Looks
from tui.services import Services
from tui.services.remembered import Remembered


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _names() -> type[Provider]:
    from tui.screens.palette import Names  # not before the palette is opened

    return Names


class DigsiteApp(App[str]):
    """The explorer as a program. Its result is `demo` when the user asked for the demo, else None.

    Args:
        services: Opened by the caller, closed by the caller.
        start: Where to open.
        start_filter: What is filtered there.
        now: The clock, aware UTC; frozen for screenshots.
    """

    TITLE = "digsite"
    CSS_PATH = [  # noqa: RUF012
        stylesheet(name) for name in ("base", "explorer", "dialogs", "inside", "transfers", "builds", "storage")
    ]
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = App.COMMANDS | {_names}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Quit", id="app.interrupt", show=False, priority=True, system=True),
        Binding("ctrl+l", "redraw", "Redraw", id="app.redraw", show=False, tooltip="Write the whole screen again"),
    ]

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

    @on(BuildEnded)
    def _build_ended(self, event: BuildEnded) -> None:
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

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers: every shown binding of the screen, then Textual's own."""
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.id and binding.id.startswith(("explorer.", "artifact.", "build.", "transfers.", "view.")):
                title = f"{binding.description} ({self.get_key_display(binding)})"
                help_text = binding.tooltip or binding.description
                yield SystemCommand(title, help_text, lambda key=binding.key: self.simulate_key(key))
        yield from super().get_system_commands(screen)

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
