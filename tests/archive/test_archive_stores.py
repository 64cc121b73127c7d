"""A folder and a bucket keep what they are given, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tui.archive import folder as folder_module
from tui.archive.bucket import BucketStore
from tui.archive.opening import open_store
from tui.archive.store import PART_BYTES, ArchiveError, NotStored, Store, StoreDown
from tui.errors import ConfigError, Incomplete, Mismatch
from tui.storage import Storage

BIG = os.urandom(1 << 20) * 20
"""More than two parts, and not a whole number of them."""


def pieces(data: bytes, size: int = 700_000) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("data", [b"", b"x", BIG[:PART_BYTES], BIG[: PART_BYTES + 1], BIG[:-3]], ids=len)
def test_what_goes_in_comes_out(store: Store, data: bytes) -> None:
    stored = store.upload("a/b/file name", pieces(data))
    assert (stored.size_bytes, stored.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert b"".join(store.stream("a/b/file name")) == data
    assert store.size("a/b/file name") == len(data)
    with Storage(allow_loopback=True).open(store.source("a/b/file name")) as body:
        read = b""
        while piece := body.read():
            read += piece
    assert read == data


@pytest.mark.parametrize(
    "name",
    ["日本 📔.ipa", "a#b?c%20d&e+f=g", "%2e%2e", ".hidden", "x" * 230, "'\"\u200d;$(id)`", "a~b", "[x]{y}", "..."],
)
def test_hostile_names_are_names(store: Store, name: str) -> None:
    store.upload(f"app/{name}", pieces(b"content"))
    assert store.read(f"app/{name}") == b"content"
    assert list(store.objects("app")) == [(f"app/{name}", 7)]
    assert store.folders("") == ["app"]


def test_a_small_object_is_created_once(store: Store) -> None:
    assert store.create("x/claim", b"1")
    assert not store.create("x/claim", b"2")
    assert store.read("x/claim") == b"1"
    store.write("x/claim", b"3")
    assert store.read("x/claim") == b"3"
    store.delete("x/claim")
    store.delete("x/claim")
    assert store.size("x/claim") is None
    with pytest.raises(NotStored):
        store.read("x/claim")
    assert store.folders("nowhere") == []


def test_many_at_once_create_it_once(store: Store) -> None:
    made: list[bool] = []
    threads = [threading.Thread(target=lambda n=n: made.append(store.create("once", b"%d" % n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False] * 7 + [True]


def test_a_source_that_breaks_leaves_nothing(store: Store, destination: str) -> None:
    def breaking() -> Iterator[bytes]:
        yield BIG[: 2 * PART_BYTES + 5]
        raise Incomplete("gone")

    with pytest.raises(Incomplete):
        store.upload("a/file", breaking())
    assert store.size("a/file") is None
    if "://" not in destination:
        assert not [path for path in Path(destination).rglob("*") if path.is_file()]


def test_a_folder_never_overwrites(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.upload("file", pieces(b"first"))
    with pytest.raises(ArchiveError):
        store.upload("file", pieces(b"other"))
    assert store.read("file") == b"first"
    with pytest.raises(ArchiveError):
        store.read("../outside")


def test_a_folder_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    store = open_store(str(tmp_path / "archive"))
    assert store.create("claim", b"1")
    assert not store.create("claim", b"2")
    store.upload("file", pieces(b"content"))
    assert store.read("file") == b"content"


@pytest.mark.parametrize("size", [7, 9 << 20], ids=["compared", "hashed"])
@pytest.mark.parametrize("lie", ["another byte", "one less", "one more"])
def test_a_disk_that_lies_is_found_out_before_the_file_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, lie: str
) -> None:
    real = folder_module._sync

    def corrupt(file: object) -> None:
        real(file)  # type: ignore[arg-type]
        descriptor = file.fileno()  # type: ignore[attr-defined]
        if lie == "another byte":
            os.pwrite(descriptor, b"!", 3)
        else:
            os.ftruncate(descriptor, size + (1 if lie == "one more" else -1))

    store = open_store(str(tmp_path / "archive"))
    monkeypatch.setattr(folder_module, "_sync", corrupt)
    with pytest.raises(Mismatch):
        store.upload("a/file", pieces(b"c" * size))
    assert store.size("a/file") is None


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from tui.archive.opening import open_store\nfrom tui.archive.store import StoreDown\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: open_store(sys.argv[1]).upload('a/file', iter([bytes(200_000)]))\n"
        "except StoreDown as error: print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "archive")], capture_output=True, text=True, check=True
    )
    assert "no room" in done.stdout
    assert not [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]


def test_what_a_killed_run_left_unfinished_is_cleared(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from tui.archive.opening import open_store\n"
        "def pieces():\n"
        "    yield b'x' * 100_000\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "    yield b'never'\n"
        "open_store(sys.argv[1]).upload('a/file', pieces())\n"
    )
    root = tmp_path / "archive"
    subprocess.run([sys.executable, "-c", program, str(root)], check=False)
    assert [path.stat().st_size for path in root.rglob("*") if path.is_file()] == [100_000]
    assert open_store(str(root)).size("a/file") is None
    assert not [path for path in root.rglob("*") if path.is_file()]


class _Liar(BaseHTTPRequestHandler):
    """Takes an object, promises it by its right MD5, and gives another one back."""

    protocol_version = "HTTP/1.1"
    kept: ClassVar[dict[str, bytes]] = {}

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.kept[self.path] = data[:-1] + b"!"
        self._answer(200, b"", {"ETag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'})

    def do_DELETE(self) -> None:
        self.kept.pop(self.path, None)
        self._answer(204, b"", {})

    def do_GET(self) -> None:
        data = self.kept.get(self.path)
        self._answer(404 if data is None else 200, data or b"", {"Last-Modified": "Sun, 22 Nov 2026 00:00:00 GMT"})

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        key = body[body.index("<Key>") + 5 : body.index("</Key>")]
        self.kept.pop(f"/archive/{key}", None)
        self._answer(200, f"<DeleteResult><Deleted><Key>{key}</Key></Deleted></DeleteResult>".encode(), {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "ETag": '"x"', **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Liar) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("liar")
def test_a_bucket_that_lies_is_found_out_by_its_first_object() -> None:
    store = open_store("s3://archive")
    with pytest.raises(Mismatch):
        store.upload("a/file", pieces(b"content"))
    assert not [key for key in _Liar.kept if key.endswith("file")]


def test_of_the_first_uploads_only_one_is_read_back(
    s3_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = BucketStore.stream

    def stream(self: BucketStore, key: str) -> Iterator[bytes]:
        read.append(key)
        return real(self, key)

    monkeypatch.setattr(BucketStore, "stream", stream)
    store = open_store(f"s3://archive/{tmp_path.parent.name}/{tmp_path.name}")
    together = threading.Barrier(4)

    def content() -> Iterator[bytes]:
        yield b"content"
        together.wait(20)

    threads = [threading.Thread(target=lambda n=n: store.upload(f"a/{n}", content())) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.objects("a"))) == 4
    assert len(read) == 1


@pytest.mark.usefixtures("liar")
def test_a_bucket_without_conditional_writes_is_asked_first() -> None:
    store = open_store("s3://archive")
    for key in ("claim-1", "claim-2"):
        assert store.create(key, b"1")
        assert not store.create(key, b"2")


@pytest.mark.parametrize(
    ("url", "name"),
    [("gs://archive/x", "GOOGLE_BASE_URL"), ("az://archive/x", "AZURE_STORAGE_ENDPOINT"), ("s3://a", "AWS_ENDPOINT")],
)
def test_no_cloud_is_spoken_to_in_the_clear(url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "devstore")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    monkeypatch.setenv(name, "http://example.com")
    with pytest.raises(ConfigError, match=name):
        open_store(url)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert open_store(url).name == url


def test_a_bucket_that_is_not_there_and_one_that_does_not_answer(
    s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreDown) as raised:
        open_store("s3://no-such-bucket").upload("a", pieces(b"x"))
    assert s3_environment["AWS_SECRET_ACCESS_KEY"] not in str(raised.value)
    for wrong in ("http://example.com", "", "localhost:9000"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", wrong)
        with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL"):
            open_store("s3://archive")
