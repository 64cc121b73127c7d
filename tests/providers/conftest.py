"""A loopback HTTP server that answers what a test scripts, down to the byte, and keeps every request."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tui.http import ApiClient, Dialect, RetryPolicy
from tui.models import Account, AccountName
from tui.providers.bitrise.parse import parse_error
from tui.secret import Secret


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}


Reply = bytes | None
"""The raw bytes of an answer; None closes the connection without one."""


def reply(
    body: object = None, status: int = 200, headers: dict[str, str] | None = None, raw: bytes | None = None
) -> bytes:
    content = raw if raw is not None else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content


@dataclass
class ScriptedServer:
    """Answers with `script` first, one reply a request, then with what `route` says."""

    url: str = ""
    script: list[Reply] = field(default_factory=list)
    route: Callable[[Request], Reply] = lambda _request: reply({"data": []})
    requests: list[Request] = field(default_factory=list)
    hold: asyncio.Event | None = None
    """When set, no answer is sent before the event."""
    drip: bool = False
    """Sends answers byte by byte and never the last one; a body without an end follows."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    certificate: Path | None = None
    listener: asyncio.Server | None = None
    connections: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedServer]:
        listener = self.listener = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=tls)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            listener.close()
            for connection in self.connections:
                connection.cancel()
            await asyncio.gather(*self.connections, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(asyncio.create_task(self.serve(reader, writer)))

    def answer_with(self, *replies: Reply) -> None:
        self.script = list(replies)

    def refuse_connections(self) -> str:
        """An address of this machine where nobody listens."""
        return "http://127.0.0.1:1"

    async def _drip(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        for byte in itertools.chain(answer, itertools.repeat(ord(" "))):
            writer.write(bytes([byte]))
            await writer.drain()
            # A turn: `drain` gives none while there is room, and the client, of the same loop, would never read.
            await asyncio.sleep(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                method, target, _ = lines[0].split(" ")
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:]) if name
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                request = Request(method, target, headers, body)
                self.requests.append(request)
                self.arrived.set()
                if self.hold is not None:
                    await self.hold.wait()
                answer = self.script.pop(0) if self.script else self.route(request)
                if answer is None:
                    break
                if self.drip:
                    await self._drip(writer, answer)
                writer.write(answer)
                await writer.drain()
                if b"Connection: close" in answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer().listening() as listening:
        yield listening


@pytest.fixture
async def other_server() -> AsyncIterator[ScriptedServer]:
    """A foreign host: it must never hear from us."""
    async with ScriptedServer().listening() as listening:
        yield listening


@pytest.fixture
async def tls_server(tmp_path: Path) -> AsyncIterator[ScriptedServer]:
    """Speaks TLS with a certificate that nobody has signed but itself."""
    key_file, certificate_file = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    async with ScriptedServer(certificate=certificate_file).listening(context) as listening:
        yield listening


def _self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    key_file.write_bytes(private_pem(key).encode())
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


def private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """The key as Apple hands it out: PKCS #8, PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def statuses(*codes: int) -> Iterable[bytes]:
    return (reply({"message": "no"}, status=code) for code in codes)


@pytest.fixture(autouse=True)
def _no_ambient_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxies and certificates the machine has, tests meet their own."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


ODD: list[object] = [
    None,
    [],
    3,
    "x",
    {},
    {"data": None},
    {"data": [None, 3, {}, []]},
    {"data": {}},
    {"data": "x"},
    {"data": [], "paging": 3, "links": [], "included": {}, "meta": None},
    {"data": {"id": "", "slug": 3, "attributes": []}, "paging": {"next": 3}, "links": {"next": {}}},
    {"data": [{"id": "a", "slug": "a", "attributes": "x", "relationships": 3}], "included": [3, {"type": "apps"}]},
]
"""Answers that are JSON and nothing that an API promises."""

TOKEN = "canary-5f1c9a"


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def policy(self) -> RetryPolicy:
        return RetryPolicy(sleep=self.sleep, clock=lambda: self.now, chance=lambda: 1.0)


class FixedAuthorization:
    def __init__(self, fresh: list[str] | None = None) -> None:
        self.value = TOKEN
        self.fresh = fresh or []

    async def header(self, clock_offset_s: float) -> Secret:
        return Secret(f"Bearer {self.value}")

    def renew(self) -> bool:
        if not self.fresh:
            return False
        self.value = self.fresh.pop(0)
        return True


DIALECT = Dialect(parse_error, auth_hint="Get another token.", role_hint="Become developer.")
MakeClient = Callable[..., ApiClient]


@pytest.fixture
def clock() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def make_client(server: ScriptedServer, clock: FakeTime) -> AsyncIterator[MakeClient]:
    clients: list[ApiClient] = []

    def make(
        url: str | None = None,
        *,
        read_only: bool = False,
        authorization: FixedAuthorization | None = None,
        policy: RetryPolicy | None = None,
    ) -> ApiClient:
        client = ApiClient(
            account=Account(AccountName("acme"), "test", read_only=read_only),
            base_url=url or server.url + "/v0.1",
            authorization=authorization or FixedAuthorization(),
            dialect=DIALECT,
            policy=policy or clock.policy(),
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.aclose()


async def read(client: ApiClient) -> object:
    return await client.get("apps", what="app")


async def change(client: ApiClient, method: str) -> object:
    if method == "patch":
        return await client.patch("a", what="artifact", body={"is_public_page_enabled": True})
    return await client.delete("a", what="artifact")
