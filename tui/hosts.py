"""Which host names mean this machine: plain http is allowed to those only."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without port or brackets, is this machine's loopback.

    Names are not resolved: only `localhost` and its subdomains count.
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
