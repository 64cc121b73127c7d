"""What config.toml says of looks and keys: theme, key map, keys, columns, saved digs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

KEYS: Final = frozenset({"columns", "digs", "keymap", "keys", "theme"})
"""Top-level keys of config.toml that are read here."""
VIEWS: Final = ("apps", "builds", "artifacts")


Fail = Callable[[tuple[str, ...], str], NoReturn]
"""Refuses a key, given its path and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How the explorer looks and listens. Names are checked where they mean something: by the explorer."""

    theme: str | None = None
    keymap: str = "default"
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keys, with commas between, by the id of what they do."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    """Names of columns in their order, by view: `apps`, `builds`, `artifacts`."""
    digs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Saved queries by name: a path, and after a `?` a filter."""


def habits(data: Mapping[str, object], fail: Fail) -> Habits:
    """Reads them.

    Raises:
        ConfigError: By `fail`.
    """
    return Habits(
        theme=None if "theme" not in data else _text(("theme",), data["theme"], fail),
        keymap=_text(("keymap",), data.get("keymap", "default"), fail),
        keys=_texts("keys", data.get("keys", {}), fail),
        columns=_columns(data.get("columns", {}), fail),
        digs=_texts("digs", data.get("digs", {}), fail),
    )


def _text(where: tuple[str, ...], value: object, fail: Fail) -> str:
    if not isinstance(value, str) or not value:
        fail(where, "must be text in quotes")
    return value


def _texts(name: str, table: object, fail: Fail) -> dict[str, str]:
    if not isinstance(table, dict):
        fail((name,), f"must be a table: [{name}]")
    return {str(key): _text((name, str(key)), value, fail) for key, value in table.items()}


def _columns(table: object, fail: Fail) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        fail(("columns",), "must be a table: [columns]")
    for view, names in table.items():
        if view not in VIEWS:
            fail(("columns", str(view)), f"is no view; there are {', '.join(VIEWS)}")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            fail(("columns", str(view)), 'must be a list of names, such as ["title", "size"]')
    return {str(view): tuple(names) for view, names in table.items()}
