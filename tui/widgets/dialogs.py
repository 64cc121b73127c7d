"""Questions and long texts over the screen. A dialog gets its words ready and gives back an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.safe_text import clean
from tui.widgets.format import duration

# With priority: what is typed or pasted right after a tab must not land in the field before. A token would stand there
# in clear text.
FORM_BINDINGS: Final[list[BindingType]] = [
    Binding("tab", "app.focus_next", "Next", show=False, id="form.next", priority=True),
    Binding("shift+tab", "app.focus_previous", "Previous", show=False, id="form.previous", priority=True),
]


class ConfirmDialog(ModalScreen[bool]):
    """Asks before something is changed. Cancel has the focus, so that pressing enter twice changes nothing.

    Args:
        title: The question.
        lines: What exactly it is about: one line for each thing, and what cannot be undone.
        verb: The word on the button: `Delete`.
        typed: A word or count that must be typed before the button works; None lets `y` confirm.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", "Cancel", id="dialog.cancel"),
        Binding("left,shift+tab", "app.focus_previous", "Previous", show=False, id="dialog.previous"),
        Binding("right,tab", "app.focus_next", "Next", show=False, id="dialog.next"),
        Binding("up", "scroll_list(-1)", "Up", show=False, id="dialog.up"),
        Binding("down", "scroll_list(1)", "Down", show=False, id="dialog.down"),
        Binding("pageup", "scroll_list(-10)", "Page up", show=False, id="dialog.page-up"),
        Binding("pagedown", "scroll_list(10)", "Page down", show=False, id="dialog.page-down"),
    ]

    def __init__(self, title: str, lines: Sequence[str], *, verb: str, typed: str | None = None) -> None:
        super().__init__()
        self._title, self._lines, self._verb, self._wanted = title, lines, verb, typed
        self._typed = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self._title)), classes="dialog--title")
            with VerticalScroll(classes="dialog--body", can_focus=False):
                yield Static(Content("\n".join(clean(line) for line in self._lines)))
            yield Static(self._prompt(), classes="dialog--prompt")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self._verb, id="confirm", compact=True, variant="error", disabled=self._wanted is not None)

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()

    def _prompt(self) -> Content:
        if self._wanted is None:
            return Content("y confirms · esc cancels")
        if self._typed == self._wanted:
            return Content(f"enter: {self._verb.lower()} · esc cancels")
        return Content.from_markup(
            "Type [b]$wanted[/] to confirm: $typed▁ · esc cancels", wanted=self._wanted, typed=self._typed
        )

    def on_key(self, event: events.Key) -> None:
        if self._wanted is None:
            if event.key == "y":
                event.stop()
                self.dismiss(True)
            elif event.key == "n":
                event.stop()
                self.dismiss(False)
            return
        if event.key == "backspace":
            self._type(self._typed[:-1])
        elif event.is_printable and event.character:
            event.stop()
            self._type((self._typed + event.character)[: len(self._wanted)])

    def _type(self, text: str) -> None:
        self._typed = text
        complete = text == self._wanted
        confirm = self.query_one("#confirm", Button)
        confirm.disabled = not complete
        (confirm if complete else self.query_one("#cancel")).focus()
        self.query_one(".dialog--prompt", Static).update(self._prompt())

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "confirm")

    def action_answer(self, answer: bool) -> None:
        """Closes with that answer."""
        self.dismiss(answer)

    def action_scroll_list(self, lines: int) -> None:
        """Moves what it is about, where that has more lines than there is room for."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


class TextDialog(ModalScreen[None]):
    """Shows text to read or to select: an error's detail, a URL. Any of esc, enter, q closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,i", "close", "Close", id="dialog.close")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    @property
    def text(self) -> str:
        """What it shows."""
        return self._text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self._title)), classes="dialog--title")
            with VerticalScroll(classes="dialog--body"):
                yield Static(Content("\n".join(clean(line, 4000) for line in self._text.splitlines())))
            yield Static("esc closes", classes="dialog--prompt")

    def action_close(self) -> None:
        """Closes it."""
        self.dismiss(None)


class SignedDialog(TextDialog):
    """Shows a signed URL, or a command with one, and for how long it works for anyone who has it.

    Args:
        text: What was sent to the clipboard.
        expires_at: Aware UTC; None when that is not known.
        now: The clock, aware UTC.
    """

    def __init__(self, text: str, expires_at: datetime | None, now: Callable[[], datetime]) -> None:
        super().__init__("", text)
        self._expires_at, self._now = expires_at, now

    def on_mount(self) -> None:
        self._count_down()
        if self._expires_at is not None:
            self.set_interval(1, self._count_down)

    def _count_down(self) -> None:
        left = None if self._expires_at is None else (self._expires_at - self._now()).total_seconds()
        if left is None:
            text = "Works for anyone who has it, until it expires"
        elif left > 0:
            text = f"Works for anyone for {duration(left)}"
        else:
            text = "Has expired: copy it anew"
        self.query_one(".dialog--title", Static).update(Content(f"{text} · sent to the terminal's clipboard"))
