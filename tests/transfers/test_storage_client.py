"""The bare storage client: where it goes, what it sends, and what it says when it cannot."""

from __future__ import annotations

import base64
import datetime as dt
import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.transfers.conftest import Answer, FaultServer
from tui.errors import ConfigError, DigsiteError, Incomplete, LinkExpired, TransferError
from tui.secret import Secret
from tui.storage import Body, Storage, network

URL = Secret("https://storage.example.com/o?X-Amz-Signature=SENTINEL")


def read_all(storage: Storage, url: Secret, start: int = 0, end: int | None = None) -> bytes:
    with storage.open(url, start=start, end=end) as body:
        data = b""
        while block := body.read():
            data += block
        return data


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throwaway")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def tls_url(certificate: Path) -> Iterator[Secret]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            return

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    running = Server(("127.0.0.1", 0), Handler)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield Secret(f"https://localhost:{running.server_address[1]}/o")
    running.shutdown()
    running.server_close()
    thread.join()


def test_a_range_is_asked_for_and_read(server: FaultServer, storage: Storage) -> None:
    server.fill(1000)
    assert read_all(storage, Secret(server.url())) == server.body
    with storage.open(Secret(server.url()), start=900, if_range='"v1"') as body:
        assert (body.head.status, body.head.start, body.head.length, body.head.total) == (206, 900, 100, 1000)
        assert body.read() == server.body[900:]
        assert body.read() == b""


def test_nothing_but_the_needed_headers_is_sent(server: FaultServer, storage: Storage) -> None:
    server.fill(10)
    read_all(storage, Secret(server.url()))
    assert server.requests[0].headers.keys() == {"host", "accept-encoding", "user-agent"}


@pytest.mark.parametrize(
    "path",
    ["/o/../a/./b", "/a%2Fb%20c", "/a+b~c=d@e:f", "/a//b", "/o;v=1"],
)
def test_an_address_is_asked_for_as_it_was_signed(server: FaultServer, storage: Storage, path: str) -> None:
    server.fill(10)
    asked = f"{path}?X-Amz-Credential=AK%2F20261122%2Fs3&prefix=/../x&empty=&X-Amz-Signature=SENTINEL"
    assert read_all(storage, Secret(f"http://127.0.0.1:{server.port}{asked}#fragment")) == server.body
    assert server.requests[0].path == asked


@pytest.mark.parametrize(
    ("end", "asked"), [("", "/"), ("?a=b", "/?a=b"), ("/\u00e4 b?c=\u00e4", "/%C3%A4%20b?c=%C3%A4")]
)
def test_an_address_is_completed_where_http_needs_it(
    server: FaultServer, storage: Storage, end: str, asked: str
) -> None:
    server.fill(10)
    assert read_all(storage, Secret(f"http://127.0.0.1:{server.port}{end}")) == server.body
    assert server.requests[0].path == asked


def test_headers_of_the_provider_stay_with_its_host(server: FaultServer, storage: Storage) -> None:
    other = FaultServer()
    other.fill(10)
    server.always = Answer(status=302, location=other.url())
    with storage.open(Secret(server.url()), headers={"X-Plugin": "1"}):
        assert server.requests[0].headers["x-plugin"] == "1"
        assert "x-plugin" not in other.requests[0].headers
    other.close()


@pytest.mark.parametrize("name", ["Authorization", "cookie", "Proxy-Authorization"])
def test_a_credential_is_never_sent_even_if_the_provider_wants_it(
    server: FaultServer, storage: Storage, name: str
) -> None:
    with pytest.raises(TransferError, match="refused"):
        storage.open(Secret(server.url()), headers={name: "SENTINEL"})
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.example.com/x", "http://127.0.0.1:1/x", "https://127.0.0.1:1/x", "https://localhost/x",
        "https://[::1]/x", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/x", "ftp://x/y",
        "file:///etc/passwd", "", "https://", "https://[", "https://x.example:99999/", "//x.example/y",
        "https://[::ffff:127.0.0.1]/x", "https://[::ffff:7f00:1]/x", "https://[::ffff:169.254.169.254]/x", "https://[::]/x",
        "https://127.0.0.1./x", "https://169.254.169.254./x", "https://2130706433/x", "https://127.1/x",
        "https://0x7f.1/x", "https://0x7f000001/x", "https://0177.0.0.1/x", "https://2852039166./x",
    ],
)  # fmt: skip
def test_addresses_that_are_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(TransferError) as caught:
        Storage().open(Secret(url))
    assert type(caught.value) is TransferError


