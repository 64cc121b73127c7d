"""The bare storage client: fetches bytes from signed URLs and knows no credential.

It is blocking and meant for threads: measured, the event loop costs a body three quarters of its rate, so
urllib3 reads straight from the socket in the thread that writes. Bytes are kept as they are stored: no content
coding is asked for and none is undone.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from os import environ
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from tui.errors import ConfigError, Incomplete, LinkExpired, Mismatch, TransferError
from tui.hosts import is_loopback
from tui.safe_text import clean
from tui.secret import Secret

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 30.0
"""No byte for this long is a stall: the caller continues on a new connection."""
READ_BYTES: Final = 1 << 20
"""The most that one `Body.read` gives."""
MAX_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSED: Final = frozenset({400, 401, 403})
"""S3 answers 403 to an expired signature and 400 to an expired session token."""
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_ERROR_BODY_BYTES: Final = 4096
_CREDENTIAL_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
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


class Body:
    """One answer whose bytes are still to be read.

    Args:
        head: What the answer's header says.
        response: The answer; this object closes it.
        host: Where it comes from, for messages.
    """

    def __init__(self, head: Head, response: BaseHTTPResponse, host: str) -> None:
        self.head = head
        self._response = response
        self._host = host
        self._aborted = threading.Event()

    def read(self) -> bytes:
        """The next bytes as they arrive, at most `READ_BYTES`; empty at the end.

        Raises:
            Incomplete: The connection broke or stalled, the body ended too early, or `abort` was called.
        """
        try:
            data = self._response.read1(READ_BYTES)
        except _network_errors() as error:
            raise self._broken(error) from error
        if self._aborted.is_set():  # what a socket gives after its shutdown is not body
            raise Incomplete("The transfer was stopped.")
        return data or b""

    def abort(self) -> None:
        """Makes a `read` that waits in another thread end; `close` is still the reader's to call."""
        self._aborted.set()
        try:
            self._response.shutdown()
        except (ValueError, OSError):  # already read to its end, or closed
            return

    def close(self) -> None:
        """Gives the connection back, or closes it when bytes are left unread."""
        self._response.close()

    def __enter__(self) -> Body:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _broken(self, error: Exception) -> Incomplete:
        from urllib3.exceptions import ReadTimeoutError

        if self._aborted.is_set():
            return Incomplete("The transfer was stopped.")
        if isinstance(error, ReadTimeoutError):
            return Incomplete(f"{self._host} sent nothing for {READ_TIMEOUT_S:.0f} seconds.")
        return Incomplete(f"The connection to {self._host} broke before the file was complete.")


