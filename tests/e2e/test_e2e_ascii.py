"""Terminals without UTF-8, without colours, and the Linux console."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("extra", [{"LANG": "C"}, {"LANG": "C", "NO_COLOR": "1"}, {"TERM": "linux", "LANG": "C.UTF-8"}])
def test_an_ascii_terminal_gets_ascii_only(terminal: Callable[..., Any], extra: dict[str, str]) -> None:
    with terminal("demo", extra=extra) as t:
        t.until(lambda text: "acme-android" in text and "Weather" in text)
        t.send("\r")
        text = t.until(lambda text: "Builds - Acme" in text and "succeeded" in text)
        assert "+ succeeded" in text
        assert "x failed" in text
        t.send("q")
        assert t.end() == 0
        assert bytes(t.raw).isascii()
