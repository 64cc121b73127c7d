"""What the user interface sees of the transfers: immutable, made anew at each poll."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Final, NewType

from tui.errors import DigsiteError
from tui.models import Artifact

TransferId = NewType("TransferId", int)
"""Names one transfer within one run; counts from 1 in the order of `TransferQueue.add`."""


INTERRUPTED: Final = "interrupted"
"""The note of a transfer that the end of an earlier run cut short."""


class TransferState(StrEnum):
    """Where a transfer is."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens any more unless the user asks for it."""
        return self in {TransferState.DONE, TransferState.FAILED, TransferState.CANCELLED}


@dataclass(frozen=True, slots=True)
class TransferSnapshot:
    """One transfer at one moment."""

    id: TransferId
    artifact: Artifact
    label: str
    """What the user sees as its name; may hold anything a server sent."""
    target: Path
    """Where the file will be or is; another name than asked for when that one was taken."""
    state: TransferState
    done_bytes: int
    size_bytes: int | None
    rate: float
    """Bytes a second over the last seconds; 0.0 when not running."""
    eta_s: float | None
    note: str | None = None
    """What is going on or what was unusual, in a few words: `waiting 4 s: ...`, `already there`."""
    error: DigsiteError | None = None
    """Why it failed."""
    sha256: str | None = None
    """In hex, of the finished file."""
    unpacked: Path | None = None
    """The folder it was unpacked to."""


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """All transfers at one moment, in the order they were added."""

    transfers: tuple[TransferSnapshot, ...]
    active: int
    """How many are running."""
    waiting: int
    done_bytes: int
    """Of those running, queued and paused."""
    size_bytes: int | None
    """The same ones' size; None when that of one is unknown."""
    rate: float
    eta_s: float | None


def summarise(transfers: tuple[TransferSnapshot, ...]) -> QueueSnapshot:
    """Sums up what is still to be done."""
    open_ones = [transfer for transfer in transfers if not transfer.state.is_final]
    sizes = [transfer.size_bytes for transfer in open_ones]
    known = [size for size in sizes if size is not None]
    size = sum(known) if len(known) == len(sizes) else None
    done = sum(transfer.done_bytes for transfer in open_ones)
    rate = sum(transfer.rate for transfer in open_ones)
    return QueueSnapshot(
        transfers=transfers,
        active=sum(transfer.state is TransferState.RUNNING for transfer in transfers),
        waiting=sum(transfer.state is TransferState.QUEUED for transfer in transfers),
        done_bytes=done,
        size_bytes=size,
        rate=rate,
        eta_s=eta(done, size, rate),
    )


def eta(done_bytes: int, size_bytes: int | None, rate: float) -> float | None:
    """Seconds left; None when the size is unknown or nothing moves."""
    if size_bytes is None or rate <= 0:
        return None
    return max(0.0, (size_bytes - done_bytes) / rate)


class RateMeter:
    """Bytes a second over a sliding window. One thread adds, any thread reads.

    Args:
        clock: Seconds that only go up.
    """

    WINDOW_S: Final = 8.0
    _STEP_S: Final = 0.25

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque(maxlen=int(self.WINDOW_S / self._STEP_S))

    def start(self, done_bytes: int) -> None:
        """Begins anew: bytes that were on disk before do not count as speed."""
        self._samples.clear()
        self._samples.append((self._clock(), done_bytes))

    def add(self, done_bytes: int) -> None:
        """Takes note of how far it is."""
        now = self._clock()
        if now - self._samples[-1][0] >= self._STEP_S:
            self._samples.append((now, done_bytes))

    def rate(self, done_bytes: int) -> float:
        """Bytes a second until now; falls while nothing arrives."""
        samples = tuple(self._samples)
        if not samples:
            return 0.0
        then, before = samples[0]
        elapsed = self._clock() - then
        return max(0.0, (done_bytes - before) / elapsed) if elapsed > 0 else 0.0
