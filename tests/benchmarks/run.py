"""Prints how fast and how quiet the program is, beside bare Textual and beside mc: `python tests/benchmarks/run.py`.

It drives the installed program in a real pseudo terminal of 120x40 with an emulator behind it, in a few minutes.
Times depend on the machine and on what else it does: take the ratios. What does not depend on it, bytes, is held by
`tests/e2e/test_e2e_bytes.py`.
"""

from __future__ import annotations

import os
import platform
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.e2e.conftest import Terminal  # noqa: E402  # found from the root of the checkout
from tui.demo import DemoServers  # noqa: E402
from tui.models import AccountName, AppId, Build, BuildId, BuildRef, Status  # noqa: E402
from tui.models.filter import parse_filter  # noqa: E402
from tui.widgets.lists import BUILD_FIELDS, build_list  # noqa: E402

COLUMNS, LINES = 120, 40
STARTS, KEYS, DOWNS = 9, 25, 100
DOWN, DOWN_OF_MC = "\x1b[B", "\x1bOB"
ANSWER_S = 5.0
HELD_S, KEYS_A_SECOND, LINE_BYTES_A_SECOND = 5.0, 30, 32_000
BARE = [sys.executable, str(Path(__file__).with_name("bare.py"))]
DIGSITE = [str(Path(sys.executable).with_name("digsite"))]

Row = tuple[str, str, str]
"""What was measured, the figure, and beside what."""


def environment(home: Path) -> dict[str, str]:
    """An environment with nothing of the user's in it."""
    return {
        "PATH": os.environ["PATH"], "HOME": str(home), "DIGSITE_HOME": str(home / "digsite"),
        "DIGSITE_DOWNLOADS": str(home / "downloads"), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8",
    }  # fmt: skip


@contextmanager
def opened(argv: Sequence[str], env: Mapping[str, str]) -> Iterator[Terminal]:
    """A program in a terminal."""
    terminal = Terminal(argv, env, COLUMNS, LINES)
    try:
        yield terminal
    finally:
        terminal.close()


def read_for(terminal: Terminal, seconds: float) -> int:
    """Reads so long; gives the bytes that came."""
    start, end = len(terminal.raw), time.monotonic() + seconds
    while time.monotonic() < end:
        terminal._read(end)
    return len(terminal.raw) - start


def quiet(terminal: Terminal, seconds: float = 0.25) -> None:
    """Reads until nothing comes for so long."""
    while read_for(terminal, seconds):
        pass


def first_paint_ms(argv: Sequence[str], env: Mapping[str, str], text: str) -> float:
    """From the start of the process until a text is on the screen."""
    began = time.perf_counter()
    with opened(argv, env) as terminal:
        terminal.until(lambda screen: text in screen)
        return (terminal.read_at - began) * 1000


