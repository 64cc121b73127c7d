"""Our themes where a terminal has sixteen colours: the nearest of them to ochre is red, which would say failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from textual.theme import Theme

from tui.widgets.themes import DARK, LIGHT

_DARK: Final = replace(
    DARK,
    primary="#ffff55",
    secondary="#aaaaaa",
    accent="#ffff55",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    success="#55ff55",
    warning="#ffff55",
    error="#ff5555",
    variables={
        "surface-lighten-1": "#555555",
        "surface-lighten-2": "#555555",
        "text-success": "#55ff55",
        "text-warning": "#ffff55",
        "text-error": "#ff5555",
        "text-accent": "#55ffff",
    },
)
# Green and yellow cannot be read on white in most terminals.
_LIGHT: Final = replace(
    LIGHT,
    primary="#0000aa",
    secondary="#555555",
    accent="#0000aa",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#ffffff",
    success="#00aa00",
    warning="#aa00aa",
    error="#aa0000",
    variables={
        "surface-lighten-1": "#aaaaaa",
        "surface-lighten-2": "#aaaaaa",
        "text-success": "#000000",
        "text-warning": "#aa00aa",
        "text-error": "#aa0000",
        "text-accent": "#0000aa",
    },
)
_SIXTEEN: Final[Mapping[str, Theme]] = {theme.name: theme for theme in (_DARK, _LIGHT)}
"""By name; each colour is one of the VGA palette, so that nothing is left to what is nearest."""


def in_sixteen(theme: Theme) -> Theme:
    """What a theme of ours is in sixteen colours; any other as it is."""
    return _SIXTEEN.get(theme.name, theme)
