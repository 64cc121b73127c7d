"""Columns of a list: what a cell says, how wide it may be, and which go first when room is short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from rich.cells import cell_len, set_cell_size

T = TypeVar("T")

GAP = 1
"""Blank cells between two columns."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column of a list of `T`.

    `width` is the cells it needs; `grow` its share of what is left. Where the pane is too narrow, columns with
    the highest `drop` leave first; those with 0 never do.
    """

    key: str
    title: str
    text: Callable[[T], str]
    width: int
    grow: int = 0
    align: str = "left"
    drop: int = 0
    tone: Callable[[T], str] | None = None
    """Names the component style of a cell, without its prefix; none is the row's own."""
    sort: Callable[[T], Any] | None = None
    is_usual: bool = True
    """Whether it is shown where the user chose no columns."""
    is_sparse: bool = False
    """Whether it is left out of a list in which no row has anything to say in it."""


def choose(columns: Sequence[Column[T]], keys: Sequence[str]) -> Sequence[Column[T]]:
    """The columns of these keys, in this order, as far as there are any; else the usual ones."""
    by_key = {column.key: column for column in columns}
    return [by_key[key] for key in keys if key in by_key] or [column for column in columns if column.is_usual]


def fit(columns: Sequence[Column[T]], width: int) -> list[tuple[Column[T], int]]:
    """Which columns are shown in `width` cells, and how wide each is."""
    shown = list(columns)
    while len(shown) > 1 and sum(c.width for c in shown) + GAP * (len(shown) - 1) > width:
        droppable = max(shown, key=lambda column: column.drop)
        if not droppable.drop:
            break
        shown.remove(droppable)
    spare = max(0, width - sum(c.width for c in shown) - GAP * (len(shown) - 1))
    shares = sum(c.grow for c in shown)
    widths = [c.width + (spare * c.grow // shares if shares else 0) for c in shown]
    return list(zip(shown, widths, strict=True))


@lru_cache(maxsize=4096)
def pad(text: str, width: int, align: str = "left") -> str:
    """Exactly `width` cells: cut with an ellipsis or padded, wide and combining characters counted as shown."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    if align == "right":
        return " " * (width - length) + text
    return text + " " * (width - length)


def cut_start(text: str, width: int) -> str:
    """At most `width` cells, cut at its start: the end of a path tells most."""
    if cell_len(text) <= width:
        return text
    kept = text
    while kept and cell_len(kept) > width - 1:
        kept = kept[1:]
    return f"…{kept}" if width > 0 else ""
