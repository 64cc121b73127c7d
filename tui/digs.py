"""Saved digs: `[digs] red = "acme/acme-android?branch:main status:failed"` in config.toml is `@red` as a path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tui.errors import PathError


@dataclass(frozen=True, slots=True)
class Dig:
    """A path with a filter of what is listed there; both as they were typed."""

    path: str
    filter: str = ""


def read_dig(text: str) -> Dig:
    """A dig as config.toml has it: a path, and after the first `?` a filter. A `?` of the path itself is `%3F`."""
    path, _, row_filter = text.partition("?")
    return Dig(path.strip(), row_filter.strip())


def expand(text: str, digs: Mapping[str, str]) -> Dig:
    """What a path stands for: `@red` for the dig of that name, `@red/latest` for what is below its path.

    Args:
        text: As typed on the command line; anything that does not begin with `@` is a path itself.
        digs: The saved ones by name, as config.toml has them.

    Raises:
        PathError: There is no such dig, or it has a filter and so nothing can be below it.
    """
    if not text.startswith("@"):
        return Dig(text)
    name, slash, rest = text[1:].partition("/")
    if name not in digs:
        known = ", ".join(f"@{each}" for each in digs) or "none"
        raise PathError(
            f"There is no dig {text.partition('/')[0]!r}.",
            hint=f"Known are: {known}. Add one to [digs] in config.toml.",
        )
    dig = read_dig(digs[name])
    if not slash:
        return dig
    if dig.filter:
        raise PathError(f"The dig @{name} is a filtered list; a path cannot go on below it.")
    return Dig(f"{dig.path.rstrip('/')}/{rest}")
