"""What the header of a storage host's answer says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.errors import Mismatch

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]{1,200}"')
_CONTENT_RANGE: Final = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Head:
    """What the header of one answer says of the object, and of the part of it that follows."""

    status: int
    """200: the whole object follows; 206: a part of it; 416: nothing does, the start is beyond the end."""
    start: int
    """Offset of the first byte that follows."""
    length: int | None
    """Bytes that follow; None when the server does not say."""
    total: int | None
    """Size of the whole object; None when the server does not say."""
    validator: str | None
    """What `If-Range` takes: the strong ETag, else Last-Modified."""
    content_type: str
    md5: str | None
    """MD5 of the whole object in hex, where the server is known to tell it."""
    is_delimited: bool
    """False when only the end of the connection ends the body, so that a cut cannot be noticed."""


def read_head(response: BaseHTTPResponse) -> Head:
    """Reads the header of an answer with status 200, 206 or 416.

    Raises:
        Mismatch: A part of the object is sent without saying which.
    """
    headers = response.headers
    length = _number(headers.get("Content-Length"))
    chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
    start, total = 0, None if chunked else length
    if response.status != 200:
        start, last, total = _content_range(response.status, headers.get("Content-Range", ""))
        if response.status == 206:
            length = last - start + 1
    etag = headers.get("ETag", "")
    return Head(
        status=response.status,
        start=start,
        length=None if chunked and response.status == 200 else length,
        total=total,
        validator=etag if _STRONG_ETAG.fullmatch(etag) else headers.get("Last-Modified"),
        content_type=headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        md5=_md5(headers) if response.status != 416 else None,
        is_delimited=chunked or length is not None,
    )


def _content_range(status: int, text: str) -> tuple[int, int, int | None]:
    """First offset, last offset and total of a Content-Range; 416 has a total only."""
    found = _CONTENT_RANGE.fullmatch(text.strip())
    total = int(found[3]) if found and found[3] != "*" else None
    if status == 416:
        return 0, -1, total
    if not found or found[1] is None or int(found[2]) < int(found[1]):
        raise Mismatch("The storage sent a part of the file without saying which part.")
    return int(found[1]), int(found[2]), total


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,18}", text) else None


def _md5(headers: Mapping[str, str]) -> str | None:
    """The MD5 that an ETag is on Amazon S3, unless the object came in parts or has a key of its own."""
    if headers.get("Server") != "AmazonS3":
        return None
    if headers.get("x-amz-server-side-encryption", "AES256") != "AES256":
        return None
    if "x-amz-server-side-encryption-customer-algorithm" in headers:
        return None
    found = re.fullmatch(r'"([0-9a-f]{32})"', headers.get("ETag", ""))
    return found[1] if found else None
