"""How a broken transfer is tried again, and how it is told to stop."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tui.storage.speed import SLOW_BYTES, SLOW_WINDOW_S


class Stopped(Exception):
    """The transfer was paused, cancelled, or the program ends."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon a broken transfer is continued. Arriving bytes start the count anew."""

    tries: int = 10
    """In a row, without one new byte."""
    first_delay_s: float = 0.5
    max_delay_s: float = 30.0
    slow_window_s: float = SLOW_WINDOW_S
    slow_bytes: int = SLOW_BYTES

    def delay_s(self, tries: int) -> float:
        """Seconds to wait after this many tries (from 1) without progress."""
        full = min(self.max_delay_s, self.first_delay_s * 2.0 ** (tries - 1))
        return full * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, protects nothing
