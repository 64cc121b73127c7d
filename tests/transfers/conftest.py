"""A storage host on loopback that misbehaves on request, and what is needed to download from it."""

from __future__ import annotations

import hashlib
import os
import random
import re
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic

import pytest

from tui.models import (
    AccountName,
    AppId,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    BuildId,
    Source,
)
from tui.secret import Secret
from tui.storage import Storage
from tui.transfers.claim import claimed_bytes, part_path
from tui.transfers.destination import ConflictRule
from tui.transfers.history import History
from tui.transfers.part import NOTE_BYTES
from tui.transfers.queue import TransferQueue
from tui.transfers.retry import RetryPolicy
from tui.transfers.snapshot import TransferSnapshot


@dataclass
class Answer:
    """How one request is answered; the defaults are a good storage host."""

    status: int | None = None
    """Answer this status and `text` instead of the object."""
    text: bytes = b""
    cut_after: int | None = None
    """Close after that many body bytes, as if the body were whole on the wire."""
    reset: bool = False
    """Cut with a reset instead of an orderly end."""
    ignore_range: bool = False
    ignore_if_range: bool = False
    range_start: int | None = None
    """Say and send another start than was asked for."""
    drop_content_range: bool = False
    unknown_total: bool = False
    """Do not say in Content-Range how large the object is."""
    at_most: int | None = None
    """Say and send fewer bytes than a range asked for."""
    chunked: bool = False
    no_length: bool = False
    """The end of the connection ends the body."""
    surplus: bytes = b""
    """Body bytes beyond the object, with a length that includes them."""
    location: str | None = None
    pause: threading.Event | None = None
    """Wait for this after the first half of the body."""
    between: Callable[[], object] | None = None
    """Called after the header, before the body."""
    drip: bool = False
    """Send single bytes, and no more than 8."""
    headers: dict[str, str] = field(default_factory=dict)
    server: str = "fault server"


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    sent: int = 0
    """Body bytes given to the socket."""
    connection: int = 0
    """The client's port: equal for requests on one connection."""


class FaultServer:
    """Serves one object; `plan` takes the requests in turn, afterwards every answer is good."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.body = b""
        self.scheme, self.host = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
        self.etag: str | None = '"v1"'
        self.last_modified: str | None = None
        self.content_type = "application/octet-stream"
        self.plan: list[Answer] = []
        self.always = Answer()
        self.requests: list[Request] = []
        self.half_sent = threading.Event()
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.serve(self)

            do_HEAD = do_GET  # noqa: N815 - the standard library's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                return

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def url(self, path: str = "/object") -> str:
        return f"{self.scheme}://{self.host}:{self.port}{path}?X-Amz-Signature=SENTINEL-SIGNATURE"

    @property
    def sent(self) -> int:
        return sum(request.sent for request in self.requests)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def fill(self, size: int, seed: int = 1) -> bytes:
        self.body = random.Random(seed).randbytes(size)
        return self.body

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {k.lower(): v for k, v in handler.headers.items()}
        request = Request(handler.command, handler.path, headers, connection=handler.client_address[1])
        with self._lock:
            self.requests.append(request)
            answer = self.plan.pop(0) if self.plan else self.always
        if answer.status is not None:
            self._send_text(handler, answer)
            return
        start, end, status = self._range(request, answer)
        payload = self.body[start:end] + answer.surplus
        handler.send_response_only(status)
        for name, value in (
            ("Server", answer.server),
            ("ETag", self.etag),
            ("Last-Modified", self.last_modified),
        ):
            if value:
                handler.send_header(name, value)
        handler.send_header("Content-Type", self.content_type)
        if status == 206 and not answer.drop_content_range:
            total = "*" if answer.unknown_total else len(self.body)
            handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{total}")
        if status == 416:
            handler.send_header("Content-Range", f"bytes */{len(self.body)}")
            payload = b"<Error><Code>InvalidRange</Code></Error>"
        if answer.chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        elif answer.no_length:
            handler.send_header("Connection", "close")
        else:
            handler.send_header("Content-Length", str(len(payload)))
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if answer.between is not None:
            answer.between()
        self._send(handler, payload, answer, request)

    def _range(self, request: Request, answer: Answer) -> tuple[int, int, int]:
        size = len(self.body)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        condition = None if answer.ignore_if_range else request.headers.get("if-range")
        changed = condition is not None and condition not in {self.etag, self.last_modified}
        if not asked or answer.ignore_range or changed:
            return 0, size, 200
        if int(asked[1]) >= size:
            return 0, size, 416
        end = min(size, int(asked[2]) + 1) if asked[2] else size
        end = end if answer.at_most is None else min(end, int(asked[1]) + answer.at_most)
        return (int(asked[1]) if answer.range_start is None else answer.range_start), end, 206

    def _send_text(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        handler.send_response(answer.status or 500)
        handler.send_header("Content-Length", str(len(answer.text)))
        if answer.location:
            handler.send_header("Location", answer.location)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(answer.text)

    def _send(self, handler: BaseHTTPRequestHandler, payload: bytes, answer: Answer, request: Request) -> None:
        whole = payload if answer.cut_after is None else payload[: answer.cut_after]
        if answer.drip:
            whole = whole[:8]
        step = 1 if answer.drip else 64 << 10
        for offset in range(0, len(whole), step):
            block = whole[offset : offset + step]
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if answer.chunked else block)
            handler.wfile.flush()
            request.sent += len(block)
            if answer.pause is not None and request.sent >= len(payload) // 2:
                self.half_sent.set()
                answer.pause.wait(10)
        if answer.chunked and answer.cut_after is None:
            handler.wfile.write(b"0\r\n\r\n")
        if answer.cut_after is not None or answer.drip or answer.no_length:
            handler.close_connection = True
            if answer.reset:
                linger = struct.pack("ii", 1, 0)
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                handler.rfile.close()
                handler.wfile.close()
                handler.connection.close()

    def drain(self, target: Path) -> None:
        """Waits until all that was sent is written and noted: nothing is left in the buffers of the sockets."""
        request = self.requests[-1]
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        deadline = monotonic() + 20
        while part_path(target).stat().st_size < start + request.sent:
            assert monotonic() < deadline
            os.sched_yield()
        while claimed_bytes(target) <= start + request.sent - NOTE_BYTES:
            assert monotonic() < deadline
            os.sched_yield()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path / "home"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["small", "large"])
def size_class(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test twice: what it downloads is written as small files are, and then as large ones are."""
    if request.param == "large":
        monkeypatch.setattr("tui.transfers.part._SETTLING_BYTES", 0)
        for module in ("part", "writer"):
            monkeypatch.setattr(f"tui.transfers.{module}.BLOCK_BYTES", 16 << 10)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    running = FaultServer()
    yield running
    running.close()