class Storage:
    """Opens signed URLs; may be used from many threads at once.

    Args:
        allow_loopback: Accept plain http, to loopback hosts only. Set when the API itself is on loopback.
    """

    def __init__(self, *, allow_loopback: bool = False) -> None:
        self._allow_loopback = allow_loopback
        self._managers: dict[str | None, PoolManager] = {}
        self._lock = threading.Lock()

    def open(
        self,
        url: Secret,
        *,
        start: int = 0,
        end: int | None = None,
        if_range: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Body:
        """Asks for an object, or for its bytes from `start` up to and including `end`.

        Args:
            url: The signed URL. Never probed with HEAD: the signature binds the method.
            start: Offset of the first byte wanted; a request from 0 without `end` is for the whole object.
            end: Offset of the last byte wanted.
            if_range: The validator of what is there already; the server sends the whole object if it differs.
            headers: What the provider says this URL needs; sent to its own host only.

        Raises:
            LinkExpired: The storage refuses the URL.
            Incomplete: No usable answer now; trying again may help.
            TransferError: Trying again does not help.
            ConfigError: A proxy or certificate variable of the environment is wrong.
        """
        asked = {"Accept-Encoding": "identity", "User-Agent": "digsite"}
        if start or end is not None:
            asked["Range"] = f"bytes={start}-{'' if end is None else end}"
            if if_range is not None:
                asked["If-Range"] = if_range
        own = _checked_headers(headers or {})
        target = self._check(url.reveal())
        origin = _origin(target)
        for _ in range(MAX_REDIRECTS + 1):
            host = target.hostname or ""
            response = self._get(target, asked | own if _origin(target) == origin else asked)
            if response.status not in _REDIRECTS:
                return _body(response, host)
            location = response.headers.get("Location", "")
            response.close()
            target = self._check(urljoin(target.geturl(), location), redirected_by=host)
        raise TransferError(f"The storage redirected more than {MAX_REDIRECTS} times.")

    def close(self) -> None:
        """Closes idle connections; bodies being read stay open."""
        with self._lock:
            managers = list(self._managers.values())
            self._managers.clear()
        for manager in managers:
            manager.clear()

    def _check(self, url: str, *, redirected_by: str | None = None) -> SplitResult:
        """Refuses every address but https, loopback where allowed, before anything is sent."""
        what = f"{redirected_by} redirects" if redirected_by else "The provider points"
        try:
            parts = urlsplit(url)
            host = parts.hostname
            _ = parts.port
        except ValueError as error:
            raise TransferError(f"{what} to an address that is not a URL.") from error
        if not host:
            raise TransferError(f"{what} to an address without a host.")
        name = clean(host, 100)
        if is_loopback(host):
            if self._allow_loopback and parts.scheme in {"http", "https"}:
                return parts
            raise TransferError(f"{what} to this machine ({name}), which is refused.")
        if _is_local_only(host):
            raise TransferError(f"{what} to {name}, an address of the local link, which is refused.")
        if parts.scheme != "https":
            raise TransferError(f"{what} to {name} without https, which is refused.")
        return parts

    def _get(self, target: SplitResult, headers: Mapping[str, str]) -> BaseHTTPResponse:
        from urllib3.exceptions import HTTPError, LocationParseError

        host = target.hostname or ""
        manager = self._manager(host)
        try:
            return manager.request(
                "GET",
                target.geturl(),
                headers=dict(headers),
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
            )
        except LocationParseError as error:
            raise TransferError(f"The address of the file on {host} cannot be read.") from error
        except (HTTPError, OSError, ValueError) as error:
            raise _unreachable(host, error) from error

    def _manager(self, host: str) -> PoolManager:
        proxy = _proxy_for(host)
        with self._lock:
            if proxy not in self._managers:
                self._managers[proxy] = _make_manager(proxy)
            return self._managers[proxy]


def _network_errors() -> tuple[type[Exception], ...]:
    from urllib3.exceptions import HTTPError

    # ValueError: TLS sockets raise it when another thread has shut them down.
    return (HTTPError, OSError, ValueError)


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _CREDENTIAL_HEADERS:
            raise TransferError(f"The provider wants {name} sent to the storage, which is refused.")
    return dict(headers)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port


def _is_local_only(host: str) -> bool:
    """Link-local addresses serve cloud machines' own credentials; no storage is there."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_link_local or address.is_unspecified or address.is_multicast


def _proxy_for(host: str) -> str | None:
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _make_manager(proxy: str | None) -> PoolManager:
    import urllib3
    from urllib3.exceptions import HTTPError

    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
    context = _tls_context()
    if proxy is None:
        return urllib3.PoolManager(maxsize=32, timeout=timeout, ssl_context=context)
    try:
        parts = urlsplit(proxy)
        login = f"{parts.username}:{parts.password or ''}" if parts.username else None
        return urllib3.ProxyManager(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            proxy_headers=urllib3.make_headers(proxy_basic_auth=login) if login else None,
            maxsize=32,
            timeout=timeout,
            ssl_context=context,
            proxy_ssl_context=context,
        )
    except (HTTPError, ValueError) as error:
        raise ConfigError(
            "HTTPS_PROXY (or ALL_PROXY) is not the URL of an http or https proxy.",
            hint="Correct it, or unset it.",
        ) from error


def _tls_context() -> ssl.SSLContext:
    bundle = environ.get("SSL_CERT_FILE")
    try:
        context = ssl.create_default_context(cafile=bundle or None)
        if not bundle:
            import certifi

            context.load_verify_locations(certifi.where())  # machines whose own store Python does not find
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            "SSL_CERT_FILE does not name a file of certificates.", hint="Correct it, or unset it."
        ) from error
    return context


def _unreachable(host: str, error: Exception) -> TransferError:
    from urllib3.exceptions import NameResolutionError, ProxyError, ReadTimeoutError, SSLError

    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return TransferError(
            f"The certificate of {host} is not one this machine trusts.",
            hint="If your network replaces certificates, name its bundle in SSL_CERT_FILE.",
        )
    if isinstance(error, ProxyError):
        return Incomplete(f"The proxy in HTTPS_PROXY does not lead to {host}.")
    if isinstance(error, NameResolutionError):
        return Incomplete(f"The name {host} cannot be resolved.")
    if isinstance(error, ReadTimeoutError):
        return Incomplete(f"{host} did not answer within {READ_TIMEOUT_S:.0f} seconds.")
    return Incomplete(f"{host} cannot be reached.")


def _body(response: BaseHTTPResponse, host: str) -> Body:
    try:
        if response.status in {200, 206, 416}:
            return Body(_head(response), response, host)
        raise _refusal(response, host)
    except TransferError:
        response.close()
        raise


def _refusal(response: BaseHTTPResponse, host: str) -> TransferError:
    try:
        text = response.read(_ERROR_BODY_BYTES).decode("utf-8", "replace")
    except _network_errors():
        text = ""
    words = [
        clean(found[1], 200)
        for found in (re.search(rf"<{tag}>([^<]*)</{tag}>", text) for tag in ("Code", "Message"))
        if found
    ]
    said = f"{response.status} {': '.join(words)}".rstrip()
    if response.status in _REFUSED:
        return LinkExpired(f"{host} refuses the link to the file ({said}).")
    if response.status in _PASSING:
        return Incomplete(f"{host} cannot serve the file now ({said}).")
    if response.status in {404, 410}:
        return TransferError(f"{host} no longer has the file ({said}).")
    return TransferError(f"{host} answered {said}, which is not a file.")


def _head(response: BaseHTTPResponse) -> Head:
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
