"""The looks of digsite: an excavation by night and by day, and themes of the user's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from rich.terminal_theme import TerminalTheme
from textual.color import Color, ColorParseError
from textual.theme import Theme

DARK: Final = Theme(
    name="digsite-dark",
    primary="#d9a441",  # ochre
    secondary="#b08968",  # clay
    accent="#e3b965",  # sand in the lamp
    foreground="#e8dfd0",  # bone
    background="#1c1a17",  # charcoal
    surface="#26231f",
    panel="#332f29",
    success="#9fbf7f",  # lichen
    warning="#e8b04b",
    error="#e8816b",  # terracotta
    dark=True,
)
LIGHT: Final = Theme(
    name="digsite-light",
    primary="#7a4f08",
    secondary="#6b4a2f",
    accent="#7d4a06",
    foreground="#2b2620",
    background="#f7f1e5",  # sand by day
    surface="#efe6d4",
    panel="#e4d8c0",
    success="#3d6323",
    warning="#7a4f00",
    error="#a1331c",
    dark=False,
    variables={"surface-lighten-1": "#e4d8c0", "surface-lighten-2": "#d9caac"},  # paper lies darker, not lighter
)
OWN: Final = (DARK, LIGHT)


def _ansi(background: str, foreground: str, normal: str, bright: str) -> TerminalTheme:
    colours = [[Color.parse(name).rgb for name in names.split()] for names in (normal, bright)]
    return TerminalTheme(Color.parse(background).rgb, Color.parse(foreground).rgb, *colours)


ANSI_DARK: Final = _ansi(
    "#1c1a17",
    "#e8dfd0",
    "#8a8172 #e8816b #9fbf7f #e8b04b #8fb0d0 #cf9fc4 #86bfb4 #e8dfd0",
    "#a39a8a #f39b86 #b5d396 #f4c768 #a9c6e2 #e0b6d6 #a0d3c9 #fbf5e9",
)
"""What the sixteen colours of a log look like: black, red, green, yellow, blue, magenta, cyan, white; and bright."""
ANSI_LIGHT: Final = _ansi(
    "#f7f1e5",
    "#2b2620",
    "#2b2620 #a1331c #3d6323 #7a4f00 #2f5480 #7a3a6b #1f5f59 #6f6657",
    "#5c5346 #8a2a16 #33541d #664200 #27476d #68315b #1a504b #4a4338",
)

_COLOURS: Final = frozenset(
    {"primary", "secondary", "accent", "foreground", "background", "surface", "panel", "success", "warning", "error"}
)
_KEYS: Final = _COLOURS | {"dark", "variables"}
_MAX_BYTES: Final = 64 << 10


class ThemeProblem(ValueError):
    """A theme file cannot be used; the text says which, why and what to do."""


def user_themes(folder: Path) -> tuple[list[Theme], list[str]]:
    """The themes of a folder, one a `NAME.toml`, and what is wrong with the others, in sentences.

    A file holds Textual's theme colours by name, at least `primary`; `dark = false` for a light one.
    """
    themes, problems = [], []
    for path in _files(folder):
        try:
            themes.append(_read(path))
        except ThemeProblem as problem:
            problems.append(str(problem))
    return themes, problems


def changed_at(folder: Path) -> Mapping[Path, int]:
    """When each theme file was last changed, in nanoseconds: compared to see that one is to be read again."""
    stamps = {}
    for path in _files(folder):
        try:
            stamps[path] = path.stat().st_mtime_ns
        except OSError:
            continue
    return stamps


def _files(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.glob("*.toml"))
    except OSError:
        return


def _read(path: Path) -> Theme:
    import tomllib  # most have no theme of their own, and the first paint waits for imports

    try:
        with path.open("rb") as file:
            data = tomllib.loads(file.read(_MAX_BYTES).decode())
    except (OSError, ValueError, RecursionError) as error:
        raise ThemeProblem(f"The theme {path.name} cannot be read: {error}") from error
    unknown = sorted(data.keys() - _KEYS)
    if unknown:
        raise ThemeProblem(f"The theme {path.name} has {unknown[0]!r}; there are {', '.join(sorted(_KEYS))}.")
    if "primary" not in data:
        raise ThemeProblem(f"The theme {path.name} needs at least a primary colour.")
    for name in _COLOURS & data.keys():
        _check_colour(path, name, data[name])
    variables = data.get("variables", {})
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise ThemeProblem(f"The theme {path.name}: variables must be a table of texts.")
    known: dict[str, Any] = {field.name: data[field.name] for field in fields(Theme) if field.name in data}
    return Theme(**{**known, "name": path.stem, "dark": data.get("dark", True) is not False})


def _check_colour(path: Path, name: str, value: object) -> None:
    try:
        Color.parse(str(value))
    except ColorParseError as error:
        raise ThemeProblem(f"The theme {path.name}: {name} = {value!r} is no colour; write #rrggbb.") from error
