"""Glyphs for terminals that show ASCII only: `LANG=C`, or the Linux console."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_GLYPHS: Final = {
    "✓": "+", "✗": "x", "▶": ">", "◌": "o", "‖": "=", "■": "#", "»": ">", "▌": ">", "▐": "|", "•": "*", "…": "~",
    "·": "-", "⏎": "<", "↑": "^", "↓": "v", "←": "<", "→": ">", "▲": "^", "▼": "v", "“": '"', "”": '"', "’": "'",
    "━": "=", "╌": "-", "─": "-", "│": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "▁": "_", "▔": "-", "▏": "|",
    "▕": "|", "▎": "|", "▊": "|", "█": "#", "▂": "_", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#",
    "▀": "^", "╸": "=", "╺": "=", "\N{REPLACEMENT CHARACTER}": "?", "×": "x",
}  # fmt: skip

_COERCED: Final = {"C.UTF-8", "C.utf8"}
"""What Python itself puts into LC_CTYPE where the user's locale is C (PEP 538)."""


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether this environment names a locale without UTF-8, or the terminal is the Linux console.

    An environment that names none says nothing of its terminal, which today knows UTF-8.
    """
    if environ.get("TERM") == "linux":
        return True
    kind = environ.get("LC_CTYPE", "")
    if kind in _COERCED:
        kind = ""
    locale = environ.get("LC_ALL") or kind or environ.get("LANG")
    return bool(locale) and "utf" not in str(locale).lower()


def to_ascii(text: str) -> str:
    """The same text in as many cells: our glyphs as look-alikes, letters without accents, the rest as `?`."""
    return text if text.isascii() else "".join(map(_plain, text))


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    if char.isascii():
        return char
    if char in _GLYPHS:
        return _GLYPHS[char]
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return ""
    if unicodedata.east_asian_width(char) in {"W", "F"}:
        return "??"
    base = unicodedata.normalize("NFKD", char)[0]
    return base if base.isascii() and base.isprintable() else "?"
