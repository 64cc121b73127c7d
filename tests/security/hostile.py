"""A Bitrise API whose every text tries to drive a terminal, to be markup, or to confuse the reader."""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MARK = "PWN"
"""Stands in every escape sequence below, so that none can be taken for one of the program's own."""

_SEQUENCES = (
    "\x1b]52;c;PWN\x07", "\x1b]0;PWN\x07", "\x1b]8;;http://PWN\x1b\\x\x1b]8;;\x1b\\", "\x1bPPWN\x1b\\", "\x1b[7777;77m",
    "\x1b[2J\x1b[7777H", "\x1b[?7777h", "\x9b7777m", "\x9d0;PWN\x9c", "\x90PWN\x9c", "\x1b#8", "\x1bc",
    "\r\n\x1b[7777A",
)  # fmt: skip
_MARKUP = (
    "[@click=app.quit]click[/]", "[/x]", "[/]", "[bold red]", "[$primary]", "[link=file:///etc/passwd]l[/link]", "[[",
    "app-[release].apk", "$name", "%s%n", "{0}", "<script>", "`id`", "$(id)", "; rm -rf ~", "../../x", "-rf", "~root",
)  # fmt: skip
_RANGES = (range(0x20), range(0x7F, 0xA0), range(0x200B, 0x2010), range(0x2028, 0x202F), range(0x2060, 0x2070))
_SINGLE = (0xAD, 0x61C, 0xFEFF, 0xFFF9, 0xFFFB, 0xD800, 0xDFFF, 0xE000, 0xE0041)
_INVISIBLE = [chr(n) for n in (*(n for each in _RANGES for n in each), *_SINGLE)]

STRINGS = (
    *(f"m{n} {each}" for n, each in enumerate(_MARKUP)),
    *(f"s{n} {each} end" for n, each in enumerate(_SEQUENCES)),
    *(f"{each}i{n}" for n, each in enumerate(_INVISIBLE)),
    *(f"i{n}{each}{each}x" for n, each in enumerate(_INVISIBLE)),
    *(f"x{each}" for each in _INVISIBLE),
)

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\|\x1b[()][0-9A-Z]|\x1b[=>78]"
)
_BAD = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def foreign_bytes(raw: bytes) -> list[str]:
    """What the program wrote that is neither its own frame nor harmless text."""
    text = raw.decode("utf-8", "surrogateescape")
    escapes = _ESCAPES.findall(text)
    bad = [each for each in escapes if MARK in each or "7777" in each]
    rest = _ESCAPES.sub("", text)
    return bad + [repr(char) for char in rest if char not in "\r\n" and unicodedata.category(char) in _BAD]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")[1:]
        status, body = _answer(parts)
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


def _answer(parts: list[str]) -> tuple[int, Any]:
    match parts:
        case ["me"]:
            return 200, {"data": {"username": STRINGS[20], "slug": "me"}}
        case ["apps"]:
            return 200, _page([_app(n) for n in range(len(STRINGS))])
        case ["apps", "a1", "builds"]:
            return 400, {"message": "".join(STRINGS)}
        case ["apps", app] if app[1:].isdecimal():
            return 200, {"data": _app(int(app[1:]))}
        case ["apps", _, "builds"]:
            return 200, _page([_build(n) for n in range(len(STRINGS))])
        case ["apps", _, "builds", build]:
            return 200, {"data": _build(int(build[1:]))}
        case ["apps", _, "builds", _, "artifacts"]:
            return 200, _page([_artifact(n) for n in range(len(STRINGS))])
        case ["apps", _, "builds", _, "artifacts", artifact]:
            return 200, {"data": _artifact(int(artifact[1:]))}
        case _:
            return 404, {"message": STRINGS[19]}


def _page(items: list[Any]) -> Any:
    return {"data": items, "paging": {"total_item_count": len(items), "page_item_limit": 50}}


def _app(n: int) -> Any:
    text = STRINGS[n]
    return {
        "slug": f"a{n}", "title": text, "project_type": text, "repo_url": text, "repo_owner": text, "provider": text,
        "owner": {"name": text, "account_type": text, "slug": text}, "avatar_url": text, "is_disabled": False,
    }  # fmt: skip


def _build(n: int) -> Any:
    text = STRINGS[n]
    return {
        "slug": f"b{n}", "build_number": n, "status": 1, "status_text": text, "branch": text, "tag": text,
        "triggered_workflow": text, "triggered_by": text, "commit_message": text, "commit_hash": text,
        "abort_reason": text, "pull_request_target_branch": text, "triggered_at": "2026-11-20T10:00:00Z",
        "finished_at": text, "machine_type_id": text,
    }  # fmt: skip


def _artifact(n: int) -> Any:
    text = STRINGS[n]
    return {
        "slug": f"c{n}", "title": text, "artifact_type": text, "file_size_bytes": n, "is_public_page_enabled": False,
        "artifact_meta": {"app_info": {"app_name": text, "package_name": text, "version_name": text}},
        "expiring_download_url": text, "public_install_page_url": text,
    }  # fmt: skip


@contextmanager
def serving() -> Iterator[str]:
    """Serves the API on loopback; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v0.1"
    finally:
        server.shutdown()
        server.server_close()
