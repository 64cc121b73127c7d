"""One page of a listing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from tui.models.ids import Cursor

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """What one request brought.

    `next_cursor` None means the end. `total` counts all pages where the server tells. `unreadable` items
    were dropped because they had no id or no usable shape; `note` says why a list may be incomplete.
    """

    items: tuple[T_co, ...]
    next_cursor: Cursor | None = None
    total: int | None = None
    unreadable: int = 0
    note: str | None = None
