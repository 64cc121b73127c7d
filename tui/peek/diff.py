"""What is different between two lists of named sizes: the artifacts of two builds, or the files of two archives."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from tui.peek.archive import Entry

T = TypeVar("T")
U = TypeVar("U")

_VERSION: Final = re.compile(r"\d+(?:[._-]\d+)*")


class ChangeKind(StrEnum):
    """How one thing differs."""

    ADDED = "added"
    REMOVED = "removed"
    GREW = "grew"
    SHRANK = "shrank"
    CHANGED = "changed"
    """Other bytes, as many as before."""
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing, before and after. Sizes in bytes; None where it is not there, or its size is not known."""

    name: str
    """That of now, where it is there now; as it came."""
    kind: ChangeKind
    before_bytes: int | None
    after_bytes: int | None

    @property
    def delta_bytes(self) -> int:
        """How much more it takes."""
        return (self.after_bytes or 0) - (self.before_bytes or 0)


@dataclass(frozen=True, slots=True)
class Totals:
    """How much changed, in sum."""

    counts: dict[ChangeKind, int]
    before_bytes: int
    after_bytes: int

    @property
    def delta_bytes(self) -> int:
        """How much more it all takes."""
        return self.after_bytes - self.before_bytes


def totals(changes: Iterable[Change]) -> Totals:
    """Sums changes up."""
    counts = dict.fromkeys(ChangeKind, 0)
    before = after = 0
    for change in changes:
        counts[change.kind] += 1
        before += change.before_bytes or 0
        after += change.after_bytes or 0
    return Totals(counts, before, after)


def compare_entries(before: Sequence[Entry], after: Sequence[Entry]) -> list[Change]:
    """The files of two archives by path, by their sizes and CRC-32; what changed most comes first."""
    old = {entry.name: entry for entry in before if not entry.is_folder}
    new = {entry.name: entry for entry in after if not entry.is_folder}
    changes = [
        compare_one(
            name,
            (old[name].size_bytes, old[name].crc) if name in old else None,
            (new[name].size_bytes, new[name].crc) if name in new else None,
        )
        for name in old | new
    ]
    return sorted(changes, key=lambda change: (change.kind is ChangeKind.SAME, -abs(change.delta_bytes), change.name))


def compare_one(name: str, before: tuple[int | None, object] | None, after: tuple[int | None, object] | None) -> Change:
    """One thing.

    Args:
        name: What it is called.
        before: Its size in bytes and what tells its content; None where it was not there.
        after: The same of now.
    """
    old, new = before[0] if before else None, after[0] if after else None
    if before is None:
        kind = ChangeKind.ADDED
    elif after is None:
        kind = ChangeKind.REMOVED
    elif old is None or new is None or old == new:
        kind = ChangeKind.SAME if before == after else ChangeKind.CHANGED
    else:
        kind = ChangeKind.GREW if new > old else ChangeKind.SHRANK
    return Change(name, kind, old, new)


@dataclass(frozen=True, slots=True)
class Pair(Generic[T, U]):
    """Two things that are the same but for their version; one of them may be missing."""

    before: T | None
    after: U | None


def pair_titles(before: Sequence[tuple[str, T]], after: Sequence[tuple[str, U]]) -> list[Pair[T, U]]:
    """Pairs things by title, then by title without the numbers in it: `app-1.2.apk` and `app-1.3.apk`.

    Things of one title are paired in their order.

    Args:
        before: Titles and things.
        after: The same of now; the pairs come in this order, what was removed last.
    """
    pairs: dict[int, T] = {}
    left = list(before)
    for form in (_exact, _unversioned):
        waiting: dict[str, list[tuple[str, T]]] = defaultdict(list)
        for item in left:
            waiting[form(item[0])].append(item)
        for n, (title, _) in enumerate(after):
            if n not in pairs and waiting[form(title)]:
                item = waiting[form(title)].pop(0)
                pairs[n] = item[1]
        left = [item for items in waiting.values() for item in items]
    found = [Pair(pairs.get(n), thing) for n, (_, thing) in enumerate(after)]
    return found + [Pair(thing, None) for _, thing in left]


def _exact(title: str) -> str:
    return title


def _unversioned(title: str) -> str:
    return _VERSION.sub("#", title)
