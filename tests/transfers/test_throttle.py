"""The limit on bytes a second holds for all connections together."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.transfers.conftest import FaultServer, Provider
from tui.models import Artifact
from tui.storage import Storage
from tui.transfers.history import History
from tui.transfers.queue import TransferQueue
from tui.transfers.retry import RetryPolicy
from tui.transfers.snapshot import TransferState
from tui.transfers.throttle import Throttle

MB = 1 << 20


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@given(st.integers(1000, 100 * MB), st.integers(0, 2**32))
def test_no_more_than_the_rate_over_any_number_of_takers(rate: int, seed: int) -> None:
    clock, chance = Clock(), random.Random(seed)
    throttle = Throttle(rate, clock)
    taken = 0
    for _ in range(50):
        count = chance.randint(1, throttle.block_bytes)
        throttle.take(count, clock.wait)
        taken += count
    assert (clock.now - 1000.0) * rate >= taken * 0.999


def test_without_a_limit_nobody_waits_and_a_lifted_one_is_forgotten() -> None:
    clock = Clock()
    throttle = Throttle(None, clock)
    assert throttle.take(1 << 40, clock.wait) == 0.0
    throttle.rate = 1
    throttle.take(1000, lambda _: None)
    throttle.rate = MB
    throttle.take(1, clock.wait)
    assert clock.now - 1000.0 < 3.0


def test_the_block_shrinks_with_the_rate() -> None:
    assert Throttle(None).block_bytes == MB // 2
    assert Throttle(80_000).block_bytes == 10_000
    assert Throttle(1).block_bytes == 4096


async def test_a_slow_limit_is_no_stall(
    provider: Provider,
    storage: Storage,
    server: FaultServer,
    folder: Path,
    make_artifact: Callable[..., Artifact],
    history: History,
) -> None:
    server.fill(40_000)
    strict = RetryPolicy(first_delay_s=0.0, slow_window_s=0.05, slow_bytes=1 << 30)
    queue = TransferQueue(provider.source, storage, history=history, policy=strict, limit_rate=200_000)
    (result,) = await queue.wait([queue.add(make_artifact(size=40_000), folder / "app.apk", label="app")])
    assert result.state is TransferState.DONE, result.error
    assert len(server.requests) == 1
    await queue.aclose()


def test_stopping_ends_the_wait() -> None:
    stop = threading.Event()
    stop.set()
    Throttle(1).take(MB, stop.wait)
