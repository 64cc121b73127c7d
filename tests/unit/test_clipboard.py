"""What goes to the clipboard, through which wrapping, and what is never claimed."""

from __future__ import annotations

import base64
import os
import re
import sys
from pathlib import Path

import pytest

from tui.terminal.clipboard import MAX_BYTES, fill, program, sequence

PLAIN = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")


def text_of(written: str) -> str:
    found = PLAIN.search(written)
    assert found is not None
    return base64.b64decode(found[1]).decode()


def test_a_terminal_gets_the_text() -> None:
    written = sequence("acme/app/12/ä😀.apk", {"TERM": "xterm-256color"})
    assert written is not None
    assert text_of(written) == "acme/app/12/ä😀.apk"


def test_tmux_gets_it_wrapped_and_as_it_is() -> None:
    written = sequence("path", {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"})
    assert written is not None
    wrapped, plain = written.split("\x1b\\")
    assert wrapped.startswith("\x1bPtmux;")
    assert text_of(wrapped.removeprefix("\x1bPtmux;").replace("\x1b\x1b", "\x1b")) == "path"
    assert text_of(plain) == "path"


def test_screen_gets_pieces_that_it_hands_on() -> None:
    text = "x" * 1000
    written = sequence(text, {"TERM": "screen.xterm-256color"})
    assert written is not None
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", written, re.DOTALL)
    assert all(len(piece) <= 256 for piece in pieces)
    assert text_of("".join(pieces)) == text


def test_what_a_terminal_would_cut_is_not_sent() -> None:
    assert sequence("x" * MAX_BYTES, {}) is None
    assert sequence("x" * (MAX_BYTES * 3 // 4 - 3), {}) is not None


def test_over_ssh_the_clipboard_of_this_machine_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xclip").write_text("#!/bin/sh\n")
    (tmp_path / "xclip").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program({"DISPLAY": ":0"}) == ("xclip", "-selection", "clipboard")
    assert program({"DISPLAY": ":0", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}) is None
    assert program({}) is None


async def test_a_program_is_believed_only_when_it_says_so(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    code = f"import sys, pathlib; pathlib.Path({str(kept)!r}).write_bytes(sys.stdin.buffer.read())"
    assert await fill((sys.executable, "-c", code), "text")
    assert kept.read_text() == "text"
    assert not await fill((sys.executable, "-c", "raise SystemExit(1)"), "text")
    assert not await fill((str(tmp_path / "nowhere"),), "text")


async def test_a_program_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.terminal.clipboard._PROGRAM_LIMIT_S", 0.05)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pipe.open("r+b", buffering=0):  # nobody writes, and it is closed with the test
        assert not await fill(("cat", str(pipe)), "text")
