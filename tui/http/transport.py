"""One request, one answer. The only module that imports httpx, so that it can be exchanged here.

httpx 0.28.1 has no total time-out, unpacks a gzip body of any size and raises from its constructor when a
proxy variable is wrong (all measured); this module bounds and maps all of it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui import __version__
from tui.errors import BadPayload, ProviderError, Unreachable
from tui.http.origin import Origin
from tui.secret import Secret

if TYPE_CHECKING:
    import httpx

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
"""No API answer is longer, on the wire or unpacked."""
CONNECT_TIMEOUT_S: Final = 8.0
"""TCP repeats its first packet within this time, so a connect time-out is not tried again."""
READ_TIMEOUT_S: Final = 20.0
WRITE_TIMEOUT_S: Final = 10.0
POOL_TIMEOUT_S: Final = 30.0

PROXY_VARIABLES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
PROXY_SCHEMES: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Delivery:
    """How far a request got; kept outside the call because a time-out ends the call."""

    sent: bool = False
    """Whether any byte of the request may have reached the server."""


class Fault(Exception):
    """No usable answer.

    Args:
        error: What to tell the user.
        passing: Whether the same request may succeed a moment later.
    """

    def __init__(self, error: ProviderError, *, passing: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.passing = passing


class Transport:
    """Connections to one origin: no redirects, no cookies kept, no proxy for a loopback host."""

    def __init__(self, origin: Origin, *, connections: int, who: str) -> None:
        self._origin = origin
        self._connections = connections
        self._who = who
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def send(
        self, method: str, url: str, authorization: Secret, content: bytes | None, delivery: Delivery
    ) -> Answer:
        """Sends one request, with a JSON body or none, and reads the whole answer.

        Raises:
            Fault: No whole answer arrived, or it is too long; `delivery` tells whether the request was sent.
        """
        client = await self._open()
        import httpx

        async def trace(event: str, _info: object) -> None:
            if event.endswith("send_request_headers.started"):
                delivery.sent = True

        try:
            request = client.build_request(method, url, content=content, extensions={"trace": trace})
            request.headers["Authorization"] = authorization.reveal()
            if content is not None:
                request.headers["Content-Type"] = "application/json"
            response = await client.send(request, stream=True)
            try:
                body = await self._read(response)
            finally:
                await response.aclose()
        except httpx.InvalidURL as error:
            problem = BadPayload("The server gave an address that cannot be requested.")
            raise Fault(problem, passing=False) from error
        except httpx.ProxyError as error:
            delivery.sent = False
            raise Fault(self._proxy_refused(), passing=False) from error
        except httpx.HTTPError as error:
            raise self._fault(error) from error
        finally:
            client.cookies.clear()
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)

    async def aclose(self) -> None:
        """Closes all connections; the transport cannot be used again."""
        self._closed = True
        if self._client is not None:
            await self._client.aclose()

    async def _open(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._closed:
                raise Fault(Unreachable(f"The connection to {self._who} was closed."), passing=False)
            if self._client is None:
                # Importing httpx and reading the certificates takes 150 ms and more: not on the event loop.
                self._client = await asyncio.to_thread(self._make)
            return self._client

    def _make(self) -> httpx.AsyncClient:
        import httpx

        try:
            context = httpx.create_ssl_context(trust_env=True)
        except (OSError, ValueError) as error:
            variable = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
            problem = Unreachable(
                f"The certificates named by {variable} cannot be read.", hint=f"Correct or unset {variable}."
            )
            raise Fault(problem, passing=False) from error
        try:
            return httpx.AsyncClient(
                verify=context,
                trust_env=not self._origin.is_loopback,  # a proxy would see the credential in the clear
                follow_redirects=False,
                headers={
                    "User-Agent": f"digsite/{__version__}",
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip",
                },
                timeout=httpx.Timeout(
                    connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S, write=WRITE_TIMEOUT_S, pool=POOL_TIMEOUT_S
                ),
                limits=httpx.Limits(max_connections=self._connections, max_keepalive_connections=self._connections),
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise Fault(_broken_proxy(os.environ), passing=False) from error

    async def _read(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        length = 0
        async for chunk in response.aiter_raw():
            length += len(chunk)
            if length > MAX_BODY_BYTES:
                raise Fault(self._too_long(), passing=False)
            parts.append(chunk)
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        match encoding:
            case "identity" | "":
                return b"".join(parts)
            case "gzip" | "x-gzip":
                return self._unpack(b"".join(parts))
            case _:
                problem = BadPayload(f"{self._who} answered in an encoding that was not asked for.")
                raise Fault(problem, passing=False)

    def _unpack(self, packed: bytes) -> bytes:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            body = unpacker.decompress(packed, MAX_BODY_BYTES + 1)
        except zlib.error as error:
            raise Fault(BadPayload(f"{self._who} sent a damaged gzip body."), passing=True) from error
        if len(body) > MAX_BODY_BYTES:
            raise Fault(self._too_long(), passing=False)
        if not unpacker.eof:
            raise Fault(BadPayload(f"{self._who} sent a gzip body that was cut."), passing=True)
        return body

    def _too_long(self) -> ProviderError:
        return BadPayload(f"{self._who} sent an answer longer than {MAX_BODY_BYTES // 1024 // 1024} MB.")

    def _fault(self, error: httpx.HTTPError) -> Fault:
        import httpx

        causes = _causes(error)
        untrusted = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
        if untrusted is not None:
            problem = Unreachable(
                f"The certificate of {self._who} is not trusted: {untrusted.verify_message}.",
                hint="Behind a proxy that inspects traffic, name its CA file in SSL_CERT_FILE.",
            )
            return Fault(problem, passing=False)
        resolving = next((cause for cause in causes if isinstance(cause, socket.gaierror)), None)
        if resolving is not None:
            problem = Unreachable(
                f"The name of {self._who} cannot be resolved.", hint="Check the network and the name server."
            )
            return Fault(problem, passing=resolving.errno != socket.EAI_NONAME)
        match error:
            case _ if any(isinstance(cause, ssl.SSLError) for cause in causes):
                reason = "did not agree on a secure connection"
            case httpx.ConnectTimeout():
                reason = f"did not accept a connection within {CONNECT_TIMEOUT_S:.0f} s"
            case httpx.TimeoutException():
                reason = "stopped answering"
            case httpx.ConnectError():
                reason = "refused the connection or cannot be reached"
            case _:
                reason = "broke the connection"
        problem = Unreachable(f"{self._who} {reason}.", hint="Check the network, or try again later.")
        return Fault(problem, passing=not isinstance(error, httpx.ConnectTimeout))

    def _proxy_refused(self) -> ProviderError:
        variable = next((name for name in PROXY_VARIABLES if os.environ.get(name)), "HTTPS_PROXY")
        return Unreachable(
            f"The proxy named by {variable} did not connect to {self._origin.host}.",
            hint=f"Check {variable}, its login, and whether NO_PROXY should name the host.",
        )


def _broken_proxy(environ: Mapping[str, str]) -> ProviderError:
    """Which proxy variable is wrong; its value may hold a password and is never shown."""
    for name in PROXY_VARIABLES:
        value = environ.get(name, "").lower()
        if value.startswith("socks"):
            return Unreachable(
                f"{name} names a SOCKS proxy, which is not supported.",
                hint="Use a http:// proxy, or unset the variable.",
            )
        if "://" in value and not value.startswith(PROXY_SCHEMES):
            return Unreachable(
                f"{name} names a proxy of an unknown kind.", hint="It must start with http:// or https://."
            )
    suspects = [name for name in (*PROXY_VARIABLES, "NO_PROXY", "no_proxy") if environ.get(name)]
    named = " or ".join(suspects) or "A proxy setting"
    return Unreachable(f"{named} cannot be read.", hint="Correct it or unset it.")


def _causes(error: BaseException | None) -> list[BaseException]:
    """An exception and those that it came from."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain
