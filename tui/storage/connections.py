"""Connections as the storage client wants them; apart, so that urllib3 is not loaded before it is needed."""

from __future__ import annotations

import http.client
import socket
from typing import IO

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from tui.storage.call import watch


class _Lines:
    """Reads lines, and knows the last one."""

    def __init__(self, reader: IO[bytes]) -> None:
        self._reader = reader
        self.last = b"\n"

    def readline(self, limit: int) -> bytes:
        self.last = self._reader.readline(limit)
        return self.last

    def close(self) -> None:
        self._reader.close()


class _Answer(http.client.HTTPResponse):
    """Notices a header that was cut off: the standard library takes the end of the connection for its end.

    Without the length that was still to come, the cut would pass for that of an empty file.
    """

    def begin(self) -> None:
        reader = self.fp
        self.fp = lines = _Lines(reader)  # type: ignore[assignment]  # all that a header is read with
        try:
            super().begin()
        finally:
            self.fp = reader
        if not lines.last:
            raise http.client.RemoteDisconnected("the header was cut off")


class _Connection(HTTPConnection):
    response_class = _Answer

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        try:
            watch(connection)  # before the handshake of TLS and a proxy's answer
        except OSError:
            connection.close()
            raise
        return connection

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        watch(self.sock)  # it may have been open already
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class PlainPool(HTTPConnectionPool):
    """Connections to one host over plain http."""

    ConnectionCls = _Connection  # pyright: ignore[reportAssignmentType]  # nor does the class it is made of fit


class TlsPool(HTTPSConnectionPool):
    """Connections to one host over https."""

    ConnectionCls = _TlsConnection  # pyright: ignore[reportAssignmentType]  # as above
