"""A limit on bytes a second that all connections of all transfers share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

_SLICES: Final = 8
"""A connection takes at most this part of a second's bytes at once, so that the others get their turn."""
_MAX_BYTES: Final = 512 << 10
_MIN_BYTES: Final = 4 << 10


class Throttle:
    """Hands out bytes at a steady rate.

    Args:
        rate: Bytes a second; None is no limit. May be changed at any time.
        clock: Seconds that only go up.
    """

    def __init__(self, rate: int | None = None, clock: Callable[[], float] = monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = 0.0

    @property
    def block_bytes(self) -> int:
        """How much to read at once."""
        rate = self.rate
        return _MAX_BYTES if rate is None else max(_MIN_BYTES, min(_MAX_BYTES, rate // _SLICES))

    def take(self, count: int, wait: Callable[[float], object]) -> float:
        """Waits until that many bytes are within the limit.

        Args:
            count: Bytes that were read.
            wait: Called with seconds, when there is need to wait; may end sooner, or raise to give up.

        Returns:
            The seconds asked for.
        """
        rate = self.rate
        if rate is None:
            return 0.0
        with self._lock:
            now = self._clock()
            start = max(now, min(self._free_at, now + 2.0))  # a limit that was lifted leaves no long debt behind
            self._free_at = start + count / rate
            delay = self._free_at - now
        wait(delay)
        return delay
