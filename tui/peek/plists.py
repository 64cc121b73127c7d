"""Property lists, binary ones too, from files that may be damaged or made to harm."""

from __future__ import annotations

import plistlib
from typing import Any
from xml.parsers.expat import ExpatError


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


def readable_plist(data: bytes) -> str | None:
    """A property list as XML text; None when it is none."""
    try:
        return plistlib.dumps(parsed_plist(data), sort_keys=False).decode()
    except (PlistError, TypeError, OverflowError, UnicodeEncodeError, RecursionError):
        return None
