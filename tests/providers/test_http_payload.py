"""Long bodies: parsed beside the keys, not instead of them."""

from __future__ import annotations

import json
import sys
from types import FrameType

from tui.http.payload import parse_json

OBJECTS = 1000


def test_other_threads_get_their_turn_while_a_long_page_is_parsed() -> None:
    body = json.dumps([{"build": number} for number in range(OBJECTS)]).encode()
    turns = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        """A call of Python code is where the interpreter may go to another thread; within the C parser it stays."""
        nonlocal turns
        turns += event == "call"

    sys.setprofile(count)
    try:
        parsed = parse_json(body, who="Bitrise")
    finally:
        sys.setprofile(None)
    assert parsed == [{"build": number} for number in range(OBJECTS)]
    assert turns >= OBJECTS
