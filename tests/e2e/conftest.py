"""A real pseudo terminal with an emulator behind it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pyte
import pytest

LIMIT_S = 30.0
QUIET_S = 0.3

_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Run in the child; Python must not run between fork and exec where there are threads, as the demo's."""


class Terminal:
    """A program in a terminal: what it wrote as bytes, and what a person would see."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], columns: int, lines: int) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.raw = bytearray()
        self.read_at = 0.0
        """When the last bytes came, by `time.perf_counter`: to make a screen of them takes the emulator its time."""
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-IS", "-c", _TAKE_TERMINAL, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(env),
            start_new_session=True,
        )
        os.close(slave)

    @property
    def text(self) -> str:
        """The screen, line by line."""
        # Not pyte's own `display`, which trips over half a wide character where a read has ended between two cells.
        screen = self.screen
        lines = ("".join(screen.buffer[y][x].data for x in range(screen.columns)) for y in range(screen.lines))
        return "\n".join(line.rstrip() for line in lines)

    def until(self, condition: Callable[[str], object]) -> str:
        """Reads until the screen fulfils the condition; gives the screen."""
        end = time.monotonic() + LIMIT_S
        while not condition(self.text):
            if time.monotonic() > end or not self._read(end):
                raise AssertionError(f"not seen; the screen is:\n{self.text}")
        return self.text

    def quiet(self, seconds: float = QUIET_S) -> None:
        """Reads until the program rests: so long no byte and next to no work; slowness alone is no rest."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            assert time.monotonic() < deadline, f"it never stands still; the screen is:\n{self.text}"
            worked_s = self._worked_s()
            if self._read(time.monotonic() + seconds) or self._is_running():
                continue
            if self._worked_s() - worked_s < seconds / 10:  # it looks at its transfers twice a second
                return

    def _threads(self) -> Iterator[Path]:
        yield from Path(f"/proc/{self.process.pid}/task").glob("*")

    def _worked_s(self) -> float:
        """Processor time of the program so far; 0 where the system does not tell."""
        total_ns = 0
        for thread in self._threads():
            with suppress(OSError):  # a thread that has ended
                total_ns += int((thread / "schedstat").read_text("ascii").split()[0])
        return total_ns / 1e9

    def _is_running(self) -> bool:
        """Whether it computes, or would if it were let: on a busy machine it waits for the processor."""
        for thread in self._threads():
            with suppress(OSError):
                if (thread / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] in {"R", "D"}:
                    return True
        return False

    def send(self, keys: str) -> None:
        """Types."""
        os.write(self._master, keys.encode())

    def end(self) -> int:
        """Reads until the program has ended; gives its exit code."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline and self._read(deadline):
            pass
        try:
            return self.process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end; the screen is:\n{self.text}") from None

    def hang_up(self) -> None:
        """Takes the terminal away, as a dropped SSH line does."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        if self._master >= 0:
            os.close(self._master)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # the program has closed its side
            return False
        self.read_at = time.perf_counter()
        self.raw += chunk
        self._stream.feed(chunk)
        return bool(chunk)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment with nothing of the user's in it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DIGSITE_HOME": str(tmp_path / "home"),
        "DIGSITE_DOWNLOADS": str(tmp_path / "downloads"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "TEXTUAL_ANIMATIONS": "none",
    }


@pytest.fixture
def terminal(env: dict[str, str]) -> Callable[..., object]:
    """Runs the installed `digsite` in a terminal: `with terminal("demo", columns=80, lines=24) as t`."""

    @contextmanager
    def opened(
        *args: str, columns: int = 80, lines: int = 24, extra: Mapping[str, str] | None = None
    ) -> Iterator[Terminal]:
        program = str(Path(sys.executable).with_name("digsite"))
        started = Terminal([program, *args], {**env, **(extra or {})}, columns, lines)
        try:
            yield started
        finally:
            started.close()

    return opened
