"""Keys of config.toml: all screens can be rebound, an unknown id is named with the nearest, a clash with its screen."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import tui.screens
import tui.widgets
from tui.app import DigsiteApp
from tui.screens.bindings import ROOMS, bindings_of, problems
from tui.widgets.keymaps import KEYMAPS, KeymapProblem, keymap


def classes(of: type[DOMNode] = DOMNode) -> Iterator[type[DOMNode]]:
    for each in of.__subclasses__():
        yield each
        yield from classes(each)


def test_every_key_of_every_screen_has_an_id_and_can_be_rebound() -> None:
    for package in (tui.screens, tui.widgets):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    bound = {id_ for room in ROOMS for id_ in (binding.id for binding in bindings_of(room.owners))}
    for owner in classes():
        if owner.__module__.startswith(("tui.screens.", "tui.widgets.")):
            for binding in owner.__dict__.get("BINDINGS", ()):
                assert isinstance(binding, Binding), owner
                assert binding.id in bound, (owner, binding)
                assert binding.description, (owner, binding)


@pytest.mark.parametrize("name", KEYMAPS)
def test_a_map_names_only_what_there_is_and_has_no_clash_on_any_screen(name: str) -> None:
    assert problems(DigsiteApp, KEYMAPS[name], keymap(name, {})) == []


def test_the_users_keys_win_over_the_map_and_a_clash_is_named_with_its_screen() -> None:
    own = {"artifact.download": "ctrl+s,d", "log.next": "e"}
    chosen = keymap("k9s", own)
    assert chosen["artifact.download"] == "ctrl+s,d"
    assert chosen["explorer.detail"] == KEYMAPS["k9s"]["explorer.detail"]
    in_explorer, in_log = problems(DigsiteApp, own, chosen)
    assert in_explorer.startswith("Explorer: the key d does artifact.download and explorer.detail")
    assert in_log.startswith("Log: the key e does log.error and log.next")


def test_what_is_not_known_is_named() -> None:
    (problem,) = problems(DigsiteApp, {"artifact.downlod": "d"}, {})
    assert "Did you mean artifact.download?" in problem
    with pytest.raises(KeymapProblem, match="none of default, vim, k9s"):
        keymap("emacs", {})
