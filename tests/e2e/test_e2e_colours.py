"""A terminal of sixteen colours: the cursor is not red, which says failed, and what differs can be told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

Open = Callable[..., Any]
SIXTEEN = {"TERM": "xterm", "COLORTERM": "", "TEXTUAL_COLOR_SYSTEM": "standard"}


def test_the_cursor_and_states_in_sixteen_colours(terminal: Open) -> None:
    with terminal("demo", extra=SIXTEEN) as t:
        t.until(lambda text: "acme-android" in text)
        t.send(":acme-android\r")
        text = t.until(lambda text: "succeeded" in text and "failed" in text and "▌" in text)
        lines = text.splitlines()
        at = {word: next((y, line.index(word)) for y, line in enumerate(lines) if word in line) for word in
              ("▌", "succeeded", "failed")}  # fmt: skip
        cell = {word: t.screen.buffer[y][x] for word, (y, x) in at.items()}
        assert "red" not in cell["▌"].bg
        assert cell["▌"].bg != "default"
        assert "red" in cell["failed"].fg
        assert "green" in cell["succeeded"].fg
