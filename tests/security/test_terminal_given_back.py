"""Stopped and continued, resized without end, flooded by a paste, without a terminal: it stays usable or says why."""

from __future__ import annotations

import fcntl
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.e2e.conftest import Terminal
from tests.security.conftest import BIN, OpenTerminal

ALTERNATE_ON, ALTERNATE_OFF, MOUSE_OFF = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?1000l"


def resize(terminal: Terminal, columns: int, lines: int) -> None:
    fcntl.ioctl(terminal._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    terminal.screen.resize(lines, columns)
    terminal.process.send_signal(signal.SIGWINCH)


@pytest.mark.skipif(sys.platform != "linux", reason="the state of a process is read from /proc")
def test_stopped_it_gives_the_terminal_back_and_continued_it_draws_again(terminal: OpenTerminal) -> None:
    with terminal("demo", columns=80, lines=24) as t:
        t.until(lambda text: "Acme Classic" in text)
        status = Path(f"/proc/{t.process.pid}/stat")
        t.process.send_signal(signal.SIGTSTP)
        t.until(lambda _: ALTERNATE_OFF in t.raw)
        while status.read_text().rpartition(")")[2].split()[0] != "T":
            assert t.process.poll() is None
        assert MOUSE_OFF in t.raw
        t.raw.clear()
        t.process.send_signal(signal.SIGCONT)
        t.until(lambda _: ALTERNATE_ON in t.raw)
        t.until(lambda text: "Acme Classic" in text)
        t.send("q")
        assert t.end() == 0


def test_any_size_and_many_sizes(terminal: OpenTerminal) -> None:
    with terminal("demo", columns=80, lines=24) as t:
        t.until(lambda text: "Acme Classic" in text)
        for columns, lines in [(1, 1), (10, 3), (300, 100), *((20 + n % 180, 2 + n % 60) for n in range(200))]:
            resize(t, columns, lines)
        resize(t, 19, 4)
        t.until(lambda text: "too small" in text.replace("\n", " ") or "window" in text)
        resize(t, 100, 30)
        t.until(lambda text: "Acme Classic" in text and "Quit" in text)
        t.send("q")
        assert t.end() == 0


def test_a_paste_full_of_escapes_does_no_harm(terminal: OpenTerminal) -> None:
    with terminal("demo", columns=80, lines=24) as t:
        t.until(lambda text: "Acme Classic" in text)
        t.send("/")
        t.send("\x1b[200~" + "q\x1b[31mX" * 400 + "\x1b[201~")
        t.send("\x1b")
        t.until(lambda text: "Acme Classic" in text)
        t.send("\x1b")
        t.process.terminate()
        assert t.end() == 143
        assert ALTERNATE_OFF in t.raw


@pytest.mark.parametrize("args", [(), ("demo",), ("bitrise/acme-android",)])
def test_without_a_terminal_it_names_the_commands(env: dict[str, str], args: tuple[str, ...]) -> None:
    done = subprocess.run(
        [str(BIN / "digsite"), *args], env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert b"digsite ls" in done.stderr
    assert b"\x1b" not in done.stdout + done.stderr


def test_on_a_dumb_terminal_it_names_the_commands(terminal: OpenTerminal) -> None:
    with terminal(extra={"TERM": "dumb"}) as t:
        assert t.end() == 2
        assert b"digsite ls" in t.raw
        assert b"\x1b" not in t.raw
