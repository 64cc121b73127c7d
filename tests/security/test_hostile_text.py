"""Text from a server is text: in every view and in plain output, down to the bytes that reach the terminal."""

from __future__ import annotations

import json
import subprocess
import unicodedata
from collections.abc import Iterator

import pytest

from tests.security.conftest import BIN, OpenTerminal
from tests.security.hostile import STRINGS, foreign_bytes, serving


@pytest.fixture(scope="module")
def hostile() -> Iterator[dict[str, str]]:
    with serving() as url:
        yield {"BITRISE_TOKEN": "a-token", "DIGSITE_BITRISE_URL": url}


def test_there_are_enough_hostile_strings() -> None:
    assert len(set(STRINGS)) == len(STRINGS) >= 300


@pytest.mark.parametrize("raw", [b"\x1b]0;PWN\x07", b"\x1b[7777m", b"a\xc2\x9b1m", b"\xe2\x80\xae", b"\x1bc", b"\x07"])
def test_the_measure_finds_what_it_should(raw: bytes) -> None:
    assert foreign_bytes(b"\x1b[1;2Hx" + raw)


def test_every_view_writes_nothing_but_its_own_frame(terminal: OpenTerminal, hostile: dict[str, str]) -> None:
    with terminal(columns=170, lines=45, extra=hostile) as t:
        t.until(lambda text: "i11" in text)
        for _ in range(len(STRINGS) // 30):
            t.send("\x1b[6~")  # a page down, so that every title has been on the screen
        t.send("/m0 \r")
        text = t.until(lambda text: "1 of" in text and "[@click=app" in text)
        line = next(n for n, each in enumerate(text.split("\n"), start=1) if "[@click=app" in each)
        column = text.split("\n")[line - 1].index("click=app") + 1
        t.send(f"\x1b[<0;{column};{line}M\x1b[<0;{column};{line}m")
        t.send("\r")
        t.until(lambda text: "Builds · m0 [@click" in text and "#" in text)
        for _ in range(len(STRINGS) // 30):
            t.send("\x1b[6~")
        t.send("\r")
        t.until(lambda text: "Artifacts · #" in text and "m17 ~root" in text)
        for _ in range(len(STRINGS) // 30):
            t.send("\x1b[6~")
        t.send("@")
        t.until(lambda text: "Accounts" in text and "Add: Bitrise" in text)
        t.send("\x1b")
        t.until(lambda text: "Add: Bitrise" not in text)
        t.send("q")
        assert t.end() == 0, "a click on a title has run no action of the program"
        assert foreign_bytes(bytes(t.raw)) == []


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("bitrise/a5", "Builds · m5"),
        ("bitrise/a5/7", "Artifacts · #"),
        ("bitrise/a1", "refused the"),
        ("bitrise/nothing", "no app"),
    ],
)
def test_a_path_opens_hostile_things_as_text(
    terminal: OpenTerminal, hostile: dict[str, str], path: str, shown: str
) -> None:
    with terminal(path, columns=120, lines=40, extra=hostile) as t:
        t.until(lambda text: shown in text)
        for key in ("G", "i", "\x1b", "g", "X", "\x1b", "p", "\x1b", "!", "\x1b"):
            t.send(key)
        t.send("?")
        t.until(lambda text: "Quit" in text)
        t.process.terminate()
        assert t.end() == 143
        assert foreign_bytes(bytes(t.raw)) == []


@pytest.mark.parametrize(
    "args",
    [
        ("ls",),
        ("ls", "bitrise/a5"),
        ("ls", "bitrise/a5/7"),
        ("show", "bitrise/a5/7"),
        ("ls", "bitrise/a1"),
        ("accounts", "check"),
    ],
)
def test_plain_output_and_documents(env: dict[str, str], hostile: dict[str, str], args: tuple[str, ...]) -> None:
    for extra in ((), ("--json",)):
        done = subprocess.run(
            [str(BIN / "digsite"), *args, *extra], env={**env, **hostile}, capture_output=True, timeout=60, check=False
        )
        written = (done.stdout + done.stderr).decode()
        assert not {c for c in written if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}}
        assert b"Traceback" not in done.stderr
        if extra and done.returncode == 0:
            assert done.stdout.isascii()
            json.loads(done.stdout)
