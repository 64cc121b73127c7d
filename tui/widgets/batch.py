"""Several changes, one after the other, with the result of each on the screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.safe_text import clean
from tui.widgets.format import count

NOT_TRIED: Final = "not tried"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item."""

    text: str
    is_done: bool = True
    ends_batch: bool = False
    """Whether the next item would fail alike, so that it is not tried."""


class BatchDialog(ModalScreen[None]):
    """Does something with each of several items and shows what became of it.

    `esc` stops before the next item: what is under way is waited for, because it may have arrived. The dialog closes
    by itself where all went well.

    Args:
        title: What is done: `Deleting 3 artifacts`.
        names: The items, in their order.
        act: Does it with the item of that index; does not raise.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", id="batch.stop"),
        Binding("enter,q", "close", "Close", id="batch.close"),
    ]

    def __init__(self, title: str, names: Sequence[str], act: Callable[[int], Awaitable[Outcome]]) -> None:
        super().__init__()
        self._title, self._names, self._act = title, names, act
        self._outcomes: list[Outcome] = []
        self._is_stopped = False
        self._has_ended = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self._title)), classes="dialog--title")
            with VerticalScroll(classes="dialog--body"):
                yield Static(Content(self._report()), id="batch-report")
            yield Static(self._prompt(), classes="dialog--prompt")

    def on_mount(self) -> None:
        self._go_through()

    @work(description="change several artifacts")
    async def _go_through(self) -> None:
        for index in range(len(self._names)):
            if self._is_stopped:
                break
            outcome = await self._act(index)
            self._outcomes.append(outcome)
            self._is_stopped = self._is_stopped or outcome.ends_batch
            self._show()
        self._has_ended = True
        self._show()
        if len(self._outcomes) == len(self._names) and all(outcome.is_done for outcome in self._outcomes):
            self.dismiss(None)

    def _show(self) -> None:
        self.query_one("#batch-report", Static).update(Content(self._report()))
        self.query_one(".dialog--prompt", Static).update(self._prompt())

    def _report(self) -> str:
        texts = [outcome.text for outcome in self._outcomes]
        rest = NOT_TRIED if self._has_ended else ""
        texts.extend([rest] * (len(self._names) - len(texts)))
        return "\n".join(
            f"{clean(name, 60)}  {clean(text, 300)}" for name, text in zip(self._names, texts, strict=True)
        )

    def _prompt(self) -> Content:
        done = sum(outcome.is_done for outcome in self._outcomes)
        if not self._has_ended:
            word = "stopping after this one" if self._is_stopped else "esc stops"
            return Content(f"{len(self._outcomes)} of {len(self._names)} · {word}")
        failed, left = len(self._outcomes) - done, len(self._names) - len(self._outcomes)
        parts = [f"{done} done", *([f"{failed} failed"] if failed else []), *([f"{left} {NOT_TRIED}"] if left else [])]
        return Content(f"{count(len(self._names), 'item')}: {', '.join(parts)} · esc closes")

    def action_stop(self) -> None:
        """Stops before the next item; closes once nothing is under way."""
        if self._has_ended:
            self.dismiss(None)
            return
        self._is_stopped = True
        self._show()

    def action_close(self) -> None:
        """Closes once nothing is under way."""
        if self._has_ended:
            self.dismiss(None)
