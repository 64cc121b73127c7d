"""The bytes of an artifact straight from the provider's storage, through breaks and expired links, in memory only."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tui.errors import Incomplete, LinkExpired, Mismatch, RateLimited, Unreachable
from tui.models import Artifact, Source
from tui.storage import Body, Storage

_log = logging.getLogger(__name__)

TRIES: Final = 5
"""In a row, without one new byte."""
_FIRST_DELAY_S: Final = 0.5
_READ_BYTES: Final = 512 << 10
"""At once. A folder writes what it gets; pieces of 1 MiB and more cost it up to twice the system's time."""


class Stopped(Exception):
    """The run ends."""


class Download:
    """One artifact's bytes, in order; iterate once, in a thread. A piece is good until the next one is asked for.

    A connection that breaks is continued where it was, if the storage proves that the file is still the same one.

    Args:
        artifact: What is read.
        storage: The bare client.
        fetch_source: Asks the provider for a URL; blocks.
        stop: Set to end it with `Stopped`.
        source: The URL to begin with; None asks for one.
    """

    def __init__(
        self,
        artifact: Artifact,
        storage: Storage,
        fetch_source: Callable[[Artifact], Source],
        stop: threading.Event,
        source: Source | None,
    ) -> None:
        self._artifact = artifact
        self._storage = storage
        self._fetch_source = fetch_source
        self._stop = stop
        self._source = source
        self._total: int | None = None
        self._validator: str | None = None
        self._done = 0

    def __iter__(self) -> Iterator[memoryview]:
        tries = 0
        while not self._is_complete:
            if self._stop.is_set():
                raise Stopped
            before = self._done
            try:
                with self._opened() as body:
                    yield from self._copy(body)
                if self._total is None:  # the clean end of a body of unknown length
                    self._total = self._done
            except LinkExpired as error:
                self._source = None
                failure: Exception = error
            except (Incomplete, Unreachable, RateLimited) as error:
                failure = error
            else:
                continue
            tries = 0 if self._done > before else tries + 1
            if tries >= TRIES:
                raise failure
            if tries:
                self._wait(tries, failure)

    @property
    def _is_complete(self) -> bool:
        return self._total is not None and self._done == self._total

    @contextmanager
    def _opened(self) -> Iterator[Body]:
        if self._source is None:
            self._source = self._fetch_source(self._artifact)
        body = self._storage.open(
            self._source.url, start=self._done, if_range=self._validator, headers=self._source.headers
        )
        with body:
            self._accept(body)
            yield body

    def _accept(self, body: Body) -> None:
        """Decides whether the answer continues what was read.

        Raises:
            Mismatch: It is another file, or another size than was promised.
        """
        head = body.head
        same = head.status == 206 and head.start == self._done and head.total == self._total
        if self._done and not (same and self._validator is not None):
            raise Mismatch("The file could not be continued after a break.", hint="The next run starts it anew.")
        promised = self._source.size_bytes if self._source else None
        if promised is None:
            promised = self._artifact.size_bytes
        if not self._done:
            if head.total is not None and promised is not None and head.total != promised:
                raise Mismatch(f"The provider says {promised:,} bytes, the storage has {head.total:,}.")
            self._total = head.total if head.total is not None else promised
            self._validator = head.validator

    def _copy(self, body: Body) -> Iterator[memoryview]:
        room = memoryview(bytearray(_READ_BYTES))
        while count := body.read_into(room):
            if self._stop.is_set():
                raise Stopped
            self._done += count
            if self._total is not None and self._done > self._total:
                raise Mismatch(f"The storage sent more than the {self._total:,} bytes that were promised.")
            yield room[:count]
        if self._total is not None and self._done < self._total:
            raise Incomplete(f"The storage sent {self._done:,} of {self._total:,} bytes.")

    def _wait(self, tries: int, failure: Exception) -> None:
        delay_s = failure.retry_after_s if isinstance(failure, RateLimited) else _FIRST_DELAY_S * 2.0 ** (tries - 1)
        _log.info("archiving %s waits %.1f s: %s", self._artifact.ref.artifact, delay_s, failure)
        if self._stop.wait(delay_s):
            raise Stopped
