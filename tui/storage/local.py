"""A file of this machine in place of a URL, for copies in a folder: read like any other body."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import IO

from tui.errors import Gone, Incomplete, TransferError
from tui.secret import Secret
from tui.storage.body import READ_BYTES, Body
from tui.storage.head import Head


class LocalFile(Secret):
    """Stands where a provider gives a URL.

    A type of its own and no `file:` URL, so that no text from a server can ever point into this machine.
    """

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


class LocalBody(Body):
    """The bytes of a file, as one answer.

    Args:
        file: Open, at the first byte wanted; this object closes it.
        head: What an answer's header would say.
    """

    def __init__(self, file: IO[bytes], head: Head) -> None:
        self.head = head
        self._file = file
        self._left = head.length or 0
        self._stopped = threading.Event()

    def read(self, most: int = READ_BYTES) -> bytes:
        """The next bytes, at most `most`; empty at the end."""
        if self._stopped.is_set():
            raise Incomplete("The transfer was stopped.")
        try:
            data = self._file.read(min(most, self._left))
        except OSError as error:
            raise Incomplete(f"The archive cannot be read ({error.strerror}).") from error
        self._left -= len(data)
        return data

    def read_into(self, room: memoryview) -> int:
        """Like `read`, but into a buffer."""
        return self._read_into(room)

    def skip_rest(self) -> None:
        """Nothing is left open by unread bytes."""

    def abort(self) -> None:
        """The next `read` raises."""
        self._stopped.set()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def open_local(file: LocalFile, start: int, end: int | None, if_range: str | None) -> LocalBody:
    """Opens a file like `Storage.open` opens a URL.

    Raises:
        Gone: It is not there.
        TransferError: It cannot be read.
    """
    try:
        opened = file.path.open("rb")
        found = os.fstat(opened.fileno())
    except FileNotFoundError as error:
        raise Gone("The archive no longer has the file.") from error
    except OSError as error:
        raise TransferError(f"The archive cannot be read ({error.strerror}).") from error
    validator = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
    size = found.st_size
    is_part = (start > 0 or end is not None) and if_range in {None, validator}
    first = start if is_part else 0
    status = 200 if not is_part else 416 if first >= size else 206
    stop = size if end is None or not is_part else min(size, end + 1)
    length = max(0, stop - first)
    opened.seek(min(first, size))
    head = Head(
        status=status,
        start=first if status == 206 else 0,
        length=length,
        total=size,
        validator=validator,
        content_type="application/octet-stream",
        md5=None,
        is_delimited=True,
    )
    return LocalBody(opened, head)
