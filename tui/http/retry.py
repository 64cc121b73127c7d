"""When a call may be repeated, and how long to wait before: the one retry policy of all providers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

RETRIED_STATUSES: Final = frozenset({500, 502, 503, 504})
"""Server errors after which a GET is sent again; 429 has rules of its own."""
MIN_RETRY_AFTER_S: Final = 1.0
MAX_RETRY_AFTER_S: Final = 15 * 60.0
"""A Retry-After is taken as this at most: a server that says ten years is not believed."""
MAX_BACKOFF_S: Final = 60 * 60.0
"""The longest wait of our own after a row of 429 without a Retry-After."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long one call is tried. Sleep, clocks and chance are injected for tests."""

    tries: int = 4
    total_s: float = 30.0
    """Seconds for one call, all its tries and waits together."""
    first_wait_s: float = 0.5
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    chance: Callable[[], float] = field(default=random.random)
    """A number from 0 to 1; spreads the calls of many clients."""

    def backoff_s(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row: doubling, between half and all of it."""
        ceiling = min(self.first_wait_s * 2.0 ** min(failures - 1, 30), MAX_BACKOFF_S)
        return ceiling * (0.5 + self.chance() / 2)


def parse_retry_after(value: str | None, now_s: float) -> float | None:
    """Seconds that a Retry-After header asks for, clamped to 1 s..15 min; None when it is absent or garbage.

    Args:
        value: Whole seconds or an HTTP date (RFC 9110, section 10.2.3).
        now_s: The server's idea of now, in unix seconds.
    """
    if value is None:
        return None
    try:
        wait_s = float(int(value)) if len(value) < 20 else MAX_RETRY_AFTER_S
    except ValueError:
        moment = parse_http_date(value)
        if moment is None:
            return None
        wait_s = moment.timestamp() - now_s
    return min(max(wait_s, MIN_RETRY_AFTER_S), MAX_RETRY_AFTER_S)


def parse_http_date(value: str | None) -> datetime | None:
    """An HTTP date as aware UTC; None when it is absent or garbage."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        return None


class Gate:
    """Closed while the server asks to wait; all calls of a client pass through the same one."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._opens_at = 0.0
        self._refusals = 0

    @property
    def remaining_s(self) -> float:
        """Seconds until calls may be made again; 0 when open."""
        return max(0.0, self._opens_at - self._policy.clock())

    def close(self, retry_after_s: float | None) -> None:
        """A 429 came: waits as long as it says, or doubles our own wait with every 429 in a row."""
        self._refusals += 1
        wait_s = retry_after_s or max(1.0, self._policy.backoff_s(self._refusals + 1))
        self._opens_at = max(self._opens_at, self._policy.clock() + wait_s)

    def opened(self) -> None:
        """Another answer than 429 came: the row of refusals is over."""
        self._refusals = 0
