"""In sixteen colours nothing is left to what is nearest: ochre would be red, and red says failed."""

from __future__ import annotations

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from tui.widgets.few_colours import in_sixteen
from tui.widgets.themes import DARK, LIGHT

USED = (
    "primary", "accent", "foreground", "background", "surface", "error", "warning", "success",
    "text-error", "text-warning", "text-success", "text-accent", "surface-lighten-2",
)  # fmt: skip


def number(colour: str) -> int | None:
    return RichColor.parse(colour).downgrade(ColorSystem.STANDARD).number


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_what_means_different_things_looks_different(theme: Theme) -> None:
    few = in_sixteen(theme)
    shown = {**few.to_color_system().generate(), **few.variables}
    numbers = {name: number(Color.parse(shown[name]).hex6) for name in USED}
    assert numbers["background"] not in {numbers[name] for name in USED if name not in {"background", "surface"}}
    assert len({numbers[name] for name in ("text-error", "text-warning", "text-success", "text-accent")}) == 4
    assert numbers["text-error"] not in {numbers["primary"], numbers["accent"]}
    assert numbers["surface-lighten-2"] not in {numbers["foreground"], numbers["primary"]}


def test_themes_of_others_stay_as_they_are() -> None:
    theirs = Theme(name="clay", primary="#b5651d")
    assert in_sixteen(theirs) is theirs
