"""Which host names mean this machine: plain http is allowed to those only."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without port or brackets, is this machine's loopback.

    Names are not resolved: only `localhost` and its subdomains count.
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = address_of(host)
    return address is not None and address.is_loopback


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host, without port or brackets, is written as; None where it is a name.

    An IPv4 address in the form of an IPv6 one (`::ffff:127.0.0.1`) is the former: there the connection goes.
    """
    try:
        address = ip_address(host.rstrip("."))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_odd_number(host: str) -> bool:
    """Whether a host is no address as `address_of` reads them, but the system's resolver takes it for one.

    `2130706433`, `127.1`, `0x7f.0.0.1` and `0177.0.0.1` are 127.0.0.1: where the last part is a number, all of it is
    an IPv4 address (WHATWG URL Standard, "ends in a number checker").
    """
    last = host.rstrip(".").rpartition(".")[2]
    return address_of(host) is None and re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", last) is not None
