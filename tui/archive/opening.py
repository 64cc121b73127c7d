"""From the text of a destination to its store."""

from __future__ import annotations

from pathlib import Path

from tui.archive.store import Store


def open_store(destination: str) -> Store:
    """The store of a folder or bucket; nothing is read or written yet.

    Args:
        destination: As `tui.rules.check_destination` gives it.

    Raises:
        ConfigError: It needs what is not installed, or the environment does not fit.
    """
    if "://" in destination:
        from tui.archive.bucket import BucketStore

        return BucketStore(destination)
    from tui.archive.folder import FolderStore

    store = FolderStore(Path(destination))
    store.clear()
    return store
