"""Keys by habit: digsite's own, and maps for hands that know vim or k9s; each can be changed in config.toml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from textual.binding import Binding

KEYMAPS: Final[Mapping[str, Mapping[str, str]]] = {
    "default": {},
    "vim": {
        "list.page-down": "ctrl+d,ctrl+f,pagedown",
        "list.page-up": "ctrl+u,ctrl+b,pageup",
        "explorer.search": "ctrl+g",
        "history.back": "ctrl+o,left_square_bracket",
        "list.mark-range": "V,v",
        "artifact.copy": "y",
        "explorer.undo": "z,U",
    },
    "k9s": {
        "explorer.detail": "i,d",
        "artifact.download": "f",
        "artifact.download-options": "F",
        "artifact.delete": "ctrl+d,X,delete",
        "list.page-down": "pagedown,ctrl+f",
        "list.page-up": "pageup,ctrl+b",
        "build.log": "L,ctrl+l",
        "app.redraw": "ctrl+underscore",
        "explorer.refresh": "r,ctrl+r",
        "explorer.search": "ctrl+g",
        "list.mark-none": "u,ctrl+backslash",
    },
}
"""By name; each says what differs from the bindings of the code, as Textual's keymaps do: ids to keys."""


class KeymapProblem(ValueError):
    """A key of config.toml cannot be used; the text says which and why."""


def keymap(name: str, own: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    """A map with the user's own keys over it.

    Args:
        name: Of the map.
        own: `[keys]` of config.toml: what is done, by id, to keys with commas between.
        known: All ids there are.

    Raises:
        KeymapProblem: There is no such map, or an id is not known.
    """
    if name not in KEYMAPS:
        raise KeymapProblem(f"keymap = {name!r} is none of {', '.join(KEYMAPS)}.")
    ids = set(known)
    for unknown in own.keys() - ids:
        near = get_close_matches(unknown, ids, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise KeymapProblem(f"[keys]: there is nothing called {unknown}.{hint}")
    return {id_: keys for id_, keys in {**KEYMAPS[name], **own}.items() if id_ in ids}


def clashes(bindings: Iterable[Binding], changed: Mapping[str, str]) -> list[str]:
    """Keys that would do two things at once, in sentences.

    Args:
        bindings: Of all that answers to keys at the same time; those that share a key by intent (a filter's enter and
            a list's) are told apart by priority and do not count.
        changed: A keymap; only what it changes can clash.
    """
    taken: dict[str, str] = {}
    for binding in bindings:
        if binding.id is None or binding.priority:
            continue
        for key in (changed.get(binding.id) or binding.key).split(","):
            taken.setdefault(f"{key.strip()} {binding.id}", binding.id)
    by_key: dict[str, set[str]] = {}
    for pair, id_ in taken.items():
        by_key.setdefault(pair.split(" ")[0], set()).add(id_)
    return [
        f"The key {key} does {' and '.join(sorted(ids))}: change one of them under [keys]."
        for key, ids in sorted(by_key.items())
        if len(ids) > 1 and ids & changed.keys()
    ]
