"""Property lists, binary ones too, from files that may be damaged or made to harm."""

from __future__ import annotations

import plistlib
from typing import Any, Final
from xml.parsers.expat import ExpatError

_LINE_CHARS: Final = 20
"""Of a line, beside its value and what it is indented by."""
_BYTES_OF_A_LINE: Final = 12
"""Written in one line at least, which is indented as all others."""


class PlistError(ValueError):
    """The bytes are no property list."""


def parsed_plist(data: bytes) -> Any:
    """What a property list holds.

    Raises:
        PlistError: It is none.
    """
    try:
        return plistlib.loads(data)
    except (
        plistlib.InvalidFileException,
        ExpatError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        OverflowError,
        AttributeError,
        RecursionError,
        MemoryError,
    ) as error:
        raise PlistError("no property list") from error


def fits(value: object, most: int) -> bool:
    """Whether lists and mappings, laid out with a line for each value, take at most about `most` characters.

    It is counted before a character is written: an array of a binary property list may name one object many times, and
    those of 214 bytes have 2^34 values.
    """
    left: list[tuple[object, int]] = [(value, 0)]
    while left:
        each, depth = left.pop()
        if isinstance(each, dict | list):
            most -= len(each) * (depth + _LINE_CHARS)
            if most < 0:  # before they are held: there may be as many of them as bytes, time and again
                return False
            left.extend((child, depth + 1) for child in each)
            if isinstance(each, dict):
                left.extend((child, depth + 1) for child in each.values())
        elif isinstance(each, str):
            most -= len(each)
        elif isinstance(each, bytes):
            most -= len(each) * (depth + _BYTES_OF_A_LINE) // _BYTES_OF_A_LINE
    return most >= 0


def readable_plist(data: bytes, most: int) -> str | None:
    """A property list as XML text; None when it is none, or would be longer than about `most` characters."""
    try:
        parsed = parsed_plist(data)
        return plistlib.dumps(parsed, sort_keys=False).decode() if fits(parsed, most) else None
    except (ValueError, TypeError, OverflowError, RecursionError):  # ValueError: no plist, or what XML cannot hold
        return None
