"""The storage host: presigned URLs as S3 makes them, ranges, and public install pages."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import html
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tui.demo import seeds
from tui.demo.archives import BLOCK_BYTES, Body, Plain, blocks
from tui.demo.bitrise_builds import BitriseArtifact
from tui.demo.data import DemoData, body_of
from tui.demo.faults import Faults
from tui.demo.logs import bitrise_log

_MD5_LIMIT: Final = 8 << 20
"""Larger objects count as uploaded in parts of this size: their ETag is not an MD5."""
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_ARTIFACT: Final = re.compile(r"/(?:bitrise/builds/[^/]+/artifacts|xcode-cloud)/([^/]+)/[^/]+")
_LOG: Final = re.compile(r"/bitrise/builds/([^/]+)/log")
_INSTALL: Final = re.compile(r"/install/([0-9a-f]{16})")


class Refusal(Exception):
    """An answer of the storage other than the object, in its XML shape."""

    def __init__(self, status: int, code: str, message: str, more: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.more = more or {}

    def response(self) -> Response:
        """The XML document."""
        fields = {"Code": self.code, "Message": self.message, **self.more, "RequestId": secrets.token_hex(8).upper()}
        body = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{body}</Error>'
        size = self.more.get("ActualObjectSize")
        headers = None if size is None else {"content-range": f"bytes */{size}"}
        return Response(text, self.status, headers, media_type="application/xml")


class Signer:
    """Makes and checks URLs in the query form of AWS Signature Version 4, with a key of this run alone."""

    def __init__(self, base_url: str, faults: Faults) -> None:
        self._base_url = base_url
        self._faults = faults
        self._key = secrets.token_bytes(32)

    def url(self, path: str) -> str:
        """A URL for GET on a path of unreserved characters, valid from now on."""
        date = datetime.fromtimestamp(self._faults.now(), UTC).strftime(_STAMP)
        expires = str(self._faults.url_life_s)
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
            "X-Amz-Credential": f"AKIADEMODEMODEMODEMO/{date[:8]}/us-east-1/s3/aws4_request",
            "X-Amz-Date": date,
            "X-Amz-Expires": expires,
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Signature": self._signature("GET", path, date, expires),
        }
        return f"{self._base_url}{path}?{urlencode(query)}"

    def check(self, request: Request) -> None:
        """Refuses a request whose query does not sign it.

        Raises:
            Refusal: With S3's status and code.
        """
        if "authorization" in request.headers:
            raise Refusal(
                400,
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
                "parameter or the Authorization header should be specified",
            )
        query = request.query_params
        date, expires = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
        if "X-Amz-Signature" not in query:
            raise Refusal(403, "AccessDenied", "Access Denied")
        signature = self._signature(request.method, request.url.path, date, expires)
        if not hmac.compare_digest(signature.encode(), query["X-Amz-Signature"].encode()):
            message = "The request signature we calculated does not match the signature you provided."
            raise Refusal(403, "SignatureDoesNotMatch", message)
        signed_at = datetime.strptime(date, _STAMP).replace(tzinfo=UTC).timestamp()
        now = self._faults.now()
        if now >= signed_at + min(int(expires), self._faults.url_life_s):
            server_time = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            more = {"X-Amz-Expires": expires, "ServerTime": server_time}
            raise Refusal(403, "AccessDenied", "Request has expired", more)

    def _signature(self, method: str, path: str, date: str, expires: str) -> str:
        text = "\n".join((method, path, date, expires))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


class InstallPages:
    """The addresses of public install pages, remembered once they were told."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._slugs: dict[str, str] = {}

    def url(self, artifact: BitriseArtifact) -> str:
        """The address of an artifact's page, whether it is on or not."""
        token = seeds.hexadecimal(16, "install", artifact.slug)
        self._slugs[token] = artifact.slug
        return f"{self._base_url}/install/{token}"

    def slug(self, token: str) -> str | None:
        """The artifact behind an address."""
        return self._slugs.get(token)


def object_name(title: str) -> str:
    """The last part of an object's path: unreserved characters only, so that no client rewrites it."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", title)[-60:].lstrip(".") or "file"


@dataclass(frozen=True)
class _Range:
    start: int
    end: int
    """Exclusive."""


def parse_range(header: str, size: int) -> _Range | None:
    """One byte range; None when there is none to honour: several ranges or another unit are ignored, as S3 does.

    Raises:
        Refusal: The range begins behind the end (416).
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        more = {"RangeRequested": header, "ActualObjectSize": str(size)}
        raise Refusal(416, "InvalidRange", "The requested range is not satisfiable", more)
    return _Range(start, end)


