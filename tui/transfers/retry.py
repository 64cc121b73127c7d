"""How a broken transfer is tried again, and how it is told to stop."""

from __future__ import annotations

import random
from dataclasses import dataclass
from time import monotonic

from tui.errors import Incomplete


class Stopped(Exception):
    """The transfer was paused, cancelled, or the program ends."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon a broken transfer is continued. Arriving bytes start the count anew."""

    tries: int = 10
    """In a row, without one new byte."""
    first_delay_s: float = 0.5
    max_delay_s: float = 30.0
    slow_window_s: float = 60.0
    slow_bytes: int = 60 << 10
    """Fewer bytes than this in one window count as a stall: a new connection is made."""

    def delay_s(self, tries: int) -> float:
        """Seconds to wait after this many tries (from 1) without progress."""
        full = min(self.max_delay_s, self.first_delay_s * 2.0 ** (tries - 1))
        return full * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, protects nothing


class SpeedCheck:
    """Gives up a connection that drips; time that it spent waiting for our own limit does not count.

    Args:
        policy: What counts as dripping.
        done_bytes: Where it begins.
    """

    def __init__(self, policy: RetryPolicy, done_bytes: int) -> None:
        self._policy = policy
        self._since, self._bytes = monotonic(), done_bytes

    def check(self, done_bytes: int, throttled_s: float) -> None:
        """Takes note of how far it is.

        Raises:
            Incomplete: Too little came in the last window.
        """
        self._since += throttled_s
        if monotonic() - self._since < self._policy.slow_window_s:
            return
        if done_bytes - self._bytes < self._policy.slow_bytes:
            raise Incomplete(f"Fewer than {self._policy.slow_bytes:,} bytes came in a minute.")
        self._since, self._bytes = monotonic(), done_bytes
