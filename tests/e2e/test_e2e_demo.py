"""The main job as a newcomer does it: `digsite demo` in a terminal of 80x24, by keyboard alone."""

from __future__ import annotations

import hashlib
import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tui.demo import DemoData

pytestmark = pytest.mark.e2e

Open = Callable[..., Any]
ALTERNATE_OFF = b"\x1b[?1049l"
MOUSE_OFF = b"\x1b[?1000l"


def test_drill_down_download_toggle_delete(terminal: Open, tmp_path: Path) -> None:
    with terminal("demo") as t:
        t.until(lambda text: "acme-android" in text and "Weather" in text)
        t.send("/acme-android\r")
        t.until(lambda text: "1 of" in text)
        t.send("\r")
        t.until(lambda text: "Builds · acme-android" in text and "succeeded" in text)
        t.send("/status:succeeded\r")
        t.until(lambda text: "failed" not in text)
        t.send("\r")
        t.until(lambda text: "Artifacts · #" in text and ".apk" in text)
        t.send("/kind:apk\r")
        t.until(lambda text: "2 of 5" in text)
        t.send("i")
        detail = t.until(lambda text: "Copy line" in text and re.search(r"Id +[0-9a-f-]{10}", text))
        found = re.search(r"Id +([0-9a-f-]+)", detail)
        title = re.search(r"Artifact +(\S+)", detail)
        assert found is not None
        assert title is not None
        t.send("\x1b")
        t.until(lambda text: "Artifacts · #" in text)

        t.send("d")
        t.until(lambda text: "1 done" in text)
        (file,) = (tmp_path / "downloads").rglob("*.apk")
        data = DemoData(datetime.now(UTC))
        assert hashlib.sha256(file.read_bytes()).hexdigest() == data.sha256(found[1])
        assert not list((tmp_path / "downloads").rglob("*.part*"))

        if " public" in t.text.split("Artifacts")[1]:
            t.send("p")
            t.until(lambda text: "no longer public" in text)
        t.send("p")
        t.until(lambda text: "Anyone with the link" in text)
        t.send("y")
        t.until(lambda text: "Public: anyone" in text and "http://127.0.0.1" in text)
        t.send("\x1b")
        t.until(lambda text: "esc closes" not in text)

        t.send("X")
        t.until(lambda text: "Delete this artifact?" in text and title[1] in text)
        t.send("delete")
        t.until(lambda text: "enter: delete" in text)
        t.send("\r")
        t.until(lambda text: "Deleted 1 artifact" in text)
        t.until(lambda text: title[1] not in text.split("Artifacts")[1])

        t.send("q")
        assert t.end() == 0
        assert ALTERNATE_OFF in t.raw
        assert MOUSE_OFF in t.raw


@pytest.mark.parametrize(("columns", "lines"), [(120, 40), (50, 20)])
def test_it_opens_at_other_sizes(terminal: Open, columns: int, lines: int) -> None:
    with terminal("demo", columns=columns, lines=lines) as t:
        t.until(lambda text: "Acme Classic" in text)
        t.send("\r")
        t.until(lambda text: "Builds · Acme" in text and "#" in text)
        t.send("q")
        assert t.end() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_gives_the_terminal_back(terminal: Open, number: signal.Signals, code: int) -> None:
    with terminal("demo") as t:
        t.until(lambda text: "Acme Classic" in text)
        t.process.send_signal(number)
        assert t.end() == code
        assert ALTERNATE_OFF in t.raw


def test_a_dropped_line_ends_the_program(terminal: Open) -> None:
    with terminal("demo") as t:
        t.until(lambda text: "Acme Classic" in text)
        t.hang_up()
        assert t.process.wait(timeout=10) in {129, -signal.SIGHUP}


def test_first_run_offers_two_vendors_and_the_demo(terminal: Open) -> None:
    with terminal() as t:
        text = t.until(lambda text: "Welcome to digsite" in text and "Look at the demo" in text)
        assert "Bitrise" in text
        assert "Xcode Cloud" in text or "App Store Connect" in text
        t.send("\x1b[B\x1b[B\r")
        t.until(lambda text: "acme-android" in text)
        t.send("q")
        assert t.end() == 0


def test_adding_an_account_with_a_wrong_token_says_so_and_keeps_nothing(terminal: Open, tmp_path: Path) -> None:
    with terminal() as t:
        t.until(lambda text: "Welcome to digsite" in text)
        t.send("\r")
        t.until(lambda text: "no OS keyring" in text)
        t.send("\tbitpat_not a token")  # in one packet
        t.until(lambda text: "•" * len("bitpat_not a token") in text)
        t.send("\t\r")
        t.until(lambda text: "plain file: not encrypted" in text)
        t.send("\x1b[B\r")
        t.until(lambda text: "Passphrase of the vault" in text)
        t.send("\ta long passphrase")
        t.until(lambda text: "•" * len("a long passphrase") in text.split("Passphrase of the vault")[1])
        t.send("\r")
        t.until(lambda text: "position" in text)
        assert b"not a token" not in t.raw
        t.send("\x1b")
        t.until(lambda text: "Add a Bitrise account" not in text)
        t.send("q")
        assert t.end() == 0
        assert not (tmp_path / "home" / "config" / "config.toml").exists()
        assert not list((tmp_path / "home").rglob("*vault*"))
