"""One request, from the moment it is made: whatever it waits for, another thread can end it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tui.errors import Incomplete

if TYPE_CHECKING:
    from tui.storage.body import Body


class Call:
    """One request. `abort` is for other threads; the rest is for `Storage` and its connections.

    To look up a name and to connect have limits of their own; `abort` takes effect after them.
    """

    def __init__(self) -> None:
        self.is_too_late = False
        """Whether the time for the answer's header was over."""
        self._lock = threading.Lock()
        self._limit_s = 0.0
        self._timer: threading.Timer | None = None
        self._connection: socket.socket | None = None
        self._body: Body | None = None
        self._is_aborted = False

    def abort(self) -> None:
        """Ends the wait for the answer or for its bytes, now or when it begins; who waits gets `Incomplete`."""
        with self._lock:
            self._is_aborted = True
            self._shut_down()
            if self._body is not None:
                self._body.abort()

    @contextmanager
    def opening(self, limit_s: float) -> Iterator[None]:
        """The time in which this thread asks, and waits for the answer's header or the text of a refusal.

        Args:
            limit_s: It may take so long once the connection is there: a host that drips would else hold us for ever.
        """
        self._limit_s = limit_s
        _opening.call = self
        try:
            yield
        finally:
            _opening.call = None
            with self._lock:
                connection, self._connection = self._connection, None
                timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
            if connection is not None:
                connection.close()

    def watch(self, connection: socket.socket) -> None:
        """What the request waits on from now on.

        By a descriptor of our own: the socket gives up its own one when TLS is put on it.

        Raises:
            OSError: `abort` was called before.
        """
        with self._lock:
            if self._is_aborted:
                raise ConnectionAbortedError("nobody waits for the answer any more")
            if self._connection is not None:
                return
            self._connection = socket.socket(fileno=os.dup(connection.fileno()))
            self._timer = threading.Timer(self._limit_s, self._expire)
            self._timer.daemon = True
            self._timer.start()

    def answered(self, body: Body) -> Body:
        """The answer is there, and gives it back.

        Raises:
            Incomplete: It came too late, or `abort` was called meanwhile.
        """
        with self._lock:
            if not (self._is_aborted or self.is_too_late):
                self._body = body
                return body
        body.close()
        raise Incomplete("The transfer was stopped, or its answer came too late.")

    def _expire(self) -> None:
        with self._lock:
            if self._connection is not None:
                self.is_too_late = True
                self._shut_down()

    def _shut_down(self) -> None:
        if self._connection is not None:
            with suppress(OSError):  # the host was faster
                self._connection.shutdown(socket.SHUT_RDWR)


class _Opening(threading.local):
    call: Call | None = None


_opening = _Opening()


def watch(connection: socket.socket) -> None:
    """Lets the request that this thread makes be ended while it waits on a connection.

    Raises:
        OSError: That was asked for before.
    """
    if _opening.call is not None:
        _opening.call.watch(connection)