def test_the_query_is_in_no_message(server: FaultServer, storage: Storage) -> None:
    url = Secret(server.url())
    for status in (400, 403, 404, 418, 500, 503):
        server.always = Answer(status=status, text=b"<Error><Code>\x1b[31mBad</Code></Error>")
        with pytest.raises(DigsiteError) as caught:
            storage.open(url)
        assert "SENTINEL" not in str(caught.value)
        assert "\x1b" not in str(caught.value)
        assert str(status) in str(caught.value)
    server.close()
    with pytest.raises(Incomplete) as unreachable:
        storage.open(url)
    assert "SENTINEL" not in str(unreachable.value)


def test_the_cause_of_a_refusal_is_told(server: FaultServer, storage: Storage) -> None:
    text = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    server.always = Answer(status=403, text=text)
    with pytest.raises(LinkExpired, match="403 AccessDenied: Request has expired"):
        storage.open(Secret(server.url()))


def test_an_unknown_certificate_is_refused_and_names_the_variable(tls_url: Secret, storage: Storage) -> None:
    with pytest.raises(TransferError) as caught:
        storage.open(tls_url)
    assert type(caught.value) is TransferError
    assert "SSL_CERT_FILE" in str(caught.value)


def test_ssl_cert_file_is_honoured(
    tls_url: Secret, storage: Storage, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert read_all(storage, tls_url) == b"hello"


def test_a_missing_certificate_file_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        Storage().open(URL)


@pytest.mark.parametrize(
    "proxy", ["socks5://user:SENTINEL@proxy.example:1", "nonsense://x", "http://", "http://[", "http://x:port", "://"]
)
def test_a_broken_proxy_variable_is_named_without_its_secret(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigError, match="HTTPS_PROXY") as caught:
        Storage().open(URL)
    assert "SENTINEL" not in str(caught.value)


@pytest.mark.parametrize("no_proxy", ["", "[::1]", "localhost,other.example"])
@pytest.mark.parametrize("url", [URL, Secret("https://127.0.0.1\\@storage.example.com/o?X-Amz-Signature=SENTINEL")])
def test_the_proxy_sees_the_host_that_was_checked_and_nothing_of_the_request(
    no_proxy: str, url: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40w@127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        with pytest.raises(Incomplete, match="proxy"):
            Storage().open(url)
        thread.join()
    assert seen[0].startswith(b"CONNECT storage.example.com:443 ")
    assert base64.b64encode(b"user:p@w") in seen[0]
    assert b"SENTINEL" not in seen[0]


def test_no_proxy_is_honoured_and_loopback_needs_none(
    server: FaultServer, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "storage.example.com")
    assert network.proxy_for("storage.example.com") is None
    assert network.proxy_for("other.example.com") == "http://127.0.0.1:1"
    server.fill(10)
    assert read_all(storage, Secret(server.url())) == server.body


def test_a_server_that_says_nothing_is_given_up() -> None:
    storage = Storage(allow_loopback=True, read_timeout_s=0.05)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = Secret(f"http://127.0.0.1:{listening.getsockname()[1]}/x")
        with pytest.raises(Incomplete, match="did not answer"):
            storage.open(url)


def test_a_body_that_stalls_is_given_up(server: FaultServer) -> None:
    storage = Storage(allow_loopback=True, read_timeout_s=0.05)
    server.fill(1000_000)
    stalled = threading.Event()
    server.plan = [Answer(pause=stalled)]
    with pytest.raises(Incomplete, match="sent nothing"):
        read_all(storage, Secret(server.url()))
    stalled.set()


def test_abort_ends_a_read_that_waits_in_another_thread(server: FaultServer, storage: Storage) -> None:
    server.fill(1000_000)
    never = threading.Event()
    server.plan = [Answer(pause=never)]
    body = storage.open(Secret(server.url()))
    errors = []

    def read() -> None:
        try:
            while body.read():
                pass
        except Incomplete as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    server.half_sent.wait(10)
    body.abort()
    thread.join(10)
    never.set()
    body.close()
    assert not thread.is_alive()
    assert len(errors) == 1


@pytest.fixture(params=["http", "https"])
def either(request: pytest.FixtureRequest, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """A server that speaks plain HTTP, and one that speaks TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    running = FaultServer(context)
    yield running
    running.close()


def read_rest(body: Body, into: bytearray, stop_at: int | None = None, most: int = 256 << 10) -> bytes:
    """Reads to the end, or until there are that many bytes."""
    room = memoryview(bytearray(most))
    while (stop_at is None or len(into) < stop_at) and (count := body.read_into(room)):
        into += room[:count]
    return bytes(into)


def fetch_into(storage: Storage, server: FaultServer, start: int = 0, end: int | None = None) -> bytes:
    with storage.open(Secret(server.url()), start=start, end=end) as body:
        return read_rest(body, bytearray())


@pytest.mark.parametrize("size", [0, 1, 9_000, 300_000, 3_000_000])
def test_a_buffer_gets_the_bytes_and_leave_the_connection_for_the_next_request(
    either: FaultServer, storage: Storage, size: int
) -> None:
    either.fill(size)
    for _ in range(3):
        assert fetch_into(storage, either) == either.body
    if size > 100:
        assert fetch_into(storage, either, start=50, end=size - 10) == either.body[50 : size - 9]
    assert len({request.connection for request in either.requests}) == 1


@pytest.mark.parametrize("most", [1000, 4096, 9000])
def test_a_small_buffer_misses_nothing_of_what_came_with_the_header(
    either: FaultServer, storage: Storage, most: int
) -> None:
    """A limit on the rate makes buffers small. The reader of the header has up to 8 KiB of the body by then."""
    either.fill(100_000)
    with storage.open(Secret(either.url())) as body:
        assert read_rest(body, bytearray(), most=most) == either.body


def test_a_buffer_gets_chunks_and_of_a_body_that_the_connection_ends(either: FaultServer, storage: Storage) -> None:
    either.fill(500_000)
    for answer in (Answer(chunked=True), Answer(no_length=True)):
        either.plan = [answer]
        assert fetch_into(storage, either) == either.body


@pytest.mark.parametrize("cut", [0, 100, 250_000, 999_990])
def test_a_cut_is_told_after_the_bytes_that_came_before_it(either: FaultServer, storage: Storage, cut: int) -> None:
    either.fill(1_000_000)
    either.plan = [Answer(cut_after=cut)]
    read = bytearray()
    with storage.open(Secret(either.url())) as body, pytest.raises(Incomplete):
        read_rest(body, read)
    assert bytes(read) == either.body[:cut]


def test_what_came_is_given_while_the_server_pauses(either: FaultServer, storage: Storage) -> None:
    either.fill(1_000_000)
    go_on = threading.Event()
    either.plan = [Answer(pause=go_on)]
    read = bytearray()
    with storage.open(Secret(either.url())) as body:
        read_rest(body, read, stop_at=500_000)
        go_on.set()
        assert read_rest(body, read) == either.body


def test_a_read_into_a_buffer_that_stalls_or_is_aborted_ends(either: FaultServer) -> None:
    either.fill(1_000_000)
    storage = Storage(allow_loopback=True, read_timeout_s=0.1)
    stalled = threading.Event()
    either.plan = [Answer(pause=stalled)]
    with storage.open(Secret(either.url())) as body, pytest.raises(Incomplete, match="sent nothing for"):
        read_rest(body, bytearray())
    stalled.set()
    with storage.open(Secret(either.url())) as body:
        assert body.read_into(memoryview(bytearray(1000)))
        body.abort()
        with pytest.raises(Incomplete, match="stopped"):
            read_rest(body, bytearray())
    storage.close()


def test_abort_is_no_fault_whenever_it_comes(either: FaultServer, storage: Storage) -> None:
    """After the last byte, when the connection has been given back, and after the end."""
    either.fill(100)
    with storage.open(Secret(either.url())) as body:
        assert body.read() == either.body
        body.abort()
    body.abort()
