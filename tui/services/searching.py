"""Looks for words in everything that was listed, and says how old and how complete that is."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Final

from tui.catalog.store import Catalog
from tui.models import ArtifactRef, BuildRef
from tui.models.findings import Findings, Hit
from tui.paths import BuildSelector, DigPath
from tui.threads import in_daemon_thread

HITS: Final = 30
"""At most, of apps, of builds and of artifacts: who has more adds a word."""
FIRST_S: Final = 0.08
"""After so long there is a first answer."""
WHOLE_S: Final = 5.0
"""After so long a search ends, whatever is left."""


class CatalogSearch:
    """Searches through one catalog, beside the screen.

    Args:
        catalog: What was listed.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        entries = catalog.figures.apps()
        self.apps = len(entries)
        self.builds = sum(entry.builds for entry in entries)
        self.never_listed = sum(entry.seen_at is None for entry in entries)
        """Apps whose builds were never listed."""
        self.unlisted = sum(entry.unlisted for entry in entries)
        """Finished builds whose artifacts were never listed."""
        self.as_of: datetime | None = min((e.seen_at for e in entries if e.seen_at is not None), default=None)
        """When the app that was not looked at for longest was listed; aware UTC."""

    async def find(self, text: str) -> AsyncIterator[Findings]:
        """What is found at once; where that is not all, then what is found in some seconds."""
        for within_s in (FIRST_S, WHOLE_S):
            stop = threading.Event()
            look = partial(self._catalog.search, text, limit=HITS, within_s=within_s, stop=stop)
            try:
                found = await in_daemon_thread(look, name="search")
            finally:
                stop.set()  # nobody waits any more
            yield found
            if not found.is_partial:
                return


def path_of(hit: Hit) -> DigPath:
    """Where a hit is, by ids: they name one thing whatever is called the same."""
    build = hit.ref.build if isinstance(hit.ref, BuildRef | ArtifactRef) else None
    artifact = hit.ref.artifact if isinstance(hit.ref, ArtifactRef) else None
    return DigPath(hit.ref.account, hit.ref.app, BuildSelector(build) if build is not None else None, artifact)
