"""A string that does not show itself.

A crash report of Textual prints the locals of every frame: a plain `str` token shows there, a `Secret` does not.
Every `Secret` in use is known to `mask_secrets`, so that what reaches a log or a report by another way, such as the
text of somebody else's exception, is masked there, whatever a secret looks like.
"""

from __future__ import annotations

import weakref
from typing import NoReturn

_MASK = "Secret(***)"
_MIN_LINE = 8
"""Characters; shorter ones are words that occur by themselves."""


class Secret:
    """Holds a token, a private key or a signed URL; only `reveal()` gives it out."""

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        _in_use[id(self)] = self

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
        # Both are of this process: nobody outside can learn anything from the time it takes.
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled or copied to another process")


_in_use: weakref.WeakValueDictionary[int, Secret] = weakref.WeakValueDictionary()


def mask_secrets(text: str) -> str:
    """The text without any `Secret` that is in use, nor any whole line of one: a key has many."""
    for reference in _in_use.valuerefs():  # a copy: other threads make secrets meanwhile
        secret = reference()
        if secret is not None:
            for line in secret.reveal().split("\n"):
                if len(line) >= _MIN_LINE and line in text and not line.startswith("-----"):
                    text = text.replace(line, "[secret removed]")
    return text
