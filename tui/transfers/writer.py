"""Brings the bytes of one connection to their part, and those of a large file behind the receiver's back.

Bytes that continue what is hashed are hashed by the receiver, while the processor has them in its cache, and a thread
writes them past the system's memory. Measured on two processors, 2 GiB over TLS: a third less processor time than
writing, reading back and hashing, and more bytes a second. All else is hashed by whoever gets there in order.
"""

from __future__ import annotations

import mmap
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, NamedTuple

from tui.threads import processor_turn
from tui.transfers.part import BLOCK_BYTES, PartFile
from tui.transfers.spans import Span

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCKS: Final = 4
"""One is received in, one is written, and a hitch of either is bridged by the others."""
_SPARES: Final = 8
_spares: Final[SimpleQueue[memoryview]] = SimpleQueue()
"""Blocks that are used again: memory that is new to a process, and on a virtual machine to that, is dear."""


class Writer:
    """Adds bytes to one span, which is open; a context manager that leaves nothing on its way.

    For one thread: bytes are received into `room`, then `write` takes them. After an error of the disk it is of no
    further use; the part has what came before.

    Args:
        part: Open, and stays so until this is left.
        span: Nobody else adds to it meanwhile.
    """

    def __init__(self, part: PartFile, span: Span) -> None:
        self._part, self._span = part, span
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._taken: SimpleQueue[_Taken | None] = SimpleQueue()
        self._block = _take_block()
        self._blocks = 1
        self._digest: _Hash | None = None
        """Of everything before `end`, of which some may not be written yet."""
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self.end = span.end
        """Behind the last byte that was taken; it is in the part when `flush` was called."""

    def room(self, most: int) -> memoryview:
        """Where the next bytes are to be received, at most so many; valid until they are given to `write`."""
        return self._block[: min(most, BLOCK_BYTES - self.end % BLOCK_BYTES)]

    def write(self, data: memoryview) -> None:
        """Takes what was received, in order.

        Args:
            data: Part of `room`.

        Raises:
            OSError: The disk refused these bytes or earlier ones.
        """
        self._check()
        digest = self._digest or self._part.hash_before(self.end)
        if digest is None:  # so nothing is on its way
            self._part.write(self._span, data)
        else:
            with processor_turn():
                digest.update(data)
            self._digest = digest
            taken = _Taken(self._block, data, digest.copy())
            if self._part.is_large:
                self._write_behind(taken)
            else:
                self._write(taken)
                self._check()
        self.end += len(data)

    def flush(self) -> None:
        """Waits until all that was taken is in the part.

        Raises:
            OSError: The disk refused some of it.
        """
        self._drain()
        self._check()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._drain()
        _keep(self._block)
        while not self._free.empty():
            _keep(self._free.get())
        if kind is None:
            self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _write(self, taken: _Taken) -> None:
        if self._error is not None:  # it would leave a gap
            return
        try:
            self._part.write_hashed(self._span, taken.data, taken.digest)
        except Exception as error:  # noqa: BLE001  # raised in the receiver, who would else wait for the block
            self._error = error

    def _write_behind(self, taken: _Taken) -> None:
        if self._thread is None:
            name = f"{threading.current_thread().name}-writer"
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._thread.start()
        self._taken.put(taken)
        if self._free.empty() and self._blocks < _BLOCKS:
            self._blocks += 1
            self._block = _take_block()
        else:
            self._block = self._free.get()  # the thread gives back every block, whatever becomes of it

    def _work(self) -> None:
        while (taken := self._taken.get()) is not None:
            self._write(taken)
            self._free.put(taken.block)

    def _drain(self) -> None:
        if self._thread is not None:
            self._taken.put(None)
            self._thread.join()
            self._thread = None


class _Taken(NamedTuple):
    block: memoryview
    data: memoryview
    """Of the block."""
    digest: _Hash
    """Of everything up to the end of the data."""


def _take_block() -> memoryview:
    with suppress(Empty):
        if len(spare := _spares.get_nowait()) == BLOCK_BYTES:
            return spare
    return memoryview(mmap.mmap(-1, BLOCK_BYTES))  # begins at a page, as writing past the system's memory wants it


def _keep(block: memoryview) -> None:
    if _spares.qsize() < _SPARES:
        _spares.put(block)
