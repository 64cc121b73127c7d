"""What goes over the line to a terminal of 120x40 with three panes filled: bytes, which no machine makes faster.

The limits are those of a program that feels like mc over SSH.
"""

from __future__ import annotations

import fcntl
import re
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from threading import Event
from typing import Any

import pytest
from pyte import modes

from tui.demo import DemoServers

pytestmark = pytest.mark.e2e

Open = Callable[..., Any]
DOWN, UP, PAGE_DOWN, HOME = "\x1b[B", "\x1b[A", "\x1b[6~", "\x1b[H"
WIDTH, HEIGHT = 120, 40


@pytest.fixture
def demo() -> Iterator[DemoServers]:
    with DemoServers() as servers:
        yield servers


@pytest.fixture
def explorer(terminal: Open, demo: DemoServers) -> Iterator[Any]:
    """The explorer in the builds of the app that has 100,000, with the artifacts of the newest beside them."""
    with opened(terminal, demo) as t:
        yield t


@contextmanager
def opened(terminal: Open, demo: DemoServers) -> Iterator[Any]:
    with terminal(columns=WIDTH, lines=HEIGHT, extra=demo.environment()) as t:
        t.until(lambda text: "acme-monorepo" in text and "Weather" in text)
        t.send("/acme-monorepo\r")
        t.until(lambda text: "1 of" in text)
        t.send("\r")
        t.until(lambda text: "Builds · acme-monorepo" in text and "of 100,000" in text)
        t.send("\r")
        t.until(lambda text: "Artifacts · #" in text and " MB " in text.split("Artifacts · #")[1])
        t.send("\x1b")
        t.until(lambda _: has_followed(t))
        t.quiet()
        yield t


