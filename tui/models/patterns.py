"""Patterns of the filter language, in a form that a row of a hostile server cannot hold up.

Python's regular expressions go back over what they read, for exponentially long in the worst case. So a pattern
may have few repeats, none of them of a group, no reference back and no look around, and it reads the beginning of
a text only. What is left takes polynomial time of a short text.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import partial
from typing import Final

MAX_LENGTH: Final = 100
"""Characters of a pattern."""
MAX_REPEATS: Final = 3
"""Of `*`, `+`, `?` and `{}` together."""
MAX_GROUPS: Final = 3
READ_CHARS: Final = 200
"""So much of a text is looked at."""

_PART: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?:|\(\?|\)[*+?{]|\{\d*,?\d*\}[?+]?|[*+?][?+]?|.", re.DOTALL
)
"""One part of a pattern: an escape, a class, how a group begins, a group's repeated end, a repeat, or a sign."""
_ESCAPE_OR_SIGN: Final = re.compile(r"\\.|.", re.DOTALL)


def regular(pattern: str) -> Callable[[str], object]:
    """A test whether a regular expression is found in a lower-case text; the case of its own letters does not count.

    Raises:
        ValueError: It is none, or one of those that are refused; says why.
    """
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"re: takes {MAX_LENGTH} characters at most")
    parts = _PART.findall(pattern)
    repeats = groups = 0
    for part in parts:
        if part[0] == ")" and len(part) > 1:
            raise ValueError("re: repeats no group; repeat one character or one [class]")
        if part == "(?" or (part[0] == "\\" and part[1:].isdigit()):
            raise ValueError("re: knows groups ( ) and (?: ), no reference back and no look around")
        repeats += part[0] in "*+?" or (part[0] == "{" and len(part) > 1)
        groups += part[0] == "("
    if repeats > MAX_REPEATS or groups > MAX_GROUPS:
        raise ValueError(f"re: takes at most {MAX_REPEATS} of * + ? {{}} and {MAX_GROUPS} groups")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read otherwise
            found = re.compile("".join(map(_lower, parts)), re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"re: cannot read this: {error}") from error
    return partial(found.search, endpos=READ_CHARS)


def _lower(part: str) -> str:
    """In lower case but for escapes, where the case tells them apart: much faster than to ignore the case."""
    return _ESCAPE_OR_SIGN.sub(lambda sign: sign[0] if len(sign[0]) > 1 else sign[0].lower(), part)


def fuzzy(letters: str) -> Callable[[str], object]:
    """A test whether letters occur in this order within one word of a lower-case text; blanks part words."""
    first, others = letters[:1].lower(), letters[1:].lower()
    # Possessive repeats never go back, so the time is the word's length for each place it can begin at.
    pattern = re.escape(first) + "".join(rf"[^\s{re.escape(c)}]*+{re.escape(c)}" for c in others)
    return re.compile(pattern).search
