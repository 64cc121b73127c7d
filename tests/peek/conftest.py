"""A storage host that counts what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.peek.hosts import Host
from tui.peek import RemoteFile
from tui.secret import Secret
from tui.storage import Storage


@pytest.fixture
def host() -> Iterator[Host]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.ranges.append(self.headers.get("Range"))
            served.headers.append(dict(self.headers.items()))
            if served.expired_for:
                served.expired_for -= 1
                self._answer(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
            elif served.ignores_ranges or "Range" not in self.headers:
                self._answer(200, served.content[0 : len(served.content)])
            else:
                first, last = self.headers["Range"].removeprefix("bytes=").split("-")
                part = served.content[int(first) : int(last) + 1]
                self._answer(206, part, f"bytes {first}-{int(first) + len(part) - 1}/{len(served.content)}")

        def _answer(self, status: int, body: bytes, content_range: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", served.etag or f'"{hash(served.content)}"')
            if content_range:
                self.send_header("Content-Range", content_range)
            self.end_headers()
            self.wfile.write(body)

        def version_string(self) -> str:
            return served.software

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that hangs up early is what some tests are about

    server = Server(("127.0.0.1", 0), Handler)
    served = Host(f"http://127.0.0.1:{server.server_address[1]}/x?X-Amz-Signature=s")
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def remote(host: Host) -> Iterator[Callable[..., RemoteFile]]:
    storage = Storage(allow_loopback=True)
    yield lambda size=None: RemoteFile(storage, lambda: Secret(host.url), size)
    storage.close()
