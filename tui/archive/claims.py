"""Who is archiving which build, so that several machines on one archive share the work.

Only a matter of work: without claims two archivers would write the same bytes twice, and merge what they write down.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from tui.archive.folder import is_running
from tui.archive.layout import claim_key
from tui.archive.store import NotStored, Store, StoreDown

CLAIM_LIFE: Final = timedelta(hours=1)
"""A claim that is older was left by an archiver that did not end in order."""


class Claims:
    """The claims of this run on one archive. Blocking, for threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[str, datetime] = {}
        """When each was last written."""
        self._lock = threading.Lock()

    def take(self, folder: str) -> bool:
        """Claims a build; False while another archiver has it."""
        key, now = claim_key(folder), datetime.now(UTC)
        if not self._store.create(key, _content(now), durable=False):
            if not self._is_stale(key):
                return False
            self._store.write(key, _content(now))
        with self._lock:
            self._held[folder] = now
        return True

    def refresh(self) -> None:
        """Writes what is held again, with the time of now."""
        for folder in list(self._held):
            with self._lock:
                if folder in self._held:
                    now = datetime.now(UTC)
                    self._store.write(claim_key(folder), _content(now))
                    self._held[folder] = now

    def release(self, folder: str) -> None:
        """Gives a build up, unless the claim was not kept and may be another archiver's by now."""
        with self._lock:
            written_at = self._held.pop(folder, None)
        if written_at is not None and datetime.now(UTC) - written_at < CLAIM_LIFE:
            self._store.delete(claim_key(folder))

    def release_all(self) -> None:
        """Gives up what is still claimed, as far as the store answers."""
        try:
            for folder in list(self._held):
                self.release(folder)
        except StoreDown:
            return

    def _is_stale(self, key: str) -> bool:
        try:
            content = json.loads(self._store.read(key))
            if content["host"] == socket.gethostname() and not is_running(int(content["pid"])):
                return True
            return datetime.now(UTC) - datetime.fromisoformat(content["at"]) > CLAIM_LIFE
        except NotStored:
            return True
        except (ValueError, KeyError, TypeError):
            return True  # torn, or written by hand


def _content(now: datetime) -> bytes:
    return json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "at": now.isoformat()}).encode()
