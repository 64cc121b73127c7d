"""Sizes as bars and sparklines, and how a change of size reads. Imports no Textual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.widgets.format import size

_STEPS: Final = "▁▂▃▄▅▆▇█"
_UNITS: Final = "BkMGT"


def bar(part: int, whole: int, cells: int) -> str:
    """A bar that is `cells` long for the whole; empty for less than half a cell."""
    return "━" * min(cells, round(cells * part / whole)) if part > 0 and whole > 0 else ""


def sparkline(values: Sequence[int]) -> str:
    """One cell for each value, between the least and the most of them; a flat line where all are the same."""
    if not values:
        return ""
    least, most = min(values), max(values)
    if least == most:
        return _STEPS[3] * len(values)
    return "".join(_STEPS[round((value - least) * (len(_STEPS) - 1) / (most - least))] for value in values)


def share(part: int, whole: int) -> str:
    """`42%`; `<1%` for little; empty where there is no whole."""
    if whole <= 0:
        return ""
    return "<1%" if 0 < part < whole / 100 else f"{100 * part / whole:.0f}%"


def short_change(delta_bytes: int) -> str:
    """A change in six cells: `+1.2M`, `-300B`, `=`."""
    left = float(abs(delta_bytes))
    unit = 0
    while round(left, 1 if unit else 0) >= 1000 and unit < len(_UNITS) - 1:
        left, unit = left / 1000, unit + 1
    figure = f"{left:.1f}" if unit and left < 99.95 else f"{left:.0f}"
    return f"{'+' if delta_bytes > 0 else '-'}{figure}{_UNITS[unit]}" if delta_bytes else "="


def signed_size(delta_bytes: int) -> str:
    """`+1.2 MB`, `-300 B`, `=`."""
    if not delta_bytes:
        return "="
    return f"{'+' if delta_bytes > 0 else '-'}{size(abs(delta_bytes))}"
