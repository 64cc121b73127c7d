"""One line of the queue: what was asked for, how far it is, and what of it is kept over restarts."""

from __future__ import annotations

import concurrent.futures
from dataclasses import dataclass

from tui.errors import DigsiteError
from tui.models import Source
from tui.transfers.snapshot import TransferId, TransferSnapshot, TransferState, eta
from tui.transfers.transfer import Transfer
from tui.transfers.wish import Wish


@dataclass(slots=True)
class Entry:
    """One transfer in the queue."""

    id: TransferId
    wish: Wish
    key: str
    """Its name in the store; unique over all runs."""
    state: TransferState = TransferState.QUEUED
    when_stopped: TransferState = TransferState.CANCELLED
    """The state to take when the running download has stopped on request."""
    accept_size: bool = False
    transfer: Transfer | None = None
    """The latest download; stays for its numbers."""
    asking: concurrent.futures.Future[Source] | None = None
    """The provider's answer that the download waits for."""
    held_bytes: int = 0
    """What an earlier run left on disk."""
    note: str | None = None
    error: DigsiteError | None = None
    """Of an earlier run."""

    @property
    def is_stopping(self) -> bool:
        """Whether it still runs, but was paused or cancelled."""
        return self.state is TransferState.RUNNING and self.transfer is not None and self.transfer.is_stopped

    def snapshot(self) -> TransferSnapshot:
        """It as it is now."""
        transfer, wish = self.transfer, self.wish
        if transfer is None:
            return TransferSnapshot(
                id=self.id,
                artifact=wish.artifact,
                label=wish.label,
                target=wish.target,
                state=self.state,
                done_bytes=self.held_bytes,
                size_bytes=wish.artifact.size_bytes,
                rate=0.0,
                eta_s=None,
                note=self.note,
                error=self.error if self.state is TransferState.FAILED else None,
            )
        done, size = transfer.done_bytes, transfer.size_bytes
        rate = transfer.rate if self.state is TransferState.RUNNING else 0.0
        return TransferSnapshot(
            id=self.id,
            artifact=wish.artifact,
            label=wish.label,
            target=transfer.target,
            state=self.state,
            done_bytes=done,
            size_bytes=size,
            rate=rate,
            eta_s=eta(done, size, rate),
            note=transfer.note,
            error=transfer.error if self.state is TransferState.FAILED else None,
            sha256=transfer.sha256,
            unpacked=transfer.unpacked,
        )
