"""What config.toml says of looks and keys: theme, key map, keys, columns, saved digs, commands of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

KEYS: Final = frozenset({"columns", "commands", "digs", "keymap", "keys", "theme"})
"""Top-level keys of config.toml that are read here."""
COMMAND_KEYS: Final = frozenset({"name", "argv", "on", "dangerous", "interactive"})
VIEWS: Final = ("apps", "builds", "artifacts")
ROWS: Final = ("app", "build", "artifact")
"""What a command can be on."""


Fail = Callable[[tuple[str, ...], str], NoReturn]
"""Refuses a key, given its path and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program of the user's own, run on a row."""

    name: str
    """How `;` lists it."""
    argv: tuple[str, ...]
    """Its words, run without a shell; `{path}`, `{id}` and `{file}` in them stand for the row's."""
    on: str
    """What it is run on: `app`, `build` or `artifact`."""
    is_dangerous: bool = False
    """Whether it is run only after a question."""
    is_interactive: bool = False
    """Whether it has the terminal while it runs."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How the explorer looks and listens. Names are checked where they mean something: by the explorer."""

    theme: str | None = None
    """Name of a theme: `digsite-dark`, `digsite-light`, one of Textual's, or a file in `themes/` beside config.toml; by
    default the one that was chosen last (`:theme`)."""
    keymap: str = "default"
    """Map of keys: `default`, `vim` or `k9s`."""
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keys, with commas between, by the id of what they do."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    """Names of columns in their order, by view: `apps`, `builds`, `artifacts`."""
    digs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Saved queries by name: a path, and after a `?` a filter."""
    commands: tuple[Command, ...] = ()


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
        commands=_commands(data.get("commands", []), fail),
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


def _commands(tables: object, fail: Fail) -> tuple[Command, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        fail(("commands",), "must be tables: [[commands]]")
    commands = tuple(_command(table, _failing_in(number, fail)) for number, table in enumerate(tables, start=1))
    names = [command.name for command in commands]
    for name in names:
        if names.count(name) > 1:
            fail(("commands", "name"), f"{name!r} is there twice")
    return commands


def _failing_in(number: int, fail: Fail) -> Fail:
    """Says which command it is: the line is that of the first one with such a key."""

    def fail_there(where: tuple[str, ...], problem: str) -> NoReturn:
        fail(where, f"in command {number}: {problem}")

    return fail_there


def _command(table: Mapping[str, object], fail: Fail) -> Command:
    for key in table:
        if key not in COMMAND_KEYS:
            fail(("commands", key), "is not a key digsite knows")
    argv, on = table.get("argv"), table.get("on")
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) and word for word in argv):
        fail(("commands", "argv"), 'must be a list of words, such as ["apkanalyzer", "apk", "summary", "{file}"]')
    if on not in ROWS:
        fail(("commands", "on"), f"must be one of {', '.join(ROWS)}, in quotes")
    if on != "artifact" and any("{file}" in word for word in argv):
        fail(("commands", "argv"), "can hold {file} only on an artifact")
    return Command(
        name=_text(("commands", "name"), table.get("name"), fail),
        argv=tuple(argv),
        on=str(on),
        is_dangerous=_flag(("commands", "dangerous"), table.get("dangerous", False), fail),
        is_interactive=_flag(("commands", "interactive"), table.get("interactive", False), fail),
    )


def _flag(where: tuple[str, ...], value: object, fail: Fail) -> bool:
    if not isinstance(value, bool):
        fail(where, "must be true or false")
    return value
