"""The list of transfers: its columns, and the words for a transfer's state and its reason."""

from __future__ import annotations

from typing import Final

from tui.transfers.snapshot import TransferSnapshot, TransferState
from tui.widgets.columns import Column
from tui.widgets.format import remaining, size
from tui.widgets.rowlist import RowList

_GLYPHS: Final = {
    TransferState.QUEUED: "◌",
    TransferState.RUNNING: "▶",
    TransferState.PAUSED: "‖",
    TransferState.DONE: "✓",
    TransferState.FAILED: "✗",
    TransferState.CANCELLED: "■",
}
_TONES: Final = {
    TransferState.QUEUED: "muted",
    TransferState.RUNNING: "busy",
    TransferState.PAUSED: "warn",
    TransferState.DONE: "good",
    TransferState.FAILED: "bad",
    TransferState.CANCELLED: "muted",
}


def transfer_list() -> RowList[TransferSnapshot]:
    """All transfers, in the order in which they start."""
    return RowList[TransferSnapshot](
        (
            Column("state", "State", state, 11, tone=lambda transfer: _TONES[transfer.state],
                   sort=lambda transfer: transfer.state),
            Column("title", "Title", lambda transfer: transfer.label, 16, grow=2,
                   sort=lambda transfer: transfer.label.casefold()),
            Column("part", "Done", _percentage, 4, align="right"),
            Column("size", "Size", lambda transfer: size(transfer.size_bytes), 8, align="right", drop=1,
                   sort=lambda transfer: transfer.size_bytes),
            Column("rate", "Rate", _rate, 10, align="right", drop=3),
            Column("left", "Left", _left, 7, align="right", drop=2),
            Column("reason", "Reason", reason, 12, grow=3, drop=4, tone=lambda _: "muted"),
        ),
        key=lambda transfer: transfer.id,
        id="transfer-list",
    )  # fmt: skip


def state(transfer: TransferSnapshot) -> str:
    """Glyph and word."""
    return f"{_GLYPHS[transfer.state]} {transfer.state}"


def reason(transfer: TransferSnapshot) -> str:
    """Why it is in that state, in one line; empty when there is nothing to say."""
    return str(transfer.error) if transfer.error is not None else transfer.note or ""


def transfer_facts(transfer: TransferSnapshot | None) -> list[str]:
    """What the row has no room for, line by line."""
    if transfer is None:
        return []
    done = f"{size(transfer.done_bytes)} of {size(transfer.size_bytes)}"
    why = reason(transfer)
    lines = [str(transfer.target), f"{state(transfer)}, {done}" + (f": {why}" if why else "")]
    if transfer.sha256 is not None:
        lines.append(f"SHA-256 {transfer.sha256}")
    return lines


def _percentage(transfer: TransferSnapshot) -> str:
    if transfer.size_bytes is None:
        return "?"
    return f"{100 * transfer.done_bytes // transfer.size_bytes if transfer.size_bytes else 100}%"


def _rate(transfer: TransferSnapshot) -> str:
    return f"{size(int(transfer.rate))}/s" if transfer.state is TransferState.RUNNING else ""


def _left(transfer: TransferSnapshot) -> str:
    return remaining(transfer.eta_s) if transfer.state is TransferState.RUNNING else ""
