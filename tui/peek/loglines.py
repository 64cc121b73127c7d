"""A build's log on disk, as far as it has arrived: any line at once, in memory that does not grow with it.

All of it is hostile text: a log holds what any program of the build printed.
"""

from __future__ import annotations

import re
import tempfile
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tui.errors import Destination
from tui.models.inspection import LogChunk

CHECKPOINT_BYTES: Final = 8192
"""After so many bytes the index notes where the next line starts: 100 MB take 13,000 entries."""
MAX_SPOOL_BYTES: Final = 1 << 30
"""Kept of a log on disk: a bundle of a megabyte may hold one that fills it."""
MAX_LINE_BYTES: Final = 16 * 1024
"""Of a line that are ever read for display; a longer one is cut."""
_BLOCK_BYTES: Final = 256 * 1024
"""Of one step of a search: short enough to let the screen have its turn in between."""
_MAX_HITS: Final = 1_000_000
"""Lines that a search remembers: 8 MB."""

_ESCAPE: Final = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[()][0-9A-Za-z]|\x1b[=>78A-Z\\^_]"
_ESCAPES: Final = re.compile(_ESCAPE)
_ESCAPE_BYTES: Final = re.compile(_ESCAPE.encode())


class LogLine(NamedTuple):
    """One line of a log, without escapes; may still hold characters that must be cleaned before they are shown."""

    number: int | None
    """From 1; None where what is before it was not read."""
    text: str


def without_escapes(text: str) -> str:
    """A line without colours and other well-formed escape sequences."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def line_text(raw: bytes) -> str:
    """A line as a terminal would leave it: of a progress bar that writes over itself the last state."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    if "\r" in text:
        text = next((part for part in reversed(text.split("\r")) if part), "")
    return text


class LogSpool:
    """A file without a name that grows; one thread appends, others read.

    Args:
        folder: Where the file is made, on a disk rather than in memory; None takes the system's.

    Raises:
        Destination: The file cannot be made.
    """

    def __init__(self, folder: Path | None = None) -> None:
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = tempfile.TemporaryFile(prefix="digsite-log-", dir=folder)  # noqa: SIM115  # closed by `close`
        except OSError as error:
            raise Destination(f"The log cannot be kept on disk ({error.strerror}).") from error
        self._lock = threading.Lock()
        self._starts = array("Q", [0])
        self._numbers = array("Q", [0])
        self._breaks = 0
        self._ends_open = False
        self.size_bytes = 0

    @property
    def lines(self) -> int:
        """How many there are, one that has not ended included."""
        return self._breaks + self._ends_open

    @property
    def is_closed(self) -> bool:
        """Whether nobody wants it any more."""
        return self._file.closed

    def append(self, data: bytes) -> None:
        """Adds bytes, in any pieces; nothing once it is closed.

        Raises:
            Destination: They cannot be written, or the log has become too large.
        """
        if not data:
            return
        with self._lock:
            if self._file.closed:
                return
            if self.size_bytes + len(data) > MAX_SPOOL_BYTES:
                raise Destination(
                    "The log is too large to be kept on disk here.", hint="digsite log PATH > FILE writes all of it."
                )
            try:
                self._file.seek(self.size_bytes)
                self._file.write(data)
                self._file.flush()
            except OSError as error:
                raise Destination(f"The log cannot be kept on disk ({error.strerror}).") from error
            self._index(data)

    def _index(self, data: bytes) -> None:
        base, at = self.size_bytes, 0
        while True:
            target = max(at, self._starts[-1] + CHECKPOINT_BYTES - base - 1)
            end = data.find(b"\n", target) if target < len(data) else -1
            if end < 0:
                break
            self._breaks += data.count(b"\n", at, end + 1)
            at = end + 1
            self._starts.append(base + at)
            self._numbers.append(self._breaks)
        self._breaks += data.count(b"\n", at)
        self.size_bytes = base + len(data)
        self._ends_open = not data.endswith(b"\n")

    def line(self, number: int) -> bytes:
        """The bytes of a line, counted from 0, without its end; at most `MAX_LINE_BYTES` of them."""
        with self._lock:
            if self._file.closed or not 0 <= number < self.lines:
                return b""
            near = bisect_right(self._numbers, number) - 1
            # Lines between a checkpoint and this one are shorter than its distance, or there would be another one.
            self._file.seek(self._starts[near])
            data = self._file.read(CHECKPOINT_BYTES + MAX_LINE_BYTES)
            skip = number - self._numbers[near]
        return data.split(b"\n", skip + 1)[skip][:MAX_LINE_BYTES]

    def text(self, number: int) -> str:
        """A line as text, its escapes still in it."""
        return line_text(self.line(number))

    def read(self, start: int, most: int) -> bytes:
        """Bytes from an offset."""
        with self._lock:
            if self._file.closed:
                return b""
            self._file.seek(start)
            return self._file.read(max(0, min(most, self.size_bytes - start)))

    def copy(self, write: Callable[[bytes], object]) -> None:
        """Hands all of it on, piece by piece."""
        at = 0
        while piece := self.read(at, _BLOCK_BYTES):
            write(piece)
            at += len(piece)

    def close(self) -> None:
        """Gives the disk space back."""
        with self._lock:
            self._file.close()


