"""Tells a connection that drips from one that is slow."""

from __future__ import annotations

from time import monotonic
from typing import Final

from tui.errors import Incomplete

SLOW_WINDOW_S: Final = 60.0
SLOW_BYTES: Final = 60 << 10
"""Fewer than this in one window count as a stall: a new connection is made."""


class SpeedCheck:
    """Gives up a connection that drips; time that it spent waiting for our own limit does not count.

    Args:
        window_s: How long is watched at a time.
        least_bytes: What must come in that time.
        done_bytes: Where it begins.
    """

    def __init__(self, window_s: float, least_bytes: int, done_bytes: int) -> None:
        self._window_s, self._least_bytes = window_s, least_bytes
        self._since, self._bytes = monotonic(), done_bytes

    def check(self, done_bytes: int, throttled_s: float = 0.0) -> None:
        """Takes note of how far it is.

        Raises:
            Incomplete: Too little came in the last window.
        """
        self._since += throttled_s
        if monotonic() - self._since < self._window_s:
            return
        if done_bytes - self._bytes < self._least_bytes:
            raise Incomplete(f"Fewer than {self._least_bytes:,} bytes came in {self._window_s:.0f} seconds.")
        self._since, self._bytes = monotonic(), done_bytes
