"""How text is cut to cells."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tui.widgets.columns import cut_start


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("acme/app/2341", 13, "acme/app/2341"),
        ("acme/app/2341", 6, "…/2341"),
        ("acme/旅行/1", 6, "…行/1"),
        ("acme", 1, "…"),
        ("acme", 0, ""),
    ],
)
def test_a_path_is_cut_at_its_start(text: str, width: int, shown: str) -> None:
    assert cut_start(text, width) == shown
    assert cell_len(shown) <= width
