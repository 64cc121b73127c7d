"""All transfers, with their state and the reason for it, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui.config import MAX_JOBS, parse_rate
from tui.safe_text import clean
from tui.screens.explorer_keys import VIEW_BINDINGS
from tui.screens.help_toggle import HelpToggle
from tui.transfers.queue import TransferQueue
from tui.transfers.snapshot import INTERRUPTED, TransferSnapshot, TransferState
from tui.widgets.choice import Choice, ChoiceDialog
from tui.widgets.crumbs import Crumbs
from tui.widgets.dialogs import FORM_BINDINGS
from tui.widgets.format import remaining, size
from tui.widgets.keybar import KeyBar
from tui.widgets.rowlist import RowList
from tui.widgets.titles import ColumnTitles
from tui.widgets.transfer_list import reason, transfer_facts, transfer_list

POLL_S: Final = 0.5
_KEEP, _REMOVE = "keep", "remove"
_CANCEL_CHOICES: Final = (
    Choice(_KEEP, "k", "Keep what arrived"),
    Choice(_REMOVE, "r", "Remove what arrived"),
)
_RETRIED: Final = frozenset({TransferState.FAILED, TransferState.CANCELLED})


class TransfersScreen(HelpToggle):
    """The queue. Closing it changes nothing: transfers go on. Gives the number of the view to go to, if any.

    Args:
        transfers: What it shows.
    """

    HELP = """
# Transfers

Everything that was queued, in the order in which it starts. Leaving this screen or the program loses nothing:
what is unfinished is offered again at the next start.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left,backspace,T", "back", "Back", id="transfers.back"),
        Binding("p", "toggle_pause", "Pause/go on", id="transfers.pause", tooltip="Pause, or go on with a paused one"),
        Binding("c", "cancel", "Cancel", id="transfers.cancel-chosen", tooltip="Asks whether to keep what arrived"),
        Binding("r", "retry", "Retry", id="transfers.retry", tooltip="Try failed and cancelled ones again"),
        Binding("C", "clear_finished", "Clear finished", id="transfers.clear"),
        Binding("K", "move(-1)", "Earlier", id="transfers.earlier", tooltip="Move up in the order"),
        Binding("J", "move(1)", "Later", id="transfers.later", tooltip="Move down in the order"),
        Binding("L", "limits", "Limits", id="transfers.limits", tooltip="Files at once, and bytes a second"),
        *VIEW_BINDINGS,
        Binding("question_mark,f1", "toggle_help", "Help", id="app.help"),
        Binding("q", "app.quit", "Quit", id="app.quit"),
    ]

    def __init__(self, transfers: TransferQueue) -> None:
        super().__init__()
        self._transfers = transfers
        self.rows = transfer_list()
        self._shown: tuple[TransferSnapshot, ...] = ()

    def compose(self) -> ComposeResult:
        yield Crumbs()
        with Vertical(classes="frame") as frame:
            frame.border_title = "Transfers"
            yield ColumnTitles(self.rows)
            yield self.rows
        yield Static("", id="transfer-facts")
        yield KeyBar()

    def on_mount(self) -> None:
        self.rows.set_placeholder("No transfers.", "d on an artifact downloads it.")
        self.rows.focus()
        self.poll()
        self.set_interval(POLL_S, self.poll)

    def poll(self) -> None:
        """Shows the queue as it is now; repaints only rows that changed."""
        snapshot = self._transfers.snapshot()
        transfers = snapshot.transfers
        if [t.id for t in transfers] != [t.id for t in self._shown]:
            self.rows.replace(transfers)
        else:
            for old, new in zip(self._shown, transfers, strict=True):
                if _seen(old) != _seen(new):
                    self.rows.update_row(new)
        self._shown = transfers
        parts = [f"{snapshot.active} of {len(transfers)} running", f"at most {self._transfers.jobs} at once"]
        limit = self._transfers.limit_rate
        parts.append(f"at most {size(limit)}/s" if limit is not None else "no limit on the rate")
        if snapshot.active:
            parts.append(f"{size(int(snapshot.rate))}/s, {remaining(snapshot.eta_s)} left")
        self.query_one(Crumbs).show("Transfers", " · ".join(parts))
        self._show_facts()

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._show_facts()

    def _show_facts(self) -> None:
        text = "\n".join(clean(line) for line in transfer_facts(self.rows.current))
        facts = self.query_one("#transfer-facts", Static)
        if str(facts.content) != text:
            facts.update(Content(text))

    def _chosen(self) -> Sequence[TransferSnapshot]:
        """The marked ones, else the one under the cursor, as they are at this moment."""
        self.poll()
        return self.rows.marked or ([self.rows.current] if self.rows.current is not None else [])

    def _do(self, act: Callable[[TransferSnapshot], Any], chosen: Sequence[TransferSnapshot]) -> None:
        for transfer in chosen:
            act(transfer)
        self.rows.unmark(transfer.id for transfer in chosen)
        self.poll()

    @on(RowList.Opened)
    def _go_on(self, event: RowList.Opened) -> None:
        """Goes on with the chosen ones; with all interrupted ones when the cursor is on one and nothing is marked."""
        event.stop()
        chosen = self._chosen()
        if not self.rows.marked and any(_is_interrupted(transfer) for transfer in chosen):
            chosen = [transfer for transfer in self._shown if _is_interrupted(transfer)]
        self._do(self._resume_or_retry, chosen)

    def _resume_or_retry(self, transfer: TransferSnapshot) -> None:
        self._transfers.resume(transfer.id)
        self._transfers.retry(transfer.id)

    def action_toggle_pause(self) -> None:
        """Pauses the chosen ones if any of them runs or waits, else goes on with them."""
        chosen = self._chosen()
        moving = [t for t in chosen if t.state in {TransferState.RUNNING, TransferState.QUEUED}]
        if moving:
            self._do(lambda transfer: self._transfers.pause(transfer.id), moving)
        else:
            self._do(lambda transfer: self._transfers.resume(transfer.id), chosen)

    def action_retry(self) -> None:
        """Tries the chosen failed and cancelled ones again; they continue where they stopped."""
        chosen = [transfer for transfer in self._chosen() if transfer.state in _RETRIED]
        if not chosen:
            self.notify("Only failed and cancelled transfers can be tried again.", severity="warning")
        self._do(lambda transfer: self._transfers.retry(transfer.id), chosen)

    def action_clear_finished(self) -> None:
        """Forgets what is done, failed or cancelled; files stay."""
        self._transfers.clear_finished()
        self.poll()

    def action_move(self, places: int) -> None:
        """Moves the transfer under the cursor in the order."""
        if self.rows.current is not None:
            self._transfers.move(self.rows.current.id, places)
            self.poll()

    @work(description="cancel transfers")
    async def action_cancel(self) -> None:
        """Cancels the chosen ones; asks what to do with what arrived of them."""
        chosen = [transfer for transfer in self._chosen() if transfer.state is not TransferState.DONE]
        answer: str | None = _KEEP
        held = [transfer for transfer in chosen if transfer.done_bytes]
        if held:
            lines = [f"{size(transfer.done_bytes):>9}  {transfer.label}" for transfer in held]
            lines += ["", "What is kept is continued by the next download of the same file."]
            answer = await self.app.push_screen_wait(ChoiceDialog("Cancel?", lines, _CANCEL_CHOICES))
        if answer is not None:
            keep = answer == _KEEP
            self._do(lambda transfer: self._transfers.cancel(transfer.id, keep_part=keep), chosen)

    @work(description="limits")
    async def action_limits(self) -> None:
        """Asks for the limits; they hold at once, until the end of the program."""
        limits = await self.app.push_screen_wait(LimitsDialog(self._transfers.jobs, self._transfers.limit_rate))
        if limits is not None:
            jobs, limit_rate = limits
            self._transfers.set_limits(jobs=jobs, limit_rate=limit_rate)
            self.poll()

    def action_view(self, number: int) -> None:
        """Goes to another view."""
        self.dismiss(number)

    def action_back(self) -> None:
        """Back to the explorer."""
        self.dismiss(None)


