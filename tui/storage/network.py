"""How the storage host is reached: time limits, proxies, certificates, and what their errors mean."""

from __future__ import annotations

import ssl
from os import environ
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from tui.errors import ConfigError, Incomplete, TransferError
from tui.hosts import is_loopback

if TYPE_CHECKING:
    from urllib3 import PoolManager

CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 30.0
"""No byte for this long, unless told otherwise, is a stall: the caller continues on a new connection."""


def proxy_for(host: str) -> str | None:
    """The proxy that the environment (or the system) names for an https host; loopback never has one."""
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def make_manager(proxy: str | None, read_timeout_s: float, *, tls: bool) -> PoolManager:
    """A pool of connections, through a proxy or direct.

    Args:
        proxy: Its URL.
        read_timeout_s: No byte for this long is a stall.
        tls: Whether the hosts are asked over https; plain http needs no certificates, which take 20 ms to load.

    Raises:
        ConfigError: The environment names a proxy or a certificate file that cannot be used.
    """
    import urllib3
    from urllib3.exceptions import HTTPError

    from tui.storage.connections import PlainPool, TlsPool

    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s)
    context = _tls_context() if tls else None
    manager: PoolManager
    if proxy is None:
        manager = urllib3.PoolManager(maxsize=32, timeout=timeout, ssl_context=context)
    else:
        try:
            address, login = _split_login(proxy)
            manager = urllib3.ProxyManager(
                address,
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
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
    return manager


def _split_login(proxy: str) -> tuple[str, str | None]:
    """A proxy's URL without its login, and that as `user:password`; ValueError when there is no host."""
    parts = urlsplit(proxy)
    if not parts.hostname:
        raise ValueError("no host")  # urllib3 would connect without a proxy
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", login


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


def network_errors() -> tuple[type[Exception], ...]:
    """What reading from a connection may raise."""
    from urllib3.exceptions import HTTPError

    # ValueError: TLS sockets raise it when another thread has shut them down.
    return (HTTPError, OSError, ValueError)


def unreachable(host: str, error: Exception, read_timeout_s: float) -> TransferError:
    """What it means that no answer came: `Incomplete` where trying again may help."""
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
        return Incomplete(f"{host} did not answer within {read_timeout_s:.0f} seconds.")
    return Incomplete(f"{host} cannot be reached.")
