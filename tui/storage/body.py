"""One answer of a storage host whose bytes are still to be read."""

from __future__ import annotations

import socket
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final

from tui.errors import Incomplete
from tui.storage.head import Head
from tui.storage.network import network_errors

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

READ_BYTES: Final = 256 << 10
"""The most that one read gives, unless told otherwise."""
_BUFFERED_BYTES: Final = 16 << 10
"""More than the header's reader can have read ahead (8 KiB), and what one TLS record holds."""
_PAUSE_S: Final = 0.01
_GATHER_S: Final = 0.25
"""A read gives what it has after such a pause, or after so long: each piece costs more than itself."""


class Body:
    """One answer whose bytes are still to be read.

    Args:
        head: What the answer's header says.
        response: The answer; this object closes it.
        host: Where it comes from, for messages.
        read_timeout_s: Set on its connection; for messages too.
    """

    def __init__(self, head: Head, response: BaseHTTPResponse, host: str, read_timeout_s: float) -> None:
        self.head = head
        self._response = response
        self._host = host
        self._read_timeout_s = read_timeout_s
        self._read_ahead_bytes = _BUFFERED_BYTES
        self._failure: Exception | None = None
        self._aborted = threading.Event()

    def read(self, most: int = READ_BYTES) -> bytes:
        """The next bytes as they arrive, at most `most`; empty at the end.

        Raises:
            Incomplete: The connection broke or stalled, the body ended too early, or `abort` was called.
        """
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
            data = self._response.read1(most)
        except network_errors() as error:
            raise self._broken(error) from error
        self._read_ahead_bytes -= len(data or b"")
        if self._aborted.is_set():  # what a socket gives after its shutdown is not body
            raise Incomplete("The transfer was stopped.")
        return data or b""

    def read_into(self, room: memoryview) -> int:
        """Like `read`, but into a buffer, straight from the socket; tells how many bytes, 0 at the end.

        Measured over TLS: half the processor time of `read`.

        Raises:
            Incomplete: As `read`.
        """
        connection = self._socket()
        direct = min(len(room), (self._response.length_remaining or 0) - _BUFFERED_BYTES)
        if connection is None or direct <= 0 or self._failure is not None:
            return self._read_into(room[:_BUFFERED_BYTES])
        count = self._gather(connection, room[:direct])
        if count == 0:
            return self._read_into(room)  # which knows how it ended
        self._account(count)
        if self._aborted.is_set():
            raise Incomplete("The transfer was stopped.")
        return count

    def _read_into(self, room: memoryview) -> int:
        data = self.read(len(room))
        room[: len(data)] = data
        return len(data)

    def _socket(self) -> socket.socket | None:
        """The connection, where the body's bytes are next on it and their number is known."""
        reader = getattr(self._response, "_fp", None)
        is_plain = getattr(reader, "chunked", True) is False and isinstance(getattr(reader, "length", None), int)
        if self._read_ahead_bytes > 0 or not is_plain:
            return None  # the header's reader may hold the first bytes; `read` takes them from it
        found = getattr(self._response.connection, "sock", None)
        return found if isinstance(found, socket.socket) else None

    def _gather(self, connection: socket.socket, room: memoryview) -> int:
        """Waits for bytes, then takes those that follow at once; 0 at the end."""
        try:
            count = connection.recv_into(room)
        except network_errors() as error:
            raise self._broken(error) from error
        if not 0 < count < len(room):
            return count
        timeout_s = connection.gettimeout()
        connection.settimeout(_PAUSE_S)
        until = monotonic() + _GATHER_S
        try:
            while count < len(room) and monotonic() < until:
                got = connection.recv_into(room[count:])
                count += got
                if not got:
                    break
        except TimeoutError:
            pass
        except network_errors() as error:
            self._failure = error  # after what came before it
        finally:
            connection.settimeout(timeout_s)
        return count

    def _account(self, count: int) -> None:
        """Tells urllib3 and http.client of bytes that went past them, so that both know when the body ends."""
        self._response.length_remaining = (self._response.length_remaining or 0) - count
        reader = self._response._fp  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
        reader.length -= count

    def skip_rest(self) -> None:
        """All that is wanted was read: at the end of the body the connection can be used again."""
        try:
            self._response.read1(1)
        except network_errors():
            return

    def abort(self) -> None:
        """Makes a `read` that waits in another thread end; `close` is still the reader's to call."""
        self._aborted.set()
        try:
            self._response.shutdown()
        except (ValueError, OSError, RuntimeError, TypeError):
            return  # read to its end, given back or closed; TypeError: in this very moment

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
        if isinstance(error, ReadTimeoutError | TimeoutError):
            return Incomplete(f"{self._host} sent nothing for {self._read_timeout_s:.0f} seconds.")
        return Incomplete(f"The connection to {self._host} broke before the file was complete.")