class LogSearch:
    """The lines of a log that match a pattern, found in a thread while others look at what was found so far.

    Args:
        spool: The log; it may grow.
        pattern: Of bytes; sees lines without escapes.
    """

    def __init__(self, spool: LogSpool, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.hits = array("Q")
        """Numbers of lines, from 0, ascending."""
        self._spool = spool
        self._at = 0
        self._line = 0
        self._seen = 0  # beyond `_at` by a last line that may go on
        self._stopped = False

    @classmethod
    def of_text(cls, spool: LogSpool, needle: str) -> LogSearch:
        """A search for text; capitals matter only where there are some."""
        flags = re.IGNORECASE if needle == needle.lower() else re.NOFLAG
        return cls(spool, re.compile(re.escape(needle.encode("utf-8", "surrogatepass")), flags))

    @property
    def is_current(self) -> bool:
        """Whether all that has arrived was looked through."""
        return self._stopped or max(self._at, self._seen) >= self._spool.size_bytes or len(self.hits) >= _MAX_HITS

    def stop(self) -> None:
        """Makes `run` end soon."""
        self._stopped = True

    def run(self, most_bytes: int) -> None:
        """Goes on towards what is now the log's end, for so many bytes."""
        stop_at = self._at + most_bytes
        while not self.is_current and self._at < stop_at:
            block = self._spool.read(self._at, _BLOCK_BYTES)
            end = block.rfind(b"\n") + 1
            if not end:  # a line longer than a block, or the last one, which may go on
                if len(block) < _BLOCK_BYTES:
                    self._look(block)
                    self._seen = self._at + len(block)
                    return
                end = len(block)
            self._look(block[:end])
            self._at += end
            self._line += block.count(b"\n", 0, end)

    def _look(self, block: bytes) -> None:
        text = _ESCAPE_BYTES.sub(b"", block) if b"\x1b" in block else block
        line, counted = self._line, 0
        for found in self.pattern.finditer(text):
            line += text.count(b"\n", counted, found.start())
            counted = found.start()
            if not self.hits or self.hits[-1] < line:
                self.hits.append(line)

    def after(self, line: int) -> int | None:
        """The first hit beyond a line."""
        at = bisect_right(self.hits, line) if line >= 0 else 0
        return self.hits[at] if at < len(self.hits) else None

    def before(self, line: int) -> int | None:
        """The last hit ahead of a line."""
        at = bisect_left(self.hits, line) - 1
        return self.hits[at] if at >= 0 else None


class ChunkOrder:
    """Puts the pieces of a running build's log in order; they come unordered, twice, and with gaps.

    A piece behind a gap waits for `PATIENCE` more batches; then the gap is marked and the log goes on.
    """

    PATIENCE: Final = 2

    def __init__(self) -> None:
        self._next: int | None = None
        self._held: dict[int, str] = {}
        self._waited = 0
        self.missing = 0
        """Pieces that were given up so far."""

    def take(self, chunks: Iterable[LogChunk], *, final: bool = False) -> bytes:
        """Takes a batch; gives what can be shown now.

        Args:
            chunks: As they came.
            final: Whether nothing will come any more, so that nothing is held back.
        """
        for chunk in chunks:
            if self._next is None or chunk.position >= self._next:
                self._held[chunk.position] = chunk.text
        self._waited += 1
        ready = "".join(self._ready(final=final))
        return ready.encode("utf-8", "replace")

    def _ready(self, *, final: bool) -> Iterator[str]:
        for position in sorted(self._held):
            gap = 0 if self._next is None else position - self._next
            if gap and not final and self._waited <= self.PATIENCE:
                return
            if gap:
                self.missing += gap
                yield f"\n[digsite: pieces of the log are missing here: {gap}]\n"
            yield self._held.pop(position)
            self._next, self._waited = position + 1, 0
