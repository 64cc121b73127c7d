"""Looking inside remote archives without downloading them."""

from tui.peek.archive import Archive, Entry, PeekError
from tui.peek.facts import InsideFacts, Profile, ios_facts
from tui.peek.remote import RemoteFile
from tui.peek.view import MAX_SHOWN_BYTES, as_text

__all__ = [
    "MAX_SHOWN_BYTES",
    "Archive",
    "Entry",
    "InsideFacts",
    "PeekError",
    "Profile",
    "RemoteFile",
    "as_text",
    "ios_facts",
]
