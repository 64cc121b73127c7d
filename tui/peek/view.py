"""A member's bytes as text for people: property lists and JSON laid out, other text as it is, the rest in hex."""

from __future__ import annotations

import json
from typing import Final

from tui.peek.plists import readable_plist

MAX_SHOWN_BYTES: Final = 256 * 1024
"""Of a member that is laid out on a screen."""
_HEX_BYTES: Final = 4096
_HEX_WIDTH: Final = 16


def as_text(data: bytes) -> str:
    """What to show for these bytes; may hold anything that a member holds, so clean it before it is shown."""
    if data.startswith((b"bplist", b"<?xml")) and (plist := readable_plist(data)) is not None:
        return plist
    if data.lstrip()[:1] in {b"{", b"["}:
        try:
            return json.dumps(json.loads(data), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            pass  # no JSON after all: shown as text or hex below
    if b"\x00" not in data[:_HEX_BYTES]:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.start > len(data) - 4:  # cut in the middle of a character
                return data[: error.start].decode("utf-8")
    return _hex(data[:_HEX_BYTES])


def _hex(data: bytes) -> str:
    lines = []
    for start in range(0, len(data), _HEX_WIDTH):
        row = data[start : start + _HEX_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:08x}  {row.hex(' '):<{_HEX_WIDTH * 3}} {text}")
    return "\n".join(lines)
