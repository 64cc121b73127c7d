"""How sizes and their changes are drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.widgets.bars import bar, share, short_change, signed_size, sparkline


def test_bars_and_shares() -> None:
    assert (bar(50, 100, 10), bar(100, 100, 10), bar(1, 100, 10), bar(0, 0, 10)) == ("━" * 5, "━" * 10, "", "")
    assert (share(1, 1000), share(0, 10), share(42, 100), share(1, 0)) == ("<1%", "0%", "42%", "")


def test_sparklines() -> None:
    assert sparkline([10, 15, 80]) == "▁▁█"
    assert sparkline([7, 7]) == "▄▄"
    assert sparkline([]) == ""


@pytest.mark.parametrize(
    ("delta", "short", "long"),
    [(0, "=", "="), (999, "+999B", "+999 B"), (-1_200_000, "-1.2M", "-1.2 MB"), (314_600_000, "+315M", "+314.6 MB")],
)
def test_changes(delta: int, short: str, long: str) -> None:
    assert (short_change(delta), signed_size(delta)) == (short, long)


@given(st.integers(-(10**15), 10**15))
def test_a_change_fits_its_column(delta: int) -> None:
    assert cell_len(short_change(delta)) <= 6