@pytest.fixture
def storage() -> Iterator[Storage]:
    client = Storage(allow_loopback=True)
    yield client
    client.close()


@pytest.fixture
def make_artifact() -> Callable[..., Artifact]:
    def make(
        title: str = "app.apk",
        *,
        size: int | None = None,
        artifact_id: str = "A1",
        kind: ArtifactKind = ArtifactKind.APK,
    ) -> Artifact:
        ref = ArtifactRef(AccountName("acme"), AppId("app"), BuildId("b1"), ArtifactId(artifact_id))
        return Artifact(ref=ref, title=title, kind=kind, kind_raw="x", size_bytes=size)

    return make


class Provider:
    """Gives the server's URL for every artifact, and counts how often it was asked."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.asked = 0
        self.size: int | None = None
        self.errors: list[Exception] = []

    async def source(self, artifact: Artifact) -> Source:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return Source(url=Secret(self.server.url(f"/object-{self.asked}")), size_bytes=self.size)


@pytest.fixture
def provider(server: FaultServer) -> Provider:
    return Provider(server)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "home" / "state" / "transfers.sqlite")


@pytest.fixture
async def queue(provider: Provider, storage: Storage, history: History) -> AsyncIterator[TransferQueue]:
    fast = RetryPolicy(first_delay_s=0.0, max_delay_s=0.0)
    made = TransferQueue(provider.source, storage, history=history, policy=fast)
    yield made
    await made.aclose()


Download = Callable[..., Awaitable[TransferSnapshot]]


@pytest.fixture
def download(
    queue: TransferQueue, server: FaultServer, make_artifact: Callable[..., Artifact], folder: Path
) -> Download:
    """Downloads the server's object as `app.apk`, whose size the provider knows unless said otherwise."""

    async def run(
        *,
        size: int | None = -1,
        rule: ConflictRule = ConflictRule.RENAME,
        kind: ArtifactKind = ArtifactKind.APK,
    ) -> TransferSnapshot:
        promised = len(server.body) if size == -1 else size
        artifact = make_artifact(size=promised, kind=kind)
        transfer = queue.add(artifact, folder / "app.apk", label="app.apk", rule=rule)
        (result,) = await queue.wait([transfer])
        queue.clear_finished()
        return result

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "downloads"
    made.mkdir()
    return made
