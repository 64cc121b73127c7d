"""Copies on disk or in an object store: layout, manifests, verification. Imports obstore only to open a bucket."""

from tui.archive.copying import Copied, Copier
from tui.archive.layout import MANIFEST, Layout
from tui.archive.manifest import Entry, Lost, Manifest
from tui.archive.opening import open_store
from tui.archive.reader import Reader
from tui.archive.store import ArchiveError, Store, StoreDown

__all__ = [
    "MANIFEST",
    "ArchiveError",
    "Copied",
    "Copier",
    "Entry",
    "Layout",
    "Lost",
    "Manifest",
    "Reader",
    "Store",
    "StoreDown",
    "open_store",
]
