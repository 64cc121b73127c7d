"""One answer of a storage host whose bytes are still to be read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from tui.errors import Incomplete
from tui.storage.head import Head
from tui.storage.network import READ_TIMEOUT_S, network_errors

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

READ_BYTES: Final = 1 << 20
"""The most that one `Body.read` gives."""


class Body:
    """One answer whose bytes are still to be read.

    Args:
        head: What the answer's header says.
        response: The answer; this object closes it.
        host: Where it comes from, for messages.
    """

    def __init__(self, head: Head, response: BaseHTTPResponse, host: str) -> None:
        self.head = head
        self._response = response
        self._host = host
        self._aborted = threading.Event()

    def read(self) -> bytes:
        """The next bytes as they arrive, at most `READ_BYTES`; empty at the end.

        Raises:
            Incomplete: The connection broke or stalled, the body ended too early, or `abort` was called.
        """
        try:
            data = self._response.read1(READ_BYTES)
        except network_errors() as error:
            raise self._broken(error) from error
        if self._aborted.is_set():  # what a socket gives after its shutdown is not body
            raise Incomplete("The transfer was stopped.")
        return data or b""

    def abort(self) -> None:
        """Makes a `read` that waits in another thread end; `close` is still the reader's to call."""
        self._aborted.set()
        try:
            self._response.shutdown()
        except (ValueError, OSError):  # already read to its end, or closed
            return

    def close(self) -> None:
        """Gives the connection back, or closes it when bytes are left unread."""
        self._response.close()

    def __enter__(self) -> Body:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _broken(self, error: Exception) -> Incomplete:
        from urllib3.exceptions import ReadTimeoutError

        if self._aborted.is_set():
            return Incomplete("The transfer was stopped.")
        if isinstance(error, ReadTimeoutError):
            return Incomplete(f"{self._host} sent nothing for {READ_TIMEOUT_S:.0f} seconds.")
        return Incomplete(f"The connection to {self._host} broke before the file was complete.")
