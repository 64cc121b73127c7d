"""Reading parsed JSON whose every part may be missing, null or of another type.

Each function takes the object and the keys that lead to a value, and gives None (or an empty collection) for
whatever is not there: a parser never raises because of one attribute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

_MAX_SECONDS: Final = 1e12
_MAX_INTEGER: Final = 2**63 - 1
"""What a column of the catalog can hold: no number of a build and no length of a file is beyond it."""
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2200
"""Of moments that can be meant. Go writes year 1 for no time, and some tools 9999 for never; beside those ends of the
calendar no other time zone and no last day can be reckoned."""


def as_mapping(value: object) -> Mapping[str, object]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def get(data: object, *keys: str) -> object:
    """The value at the end of the keys; None when any of them is missing."""
    for key in keys:
        data = as_mapping(data).get(key)
    return data


def get_mapping(data: object, *keys: str) -> Mapping[str, object]:
    """A JSON object; empty when it is none."""
    return as_mapping(get(data, *keys))


def get_list(data: object, *keys: str) -> Sequence[object]:
    """A JSON array; empty when it is none."""
    value = get(data, *keys)
    return value if isinstance(value, list) else []


def get_str(data: object, *keys: str) -> str | None:
    """A text; None when it is empty, because both vendors send an empty text for nothing."""
    value = get(data, *keys)
    return value if isinstance(value, str) and value else None


def get_id(data: object, *keys: str) -> str | None:
    """A text that can stand in an address; None for one with lone surrogates, which cannot be sent."""
    value = get_str(data, *keys)
    if value is None or any("\ud800" <= char <= "\udfff" for char in value):
        return None
    return value


def get_word(data: object, *keys: str) -> str | None:
    """A text, or a number as its text: for facts that uploaders write either way (`build_number`)."""
    value = get(data, *keys)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return get_str(data, *keys)


def get_int(data: object, *keys: str) -> int | None:
    """A whole number of 64 bits; 3.0 counts, true does not."""
    value = get(data, *keys)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MAX_INTEGER:
        return None
    return value


def get_seconds(data: object, *keys: str) -> float | None:
    """A length of time; None when it is negative or longer than anybody waits."""
    value = get(data, *keys)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _MAX_SECONDS:
        return None
    return float(value)


def get_size(data: object, *keys: str) -> int | None:
    """A length in bytes; None when it is negative, or more than 63 bits can tell."""
    value = get_int(data, *keys)
    return value if value is not None and value >= 0 else None


def get_bool(data: object, *keys: str) -> bool | None:
    """True or false; nothing else counts as either."""
    value = get(data, *keys)
    return value if isinstance(value, bool) else None


def get_time(data: object, *keys: str) -> datetime | None:
    """An RFC 3339 time as aware UTC, from 1970 to 2200; one without an offset is taken as UTC."""
    value = get_str(data, *keys)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if _FIRST_YEAR <= moment.year <= _LAST_YEAR else None