def run_ms(argv: Sequence[str], env: Mapping[str, str]) -> float:
    """How long a command takes."""
    began = time.perf_counter()
    subprocess.run(argv, env=dict(env), check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def key_bytes(terminal: Terminal, count: int, key: str = DOWN) -> list[int]:
    """Bytes of single keys, each with all that follows it once it rests."""
    sizes = []
    for _ in range(count):
        start = len(terminal.raw)
        terminal.send(key)
        quiet(terminal, 0.2)
        sizes.append(len(terminal.raw) - start)
    return sizes


def latencies_ms(terminal: Terminal, count: int, key: str = DOWN) -> list[float]:
    """From a key to the first byte of its answer; and the bytes stay in the terminal's record."""
    times = []
    for _ in range(count):
        start, began = len(terminal.raw), time.perf_counter()
        terminal.send(key)
        while len(terminal.raw) == start:
            if time.perf_counter() > began + ANSWER_S:
                raise AssertionError(f"no answer to a key; the screen is:\n{terminal.text}")
            terminal._read(time.monotonic() + ANSWER_S)
        times.append((terminal.read_at - began) * 1000)
    return times


def memory_mb(terminal: Terminal) -> float:
    """Resident memory, where the system tells it."""
    try:
        status = Path(f"/proc/{terminal.process.pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def starts(env: Mapping[str, str], demo: Mapping[str, str]) -> list[Row]:
    """Start of the explorer and of commands; measured in turns, so that load of the machine hits all alike."""
    full = {**env, **demo}
    cases: dict[str, Callable[[], float]] = {
        "bare": lambda: first_paint_ms(BARE, env, "row 3"),
        "explorer": lambda: first_paint_ms(DIGSITE, full, "Artifacts"),
        "httpx": lambda: run_ms([sys.executable, "-c", "import httpx"], env),
        "--version": lambda: run_ms([*DIGSITE, "--version"], env),
        "ls": lambda: run_ms([*DIGSITE, "ls", "bitrise"], full),
    }
    if mc := shutil.which("mc"):
        cases["mc"] = lambda: first_paint_ms([mc, "--nosubshell"], env, "Quit")
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(STARTS):
        for name, measure in cases.items():
            times[name].append(measure())
    ms = {name: median(values) for name, values in times.items()}
    return [
        ("first paint of the explorer", f"{ms['explorer']:.0f} ms",
         f"{ms['explorer'] / ms['bare']:.2f} x bare Textual ({ms['bare']:.0f} ms)"
         + (f", mc {ms['mc']:.0f} ms" if "mc" in ms else "")),
        ("digsite --version", f"{ms['--version']:.0f} ms",
         f"{ms['--version'] / ms['httpx']:.2f} x import httpx ({ms['httpx']:.0f} ms)"),
        ("digsite ls ACCOUNT", f"{ms['ls']:.0f} ms", f"{ms['ls'] / ms['httpx']:.2f} x import httpx"),
    ]  # fmt: skip


def drill(terminal: Terminal) -> None:
    """Three panes filled, the focus on the builds of the app that has 100,000."""
    terminal.until(lambda text: "acme-monorepo" in text and "Weather" in text)
    terminal.send("/acme-monorepo\r")
    terminal.until(lambda text: "1 of" in text)
    terminal.send("\r")
    terminal.until(lambda text: "of 100,000" in text)
    terminal.send("\r")
    terminal.until(lambda text: re.search(r"Artifacts · #.* [MG]B ", text, re.DOTALL))
    terminal.send("\x1b")
    quiet(terminal)


def explorer(env: Mapping[str, str], demo: DemoServers) -> list[Row]:
    """Bytes, latency, memory and requests of the explorer."""
    with opened(DIGSITE, {**env, **demo.environment()}) as terminal:
        demo.requests.clear()
        terminal.until(lambda text: "acme-monorepo" in text and "Weather" in text)
        quiet(terminal)
        first, requests = len(terminal.raw), len(demo.requests)
        drill(terminal)
        keys = key_bytes(terminal, KEYS)
        start = len(terminal.raw)
        times = sorted(latencies_ms(terminal, DOWNS))
        downs = (len(terminal.raw) - start) / DOWNS
        quiet(terminal)
        idle = read_for(terminal, 5)
        memory = memory_mb(terminal)
        demo.faults.bytes_per_second = 100_000
        terminal.send("\t")
        quiet(terminal)
        for _ in range(4):
            terminal.send("d" + DOWN)
        terminal.until(lambda text: "B/s" in text)
        read_for(terminal, 1)
        moving = read_for(terminal, 5) / 5
        demo.faults.bytes_per_second = None
    return [
        ("bytes until the apps are shown", f"{first:,}", "limit 40,000"),
        ("bytes a key, detail included", f"{median(keys):.0f}", "median; limit 450"),
        ("bytes a key, 100 downs in a row", f"{downs:.0f}", "mean; limit 900"),
        ("bytes a second, idle", f"{idle / 5:.0f}", "limit 0"),
        ("bytes a second, transfers run", f"{moving:.0f}", "limit 1,500"),
        ("answer to a key", f"{median(times):.0f} ms", f"median; 95th percentile {times[int(DOWNS * 0.95)]:.0f} ms"),
        ("memory", f"{memory:.0f} MB", "resident, after 150 keys"),
        ("requests to open the explorer", f"{requests}", "two accounts"),
    ]


def held_arrow(env: Mapping[str, str], demo: DemoServers) -> list[Row]:
    """A line of 256 kbit/s: the arrow is held for five seconds, and let go; output that lags behind shows then."""
    with opened(DIGSITE, {**env, **demo.environment()}) as terminal:
        drill(terminal)
        began, sent = time.monotonic(), 0
        while (now := time.monotonic() - began) < HELD_S:
            if sent < now * KEYS_A_SECOND:
                terminal.send(DOWN)
                sent += 1
            _read_slowly(terminal, 0.01)
        let_go, last = time.monotonic(), time.monotonic()
        while time.monotonic() - last < 0.5:
            if _read_slowly(terminal, 0.01):
                last = time.monotonic()
    lag = max(0.0, last - let_go) * 1000
    return [
        ("arrow held 5 s on 256 kbit/s", f"{lag:.0f} ms", f"of output after letting go; {sent} keys, detail included")
    ]


def _read_slowly(terminal: Terminal, seconds: float) -> int:
    """Takes as much as such a line would in this time."""
    time.sleep(seconds)  # the line is what takes the time
    if not select.select([terminal._master], [], [], 0)[0]:
        return 0
    chunk = os.read(terminal._master, max(1, int(LINE_BYTES_A_SECOND * seconds)))
    terminal.raw += chunk
    terminal._stream.feed(chunk)
    return len(chunk)


def others(env: Mapping[str, str], home: Path) -> list[Row]:
    """The same keys in bare Textual and in mc."""
    rows = []
    folder = home / "files"
    folder.mkdir()
    for n in range(500):
        (folder / f"artifact-{n:04}.apk").touch()
    programs = {"bare Textual": (BARE, "row 3", DOWN)}
    if mc := shutil.which("mc"):
        programs["mc"] = ([mc, "--nosubshell", str(folder)], "Quit", DOWN_OF_MC)
    for name, (argv, text, key) in programs.items():
        with opened(argv, env) as terminal:
            terminal.until(lambda screen, text=text: text in screen)  # type: ignore[misc]
            quiet(terminal)
            first = len(terminal.raw)
            keys = key_bytes(terminal, KEYS, key)
            start = len(terminal.raw)
            times = sorted(latencies_ms(terminal, 60, key))
            downs = (len(terminal.raw) - start) / 60
            rows.append(
                (f"  beside: {name}", f"{median(keys):.0f}",
                 f"bytes a key; {downs:.0f} in the mean of 60 downs; first screen {first:,}; "
                 f"answer {median(times):.0f} ms; {memory_mb(terminal):.0f} MB")
            )  # fmt: skip
    return rows


def filters() -> list[Row]:
    """Typing into the filter of 100,000 loaded rows."""
    now = datetime.now(UTC)
    rows = build_list(lambda: now)
    names = AccountName("acme"), AppId("app")
    rows._model.replace(
        Build(BuildRef(*names, BuildId(f"b{n}")), n, Status.SUCCEEDED, "1", branch=f"feature/{n % 97}", created_at=now,
              workflow="primary", commit_message="Fix the crash on rotation", author="Henrik Lund")
        for n in range(100_000)
    )  # fmt: skip
    times = []
    for typed in ("f", "fe", "feature/42", "crash", "status:f", "status:failed", "status:succeeded feature/42"):
        began = time.perf_counter()
        rows._model.filter = parse_filter(typed, BUILD_FIELDS, now=now)
        rows._model.arrange()
        times.append((time.perf_counter() - began) * 1000)
    return [("a key in a filter of 100,000 rows", f"{median(times):.0f} ms", f"the slowest {max(times):.0f}; limit 50")]


def machine() -> str:
    """What it was measured on."""
    cpu = platform.processor() or platform.machine()
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return (
        f"{found[1] if found else cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}, Textual {version('textual')}; "
        f"load {os.getloadavg()[0]:.1f}; {COLUMNS}x{LINES}, 24-bit colours"
    )


def main() -> None:
    """Runs everything and prints a table."""
    out = sys.stdout.write
    began = time.monotonic()
    out(f"{machine()}\n\n")
    with tempfile.TemporaryDirectory() as folder, DemoServers() as demo:
        home = Path(folder)
        env = environment(home)
        parts: list[Callable[[], list[Row]]] = [
            lambda: starts(env, demo.environment()),
            lambda: explorer(env, demo),
            lambda: held_arrow(env, demo),
            lambda: others(env, home),
            filters,
        ]
        for part in parts:
            for what, figure, beside in part():
                out(f"{what:<36} {figure:>9}  {beside}\n")
            sys.stdout.flush()
    out(f"\n{time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
