"""What takes the space inside an archive, folder by folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.peek.archive import Entry


@dataclass(frozen=True, slots=True)
class Share:
    """One file or folder, and what it takes. Sizes in bytes."""

    name: str
    """One component of a path, as it came."""
    path: str
    """Of the file; of a folder with a slash at its end."""
    files: int
    size_bytes: int
    packed_bytes: int

    @property
    def is_folder(self) -> bool:
        """Whether there is something inside."""
        return self.path.endswith("/")


def shares(entries: Iterable[Entry], folder: str = "") -> list[Share]:
    """What stands directly in a folder, largest first.

    Args:
        entries: Of the whole archive.
        folder: Its path with a slash at its end; empty for the whole archive.
    """
    sums: dict[str, list[int]] = {}
    for entry in entries:
        if entry.is_folder or not entry.name.startswith(folder):
            continue
        name, slash, _ = entry.name[len(folder) :].partition("/")
        total = sums.setdefault(f"{name}{slash}", [0, 0, 0])
        total[0] += 1
        total[1] += entry.size_bytes
        total[2] += entry.packed_bytes
    found = [Share(name.rstrip("/"), f"{folder}{name}", *total) for name, total in sums.items()]
    return sorted(found, key=lambda share: (-share.size_bytes, share.path))