def read_for(t: Any, seconds: float) -> None:
    """Reads so long, whatever comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        t._read(end)


def under_cursor(t: Any) -> str:
    """The number of the build under the cursor, in the middle pane."""
    for line in t.screen.display:
        if found := re.match(r".*│▌[• ].*#(\d+).*", line[20:75]):
            return found[1]
    return ""


def has_followed(t: Any) -> bool:
    """Whether detail and breadcrumb tell of the build under the cursor."""
    number, text = under_cursor(t), t.text
    return bool(number) and f"Build        #{number}" in text and f"/{number} " in text.splitlines()[0] + " "


def press(t: Any, key: str) -> int:
    """Presses a key and waits until the cursor has moved; gives the bytes that came for it."""
    before, start = under_cursor(t), len(t.raw)
    t.send(key)
    t.until(lambda _: under_cursor(t) not in {"", before})
    return len(t.raw) - start


def test_the_first_screen(terminal: Open, demo: DemoServers) -> None:
    with terminal(columns=WIDTH, lines=HEIGHT, extra=demo.environment()) as t:
        t.until(lambda text: "acme-monorepo" in text and "? Help" in text)
        t.quiet()
        assert len(t.raw) <= 40_000


def test_a_key_that_moves_the_cursor(explorer: Any) -> None:
    moves, followed = [], []
    for _ in range(20):
        start = len(explorer.raw)
        moves.append(press(explorer, DOWN))
        explorer.until(lambda _: has_followed(explorer))
        followed.append(len(explorer.raw) - start)
    assert median(moves) <= 300, moves
    # What the detail adds is its text; the names in the demo change from day to day.
    assert median(followed) <= 600, followed


def test_a_hundred_downs_through_a_long_list(explorer: Any) -> None:
    sizes = [press(explorer, DOWN) for _ in range(100)]
    assert median(sizes) <= 450, sizes
    assert mean(sizes) <= 900, sizes
    explorer.until(lambda _: has_followed(explorer))


def test_a_scroll_writes_only_what_differs(explorer: Any) -> None:
    """Half a pane of other builds: far less than the pane."""
    explorer.quiet()
    before = under_cursor(explorer)
    start = len(explorer.raw)
    explorer.send(PAGE_DOWN)
    explorer.until(lambda _: under_cursor(explorer) not in {"", before} and has_followed(explorer))
    assert len(explorer.raw) - start <= 4_000


def test_silence_while_nothing_happens(explorer: Any) -> None:
    explorer.send(DOWN)
    explorer.quiet(1)
    start = len(explorer.raw)
    explorer.quiet(2)
    assert len(explorer.raw) == start


def test_while_transfers_run(explorer: Any, demo: DemoServers) -> None:
    demo.faults.bytes_per_second = 50_000
    explorer.send("\t")
    explorer.until(lambda text: re.search(r"^ Artifact|│ Artifact ", text, re.MULTILINE))
    for _ in range(4):
        explorer.send("d")
        explorer.send(DOWN)
    explorer.until(lambda text: re.search(r"[2-9] running", text) and "B/s" in text)
    read_for(explorer, 1)
    start = len(explorer.raw)
    read_for(explorer, 4)
    assert "running" in explorer.text
    assert 0 < len(explorer.raw) - start <= 4 * 1_500


def test_the_terminal_shows_what_the_program_means(explorer: Any) -> None:
    """After much that wrote only differences, writing everything again changes nothing."""
    for key in (*[DOWN] * 30, PAGE_DOWN, UP, UP):
        press(explorer, key)
    explorer.send("?")
    explorer.until(lambda text: "Redraw" in text or "Filter" in text)
    explorer.quiet()
    explorer.send("?")
    explorer.until(lambda _: has_followed(explorer))
    explorer.quiet()
    assert_same_when_written_again(explorer)


def test_the_window_may_change_its_size(explorer: Any) -> None:
    for columns, lines in ((80, 24), (31, 9), (200, 60), (50, 20), (WIDTH, HEIGHT)):
        fcntl.ioctl(explorer._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        explorer.screen.resize(lines, columns)
        explorer.until(lambda text: "Builds" in text)
        explorer.quiet()
        assert_same_when_written_again(explorer)
    assert has_followed(explorer)


def assert_same_when_written_again(t: Any) -> None:
    """Empties the terminal and has everything written: nothing may look different then."""

    def cells() -> list[list[tuple[str, str]]]:
        screen = t.screen
        return [[screen.buffer[y][x][::2] for x in range(screen.columns)] for y in range(screen.lines)]

    before, shown = cells(), list(t.screen.display)
    t.screen.reset()
    t.screen.reset_mode(modes.DECAWM)
    t.send("\x0c")
    t.until(lambda text: "Builds" in text)
    t.quiet()
    assert list(t.screen.display) == shown
    assert cells() == before


def test_a_terminal_that_takes_no_output_stops_neither_the_program_nor_fills_its_memory(
    explorer: Any, demo: DemoServers
) -> None:
    """The reader stops; keys go on being answered (pages are asked for), and only one frame waits."""

    def pages() -> int:
        return sum("/builds" in request.path for request in demo.requests)

    newest, start, before = under_cursor(explorer), len(explorer.raw), pages()
    end = time.monotonic() + 30
    while pages() < before + 8:
        assert time.monotonic() < end, "the program stands still"
        explorer.send(PAGE_DOWN)
        Event().wait(0.05)
    explorer.send(HOME)
    explorer.until(lambda _: under_cursor(explorer) == newest and has_followed(explorer))
    explorer.quiet()
    assert len(explorer.raw) - start <= 80_000


def test_a_terminal_that_takes_no_output_does_not_keep_the_program_from_ending(
    explorer: Any, demo: DemoServers
) -> None:
    before = len(demo.requests)
    end = time.monotonic() + 30
    while len(demo.requests) < before + 8:
        assert time.monotonic() < end, "the program stands still"
        explorer.send(PAGE_DOWN)
        Event().wait(0.05)
    explorer.process.send_signal(signal.SIGTERM)
    assert explorer.process.wait(timeout=20) == 143
    explorer.end()
    assert b"\x1b[?1049l" in explorer.raw


def test_downloads_go_on_while_the_terminal_takes_no_output(
    explorer: Any, demo: DemoServers, env: dict[str, str]
) -> None:
    demo.faults.bytes_per_second = 2_000_000
    explorer.send("\t")
    explorer.until(lambda text: re.search(r"^ Artifact|│ Artifact ", text, re.MULTILINE))
    explorer.send("d")
    explorer.until(lambda text: "running" in text)
    end = time.monotonic() + 30
    downloads = Path(env["DIGSITE_DOWNLOADS"])
    while not [path for path in downloads.rglob("*") if path.is_file() and ".part" not in path.name]:
        assert time.monotonic() < end, "the download stands still"
        explorer.send(UP + DOWN)  # what is to be written grows
        Event().wait(0.05)
    explorer.until(lambda text: "1 done" in text)
