"""The queue of all transfers: lives on the event loop, its downloads in daemon threads of their own.

Not `asyncio.to_thread`: the end of the program would wait for those threads. The user interface polls
`snapshot`; no message is sent per chunk.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui import folders
from tui.errors import TransferError
from tui.models import Artifact, Source
from tui.storage import Storage
from tui.transfers.destination import ConflictRule
from tui.transfers.history import History
from tui.transfers.part import discard_part
from tui.transfers.retry import RetryPolicy, Stopped
from tui.transfers.snapshot import (
    QueueSnapshot,
    TransferId,
    TransferSnapshot,
    TransferState,
    eta,
    summarise,
)
from tui.transfers.transfer import Transfer

CLOSE_TIMEOUT_S: Final = 2.0
"""How long `aclose` waits for parts to be saved."""


@dataclass(slots=True)
class _Entry:
    id: TransferId
    artifact: Artifact
    target: Path
    label: str
    rule: ConflictRule
    state: TransferState = TransferState.QUEUED
    when_stopped: TransferState = TransferState.CANCELLED
    """The state to take when the running download has stopped on request."""
    accept_size: bool = False
    transfer: Transfer | None = None
    """The latest download; stays for its numbers."""
    asking: concurrent.futures.Future[Source] | None = None
    """The provider's answer that the download waits for."""


