"""A member's bytes as text for people: property lists and JSON laid out, other text as it is, the rest in hex."""

from __future__ import annotations

import json
from typing import Final

from tui.peek.plists import fits, readable_plist

MAX_SHOWN_BYTES: Final = 256 * 1024
"""Of a member that is laid out on a screen."""
MAX_SHOWN_LINES: Final = 4000
"""Of its text: 75,000 lines held the explorer for 13 seconds."""
_MAX_LAID_OUT: Final = 2 * 1024 * 1024
"""Characters of it, about: what would be longer is shown as it is."""
_HEX_BYTES: Final = 4096
_HEX_WIDTH: Final = 16


def as_text(data: bytes) -> str:
    """What to show for these bytes; may hold anything that a member holds, so clean it before it is shown.

    May take a second, so it belongs into a thread.
    """
    text = _whole_text(data)
    lines = text.splitlines()
    if len(lines) <= MAX_SHOWN_LINES:
        return text
    return "\n".join([*lines[:MAX_SHOWN_LINES], "", f"[digsite: {len(lines) - MAX_SHOWN_LINES:,} more lines]"])


def _whole_text(data: bytes) -> str:
    if data.startswith((b"bplist", b"<?xml")) and (plist := readable_plist(data, _MAX_LAID_OUT)) is not None:
        return plist
    if data.lstrip()[:1] in {b"{", b"["} and (laid_out := _readable_json(data)) is not None:
        return laid_out
    if b"\x00" not in data[:_HEX_BYTES]:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.start > len(data) - 4:  # cut in the middle of a character
                return data[: error.start].decode("utf-8")
    return _hex(data[:_HEX_BYTES])


def _readable_json(data: bytes) -> str | None:
    """JSON laid out; None when it is none, or would be too long."""
    try:
        parsed = json.loads(data)
        return json.dumps(parsed, indent=2, ensure_ascii=False) if fits(parsed, _MAX_LAID_OUT) else None
    except (ValueError, RecursionError):
        return None


def _hex(data: bytes) -> str:
    lines = []
    for start in range(0, len(data), _HEX_WIDTH):
        row = data[start : start + _HEX_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:08x}  {row.hex(' '):<{_HEX_WIDTH * 3}} {text}")
    return "\n".join(lines)
