"""Signals that end a command."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tui.demo.servers import DemoServers

Digsite = Callable[..., Any]
Asking = Callable[..., Any]
GREEN = "bitrise/acme-android/latest-green"

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


class Asked:
    """A command on a pseudo terminal that has asked its question; stdout may be a pipe."""

    def __init__(self, args: tuple[str, ...], env: dict[str, str], folder: Path, *, piped: bool) -> None:
        self._master, slave = pty.openpty()
        self._before = termios.tcgetattr(self._master)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui", *args],
            stdin=slave,
            stdout=subprocess.PIPE if piped else slave,
            stderr=slave,
            env=env,
            cwd=folder,
            start_new_session=True,
        )
        os.close(slave)
        self.shown = b""

    def until(self, text: bytes) -> None:
        while text not in self.shown:
            piece = os.read(self._master, 4096)
            assert piece, self.shown
            self.shown += piece

    def answer(self, line: bytes) -> None:
        os.write(self._master, line)

    def end(self) -> int:
        """Its exit code; the terminal is as it was."""
        code = self.process.wait(60)
        with suppress(OSError):  # Linux: the other end is closed
            while piece := os.read(self._master, 4096):
                self.shown += piece
        assert termios.tcgetattr(self._master) == self._before
        assert b"Traceback" not in self.shown
        assert b"Fatal" not in self.shown
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        os.close(self._master)


@pytest.fixture
def asking(env: dict[str, str], demo: DemoServers, tmp_path: Path) -> Iterator[Asking]:
    started: list[Asked] = []

    def start(*args: str, piped: bool = False) -> Asked:
        started.append(Asked(args, {**env, **demo.environment()}, tmp_path, piped=piped))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_a_question_ends_it_and_nothing_is_done(
    asking: Asking, digsite: Digsite, demo: DemoServers, number: signal.Signals, piped: bool
) -> None:
    path = f"{GREEN}/*.apk"
    asked = asking("rm", path, "--json", piped=piped)
    asked.until(b"Type delete: ")
    asked.process.send_signal(number)
    assert asked.end() == 128 + number
    assert not [request for request in demo.requests if request.method == "DELETE"]
    assert digsite("show", path).code == 0


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_is_heard_where_a_name_is_taken(asking: Asking, digsite: Digsite, tmp_path: Path) -> None:
    (artifact,) = digsite("ls", f"{GREEN}/*.log", "--json").json["artifacts"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / artifact["title"]).write_text("mine")
    asked = asking("get", artifact["path"], "-o", "out")
    asked.until(b"[rename]: ")
    asked.process.send_signal(signal.SIGINT)
    assert asked.end() == 130
    assert [file.read_text() for file in (tmp_path / "out").iterdir()] == ["mine"]


@pytest.mark.skipif(os.name != "posix", reason="a pseudo terminal is POSIX's")
def test_what_to_do_with_a_taken_name_is_asked_until_it_is_answered(
    asking: Asking, digsite: Digsite, tmp_path: Path
) -> None:
    (artifact,) = digsite("ls", f"{GREEN}/*.log", "--json").json["artifacts"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / artifact["title"]).write_text("mine")
    asked = asking("get", artifact["path"], "-o", "out")
    asked.until(b"[rename]: ")
    asked.answer(b"all\n")
    asked.until(b"Type one of them")
    asked.answer(b" skip \n")
    assert asked.end() == 0
    assert b"skipped" in asked.shown


@pytest.mark.skipif(os.name != "posix", reason="a pseudo terminal is POSIX's")
@pytest.mark.parametrize(("answer", "code"), [(b"no\n", 1), (b"\x04", 130), (b"delete\n", 0)])
def test_rm_deletes_on_the_word_alone(asking: Asking, digsite: Digsite, answer: bytes, code: int) -> None:
    (artifact,) = digsite("ls", f"{GREEN}/*.log", "--json").json["artifacts"]
    asked = asking("rm", artifact["path"])
    asked.until(b"Type delete: ")
    asked.answer(answer)
    assert asked.end() == code
    assert digsite("ls", artifact["path"]).code == (3 if code == 0 else 0)
