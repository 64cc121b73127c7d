"""The queue of all transfers: lives on the event loop, its downloads in daemon threads of their own.

Not `asyncio.to_thread`: the end of the program would wait for those threads. The user interface polls
`snapshot`; no message is sent per chunk.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import threading
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from tui import folders
from tui.errors import TransferError
from tui.models import AccountName, Artifact, ArtifactRef, Source
from tui.storage import Storage
from tui.threads import in_daemon_thread
from tui.transfers.destination import ConflictRule
from tui.transfers.entry import Entry
from tui.transfers.history import History
from tui.transfers.part import discard_part
from tui.transfers.reception import Means
from tui.transfers.retry import RetryPolicy, Stopped
from tui.transfers.snapshot import (
    INTERRUPTED,
    QueueSnapshot,
    TransferId,
    TransferSnapshot,
    TransferState,
    summarise,
)
from tui.transfers.store import QueueStore, Saved
from tui.transfers.throttle import Throttle
from tui.transfers.transfer import Transfer
from tui.transfers.wish import Wish

_log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S: Final = 1.5
"""How long `aclose` waits for parts to be saved."""


class TransferQueue:
    """Downloads artifacts, a few at a time. All methods are called on one event loop.

    Args:
        fetch_source: Asks an artifact's provider for its URL of the moment.
        storage: Opens such URLs. The caller closes it after the queue.
        jobs: Downloads at the same time.
        connections: For each large file, where the server can send parts of it.
        limit_rate: Bytes a second of all downloads together; None is no limit.
        history: Knows finished files; by default the one in the state folder.
        policy: How broken transfers are tried again.
    """

    def __init__(
        self,
        fetch_source: Callable[[Artifact], Awaitable[Source]],
        storage: Storage,
        *,
        jobs: int = 4,
        connections: int = 4,
        limit_rate: int | None = None,
        history: History | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._fetch_source = fetch_source
        self._jobs = jobs
        self._means = Means(storage, policy or RetryPolicy(), Throttle(limit_rate), connections)
        self._history = history or History(folders.state_dir() / "transfers.sqlite")
        self._entries: dict[TransferId, Entry] = {}
        self._next_id = 1
        self._is_closed = False
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._store: QueueStore | None = None

    def add(
        self,
        artifact: Artifact,
        target: Path,
        *,
        label: str,
        rule: ConflictRule = ConflictRule.RENAME,
        unpack: bool = False,
        sha256: str | None = None,
    ) -> TransferId:
        """Queues a download.

        Args:
            artifact: What to fetch.
            target: The file to make; its name must come from `safe_filename`. Missing folders are created.
            label: What the user sees as its name.
            rule: What to do when another file has the name.
            unpack: Unpack it afterwards, when it is a zip archive, into a folder beside it.
            sha256: What its SHA-256 must be, in hex; a file with another one is not published.

        Returns:
            Its id; that of the one under way when the same artifact goes to the same target already. One that is
            just about to stop starts again, as it is wanted now.
        """
        self._loop = asyncio.get_running_loop()
        wish = Wish(artifact, target, label, rule, unpack, sha256)
        for entry in self._entries.values():
            if (entry.wish.artifact.ref, entry.wish.target) == (artifact.ref, target) and not entry.state.is_final:
                if entry.is_stopping:
                    entry.wish, entry.when_stopped = wish, TransferState.QUEUED
                return entry.id
        entry = self._enter(uuid.uuid4().hex, wish)
        self._save(entry)
        self._start_waiting()
        return entry.id

    async def taken(self, targets: Mapping[ArtifactRef, Path]) -> list[ArtifactRef]:
        """Those whose target is taken by another file, so that a rule is needed; looks at the disk."""

        def look() -> list[ArtifactRef]:
            there = {ref: path for ref, path in targets.items() if os.path.lexists(path)}
            return [ref for ref, path in there.items() if not self._history.knows(path, ref)]

        return await in_daemon_thread(look, name="look-at-targets")

    async def keep(self, store: QueueStore, accounts: Collection[AccountName]) -> tuple[TransferId, ...]:
        """From now on the queue outlives the program; `aclose` closes the store.

        Args:
            store: Where it is kept.
            accounts: Those whose transfers can be continued.

        Returns:
            What an earlier run left: paused until `resume`, or failed as it was.
        """
        self._loop = asyncio.get_running_loop()
        self._store = store
        for entry in self._entries.values():
            self._save(entry)
        return tuple(self._restore(saved) for saved in await asyncio.wrap_future(store.adopt(accounts)))

    @property
    def jobs(self) -> int:
        """Downloads at the same time."""
        return self._jobs

    @property
    def limit_rate(self) -> int | None:
        """Bytes a second of all downloads together; None is no limit."""
        return self._means.throttle.rate

    def set_limits(self, *, jobs: int, limit_rate: int | None) -> None:
        """Changes both limits at once; what runs goes on."""
        self._jobs, self._means.throttle.rate = jobs, limit_rate
        self._start_waiting()

    def cancel(self, transfer_id: TransferId, *, keep_part: bool = True) -> None:
        """Ends a transfer; what arrived stays for a later try, or is deleted."""
        entry = self._entries[transfer_id]
        if entry.state is TransferState.RUNNING:
            self._stop(entry, TransferState.CANCELLED, discard=not keep_part)
        elif entry.state is not TransferState.DONE:
            self._set_state(entry, TransferState.CANCELLED)
            if not keep_part:
                target = entry.transfer.target if entry.transfer else entry.wish.target
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

    def move(self, transfer_id: TransferId, places: int) -> None:
        """Moves a transfer down in the order, or up by a negative number; the first that waits starts first."""
        ids = list(self._entries)
        at = ids.index(transfer_id)
        ids.insert(max(0, at + places), ids.pop(at))
        self._entries = {key: self._entries[key] for key in ids}
        if self._store is not None:
            self._store.arrange([entry.key for entry in self._entries.values()])

    def clear_finished(self) -> None:
        """Forgets transfers that are done, failed or cancelled; their files stay."""
        cleared = [entry.key for entry in self._entries.values() if entry.state.is_final]
        self._entries = {key: entry for key, entry in self._entries.items() if not entry.state.is_final}
        if self._store is not None and cleared:
            self._store.remove(cleared)

    def snapshot(self) -> QueueSnapshot:
        """All transfers as they are now; cheap enough to be polled."""
        return summarise(tuple(entry.snapshot() for entry in self._entries.values()))

    async def wait(self, ids: Iterable[TransferId]) -> tuple[TransferSnapshot, ...]:
        """Waits until these are done, failed or cancelled; gives their last state, in the same order."""
        entries = [self._entries[transfer_id] for transfer_id in ids]
        while not all(entry.state.is_final for entry in entries):
            await self.changed()
        return tuple(entry.snapshot() for entry in entries)

    async def changed(self) -> None:
        """Waits until a transfer takes another state."""
        await self._changed.wait()

    async def join(self) -> QueueSnapshot:
        """Waits until nothing is left to do."""
        await self.wait(list(self._entries))
        return self.snapshot()

    async def aclose(self) -> None:
        """Stops everything with what arrived saved, and waits at most `CLOSE_TIMEOUT_S` for it."""
        store, self._store = self._store, None  # what is open stays stored as it is
        self._is_closed = True
        for entry in self._entries.values():
            try:
                if entry.state is TransferState.RUNNING:
                    self._stop(entry, TransferState.CANCELLED)
                elif not entry.state.is_final:
                    self._set_state(entry, TransferState.CANCELLED)
            except Exception:  # noqa: BLE001  # a fault of ours; the others are still to be saved
                _log.exception("the transfer of %s could not be stopped", entry.wish.target.name)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.join()
                await in_daemon_thread(self._history.close, name="close-history")
        if store is not None:
            store.close()

    def _enter(self, key: str, wish: Wish) -> Entry:
        entry = Entry(TransferId(self._next_id), wish, key)
        self._next_id += 1
        self._entries[entry.id] = entry
        return entry

    def _restore(self, saved: Saved) -> TransferId:
        entry = self._enter(saved.key, saved.wish)
        entry.held_bytes = saved.held_bytes
        if saved.state is TransferState.FAILED:
            entry.state, entry.error = saved.state, TransferError(saved.reason)
        else:
            entry.state = TransferState.PAUSED
            entry.note = "paused" if saved.state is TransferState.PAUSED else INTERRUPTED
        return entry.id

    def _save(self, entry: Entry) -> None:
        if self._store is None:
            return
        if entry.state in {TransferState.DONE, TransferState.CANCELLED}:
            self._store.remove([entry.key])
        else:
            error = entry.transfer.error if entry.transfer is not None else entry.error
            self._store.save(Saved(entry.key, entry.wish, entry.state, str(error or "")))

    def _start_waiting(self) -> None:
        running = sum(entry.state is TransferState.RUNNING for entry in self._entries.values())
        for entry in self._entries.values():
            if running >= self._jobs or self._is_closed:
                return
            if entry.state is TransferState.QUEUED:
                self._start(entry)
                running += 1

    def _start(self, entry: Entry) -> None:
        def fetch_source(artifact: Artifact) -> Source:
            return self._ask(entry, artifact)

        entry.transfer = Transfer(
            entry.wish,
            fetch_source,
            self._means,
            self._history,
            accept_size=entry.accept_size,
        )
        entry.when_stopped = TransferState.CANCELLED
        self._set_state(entry, TransferState.RUNNING)
        name = f"transfer-{entry.id}"
        threading.Thread(target=self._run, args=(entry, entry.transfer), name=name, daemon=True).start()

    def _run(self, entry: Entry, transfer: Transfer) -> None:
        """In the transfer's thread."""
        state = TransferState.FAILED
        try:
            state = transfer.run()
        finally:
            with suppress(RuntimeError):  # the loop has closed: the program ends
                self._require_loop().call_soon_threadsafe(self._ended, entry, state)

    def _ended(self, entry: Entry, state: TransferState) -> None:
        transfer = entry.transfer
        if state is TransferState.FAILED and transfer is not None and transfer.error is None:
            transfer.error = TransferError("An unexpected error ended the transfer; the log has it.")
        self._set_state(entry, entry.when_stopped if state is TransferState.CANCELLED else state)
        self._start_waiting()

    def _ask(self, entry: Entry, artifact: Artifact) -> Source:
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

    def _stop(self, entry: Entry, then: TransferState, *, discard: bool = False) -> None:
        entry.when_stopped = then
        if entry.transfer is not None:
            entry.transfer.stop(discard=discard)
        if entry.asking is not None:
            entry.asking.cancel()

    def _set_state(self, entry: Entry, state: TransferState) -> None:
        entry.state = state
        self._save(entry)
        self._changed.set()
        self._changed = asyncio.Event()

    def _require_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("a transfer runs without a loop")
        return self._loop
