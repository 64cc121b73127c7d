"""Threads that move many bytes take turns, so that the event loop gets the processor in time."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from tui import threads
from tui.threads import processor_turn


def test_a_disk_that_hangs_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_TURNS", threading.Semaphore(2))
    monkeypatch.setattr(threads, "_PATIENCE_S", 0.001)
    with ExitStack() as hung:
        for _ in range(2):
            hung.enter_context(processor_turn())
        with processor_turn():
            pass  # without a turn, which it must not give back
        assert not threads._TURNS.acquire(blocking=False)
    assert threads._TURNS.acquire(blocking=False)


def test_a_turn_is_given_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_TURNS", threading.Semaphore(1))
    with pytest.raises(OSError, match="disk"), processor_turn():
        raise OSError("disk")
    assert threads._TURNS.acquire(blocking=False)
