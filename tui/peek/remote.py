"""A remote object as a seekable file: read by ranges, in blocks that are kept, within a limit."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from tui.errors import Incomplete, LinkExpired, TransferError
from tui.models import Source
from tui.secret import Secret
from tui.storage import SpeedCheck, Storage
from tui.storage.speed import SLOW_BYTES, SLOW_WINDOW_S

BLOCK_BYTES: Final = 32 * 1024
"""Of one range request at least; who reads on gets more at once each time."""
CACHE_BYTES: Final = 4 * 1024 * 1024
"""Kept in memory at most."""
MAX_READ_BYTES: Final = 16 * 1024 * 1024
"""Of one read: an archive that claims a larger directory is lying, or too large to look into."""
_AHEAD_BLOCKS: Final = 64
"""Fetched ahead at most."""
_TRIES: Final = 3


class NoRanges(TransferError):
    """The storage does not serve parts of this object, so looking inside would mean downloading it."""


class RemoteFile(io.RawIOBase):
    """Read-only; blocking, so it belongs into a thread.

    Args:
        storage: The bare client.
        fetch_url: Gives a fresh signed URL, or a whole source where the URL needs headers; called again when one has
            expired.
        size_bytes: Of the object, where the provider told; else the storage is asked.

    Raises:
        NoRanges: On the first read, when the storage ignores ranges.
        TransferError: The object cannot be read.
    """

    def __init__(self, storage: Storage, fetch_url: Callable[[], Secret | Source], size_bytes: int | None) -> None:
        self._storage, self._fetch_url = storage, fetch_url
        self._source: Source | None = None
        self._size = size_bytes
        self._validator: str | None = None
        self._position = 0
        self._lock = threading.RLock()
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._ahead = 1
        self._next = -1
        self._read_to = -1
        self.md5: str | None = None
        """Of the whole object in hex, where the storage is known to tell it; after the first read."""
        self.moved_bytes = 0
        """Fetched so far over the network."""
        self.requests = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The offset of the next read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves the offset of the next read."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError("seek before the start")  # as every file does; zipfile relies on it
        self._position = base + offset
        return self._position

    @property
    def size(self) -> int:
        """The object's length in bytes."""
        if self._size is None:
            self._fetch(0, 0)
        return self._size or 0

    def read_at(self, offset: int, size: int) -> bytes:
        """Bytes from anywhere; the present offset stays, so that other threads may read meanwhile."""
        with self._lock:
            here, self._position = self._position, offset
            try:
                return self.read(size)
            finally:
                self._position = here

    def read(self, size: int | None = -1) -> bytes:
        """Bytes from the present offset; fewer at the end.

        Raises:
            TransferError: More than `MAX_READ_BYTES` are wanted at once.
        """
        with self._lock:
            return self._read(size)

    def _read(self, size: int | None) -> bytes:
        wanted = self.size - self._position if size is None or size < 0 else size
        wanted = max(0, min(wanted, self.size - self._position))
        if wanted > MAX_READ_BYTES:
            raise TransferError(f"It wants {wanted:,} bytes read at once, which is too much to look into.")
        if self._position != self._read_to:  # who jumps does not read on
            self._ahead = 0
        end = self._read_to = self._position + wanted
        pieces = []
        while self._position < end:
            number, offset = divmod(self._position, BLOCK_BYTES)
            self._load(number, (end - 1) // BLOCK_BYTES)
            piece = self._blocks[number][offset : offset + end - self._position]
            if not piece:
                raise Incomplete("The storage sent less than it promised.")
            pieces.append(piece)
            self._position += len(piece)
        return b"".join(pieces)

    def readinto(self, buffer: object) -> int:
        """As `io.RawIOBase` has it."""
        view = memoryview(buffer)  # type: ignore[arg-type]  # any buffer
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _load(self, first: int, last: int) -> None:
        """Brings block `first` in, with those up to `last` that are missing behind it, in one request."""
        if first in self._blocks:
            self._blocks.move_to_end(first)
            return
        self._ahead = min(max(1, self._ahead * 2), _AHEAD_BLOCKS) if first == self._next else 1
        final = (self.size - 1) // BLOCK_BYTES
        wanted = min(max(last, first + self._ahead - 1), final, first + CACHE_BYTES // BLOCK_BYTES // 2 - 1)
        until = first
        while until < wanted and until + 1 not in self._blocks:
            until += 1
        self._next = until + 1
        start = first * BLOCK_BYTES
        data = self._fetch(start, min(self.size, (until + 1) * BLOCK_BYTES) - 1)
        for number in range(first, until + 1):
            at = (number - first) * BLOCK_BYTES
            self._blocks[number] = data[at : at + BLOCK_BYTES]
        while len(self._blocks) * BLOCK_BYTES > CACHE_BYTES:
            self._blocks.popitem(last=False)

    def _fetch(self, start: int, end: int) -> bytes:
        for attempt in range(_TRIES):
            is_new = self._source is None
            source = self._source = self._source or self._fetch_source()
            try:
                return self._fetch_once(source, start, end)
            except LinkExpired:
                self._source = None
                if is_new or attempt == _TRIES - 1:  # a fresh one is refused: not its age is the reason
                    raise
            except Incomplete:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    def _fetch_source(self) -> Source:
        fetched = self._fetch_url()
        return fetched if isinstance(fetched, Source) else Source(fetched, self._size)

    def _fetch_once(self, source: Source, start: int, end: int) -> bytes:
        with self._storage.open(source.url, start=start, end=end, headers=source.headers) as body:
            head = body.head
            self.requests += 1
            if head.status == 416 and head.total == 0:
                self._size = 0
                return b""
            if head.status != 206:
                raise NoRanges(
                    "The storage does not serve parts of this file.", hint="Download it to look inside (key d)."
                )
            if head.start != start or (self._size is not None and head.total not in {None, self._size}):
                raise TransferError("The storage answered with other bytes than were asked for.")
            if self._validator is not None and head.validator != self._validator:
                raise TransferError("The file changed on the server meanwhile.", hint="Look inside again.")
            self._validator = head.validator
            self.md5 = head.md5
            if self._size is None:
                self._size = head.total
            data = bytearray()
            speed = SpeedCheck(SLOW_WINDOW_S, SLOW_BYTES, 0)
            while len(data) <= end - start and (piece := body.read()):
                data += piece
                self.moved_bytes += len(piece)
                speed.check(len(data))
        if len(data) < end - start + 1:
            raise Incomplete("The storage sent less than was asked for.")
        return bytes(data[: end - start + 1])