class LimitsDialog(ModalScreen[tuple[int, int | None] | None]):
    """Asks for files at once and bytes a second; gives both back, or None.

    Args:
        jobs: As it is.
        limit_rate: As it is, in bytes a second; None is no limit.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="limits.cancel"),
        *FORM_BINDINGS,
    ]

    def __init__(self, jobs: int, limit_rate: int | None) -> None:
        super().__init__()
        self._jobs, self._limit_rate = jobs, limit_rate

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Limits of transfers", classes="dialog--title")
            yield Static(f"Files at once, 1 to {MAX_JOBS}", classes="form--label")
            yield Input(str(self._jobs), id="jobs", compact=True)
            yield Static("Bytes a second of all together: 500K, 2M, or nothing for no limit", classes="form--label")
            yield Input(_rate_text(self._limit_rate), id="rate", compact=True)
            yield Static("", id="limits-state", classes="dialog--text")
            yield Static("tab next · enter sets them · esc cancels", classes="dialog--prompt")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Set", id="set", compact=True)

    def on_mount(self) -> None:
        self.query_one("#rate").focus()

    @on(Button.Pressed)
    @on(Input.Submitted)
    def _set(self) -> None:
        try:
            jobs = int(self.query_one("#jobs", Input).value)
            limit_rate = parse_rate(self.query_one("#rate", Input).value)
        except ValueError:
            jobs, limit_rate = 0, None
        if 1 <= jobs <= MAX_JOBS:
            self.dismiss((jobs, limit_rate))
        else:
            self.query_one("#limits-state", Static).update(f"Files: 1 to {MAX_JOBS}. Rate: such as 500K or 2M.")

    def action_cancel(self) -> None:
        """Closes without a change."""
        self.dismiss(None)


def _rate_text(limit_rate: int | None) -> str:
    if limit_rate is None:
        return ""
    for unit, letter in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if limit_rate % unit == 0:
            return f"{limit_rate // unit}{letter}"
    return str(limit_rate)


def _is_interrupted(transfer: TransferSnapshot) -> bool:
    return transfer.state is TransferState.PAUSED and transfer.note == INTERRUPTED


def _seen(transfer: TransferSnapshot) -> tuple[object, ...]:
    """What of a transfer the list shows."""
    rate, left = size(int(transfer.rate)), remaining(transfer.eta_s)
    return transfer.state, transfer.label, transfer.done_bytes, transfer.size_bytes, rate, left, reason(transfer)
