"""A string that does not show itself.

A crash report of Textual prints the locals of every frame: a plain `str` token shows there, a `Secret` does not.
"""

from __future__ import annotations

import hmac
from typing import NoReturn

_MASK = "Secret(***)"


class Secret:
    """Holds a token, a private key or a signed URL; only `reveal()` gives it out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: call it at the moment of use and do not keep the result."""
        return self._value

    def __repr__(self) -> str:
        return _MASK

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return _MASK

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled or copied to another process")
