"""The storage client.

It is blocking and meant for threads: measured, the event loop costs a body three quarters of its rate, so
urllib3 reads straight from the socket in the thread that writes. Bytes are kept as they are stored: no content
coding is asked for and none is undone.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from tui.errors import Gone, Incomplete, LinkExpired, TransferError
from tui.hosts import address_of, is_loopback, is_odd_number
from tui.safe_text import clean
from tui.secret import Secret
from tui.storage.body import Body
from tui.storage.call import Call
from tui.storage.head import read_head
from tui.storage.local import LocalFile, open_local
from tui.storage.network import (
    CONNECT_TIMEOUT_S,
    READ_TIMEOUT_S,
    make_manager,
    network_errors,
    proxy_for,
    unreachable,
)

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

MAX_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSED: Final = frozenset({400, 401, 403})
"""S3 answers 403 to an expired signature and 400 to an expired session token."""
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_ERROR_BODY_BYTES: Final = 4096
_CREDENTIAL_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


class Storage:
    """Opens signed URLs; may be used from many threads at once.

    Args:
        allow_loopback: Accept plain http, to loopback hosts only. Set when the API itself is on loopback.
        read_timeout_s: No byte for this long is a stall.
    """

    def __init__(self, *, allow_loopback: bool = False, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._allow_loopback = allow_loopback
        self._read_timeout_s = read_timeout_s
        self._managers: dict[tuple[str | None, bool], PoolManager] = {}
        """By proxy, and whether over TLS."""
        self._lock = threading.Lock()

    def open(
        self,
        url: Secret,
        *,
        start: int = 0,
        end: int | None = None,
        if_range: str | None = None,
        headers: Mapping[str, str] | None = None,
        call: Call | None = None,
    ) -> Body:
        """Asks for an object, or for its bytes from `start` up to and including `end`.

        Args:
            url: The signed URL. Never probed with HEAD: the signature binds the method.
            start: Offset of the first byte wanted; a request from 0 without `end` is for the whole object.
            end: Offset of the last byte wanted.
            if_range: The validator of what is there already; the server sends the whole object if it differs.
            headers: What the provider says this URL needs; sent to its own host only.
            call: By which another thread can end this, and the reading of the body.

        Raises:
            LinkExpired: The storage refuses the URL.
            Incomplete: No usable answer now; trying again may help.
            TransferError: Trying again does not help.
            ConfigError: A proxy or certificate variable of the environment is wrong.
        """
        call = call or Call()
        if isinstance(url, LocalFile):
            return call.answered(open_local(url, start, end, if_range))
        asked = {"Accept-Encoding": "identity", "User-Agent": "digsite"}
        if start or end is not None:
            asked["Range"] = f"bytes={start}-{'' if end is None else end}"
            if if_range is not None:
                asked["If-Range"] = if_range
        own = _checked_headers(headers or {})
        target = self._check(url.reveal())
        origin = _origin(target)
        for _ in range(MAX_REDIRECTS + 1):
            with call.opening(CONNECT_TIMEOUT_S + self._read_timeout_s):
                response = self._get(target, asked | own if _origin(target) == origin else asked, call)
                if response.status not in _REDIRECTS:
                    return call.answered(_body(response, target.hostname or "", self._read_timeout_s))
            location = response.headers.get("Location", "")
            response.close()
            target = self._check(location, base=target)
        raise TransferError(f"The storage redirected more than {MAX_REDIRECTS} times.")

    def close(self) -> None:
        """Closes idle connections; bodies being read stay open."""
        with self._lock:
            managers = list(self._managers.values())
            self._managers.clear()
        for manager in managers:
            manager.clear()

    def _check(self, url: str, *, base: SplitResult | None = None) -> SplitResult:
        """Refuses every address but https, loopback where allowed, before anything is sent.

        Args:
            url: The provider's, or a redirect's Location.
            base: The address that redirected.
        """
        what = f"{base.hostname} redirects" if base else "The provider points"
        try:
            parts = urlsplit(urljoin(base.geturl(), url) if base else url)
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
        if is_odd_number(host):
            raise TransferError(f"{what} to {name}, an address in an unusual form, which is refused.")
        if _is_local_only(host):
            raise TransferError(f"{what} to {name}, an address of the local link, which is refused.")
        if parts.scheme != "https":
            raise TransferError(f"{what} to {name} without https, which is refused.")
        return parts

    def _get(self, target: SplitResult, headers: Mapping[str, str], call: Call) -> BaseHTTPResponse:
        from urllib3.exceptions import HTTPError, LocationParseError

        host = target.hostname or ""
        manager = self._manager(target)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        try:
            # Host and path as they are here, not the URL: urllib3 finds another host in `https://127.0.0.1\@host/`
            # than the one that was checked, and takes dot segments out of a path, which goes as it was signed.
            pool = manager.connection_from_host(f"[{host}]" if ":" in host else host, target.port, target.scheme)
            return pool.urlopen(
                "GET",
                path,
                headers=dict(headers),
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
                assert_same_host=False,
            )
        except LocationParseError as error:
            raise TransferError(f"The address of the file on {host} cannot be read.") from error
        except (HTTPError, OSError, ValueError) as error:
            if call.is_too_late:
                raise Incomplete(f"{host} took too long to answer.") from error
            raise unreachable(host, error, self._read_timeout_s) from error

    def _manager(self, target: SplitResult) -> PoolManager:
        proxy, tls = proxy_for(target.hostname or ""), target.scheme == "https"
        with self._lock:
            if (proxy, tls) not in self._managers:
                self._managers[proxy, tls] = make_manager(proxy, self._read_timeout_s, tls=tls)
            return self._managers[proxy, tls]


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _CREDENTIAL_HEADERS:
            raise TransferError(f"The provider wants {name} sent to the storage, which is refused.")
    return dict(headers)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port


def _is_local_only(host: str) -> bool:
    """Link-local addresses serve cloud machines' own credentials; no storage is there."""
    address = address_of(host)
    return address is not None and (address.is_link_local or address.is_unspecified or address.is_multicast)


def _body(response: BaseHTTPResponse, host: str, read_timeout_s: float) -> Body:
    try:
        if response.status in {200, 206, 416}:
            return Body(read_head(response), response, host, read_timeout_s)
        raise _refusal(response, host)
    except TransferError:
        response.close()
        raise


def _refusal(response: BaseHTTPResponse, host: str) -> TransferError:
    try:
        text = response.read(_ERROR_BODY_BYTES).decode("utf-8", "replace")
    except network_errors():
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
        return Gone(f"{host} no longer has the file ({said}).")
    return TransferError(f"{host} answered {said}, which is not a file.")
