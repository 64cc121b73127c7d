"""A log of 100 MB in a real terminal: read to its end, searched, and held in little memory."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Open = Callable[..., Any]

LINE = b"> Task :feature:number%07d:compileReleaseKotlin UP-TO-DATE, and so on to the end of the line it goes\n"
LINES = 1_000_000
LONG = b"x" * (1 << 20) + b"\n"
MEMORY_MB = 150
BUILD = {"slug": "b1", "build_number": 7, "status": 2, "triggered_workflow": "primary", "branch": "main",
         "triggered_at": "2026-11-20T10:00:00Z", "finished_at": "2026-11-20T10:20:00Z"}  # fmt: skip


class Vendor(BaseHTTPRequestHandler):
    """One app with one failed build, whose log is long."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/raw":
            self._send_log()
        elif path.endswith("/log"):
            host = self.headers["Host"]
            self._send({"expiring_raw_log_url": f"http://{host}/raw", "is_archived": True, "log_chunks": []})
        elif path.endswith("/builds"):
            self._send({"data": [BUILD], "paging": {}})
        elif path.endswith("/apps"):
            self._send({"data": [{"slug": "a1", "title": "acme", "project_type": "android"}], "paging": {}})
        else:
            self._send({"data": [], "paging": {}})

    def _send(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_log(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(LINE % 0) * LINES + len(LONG)))
        self.end_headers()
        for start in range(0, LINES, 10_000):
            self.wfile.write(b"".join(LINE % n for n in range(start, start + 10_000)))
            if start == 500_000:
                self.wfile.write(LONG)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
        """Says nothing."""


@pytest.fixture
def vendor() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Vendor) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v0.1"
        server.shutdown()


def peak_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


def test_a_long_log_is_read_searched_and_left(terminal: Open, vendor: str) -> None:
    extra = {"BITRISE_TOKEN": "bitpat_" + "x" * 40, "DIGSITE_BITRISE_URL": vendor}
    with terminal(columns=120, lines=40, extra=extra) as t:
        t.until(lambda text: "acme" in text)
        t.send("\r")
        t.until(lambda text: "#7" in text)
        t.send("L")
        t.until(lambda text: ":feature:number0000000:" in text)
        t.until(lambda text: "1,000,001 lines" in text)
        t.send("G")
        t.until(lambda text: ":feature:number0999999:" in text)
        t.send("g")
        t.until(lambda text: ":feature:number0000000:" in text)
        t.send("/number0777777")
        t.until(lambda text: "number0777777" in text.splitlines()[-2] + text.splitlines()[-1])
        t.send("\r")
        t.until(lambda text: ":feature:number0777777:" in text)
        if sys.platform == "linux":
            assert peak_mb(t.process.pid) < MEMORY_MB
        t.send("q")
        t.until(lambda text: "Builds · acme" in text)
        t.send("q")
        assert t.end() == 0
