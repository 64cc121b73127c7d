"""The dock: a bar, bytes, rate and time left for each active transfer, and for all together."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.safe_text import clean
from tui.transfers.snapshot import QueueSnapshot, TransferSnapshot, TransferState
from tui.widgets.columns import pad
from tui.widgets.format import remaining, size

ROWS: Final = 5
"""Lines at most: one of the sum, the rest one a transfer."""
_NARROW: Final = 70
"""With fewer columns the bar is shorter, and a share stands for the bytes."""
_LONGEST: Final = 40
"""Cells of a name: in a wide window the figures stay beside it."""
_BAR, _SHORT_BAR = 16, 8
_FIGURES, _SHORT_FIGURES = 42, 24
"""Cells for what is right of the bar: ` 999.9 MB of 999.9 MB  999.9 kB/s 59m 59s`, or ` 100% 999.9 kB/s 59m 59s`."""

_WORDS: Final = {
    TransferState.QUEUED: "waiting",
    TransferState.PAUSED: "paused",
    TransferState.DONE: "done",
    TransferState.FAILED: "failed",
    TransferState.CANCELLED: "cancelled",
}


class TransfersDock(Widget):
    """There while something moves, and until finished transfers are cleared; repaints only lines that changed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"dock--bar", "dock--good", "dock--bad", "dock--sum"}

    def __init__(self, id: str = "dock") -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._lines: list[tuple[str, str, str]] = []
        self.display = False

    @property
    def text(self) -> str:
        """What it says, line by line."""
        return "\n".join(f"{left}{bar}{right}".rstrip() for left, bar, right in self._lines)

    def show(self, snapshot: QueueSnapshot) -> None:
        """Shows the queue as it is now."""
        shown = _most_telling(snapshot)
        lines = [self._line(transfer) for transfer in shown]
        if snapshot.transfers:
            lines.append(self._sum(snapshot, hidden=len(snapshot.transfers) - len(shown)))
        old, self._lines = self._lines, lines
        self.display = bool(lines)
        self.styles.height = len(lines)
        if len(old) != len(lines):
            self.refresh()
            return
        changed = [y for y, (a, b) in enumerate(zip(old, lines, strict=True)) if a != b]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def _line(self, transfer: TransferSnapshot) -> tuple[str, str, str]:
        width = self.screen.size.width  # its own is not known before it is shown
        is_narrow = width < _NARROW
        bar_cells, figures_cells = (_SHORT_BAR, _SHORT_FIGURES) if is_narrow else (_BAR, _FIGURES)
        room = min(max(10, width - bar_cells - figures_cells), _LONGEST)
        title = pad(f" {clean(transfer.label)}", room)
        if transfer.state is TransferState.FAILED:
            return title, "", f" failed: {clean(str(transfer.error or ''))}"
        done, total = transfer.done_bytes, transfer.size_bytes
        if is_narrow:
            figures = f"{'?' if total is None else f'{100 * done // total if total else 100}%':>4}"
        else:
            figures = f"{size(done):>8}{'' if total is None else f' of {size(total)}':<12} "
        if transfer.state is TransferState.RUNNING:
            rate = f"{size(int(transfer.rate))}/s"
            tail = f"{rate:>10} {remaining(transfer.eta_s)}"
        else:
            tail = f"{_WORDS[transfer.state]:>10}"
        return title, _bar(done, total, bar_cells), f" {figures} {tail}"

    def _sum(self, snapshot: QueueSnapshot, *, hidden: int) -> tuple[str, str, str]:
        states = [transfer.state for transfer in snapshot.transfers]
        parts = [
            f"{states.count(state)} {word}"
            for state, word in ((TransferState.RUNNING, "running"), *_WORDS.items())
            if state in states
        ]
        if snapshot.active:
            total = f" of {size(snapshot.size_bytes)}" if snapshot.size_bytes is not None else ""
            parts.append(f"{size(snapshot.done_bytes)}{total}")
            parts.append(f"{size(int(snapshot.rate))}/s, {remaining(snapshot.eta_s)} left")
        more = f" (+{hidden} more)" if hidden > 0 else ""
        return "", "", f" Transfers{more}: {' · '.join(parts)}"

    def render_line(self, y: int) -> Strip:
        """One line of the dock."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip([Segment(" " * width, self.rich_style)], width)
        left, bar, right = self._lines[y]
        style = self.rich_style
        if " failed: " in right and not bar:
            style = self.get_component_rich_style("dock--bad")
        elif y == len(self._lines) - 1:
            style = self.get_component_rich_style("dock--sum")
        segments = [Segment(left, style)]
        if bar:
            segments.append(Segment(bar, self.get_component_rich_style("dock--bar")))
        segments.append(Segment(pad(right, max(0, width - len(bar) - _cells(left))), style))
        return Strip(segments).crop(0, width)


def _cells(text: str) -> int:
    return Segment(text).cell_length


def _bar(done: int, total: int | None, cells: int) -> str:
    if not total:
        return "─" * cells if total is None else "━" * cells
    filled = min(cells, cells * done // total)
    return "━" * filled + "╌" * (cells - filled)


def _most_telling(snapshot: QueueSnapshot) -> list[TransferSnapshot]:
    """Those that run first, then failed, paused, waiting, and last what is done."""
    order = (
        TransferState.RUNNING, TransferState.FAILED, TransferState.PAUSED, TransferState.QUEUED,
        TransferState.CANCELLED, TransferState.DONE,
    )  # fmt: skip
    return sorted(snapshot.transfers, key=lambda transfer: order.index(transfer.state))[: ROWS - 1]
