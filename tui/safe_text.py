"""The one place where text from outside becomes safe to show, and safe to name a file.

Measured on Textual 8.2.8: ESC, OSC and C1 bytes, bidirectional overrides and NUL inside a title reach the
terminal through every widget; replacing the Unicode categories Cc, Cf, Cs, Co, Cn, Zl and Zp leaves none.
Markup is a matter of its own: never hand a `str` from outside to a widget that parses markup (use `Content`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

MARK: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that must not reach a terminal."""
MAX_SHOWN: Final = 500
"""Characters of one server string that are ever shown; the rest is cut with an ellipsis."""

MAX_NAME_BYTES: Final = 230
"""Of a file name: the 255 of common file systems, less room for ` (2)` and suffixes of partial downloads."""

_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@lru_cache(maxsize=8192)
def clean(text: str, limit: int = MAX_SHOWN) -> str:
    """One line of text that cannot drive a terminal.

    Tabs and line breaks become blanks; control, format, surrogate, private and unassigned characters become a
    visible mark; more than `limit` characters are cut.
    """
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else text[: limit - 1] + "…"
    shown = []
    cut = text[: limit + 1]
    for char in cut[:limit]:
        if char in "\t\n\r":
            shown.append(" ")
        elif unicodedata.category(char) in _UNSAFE:
            shown.append(MARK)
        else:
            shown.append(char)
    if len(cut) > limit:
        shown[-1:] = ["…"]
    return "".join(shown)


def clean_lines(text: str, limit: int = 20_000) -> str:
    """Like `clean` for text of several lines: line feeds stay."""
    return "\n".join(clean(line, limit) for line in text[:limit].splitlines())


def safe_filename(title: str, *, unique: str, max_bytes: int = MAX_NAME_BYTES) -> str:
    """One path component that stays inside its folder, on every operating system.

    Separators become `_` (the last component alone would make `a/x` and `b/x` the same); so do control and
    invisible characters, what Windows refuses, and a `-` or `~` in front. Names of devices, and of digsite's
    own partial files, get a `_`. What is harmless stays: `.foo`, `foo..bar`, `foo.bar.baz`.

    Args:
        title: What the server calls it.
        unique: Its id; names it when nothing is left of the title.
        max_bytes: The longest name in UTF-8; longer ones are cut before their extension.
    """
    name = "".join(
        "_" if char in _NOT_IN_NAMES or unicodedata.category(char) in _UNSAFE else char
        for char in unicodedata.normalize("NFC", title.strip())
    )
    name = _shorten(name, max_bytes - 2)  # room for the two marks below
    name = re.sub(r"[. ]+\Z", lambda found: "_" * len(found[0]), name)
    name = re.sub(r"\A[-~]", "_", name)
    if not name.strip("_"):
        import hashlib  # not for the first paint

        digest = hashlib.sha256(unique.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        name = f"artifact-{digest}"
    if _DEVICE.match(name):
        name = f"_{name}"
    if name.lower().endswith(_PARTIAL_SUFFIXES):
        name += "_"
    return name


def unique_filenames(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """File names for all artifacts of one folder, from (title, id) pairs: by id.

    Titles that fall together on some file system (equal, or equal but for case or composition) are all told
    apart by their id, as `name~ID.ext`: so that each has the same name on every run and in every order.
    """
    titles = {unique: title for title, unique in items}
    level = dict.fromkeys(titles, 0)
    while True:
        names = {unique: _name_at(level[unique], title, unique) for unique, title in titles.items()}
        count = Counter(map(_folded, names.values()))
        twins = [unique for unique, name in names.items() if count[_folded(name)] > 1 and level[unique] < 2]
        if not twins:
            return names
        for unique in twins:
            level[unique] += 1


_NOT_IN_NAMES: Final = frozenset('/\\:*?"<>|')
_PARTIAL_SUFFIXES: Final = (".part", ".part.json", ".part.json~", ".part.json~new")
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]|conin\$|conout\$) *(?:\.|\Z)",
    re.IGNORECASE,
)


def _name_at(level: int, title: str, unique: str) -> str:
    name = safe_filename(title, unique=unique)
    if level == 0:
        return name
    import hashlib

    digest = hashlib.sha256(unique.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    mark = safe_filename(unique, unique=unique, max_bytes=40) if level == 1 else digest
    stem, extension = _split(name)
    room = MAX_NAME_BYTES - len(f"~{mark}{extension}".encode())
    return f"{_cut(stem, room)}~{mark}{extension}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _split(name: str) -> tuple[str, str]:
    """Stem and extension; the latter empty when it is too long to be one."""
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > 20:
        return name, ""
    return stem, dot + extension


def _shorten(name: str, max_bytes: int) -> str:
    if len(name.encode()) <= max_bytes:
        return name
    stem, extension = _split(name)
    return _cut(stem, max_bytes - len(extension.encode())) + extension


def _cut(text: str, max_bytes: int) -> str:
    return text.encode()[:max_bytes].decode("utf-8", "ignore")
