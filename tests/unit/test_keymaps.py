"""Keys of config.toml: every id of a map exists, an unknown one is named with the nearest, a clash is told."""

from __future__ import annotations

import pytest
from textual.binding import Binding

from tui.screens.explorer import Explorer
from tui.widgets.keymaps import KEYMAPS, KeymapProblem, clashes, keymap
from tui.widgets.pane import Pane
from tui.widgets.rowlist import RowList

BINDINGS = [
    binding
    for owner in (Explorer, RowList, Pane)
    for binding in owner.BINDINGS
    if isinstance(binding, Binding) and binding.id
]
IDS = {str(binding.id) for binding in BINDINGS} | {"app.redraw", "app.interrupt", "explorer.search"}


@pytest.mark.parametrize("name", KEYMAPS)
def test_a_map_names_only_what_there_is_and_has_no_clash(name: str) -> None:
    chosen = keymap(name, {}, IDS)
    assert chosen == KEYMAPS[name]
    assert clashes(BINDINGS, chosen) == []


def test_the_users_keys_win_over_the_map() -> None:
    chosen = keymap("k9s", {"artifact.download": "ctrl+s,d"}, IDS)
    assert chosen["artifact.download"] == "ctrl+s,d"
    assert chosen["explorer.detail"] == KEYMAPS["k9s"]["explorer.detail"]
    (clash,) = clashes(BINDINGS, chosen)
    assert "key d " in clash
    assert "artifact.download" in clash
    assert "explorer.detail" in clash


@pytest.mark.parametrize(
    ("name", "own", "says"),
    [
        ("emacs", {}, "none of default, vim, k9s"),
        ("default", {"artifact.downlod": "d"}, "Did you mean artifact.download?"),
    ],
)
def test_what_is_not_known_is_named(name: str, own: dict[str, str], says: str) -> None:
    with pytest.raises(KeymapProblem) as caught:
        keymap(name, own, IDS)
    assert says in str(caught.value)
