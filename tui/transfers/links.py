"""The signed URL of the moment, shared by the connections of one download."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tui.models import Artifact, Source

_MIN_LIFE: Final = timedelta(seconds=60)
"""A URL with less left is not started with, unless the provider gives no better one."""


@dataclass(frozen=True, slots=True)
class Link:
    """A URL to use now."""

    source: Source
    is_fresh: bool
    """Whether it was made for this use."""


class Links:
    """Asks the provider for a URL as seldom as possible. Any thread may call.

    Args:
        artifact: What it is for.
        fetch_source: Asks the provider; blocks.
    """

    def __init__(self, artifact: Artifact, fetch_source: Callable[[Artifact], Source]) -> None:
        self._artifact = artifact
        self._fetch_source = fetch_source
        self._lock = threading.Lock()
        self._source: Source | None = None

    def current(self) -> Link:
        """A URL to use now; the one before, unless that is about to expire."""
        with self._lock:
            source = self._source
            if source is not None and not _is_old(source):
                return Link(source, is_fresh=False)
            self._source = source = self._fetch_source(self._artifact)
            return Link(source, is_fresh=True)

    def drop(self, link: Link) -> None:
        """That URL is no good any more; one that took its place meanwhile is kept."""
        with self._lock:
            if self._source is link.source:
                self._source = None

    @property
    def size_bytes(self) -> int | None:
        """The provider's newest word for the size; None when it gave none."""
        source = self._source
        return source.size_bytes if source is not None else None


def _is_old(source: Source) -> bool:
    return source.expires_at is not None and source.expires_at - datetime.now(UTC) < _MIN_LIFE
