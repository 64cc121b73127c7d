"""A terminal that vanishes takes nothing with it: who writes to it goes on, and the end is not waited for."""

from __future__ import annotations

import os
import pty
import sys
import threading
from contextlib import suppress

import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals are a matter of POSIX")


def test_output_to_a_vanished_terminal_is_lost_and_holds_nobody_up() -> None:
    from tui.terminal.driver import Surviving

    master, slave = pty.openpty()
    os.close(master)
    surviving = Surviving(os.fdopen(slave, "w", encoding="utf-8"))

    def write() -> None:
        writer = WriterThread(surviving)  # type: ignore[arg-type]  # it asks no more of a file
        writer.start()
        for _ in range(3 * MAX_QUEUED_WRITES):
            writer.write("x" * 100)
        writer.stop()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    thread.join(timeout=20)
    assert not thread.is_alive()
    with suppress(OSError):  # what is left in its buffer
        surviving.close()
