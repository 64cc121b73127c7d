"""The bare storage client: fetches bytes from signed URLs and knows no credential."""

from tui.storage.body import Body
from tui.storage.client import Storage
from tui.storage.head import Head
from tui.storage.local import LocalFile

__all__ = ["Body", "Head", "LocalFile", "Storage"]
