"""Switches that make the demo's servers misbehave, and the gate every request passes through."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HTML: Final = b"<!doctype html><title>Sign in</title><h1>Welcome to the guest network</h1>"


@dataclass
class _Scripted:
    """A refusal that waits for its requests."""

    server: str
    method: str
    path: re.Pattern[str]
    status: int
    times: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Faults:
    """What goes wrong. Every field may be changed while the servers run; `fail` adds refusals for single routes."""

    latency_s: float = 0.0
    """Added to every answer of every server."""
    clock_offset_s: float = 0.0
    """Seconds by which the servers' clock is ahead: Date headers, token checks and signed URLs follow it."""
    cut_json_at: int | None = None
    """API answers end after this many bytes, with a matching Content-Length."""
    html: bool = False
    """API answers are a web page with status 200."""
    url_life_s: int = 600
    """Seconds a signed URL lives; 0 expires those already handed out."""
    ignore_range: bool = False
    cut_body_after: int | None = None
    """Storage closes the connection after this many bytes of a body."""
    bytes_per_second: int | None = None
    """Of each storage connection."""
    calls_left: int | None = None
    """What demo-xcode-cloud says is left of the hour's calls; None counts them."""
    etag_salt: str = ""
    """Changes the ETag of everything in storage."""
    _scripted: list[_Scripted] = field(default_factory=list[_Scripted])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(
        self,
        server: str,
        method: str,
        path_regex: str,
        status: int,
        *,
        times: int = 1,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        """Answers the next requests of a route with a status of our choice, without carrying them out.

        Args:
            server: `bitrise`, `xcode-cloud` or `storage`.
            method: GET, PATCH, ...
            path_regex: Searched in the request's path.
            status: 0 stands for a lost answer: the request is carried out, then the connection breaks.
            times: How many requests it hits.
            headers: Sent with it, e.g. Retry-After.
            body: Sent with it.
        """
        scripted = _Scripted(server, method, re.compile(path_regex), status, times, headers or {}, body)
        with self._lock:
            self._scripted.append(scripted)

    def now(self) -> float:
        """The servers' clock, in seconds since 1970."""
        return time.time() + self.clock_offset_s

    def take(self, server: str, method: str, path: str) -> _Scripted | None:
        """The refusal that a request meets, if any; uses it up."""
        with self._lock:
            for scripted in self._scripted:
                if (scripted.server, scripted.method) == (server, method) and scripted.path.search(path):
                    scripted.times -= 1
                    if scripted.times == 0:
                        self._scripted.remove(scripted)
                    return scripted
        return None


@dataclass
class SeenRequest:
    """One request as it arrived."""

    server: str
    """`bitrise`, `xcode-cloud` or `storage`."""
    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = b""


class Gate:
    """Notes every request and applies the faults that are the same for all servers."""

    def __init__(self, app: ASGIApp, server: str, faults: Faults, note: Callable[[SeenRequest], None]) -> None:
        self._app = app
        self._server = server
        self._faults = faults
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        seen = SeenRequest(
            self._server,
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        )
        self._note(seen)
        if self._faults.latency_s:
            await asyncio.sleep(self._faults.latency_s)
        scripted = self._faults.take(self._server, seen.method, seen.path)
        dated = self._dated(send)
        if scripted is not None and scripted.status:
            await _answer(dated, scripted.status, scripted.headers, scripted.body)
        elif scripted is not None:
            await self._app(scope, _noting(receive, seen), _swallow)
            await dated({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        elif self._server != "storage" and self._faults.html:
            await _answer(dated, 200, {"content-type": "text/html"}, _HTML)
        else:
            await self._app(scope, _noting(receive, seen), self._cutting(dated))

    def _dated(self, send: Send) -> Send:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._faults.now(), usegmt=True).encode()
                message = {**message, "headers": [(b"date", date), *message["headers"]]}
            await send(message)

        return dated

    def _cutting(self, send: Send) -> Send:
        limit = self._faults.cut_json_at
        if self._server == "storage" or limit is None:
            return send

        held: list[Message] = []

        async def cutting(message: Message) -> None:
            if message["type"] == "http.response.start":
                held.append(message)
                return
            body = message["body"][:limit]
            start = held.pop()
            headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({**message, "body": body})

        return cutting


def _noting(receive: Receive, seen: SeenRequest) -> Receive:
    async def noting() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            seen.body += message["body"]
        return message

    return noting


async def _swallow(message: Message) -> None:
    pass


async def _answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
