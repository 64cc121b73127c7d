"""An explorer that dies in the middle of a download, and the next one that goes on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tui.demo import DemoServers

Open = Callable[..., Any]


@pytest.fixture
def demo() -> Iterator[DemoServers]:
    with DemoServers() as servers:
        yield servers


def stored(demo: DemoServers) -> int:
    """Bytes that the storage was asked to leave out, by the last request."""
    ranges = [r.headers.get("range", "bytes=0-") for r in demo.requests if r.server == "storage"]
    return max(int(text.removeprefix("bytes=").partition("-")[0]) for text in ranges)


def test_the_transfer_of_a_killed_explorer_goes_on_in_the_next(
    terminal: Open, demo: DemoServers, tmp_path: Path
) -> None:
    demo.faults.bytes_per_second = 1_500_000
    with terminal(columns=120, lines=40, extra=demo.environment()) as t:
        t.until(lambda text: "acme-android" in text and "Weather" in text)
        t.send("/acme-android\r")
        t.until(lambda text: "1 of" in text)
        t.send("\r")
        t.until(lambda text: "Builds · acme-android" in text and "succeeded" in text)
        t.send("/status:succeeded\r")
        t.until(lambda text: "failed" not in text)
        t.send("\r")
        t.until(lambda text: "Artifacts · #" in text and ".apk" in text)
        t.send("s" * 4)  # by size
        t.until(lambda text: "Size ▲" in text)
        t.send("G")
        t.send("d")
        t.until(lambda text: re.search(r"running · ([2-9]|\d\d)\.\d MB of", text))
        t.process.kill()
        t.end()
    assert not [p for p in (tmp_path / "downloads").rglob("*") if p.is_file() and ".part" not in p.name]
    demo.faults.bytes_per_second = None
    with terminal(columns=120, lines=40, extra=demo.environment()) as t:
        t.until(lambda text: "1 transfer interrupted in an earlier run" in text)
        t.send("T")
        t.until(lambda text: "interrupted" in text and "paused" in text)
        t.send("\r")
        t.until(lambda text: "done" in text)
        t.send("\x1b")
        t.until(lambda text: "Open a build to see its artifacts." in text)
        t.send("q")
        assert t.end() == 0
    (file,) = [p for p in (tmp_path / "downloads").rglob("*") if p.is_file()]
    assert stored(demo) > 1_000_000  # it went on, it did not begin anew
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    ids = {r.path.rsplit("/", 1)[-1] for r in demo.requests if "/artifacts/" in r.path and r.server == "bitrise"}
    assert digest in {demo.data.sha256(artifact) for artifact in ids}
