"""Long bodies: parsed beside the keys, not instead of them."""

from __future__ import annotations

import json
import threading
import time

from tui.http.payload import parse_json


def test_other_threads_get_their_turn_while_a_long_page_is_parsed() -> None:
    body = json.dumps([{"title": "app.ipa", "of": {"build": number}} for number in range(200_000)]).encode()
    is_parsed, turns = threading.Event(), 0

    def take_turns() -> None:
        nonlocal turns
        while not is_parsed.is_set():
            time.sleep(0)  # gives the interpreter up, and asks for it again
            turns += 1

    other = threading.Thread(target=take_turns)
    other.start()
    turns = 0
    parsed = parse_json(body, who="Bitrise")
    taken = turns
    is_parsed.set()
    other.join()
    assert isinstance(parsed, list)
    assert taken > 3, "one comes at the end of the parser anyway"
