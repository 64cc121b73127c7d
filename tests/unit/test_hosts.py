"""Which hosts mean this machine, however they are written."""

from __future__ import annotations

import pytest

from tui.hosts import is_loopback, is_odd_number


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.8.9.1.", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"],
)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", ".", "localhost.example", "notlocalhost", "128.0.0.1", "::2", "::ffff:1.2.3.4", "127.1", "127.0.0.1.a"]
)
def test_others(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host", ["2130706433", "127.1", "127.1.", "0x7f.0.0.1", "0X7F000001", "0177.0.0.1", "1.2.3.256"]
)
def test_numbers_that_a_resolver_takes_for_an_address(host: str) -> None:
    assert is_odd_number(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1.", "::1", "s3.example", "1.example", "a1", "x.0xg", ""])
def test_plain_addresses_and_names(host: str) -> None:
    assert not is_odd_number(host)
