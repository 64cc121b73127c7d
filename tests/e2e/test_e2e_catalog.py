"""The catalog over two runs of the program: with the network, then without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tui.demo import DemoServers

pytestmark = pytest.mark.e2e


def test_without_a_network_the_last_listing_is_shown_with_its_age(terminal: Callable[..., Any]) -> None:
    with DemoServers() as demo:
        variables = demo.environment()
        with terminal(extra=variables) as t:
            t.until(lambda text: "acme-android" in text and "Weather" in text)
            t.send("q")
            assert t.end() == 0
    with terminal(extra=variables) as t:  # nobody answers now
        t.until(lambda text: "acme-android" in text and "as of" in text)
        t.send("q")
        assert t.end() == 0
    with terminal("--no-cache", extra=variables) as t:
        text = t.until(lambda text: "retries" in text)
        assert "acme-android" not in text
        t.send("q")
        assert t.end() == 0
