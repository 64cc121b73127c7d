"""The example plug-in passes the contract, found by its entry point, over a server that lists folders as nginx does."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import os
import shutil
import sys
import threading
import tomllib
from collections.abc import AsyncIterator, Iterator
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tui.errors import NotFound, NotSupported
from tui.models import Account, AccountName, AppId, BuildId, BuildRef, Status, Verb
from tui.models.inspection import BuildVerb
from tui.providers import Provider, plugin, plugin_names
from tui.secret import Secret
from tui.testing import ProviderContract
from tui.testing.search import find_artifact

PACKAGE = Path(__file__).parents[1] / "example_plugin"
TOKEN = "shared-token-of-the-server"
FIRST_S = 1_700_000_000


class Autoindex(BaseHTTPRequestHandler):
    """nginx with `autoindex_format json` and `secure_link`, as the plug-in's documentation sets it up."""

    def __init__(self, root: Path, *args: object) -> None:
        self.root = root
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path, query = unquote(urlsplit(self.path).path), parse_qs(urlsplit(self.path).query)
        if self.headers["Authorization"] != f"Bearer {TOKEN}" and not self._is_signed(path, query):
            return self._send(401, b"<html>401</html>", "text/html")
        place = self.root / path.lstrip("/")
        if not place.resolve().is_relative_to(self.root) or not place.exists() or place.is_dir() != path.endswith("/"):
            return self._send(404, b"<html>404</html>", "text/html")
        if place.is_dir():
            return self._send(200, json.dumps(list(map(_line, sorted(place.iterdir())))).encode(), "application/json")
        return self._send(200, place.read_bytes(), "application/octet-stream")

    def _is_signed(self, path: str, query: dict[str, list[str]]) -> bool:
        expires, given = query.get("expires", [""])[0], query.get("md5", [""])[0]
        digest = hashlib.md5(f"{expires}{path} {TOKEN}".encode(), usedforsecurity=False).digest()
        return given == base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the standard library
        """Nothing on stderr."""


def _line(path: Path) -> dict[str, object]:
    found = path.stat()
    entry: dict[str, object] = {"name": path.name, "mtime": formatdate(found.st_mtime, usegmt=True)}
    return {**entry, "type": "directory"} if path.is_dir() else {**entry, "type": "file", "size": found.st_size}


def make_builds(root: Path) -> None:
    for app in ("acme", "日本 app#1"):
        for number in range(1, 31):
            folder = root / app / str(number)
            folder.mkdir(parents=True)
            facts = {
                "status": "failed" if number % 5 == 0 else "succeeded",
                "branch": "main" if number % 3 else "feature/login",
                "workflow": "nightly" if number % 2 else "release",
            }
            (folder / "build.json").write_text(json.dumps(facts))
            (folder / "build.log").write_text(f"building {app} {number}\n")
            (folder / "app release 100%.apk").write_bytes(b"apk" * number)
            (folder / "notes.txt").write_text("notes")
            for path in (*folder.iterdir(), folder):
                os.utime(path, (FIRST_S, FIRST_S + 3600 * number))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("builds")
    make_builds(folder)
    return folder


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Autoindex, root)) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package on the path with its own entry point, as pip would install it."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = tmp_path / f"digsite_autoindex-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    offered = project["entry-points"]["digsite.providers"].items()
    lines = [f"{name} = {target}" for name, target in offered]
    (info / "entry_points.txt").write_text("\n".join(["[digsite.providers]", *lines, ""]))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(PACKAGE))
    monkeypatch.delitem(sys.modules, "digsite_autoindex", raising=False)
    importlib.invalidate_caches()


def open_at(url: str, token: str = TOKEN) -> Provider:
    account = Account(AccountName("files"), "autoindex", url=url)
    return plugin("autoindex").open(account, Secret(token))


class TestAutoindex(ProviderContract):
    @pytest.fixture
    async def provider(self, installed: None, server: str) -> AsyncIterator[Provider]:
        opened = open_at(server)
        yield opened
        await opened.aclose()

    @pytest.fixture
    async def wrong_provider(self, installed: None, server: str) -> AsyncIterator[Provider]:
        opened = open_at(server, "wrong")
        yield opened
        await opened.aclose()

    @pytest.fixture
    async def offline_provider(self, installed: None) -> AsyncIterator[Provider]:
        opened = open_at("http://127.0.0.1:1")
        yield opened
        await opened.aclose()


def test_it_is_found_by_its_entry_point() -> None:
    assert "autoindex" in plugin_names()
    assert plugin("autoindex").title == "Web server"


async def test_what_a_web_server_cannot_do_is_refused_in_a_sentence(server: str) -> None:
    provider = open_at(server)
    artifact = await find_artifact(provider, lambda _: True)
    build = await provider.build(artifact.ref.build_ref)
    reasons = [provider.refusal(verb, artifact) for verb in (Verb.PUBLISH, Verb.DELETE)]
    reasons += [provider.build_refusal(verb, build) for verb in BuildVerb if verb is not BuildVerb.LOG]
    assert all(reason and reason.endswith(".") for reason in reasons)
    for call in (provider.call("GET", "/"), provider.recent_builds(), provider.abort(build.ref, "")):
        with pytest.raises(NotSupported):
            await call
    await provider.aclose()


@pytest.mark.parametrize("facts", [None, "[1, 2]", '{"status": "melted", "branch": 7}'])
async def test_a_build_that_tells_no_state_is_in_an_unknown_one(server: str, root: Path, facts: str | None) -> None:
    folder = root / "acme" / "silent"
    folder.mkdir()
    if facts is not None:
        (folder / "build.json").write_text(facts)
    provider = open_at(server)
    silent = await provider.build(BuildRef(AccountName("files"), AppId("acme"), BuildId("silent")))
    assert (silent.status, silent.number, silent.branch, silent.finished_at) == (Status.UNKNOWN, None, None, None)
    assert (await provider.artifacts(silent)).items == ()
    with pytest.raises(NotFound):
        await provider.log(silent)
    await provider.aclose()
    shutil.rmtree(folder)
