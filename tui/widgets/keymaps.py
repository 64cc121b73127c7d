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
        "explorer.undo": "z,U",
        "log.page-down": "ctrl+d,ctrl+f,pagedown",
        "log.page-up": "ctrl+u,ctrl+b,pageup",
        "storage.undo": "z,U",
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
        "storage.delete": "ctrl+d,X,delete",
        "storage.download": "f",
    },
}
"""By name; each says what differs from the bindings of the code, as Textual's keymaps do: ids to keys."""


class KeymapProblem(ValueError):
    """A key map of config.toml cannot be used; the text says why."""


def keymap(name: str, own: Mapping[str, str]) -> dict[str, str]:
    """A map with the user's own keys over it.

    Args:
        name: Of the map.
        own: `[keys]` of config.toml: what is done, by id, to keys with commas between.

    Raises:
        KeymapProblem: There is no such map.
    """
    if name not in KEYMAPS:
        raise KeymapProblem(f"keymap = {name!r} is none of {', '.join(KEYMAPS)}.")
    return {**KEYMAPS[name], **own}


def unknown(own: Iterable[str], known: Iterable[str]) -> list[str]:
    """What `[keys]` names and nothing is called, in sentences."""
    ids = sorted(known)
    problems = []
    for id_ in set(own) - set(ids):
        near = get_close_matches(id_, ids, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        problems.append(f"[keys]: there is nothing called {id_}.{hint}")
    return sorted(problems)


def clashes(where: str, bindings: Iterable[Binding], changed: Mapping[str, str]) -> list[str]:
    """Keys that would do two things at once, in sentences.

    Args:
        where: The screen's name.
        bindings: Of all that answers to keys there; those that share a key by intent (a filter's enter and a list's)
            are told apart by priority and do not count.
        changed: A keymap; only what it changes can clash.
    """
    by_key: dict[str, set[str]] = {}
    for binding in bindings:
        if binding.id is not None and not binding.priority:
            for key in (changed.get(binding.id) or binding.key).split(","):
                by_key.setdefault(key.strip(), set()).add(binding.id)
    return [
        f"{where}: the key {key} does {' and '.join(sorted(ids))}: change one of them under [keys]."
        for key, ids in sorted(by_key.items())
        if len(ids) > 1 and ids & changed.keys()
    ]
