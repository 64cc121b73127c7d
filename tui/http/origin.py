"""The one place a client may talk to: scheme, host and port, and the path its API starts at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from tui.errors import ConfigError, ProviderError
from tui.hosts import is_loopback
from tui.safe_text import clean

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Origin:
    """An API's address. Every URL that is requested is rebuilt from it, so its host can never differ."""

    scheme: str
    host: str
    port: int
    path: str = ""
    """What every path of the API starts with, without a slash at its end: `/v0.1`."""

    @classmethod
    def parse(cls, url: str) -> Origin:
        """Reads the address of an API.

        Raises:
            ConfigError: It is not https (or http on loopback), or holds a login, a query or a fragment.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise ConfigError(f"The address {clean(url)} cannot be read.") from None
        if parts.username is not None or parts.query or parts.fragment:
            raise ConfigError("The address of an API holds no login, no query and no fragment.")
        if not host or parts.scheme not in _DEFAULT_PORTS:
            raise ConfigError(f"The address {clean(url)} must start with https:// and name a host.")
        if parts.scheme == "http" and not is_loopback(host):
            raise ConfigError(
                f"The address {clean(url)} would send the credential in the clear.",
                hint="Use https; http is only accepted for a loopback host.",
            )
        return cls(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], parts.path.rstrip("/"))

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(self.host)

    def url(self, *segments: str, params: Mapping[str, str] | None = None) -> str:
        """The address of a resource; each segment is one path component, whatever it holds."""
        path = "".join(f"/{_component(segment)}" for segment in segments)
        query = urlencode(params or {}, safe=",", quote_via=quote, errors="replace")
        return self._rebuild(self.path + path, query)

    def adopt(self, url: str) -> str:
        """An address that the server gave, made ours.

        Raises:
            ProviderError: It points somewhere else, so following it could hand out the credential.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            raise ProviderError("The server named a next page that is not an address.") from None
        if (parts.scheme, parts.hostname, port) != (self.scheme, self.host, self.port) or "@" in parts.netloc:
            raise ProviderError(
                f"The server named a next page on {clean(parts.netloc, 80) or 'no host'}"
                f" instead of {self.host}; it was not followed."
            )
        return self._rebuild(quote(parts.path, safe="/%:@,+=~", errors="replace"), _query(parts.query))

    def _rebuild(self, path: str, query: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = self.port == _DEFAULT_PORTS[self.scheme]
        netloc = host if default else f"{host}:{self.port}"
        return f"{self.scheme}://{netloc}{path}" + (f"?{query}" if query else "")


def _component(segment: str) -> str:
    """Quotes one path component; `.` and `..` too, which `quote` leaves alone."""
    quoted = quote(segment, safe="", errors="replace")
    return quoted.replace(".", "%2E") if quoted in {".", ".."} else quoted


def _query(query: str) -> str:
    return quote(query, safe="=&%,+[]:/@~", errors="replace")
