"""Threads that move many bytes take turns, so that the event loop gets the processor in time."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any

import pytest

from tui import threads
from tui.cli.explore import explore
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


def test_the_explorer_holds_a_turn_for_its_keys_as_long_as_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    free: list[bool] = []

    def run(explorer: Coroutine[Any, Any, tuple[int, bool]]) -> tuple[int, bool]:
        explorer.close()
        free.append(threads._TURNS.acquire(blocking=False))
        return 0, False

    monkeypatch.setattr(threads, "_TURNS", threading.Semaphore(1))
    monkeypatch.setattr(asyncio, "run", run)
    monkeypatch.setattr(sys, "stdin", Screen())
    monkeypatch.setattr(sys, "stdout", Screen())
    monkeypatch.setenv("TERM", "xterm")
    assert explore(None, sessions=()) == 0
    assert free == [False]
    assert threads._TURNS.acquire(blocking=False)
