"""What the storage client waits for, and how a deadline or another thread ends it: hosts that drip, cut or are mute."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest

from tests.transfers.test_storage_client import URL, read_all
from tui.errors import Incomplete, LinkExpired
from tui.secret import Secret
from tui.storage import Call, LocalFile, Storage


class Silent:
    """A host that sends a beginning, and then one byte after the other for ever, or nothing any more."""

    def __init__(self, beginning: bytes, drip: bytes) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.asked, self.end = threading.Event(), threading.Event()
        self._beginning, self._drip = beginning, drip
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.listening.getsockname()[1]}"

    def _serve(self) -> None:
        connection, _ = self.listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(self._beginning)
            self.asked.set()
            while not self.end.wait(0.01):
                connection.sendall(self._drip)

    def close(self) -> None:
        self.end.set()
        self._thread.join(10)
        self.listening.close()


TLS_RECORD = b"\x16\x03\x03\x40\x00"
"""The beginning of a handshake message of 16 KiB."""


@pytest.mark.parametrize(
    ("scheme", "beginning"),
    [("http", b""), ("http", b"HTTP/1.1 200 OK\r\n"), ("http", b"HTTP/1.1 200 OK\r\nX: "), ("https", TLS_RECORD)],
)
def test_a_host_that_drips_its_header_is_given_up(
    monkeypatch: pytest.MonkeyPatch, scheme: str, beginning: bytes
) -> None:
    monkeypatch.setattr("tui.storage.client.CONNECT_TIMEOUT_S", 0.0)
    host = Silent(beginning, b"1" if scheme == "http" else b"\0")
    storage = Storage(allow_loopback=True, read_timeout_s=0.2)
    with pytest.raises(Incomplete, match="too long to answer"):
        storage.open(Secret(f"{scheme}://{host.address}/x"))
    host.close()


def test_a_proxy_that_drips_its_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.storage.client.CONNECT_TIMEOUT_S", 0.0)
    host = Silent(b"HTTP/1.1 200 OK\r\n", b"1")
    monkeypatch.setenv("HTTPS_PROXY", f"http://{host.address}")
    with pytest.raises(Incomplete, match="too long to answer"):
        Storage(read_timeout_s=0.2).open(URL)
    host.close()


def test_a_refusal_whose_text_drips_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.storage.client.CONNECT_TIMEOUT_S", 0.0)
    host = Silent(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4000\r\n\r\n", b"x")
    storage = Storage(allow_loopback=True, read_timeout_s=0.2)
    with pytest.raises(LinkExpired, match="403"):
        storage.open(Secret(f"http://{host.address}/x"))
    host.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("is_early", [True, False])
def test_a_call_can_be_ended_before_the_answer(scheme: str, is_early: bool) -> None:
    host = Silent(b"" if scheme == "http" else TLS_RECORD, b"")
    storage = Storage(allow_loopback=True)
    call, errors = Call(), []

    def ask() -> None:
        try:
            storage.open(Secret(f"{scheme}://{host.address}/x"), call=call)
        except Incomplete as error:
            errors.append(error)

    if is_early:
        call.abort()
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    if not is_early:
        assert host.asked.wait(10)
        call.abort()
    thread.join(20)
    assert len(errors) == 1
    host.close()


def test_a_call_can_be_ended_on_a_connection_that_was_open_already(storage: Storage) -> None:
    asked, errors, call = threading.Event(), [], Call()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = Secret(f"http://127.0.0.1:{listening.getsockname()[1]}/x")

        def answer_once() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                connection.recv(65536)
                asked.set()
                connection.recv(65536)

        def ask() -> None:
            try:
                storage.open(url, call=call)
            except Incomplete as error:
                errors.append(error)

        threading.Thread(target=answer_once, daemon=True).start()
        assert read_all(storage, url) == b"ok"
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        assert asked.wait(10)
        call.abort()
        asking.join(20)
        assert len(errors) == 1


def test_a_call_that_was_ended_opens_no_file(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    call = Call()
    call.abort()
    with pytest.raises(Incomplete):
        storage.open(LocalFile(tmp_path / "file"), call=call)


@pytest.mark.parametrize("status", ["200 OK", "206 Partial Content\r\nContent-Range: bytes 5-9/10", "403 Forbidden"])
def test_a_header_that_is_cut_is_no_header(status: str) -> None:
    """Its end, with the length of the body, was still to come: the body would pass for an empty one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def cut() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(f'HTTP/1.1 {status}\r\nETag: "v1"\r\n'.encode())

        thread = threading.Thread(target=cut, daemon=True)
        thread.start()
        with pytest.raises(Incomplete):
            Storage(allow_loopback=True).open(Secret(f"http://127.0.0.1:{listening.getsockname()[1]}/x"))
        thread.join(10)
