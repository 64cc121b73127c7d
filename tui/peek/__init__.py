"""Looking inside remote archives without downloading them."""

from tui.peek.archive import Archive, Entry, PeekError
from tui.peek.facts import Binary, Certificate, InsideFacts, Profile, inside_facts
from tui.peek.remote import RemoteFile
from tui.peek.view import MAX_SHOWN_BYTES, as_text

__all__ = [
    "MAX_SHOWN_BYTES",
    "Archive",
    "Binary",
    "Certificate",
    "Entry",
    "InsideFacts",
    "PeekError",
    "Profile",
    "RemoteFile",
    "as_text",
    "inside_facts",
]
