"""Signals that end a command."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BUSY = """
import asyncio, os, signal, threading
from tui.cli.exit_codes import EndedBySignal
from tui.cli.runner import run

async def work():
    loop = asyncio.get_running_loop()
    def tell():
        for _ in range(50_000):
            loop.call_soon_threadsafe(int)
    teller = threading.Thread(target=tell)
    teller.start()
    teller.join()  # nobody reads the loop's wake-up socket meanwhile: it is full
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.Event().wait()

try:
    run(work(), asks=False)
except EndedBySignal as ended:
    raise SystemExit(ended.exit_code)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_signal_is_heard_by_a_loop_that_much_else_has_woken() -> None:
    assert subprocess.run([sys.executable, "-c", BUSY], timeout=60, check=False).returncode == 143