class TransferQueue:
    """Downloads artifacts, a few at a time. All methods are called on one event loop.

    Args:
        fetch_source: Asks an artifact's provider for its URL of the moment.
        storage: Opens such URLs. The caller closes it after the queue.
        jobs: Downloads at the same time.
        history: Knows finished files; by default the one in the state folder.
        policy: How broken transfers are tried again.
    """

    def __init__(
        self,
        fetch_source: Callable[[Artifact], Awaitable[Source]],
        storage: Storage,
        *,
        jobs: int = 4,
        history: History | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._fetch_source = fetch_source
        self._storage = storage
        self._jobs = jobs
        self._history = history or History(folders.state_dir() / "transfers.sqlite")
        self._policy = policy or RetryPolicy()
        self._entries: dict[TransferId, _Entry] = {}
        self._next_id = 1
        self._is_closed = False
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(
        self, artifact: Artifact, target: Path, *, label: str, rule: ConflictRule = ConflictRule.RENAME
    ) -> TransferId:
        """Queues a download.

        Args:
            artifact: What to fetch.
            target: The file to make; its name must come from `safe_filename`. Missing folders are created.
            label: What the user sees as its name.
            rule: What to do when another file has the name.

        Returns:
            Its id; that of the one under way when the same artifact goes to the same target already.
        """
        self._loop = asyncio.get_running_loop()
        for entry in self._entries.values():
            if (entry.artifact.ref, entry.target) == (artifact.ref, target) and not entry.state.is_final:
                return entry.id
        entry = _Entry(TransferId(self._next_id), artifact, target, label, rule)
        self._next_id += 1
        self._entries[entry.id] = entry
        self._start_waiting()
        return entry.id

    def cancel(self, transfer_id: TransferId, *, keep_part: bool = True) -> None:
        """Ends a transfer; what arrived stays for a later try, or is deleted."""
        entry = self._entries[transfer_id]
        if entry.state is TransferState.RUNNING:
            self._stop(entry, TransferState.CANCELLED, discard=not keep_part)
        elif entry.state is not TransferState.DONE:
            self._set_state(entry, TransferState.CANCELLED)
            if not keep_part:
                target = entry.transfer.target if entry.transfer else entry.target
                threading.Thread(target=discard_part, args=(target,), daemon=True).start()

    def pause(self, transfer_id: TransferId) -> None:
        """Stops a transfer until `resume`; another one takes its place."""
        entry = self._entries[transfer_id]
        if entry.state is TransferState.RUNNING:
            self._stop(entry, TransferState.PAUSED)
        elif entry.state is TransferState.QUEUED:
            self._set_state(entry, TransferState.PAUSED)

    def resume(self, transfer_id: TransferId) -> None:
        """Queues a paused transfer again."""
        entry = self._entries[transfer_id]
        if entry.state is TransferState.RUNNING:
            entry.when_stopped = TransferState.QUEUED  # it is just about to pause
        elif entry.state is TransferState.PAUSED:
            self._set_state(entry, TransferState.QUEUED)
            self._start_waiting()

    def retry(self, transfer_id: TransferId, *, accept_size: bool = False) -> None:
        """Queues a failed or cancelled transfer again; it continues where it stopped.

        Args:
            transfer_id: Which one.
            accept_size: Take the storage's word for the size where the provider says another.
        """
        entry = self._entries[transfer_id]
        if entry.state in {TransferState.FAILED, TransferState.CANCELLED}:
            entry.accept_size = accept_size
            self._set_state(entry, TransferState.QUEUED)
            self._start_waiting()

    def clear_finished(self) -> None:
        """Forgets transfers that are done, failed or cancelled; their files stay."""
        self._entries = {key: entry for key, entry in self._entries.items() if not entry.state.is_final}

    def snapshot(self) -> QueueSnapshot:
        """All transfers as they are now; cheap enough to be polled."""
        return summarise(tuple(map(_snapshot, self._entries.values())))

    async def wait(self, ids: Iterable[TransferId]) -> tuple[TransferSnapshot, ...]:
        """Waits until these are done, failed or cancelled; gives their last state, in the same order."""
        entries = [self._entries[transfer_id] for transfer_id in ids]
        while not all(entry.state.is_final for entry in entries):
            await self._changed.wait()
        return tuple(map(_snapshot, entries))

    async def join(self) -> QueueSnapshot:
        """Waits until nothing is left to do."""
        await self.wait(list(self._entries))
        return self.snapshot()

    async def aclose(self) -> None:
        """Stops everything with what arrived saved, and waits at most `CLOSE_TIMEOUT_S` for it."""
        self._is_closed = True
        for entry in self._entries.values():
            if entry.state is TransferState.RUNNING:
                self._stop(entry, TransferState.CANCELLED)
            elif not entry.state.is_final:
                self._set_state(entry, TransferState.CANCELLED)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.join()

    def _start_waiting(self) -> None:
        running = sum(entry.state is TransferState.RUNNING for entry in self._entries.values())
        for entry in self._entries.values():
            if running >= self._jobs or self._is_closed:
                return
            if entry.state is TransferState.QUEUED:
                self._start(entry)
                running += 1

    def _start(self, entry: _Entry) -> None:
        def fetch_source(artifact: Artifact) -> Source:
            return self._ask(entry, artifact)

        entry.transfer = Transfer(
            entry.artifact,
            entry.target,
            entry.rule,
            fetch_source,
            self._storage,
            self._history,
            self._policy,
            accept_size=entry.accept_size,
        )
        entry.when_stopped = TransferState.CANCELLED
        self._set_state(entry, TransferState.RUNNING)
        name = f"transfer-{entry.id}"
        threading.Thread(target=self._run, args=(entry, entry.transfer), name=name, daemon=True).start()

    def _run(self, entry: _Entry, transfer: Transfer) -> None:
        """In the transfer's thread."""
        state = TransferState.FAILED
        try:
            state = transfer.run()
        finally:
            with suppress(RuntimeError):  # the loop has closed: the program ends
                self._require_loop().call_soon_threadsafe(self._ended, entry, state)

    def _ended(self, entry: _Entry, state: TransferState) -> None:
        transfer = entry.transfer
        if state is TransferState.FAILED and transfer is not None and transfer.error is None:
            transfer.error = TransferError("An unexpected error ended the transfer; the log has it.")
        self._set_state(entry, entry.when_stopped if state is TransferState.CANCELLED else state)
        self._start_waiting()

    def _ask(self, entry: _Entry, artifact: Artifact) -> Source:
        """In the transfer's thread: asks the provider, which lives on the loop, and waits for its answer."""

        async def ask() -> Source:
            return await self._fetch_source(artifact)

        entry.asking = asyncio.run_coroutine_threadsafe(ask(), self._require_loop())
        if entry.transfer is None or entry.transfer.is_stopped:  # stopped before `asking` was there to cancel
            entry.asking.cancel()
        try:
            return entry.asking.result()
        except concurrent.futures.CancelledError:
            raise Stopped from None
        finally:
            entry.asking = None

    def _stop(self, entry: _Entry, then: TransferState, *, discard: bool = False) -> None:
        entry.when_stopped = then
        if entry.transfer is not None:
            entry.transfer.stop(discard=discard)
        if entry.asking is not None:
            entry.asking.cancel()

    def _set_state(self, entry: _Entry, state: TransferState) -> None:
        entry.state = state
        self._changed.set()
        self._changed = asyncio.Event()

    def _require_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("a transfer runs without a loop")
        return self._loop


def _snapshot(entry: _Entry) -> TransferSnapshot:
    transfer = entry.transfer
    if transfer is None:
        return TransferSnapshot(
            id=entry.id,
            artifact=entry.artifact,
            label=entry.label,
            target=entry.target,
            state=entry.state,
            done_bytes=0,
            size_bytes=entry.artifact.size_bytes,
            rate=0.0,
            eta_s=None,
        )
    done, size = transfer.done_bytes, transfer.size_bytes
    rate = transfer.meter.rate(done) if entry.state is TransferState.RUNNING else 0.0
    return TransferSnapshot(
        id=entry.id,
        artifact=entry.artifact,
        label=entry.label,
        target=transfer.target,
        state=entry.state,
        done_bytes=done,
        size_bytes=size,
        rate=rate,
        eta_s=eta(done, size, rate),
        note=transfer.note,
        error=transfer.error if entry.state is TransferState.FAILED else None,
        sha256=transfer.sha256,
    )