class _Stream(Response):
    """Sends a part of a body in steps, so that memory does not grow with it."""

    def __init__(self, body: Body, part: _Range, status: int, headers: Mapping[str, str], faults: Faults) -> None:
        super().__init__(status_code=status, headers=headers)
        self.headers["content-length"] = str(part.end - part.start)
        self._source = body
        self._part = part
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        position, end = self._part.start, self._part.end
        cut = self._faults.cut_body_after
        stop = end if cut is None else min(end, position + cut)
        while position < stop:
            rate = self._faults.bytes_per_second
            step = min(BLOCK_BYTES if rate is None else max(1, rate // 20), stop - position)
            chunk = self._source.read(position, step)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            position += len(chunk)
            # Paces a body to the rate. Without one it gives other requests a turn: `send` waits only for a client that
            # is slower than this.
            await asyncio.sleep(0 if rate is None else len(chunk) / rate)
        if stop == end:
            await send({"type": "http.response.body", "body": b""})


def storage_app(data: DemoData, signer: Signer, pages: InstallPages, faults: Faults) -> ASGIApp:
    """The storage host as an ASGI application."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            response = await _respond(request, data, signer, pages, faults)
        except Refusal as refusal:
            response = refusal.response()
        await response(scope, receive, send)

    return app


async def _respond(request: Request, data: DemoData, signer: Signer, pages: InstallPages, faults: Faults) -> Response:
    path = request.url.path
    install = _INSTALL.fullmatch(path)
    if install is not None and request.method in {"GET", "HEAD"}:
        return _install_page(install[1], data, signer, pages)
    if request.method not in {"GET", "HEAD"}:
        raise Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    signer.check(request)
    make = _body_maker(path, data)
    if make is None:
        raise Refusal(404, "NoSuchKey", "The specified key does not exist.", {"Key": path[1:]})
    body = await asyncio.to_thread(make)
    etag = await asyncio.to_thread(_etag, body, path, faults.etag_salt)
    modified = format_datetime(data.now.replace(hour=0, minute=0, second=0, microsecond=0), usegmt=True)
    headers = {
        "etag": etag,
        "last-modified": modified,
        "accept-ranges": "bytes",
        "content-type": "application/octet-stream",
        "x-amz-request-id": secrets.token_hex(8).upper(),
    }
    part = None
    wanted = request.headers.get("range")
    if wanted is not None and not faults.ignore_range and request.headers.get("if-range", etag) in {etag, modified}:
        part = parse_range(wanted, body.size)
    if part is None:
        return _Stream(body, _Range(0, body.size), 200, headers, faults)
    headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{body.size}"
    return _Stream(body, part, 206, headers, faults)


def _body_maker(path: str, data: DemoData) -> Callable[[], Body] | None:
    artifact = _ARTIFACT.fullmatch(path)
    if artifact is not None:
        content = data.content(artifact[1])
        return None if content is None else lambda: body_of(content)
    log = _LOG.fullmatch(path)
    build = data.bitrise.any_build(log[1]) if log is not None else None
    if build is None:
        return None
    subject = build.subject
    return lambda: Plain("\n".join(bitrise_log(subject)).encode() + b"\n")


def _etag(body: Body, path: str, salt: str) -> str:
    if body.size <= _MD5_LIMIT and not salt:
        digest = hashlib.md5(usedforsecurity=False)
        for block in blocks(body):
            digest.update(block)
        return f'"{digest.hexdigest()}"'
    parts = -(-body.size // _MD5_LIMIT)
    return f'"{seeds.hexadecimal(32, "etag", path, salt)}-{parts}"'


def _install_page(token: str, data: DemoData, signer: Signer, pages: InstallPages) -> Response:
    slug = pages.slug(token)
    artifact = data.bitrise.artifact(slug) if slug is not None else None
    if artifact is None or not data.bitrise.is_public(artifact):
        return HTMLResponse("<!doctype html><title>Not found</title><h1>This page does not exist.</h1>", 404)
    title = html.escape(artifact.recipe.title.encode(errors="replace").decode())
    app = html.escape(artifact.build.app.title)
    link = html.escape(signer.url(bitrise_path(artifact)))
    return HTMLResponse(
        f'<!doctype html><meta charset="utf-8"><title>{title}</title>\n<h1>{app} #{artifact.build.number}</h1>\n'
        f'<p>{title}, {artifact.size} bytes</p>\n<p><a href="{link}">Install</a></p>\n'
    )


def bitrise_path(artifact: BitriseArtifact) -> str:
    """Where an artifact of demo-bitrise lies."""
    return f"/bitrise/builds/{artifact.build.slug}/artifacts/{artifact.slug}/{object_name(artifact.recipe.title)}"
