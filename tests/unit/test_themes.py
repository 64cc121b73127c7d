"""Themes can be read: measured, not judged; a broken file of the user's is named and does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.theme import Theme

from tui.widgets.themes import ANSI_DARK, ANSI_LIGHT, OWN, user_themes

ENOUGH = 4.5
"""Contrast of text, by the web accessibility guidelines (WCAG 2.2, 1.4.3)."""


def luminance(color: Color) -> float:
    parts = [part / 255 for part in (color.r, color.g, color.b)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
@pytest.mark.parametrize(
    ("text", "ground", "share"),
    [
        ("foreground", "background", 1.0),
        ("foreground", "surface", 0.75),
        ("foreground", "background", 0.65),
        ("foreground", "panel", 1.0),
        ("accent", "background", 1.0),
        ("accent", "surface", 1.0),
        ("background", "primary", 1.0),
        ("text-success", "background", 1.0),
        ("text-error", "background", 1.0),
        ("text-warning", "background", 1.0),
        ("text-accent", "background", 1.0),
        ("warning", "background", 1.0),
        ("foreground", "surface-lighten-2", 1.0),
    ],
)
def test_text_stands_out(theme: Theme, text: str, ground: str, share: float) -> None:
    colours = theme.to_color_system().generate()
    below = Color.parse(colours[ground])
    above = below.blend(Color.parse(colours[text]), share)
    assert contrast(above, below) >= ENOUGH


@pytest.mark.parametrize("theme", [ANSI_DARK, ANSI_LIGHT], ids=["dark", "light"])
def test_the_sixteen_colours_of_a_log_stand_out(theme: TerminalTheme) -> None:
    below = Color(*theme.background_color)
    assert all(contrast(Color(*theme.ansi_colors[number]), below) >= ENOUGH for number in range(16))


def test_a_theme_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "dig.toml").write_text(
        'primary = "#ff8800"\ndark = false\n[variables]\n"footer-key-foreground" = "#f80"\n'
    )
    (theme,), problems = user_themes(tmp_path)
    assert (theme.name, theme.primary, theme.dark, problems) == ("dig", "#ff8800", False, [])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('primary = "#ff8800', "cannot be read"),
        ('primary = "ochre-ish"', "no colour"),
        ('primary = "#f80"\nprimry = "#f80"', "'primry'"),
        ("dark = true", "at least a primary"),
        ('primary = "#f80"\nvariables = 3', "table of texts"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_broken_theme_is_named_and_the_others_stay(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    (tmp_path / "good.toml").write_text('primary = "#ff8800"')
    themes, (problem,) = user_themes(tmp_path)
    assert [theme.name for theme in themes] == ["good"]
    assert "bad.toml" in problem
    assert says in problem


def test_no_folder_is_no_theme(tmp_path: Path) -> None:
    assert user_themes(tmp_path / "nowhere") == ([], [])
