"""The bare storage client: fetches bytes from signed URLs and knows no credential."""

from tui.storage.body import Body
from tui.storage.call import Call
from tui.storage.client import Storage
from tui.storage.head import Head
from tui.storage.local import LocalFile
from tui.storage.speed import SpeedCheck

__all__ = ["Body", "Call", "Head", "LocalFile", "SpeedCheck", "Storage"]
