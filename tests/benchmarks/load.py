"""Answers to keys, and memory, while eight downloads of 2 GiB, pages of 5 MB and a crawl run.

    python tests/benchmarks/load.py [--size MIB] [--keys N]

It drives the installed program in a real pseudo terminal of 120x40. The API is the demo's, in a process of its own,
with commit messages so long that a page of builds has 5 MB; the files come from nginx, over https. Needs nginx and
openssl, and 18 GB in the temporary folder; takes a few minutes.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from unittest.mock import patch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.common import tool  # noqa: E402
from tests.benchmarks.run import (  # noqa: E402  # found from the root of the checkout
    ANSWER_S,
    DIGSITE,
    DOWN,
    drill,
    environment,
    machine,
    opened,
    quiet,
    read_for,
)
from tests.benchmarks.transfers import MB, TLS_PORT, prepare, served  # noqa: E402
from tests.e2e.conftest import Terminal  # noqa: E402
from tui.demo import DemoServers  # noqa: E402
from tui.demo.bitrise_builds import BitriseArtifact, BitriseBuild  # noqa: E402
from tui.demo.storage import Signer  # noqa: E402

DOWNLOADS = 8
MESSAGE_BYTES = 100_000
"""Of a commit; a page has 50."""
PAGE_EVERY = 20
"""Keys between two such pages."""
UP = "\x1b[A"
BELOW = [tool("nice"), "-n", "5"]
"""Starts what is measured: the terminal stands for another machine, and must not wait for the processor itself."""
CURSOR_COLUMN = 28
"""Of the bar that marks a build, at 120 columns."""
LINES_OF_A_MESSAGE = 'Fix the "crash" on rotation – see 🧭 \n'


def serve_api(size: int) -> None:
    """In a process of its own: the demo with large artifacts and long messages, until its input ends."""
    text = LINES_OF_A_MESSAGE * (MESSAGE_BYTES // len(LINES_OF_A_MESSAGE.encode()))
    url = f"https://127.0.0.1:{TLS_PORT}/big-{size}"
    long = property(lambda _self: text, lambda _self, _value: None)
    with (
        patch.object(BitriseArtifact, "size", property(lambda _self: size)),
        patch.object(BitriseBuild, "message", long, create=True),
        patch.object(Signer, "url", lambda _self, _path: url),
        DemoServers() as demo,
    ):
        sys.stdout.write(json.dumps(demo.environment()) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextmanager
def crawl(env: Mapping[str, str]) -> Iterator[None]:
    """`digsite index` in a process of its own, over builds that nobody listed yet; it shares the catalog."""
    command = [*BELOW, *DIGSITE, "index", "bitrise/acme-monorepo", "--since", "90d"]
    with subprocess.Popen(command, env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield
        is_over = process.poll() is not None
        process.terminate()
    if is_over:
        raise SystemExit("the crawl ended too early")


def received(home: Path) -> int:
    """How many bytes of downloads are on disk."""
    return sum(path.stat().st_blocks * 512 for path in (home / "downloads").rglob("*") if path.is_file())


def peak_mb(terminal: Terminal) -> float:
    """The most resident memory until now."""
    status = Path(f"/proc/{terminal.process.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def api(size: int) -> Iterator[dict[str, str]]:
    """Gives the environment that leads to it."""
    command = [*BELOW, sys.executable, __file__, "--api", str(size)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())
        server.stdin.close()


def start_downloads(terminal: Terminal) -> None:
    """Eight of them at once, of the first three builds; more wait. The focus is on the builds again."""
    for number in range(3):
        if number:
            terminal.send(DOWN)
            quiet(terminal)
        for keys in ("\r", "a", "d", "y", "u", "h"):
            terminal.send(keys)
            read_for(terminal, 0.3)
    terminal.until(lambda text: f"{DOWNLOADS} running" in text)


def row_of_cursor(terminal: Terminal) -> int:
    """In the pane of the builds; -1 where another screen is shown."""
    lines = terminal.text.split("\n")
    return next((y for y, line in enumerate(lines) if line[CURSOR_COLUMN : CURSOR_COLUMN + 1] == "▌"), -1)


def answers_ms(terminal: Terminal, count: int, *, reload: bool) -> list[float]:
    """From a key to the screen on which the cursor has moved."""
    times, random = [], Random(1)
    for number in range(count):
        if reload and number % PAGE_EVERY == 0:
            terminal.send("r")
        before, began = row_of_cursor(terminal), time.perf_counter()
        terminal.send(DOWN if number // 20 % 2 == 0 else UP)
        while row_of_cursor(terminal) == before:
            if time.perf_counter() > began + ANSWER_S:
                raise AssertionError(f"no answer to a key; the screen is:\n{terminal.text}")
            terminal._read(time.monotonic() + ANSWER_S)
        times.append((terminal.read_at - began) * 1000)
        read_for(terminal, random.uniform(0.02, 0.25))
    return sorted(times)


def say(what: str, figure: str, beside: str = "") -> None:
    """One line, at once."""
    sys.stdout.write(f"{what:<44} {figure:>12}  {beside}\n")
    sys.stdout.flush()


def say_answers(what: str, times: list[float]) -> None:
    """The median and the slow ones."""
    say(what, f"{median(times):.0f} ms", f"median; 95th percentile {times[int(len(times) * 0.95)]:.0f}, slowest "
        f"{times[-1]:.0f} ms; limit 50 at the 95th")  # fmt: skip


def measure(root: Path, size: int, keys: int) -> None:
    """With the servers running."""
    home = root / "user"
    home.mkdir()
    (home / "digsite" / "config").mkdir(parents=True)
    (home / "digsite" / "config" / "config.toml").write_text(f"jobs = {DOWNLOADS}\n", encoding="utf-8")
    trusted = {**environment(home), "SSL_CERT_FILE": str(root / "cert.pem")}
    with api(size) as found, opened([*BELOW, *DIGSITE], {**trusted, **found}) as terminal:
        drill(terminal)
        say_answers("answer to a key, idle", answers_ms(terminal, keys, reload=False))
        say_answers("the same with pages of 5 MB", answers_ms(terminal, keys, reload=True))
        before_mb = peak_mb(terminal)
        start_downloads(terminal)
        began, before = time.monotonic(), received(home)
        say_answers(f"the same with {DOWNLOADS} downloads", answers_ms(terminal, keys, reload=True))
        with crawl({**environment(home), **found}):
            say_answers("the same with a crawl beside them", answers_ms(terminal, keys, reload=True))
        if received(home) >= DOWNLOADS * size:
            raise SystemExit("the downloads ended too early: fewer --keys, or a larger --size")
        rate = (received(home) - before) / (time.monotonic() - began) / 1e6
        say("downloads meanwhile", f"{rate:.0f} MB/s", f"{received(home) / MB:,.0f} MiB")
        more_mb = peak_mb(terminal) - before_mb
        say("memory above the most before the downloads", f"{more_mb:.0f} MB", f"{before_mb:.0f} MB then; limit 40")


def main() -> None:
    """Runs everything and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048, help="MiB of each download")
    parser.add_argument("--keys", type=int, default=120)
    parser.add_argument("--api", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.api:
        serve_api(options.api)
        return
    sys.stdout.write(f"{machine()}\n\n")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        prepare(root, options.size * MB)
        with served(root):
            measure(root, options.size * MB, options.keys)


if __name__ == "__main__":
    main()
