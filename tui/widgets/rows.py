"""The rows behind a list: what is loaded, what of it is shown in which order, what is marked. Imports no Textual."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from tui.models.filter import RowFilter
from tui.widgets.columns import Column

T = TypeVar("T")


class Rows(Generic[T]):
    """Rows by identity, and the view of them: filtered, sorted or grouped.

    The view is a sequence of row indices; a negative entry -n stands for the n-th heading. Unfiltered and
    unsorted it is a `range`, so that a million rows are shown as fast as a hundred.

    Args:
        columns: Those that can be sorted by.
        key: A row's identity: stable over refreshes, unique in the list.
        group: The heading a row stands under while the list is not sorted; rows of a group are neighbours.
        order: Sorts the rows where the user chose no column; None leaves them as they came.
    """

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], Hashable],
        group: Callable[[T], str | None] | None,
        order: Callable[[T], Any] | None,
    ) -> None:
        self.key = key
        self.items: list[T] = []
        self.view: Sequence[int] = range(0)
        self.headings: list[str] = []
        self.marks: set[Hashable] = set()
        self.gone: set[Hashable] = set()
        self.filter: RowFilter[T] = RowFilter()
        self.sort: Column[T] | None = None
        self.reverse = False
        self._columns = columns
        self._group, self._order = group, order
        self._index: dict[Hashable, int] = {}
        self._read: dict[Callable[[T], Any], list[Any]] = {}  # what filters read of the rows so far

    def __len__(self) -> int:
        return len(self.view)

    @property
    def shown(self) -> int:
        """How many rows pass the filter; headings do not count."""
        return len(self.view) - len(self.headings)

    @property
    def marked(self) -> list[T]:
        """The marked rows, hidden ones included, in the order they came."""
        return [self.items[i] for i in sorted(self._index[key] for key in self.marks)]

    def at(self, position: int) -> T | None:
        """The row at a position of the view; None for a heading and beyond the end."""
        if 0 <= position < len(self.view) and (entry := self.view[position]) >= 0:
            return self.items[entry]
        return None

    def heading_at(self, position: int) -> str | None:
        """The heading at a position of the view, if there is one."""
        entry = self.view[position]
        return self.headings[-entry - 1] if entry < 0 else None

    def find(self, key: Hashable) -> T | None:
        """The row of that identity, if it is loaded."""
        index = self._index.get(key)
        return None if index is None else self.items[index]

    def position_of(self, key: Hashable) -> int | None:
        """Where in the view a row is; None when it is not shown."""
        index = self._index.get(key)
        if index is None:
            return None
        if isinstance(self.view, range):
            return index
        try:
            return self.view.index(index)
        except ValueError:
            return None

    def keys_between(self, first: int, last: int) -> set[Hashable]:
        """The identities of the rows from one position of the view up to and with another."""
        return {self.key(self.items[entry]) for entry in self.view[first : last + 1] if entry >= 0}

    def replace(self, rows: Iterable[T]) -> None:
        """Holds these rows instead; marks stay with rows that are still there."""
        self.items, self._index = [], {}
        for values in self._read.values():
            values.clear()
        self._take(rows)
        self.marks &= self._index.keys()
        self.gone &= self._index.keys()
        self.arrange()

    def append(self, rows: Iterable[T]) -> bool:
        """Adds a page, known rows in their old place; True when more changed than the end of the view."""
        plain = isinstance(self.view, range) and self._group is None and self._order is None
        if not self._take(rows) and plain:
            self.view = range(len(self.items))
            return False
        self.arrange()
        return True

    def update(self, row: T) -> bool:
        """Brings a row up to date in its place; False when it is not loaded."""
        index = self._index.get(self.key(row))
        if index is None:
            return False
        self._put(index, row)
        return True

    def sort_next(self) -> None:
        """Sorts by the next column that can be; after the last comes the order they came in."""
        choices: list[Column[T] | None] = [None, *(c for c in self._columns if c.sort is not None)]
        self.sort = choices[(choices.index(self.sort) + 1) % len(choices)]
        self.reverse = False
        self.arrange()

    def arrange(self) -> None:
        """Makes the view anew."""
        self.headings = []
        view: Sequence[int] = range(len(self.items))
        for term in self.filter.terms:
            values, accepts = self._values(term.read), term.accepts
            view = [i for i in view if accepts(values[i])]
        if self.sort is not None and self.sort.sort is not None:
            read = self.sort.sort
            view = sorted(view, key=lambda i: _orderable(read(self.items[i])), reverse=self.reverse)
        elif self._order is not None:
            order = self._order
            view = sorted(view, key=lambda i: order(self.items[i]))
        elif self._group is not None:
            view = self._grouped(view, self._group)
        self.view = view

    def skip_heading(self, position: int, direction: int) -> int:
        """The position itself, or the nearest row beyond a heading in that direction, else in the other."""
        for step in (direction, -direction):
            at = max(0, min(position, len(self.view) - 1))
            while 0 <= at < len(self.view):
                if self.view[at] >= 0:
                    return at
                at += step
        return 0

    def _take(self, rows: Iterable[T]) -> bool:
        """Adds or replaces rows by identity; True when one was replaced."""
        replaced = False
        for row in rows:
            index = self._index.setdefault(self.key(row), len(self.items))
            if index == len(self.items):
                self.items.append(row)
            else:
                self._put(index, row)
                replaced = True
        return replaced

    def _put(self, index: int, row: T) -> None:
        self.items[index] = row
        for read, values in self._read.items():
            if index < len(values):
                values[index] = read(row)

    def _values(self, read: Callable[[T], Any]) -> list[Any]:
        """What a filter reads of every row, kept: while it is typed, the same is asked for at each key."""
        values = self._read.setdefault(read, [])
        values.extend(map(read, islice(self.items, len(values), None)))
        return values

    def _grouped(self, view: Sequence[int], group: Callable[[T], str | None]) -> list[int]:
        entries: list[int] = []
        last: str | None = None
        for i in view:
            heading = group(self.items[i])
            if heading is not None and heading != last:
                self.headings.append(heading)
                entries.append(-len(self.headings))
            last = heading
            entries.append(i)
        return entries


def _orderable(value: object) -> tuple[int, Any]:
    """None sorts first whatever the others are."""
    return (0, 0) if value is None else (1, value)
