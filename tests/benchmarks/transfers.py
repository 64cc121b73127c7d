"""Speed of downloads beside curl and aria2c, from one nginx on loopback: prints ratios, asserts nothing.

    python tests/benchmarks/transfers.py [--folder DIR] [--size MIB] [--rounds N]

Needs nginx, curl, aria2c and openssl; takes a few minutes. digsite's figures are those of the transfers: the start
of Python is left out of them. What is over several connections goes through a relay that holds back every byte, for
40 ms in each round trip.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.common import nginx, say, tool  # noqa: E402  # found from the root of the checkout

MB = 1 << 20
RATE_OF_A_CONNECTION = 20 * 1000 * 1000
FILES, FILE_BYTES = 200, 5 * MB
PLAIN_PORT, TLS_PORT, CAPPED_PORT, DELAYED_PORT = 18480, 18443, 18481, 18482
DELAY_S = 0.02
"""In each direction."""


@dataclass(frozen=True)
class Took:
    """One run: seconds on the clock, and of the processor."""

    wall_s: float
    cpu_s: float


# digsite's side, in a process of its own ----------------------------------------------------------------------


async def _download(urls: Sequence[str], folder: Path, *, jobs: int, connections: int) -> dict[str, float]:
    import certifi  # noqa: F401  # both are imported before the clock starts
    import urllib3  # noqa: F401

    from tui.models import AccountName, AppId, Artifact, ArtifactId, ArtifactKind, ArtifactRef, BuildId, Source
    from tui.secret import Secret
    from tui.storage import Storage
    from tui.transfers.history import History
    from tui.transfers.queue import TransferQueue
    from tui.transfers.snapshot import TransferState

    async def source(artifact: Artifact) -> Source:
        return Source(url=Secret(artifact.title), size_bytes=artifact.size_bytes)

    storage = Storage(allow_loopback=True)
    history = History(folder / "history.sqlite")
    queue = TransferQueue(source, storage, jobs=jobs, connections=connections, history=history)
    sizes = [int(url.rpartition("-")[2]) for url in urls]
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    rss_before = before.ru_maxrss
    for number, (url, size) in enumerate(zip(urls, sizes, strict=True)):
        ref = ArtifactRef(AccountName("a"), AppId("a"), BuildId("b"), ArtifactId(str(number)))
        artifact = Artifact(ref=ref, title=url, kind=ArtifactKind.FILE, kind_raw="", size_bytes=size)
        queue.add(artifact, folder / f"file-{number}", label="file")
    snapshot = await queue.join()
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    assert all(t.state is TransferState.DONE for t in snapshot.transfers), snapshot.transfers[0].error
    await queue.aclose()
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": wall_s, "cpu_s": cpu_s, "memory_mb": (after.ru_maxrss - rss_before) / 1024}


def digsite(urls: Sequence[str], folder: Path, *, jobs: int = 4, connections: int = 1) -> Took:
    work = json.dumps({"urls": urls, "folder": str(folder), "jobs": jobs, "connections": connections})
    done = subprocess.run(
        [sys.executable, __file__, "--worker"], input=work, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    result = json.loads(done.stdout)
    digsite.memory_mb = max(getattr(digsite, "memory_mb", 0.0), result["memory_mb"])  # type: ignore[attr-defined]
    return Took(result["wall_s"], result["cpu_s"])


# The others ---------------------------------------------------------------------------------------------------


def _run(*command: str, cwd: Path) -> Took:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def curl(urls: Sequence[str], folder: Path) -> Took:
    (url,) = urls
    return _run("curl", "-sf", "--cacert", os.environ["SSL_CERT_FILE"], "-o", "file", url, cwd=folder)


def aria2c(urls: Sequence[str], folder: Path, *, jobs: int, connections: int) -> Took:
    listing = folder / "urls"
    listing.write_text("".join(f"{url}\n  out=file-{number}\n" for number, url in enumerate(urls)))
    return _run(
        "aria2c", "-q", f"-j{jobs}", f"-x{connections}", f"-s{connections}", "-k1M", "--file-allocation=none",
        f"--ca-certificate={os.environ['SSL_CERT_FILE']}", "-i", "urls", cwd=folder,
    )  # fmt: skip


# The server ---------------------------------------------------------------------------------------------------


@contextmanager
def served(root: Path) -> Iterator[None]:
    """What `prepare` made, by nginx on three ports."""
    www = f"root {root}/www;"
    certified = f"ssl_certificate {root}/cert.pem; ssl_certificate_key {root}/key.pem;"
    with nginx(
        root,
        f"server {{ listen 127.0.0.1:{PLAIN_PORT}; {www} }}\n"
        f"server {{ listen 127.0.0.1:{TLS_PORT} ssl; {www} {certified} }}\n"
        f"server {{ listen 127.0.0.1:{CAPPED_PORT}; {www} limit_rate {RATE_OF_A_CONNECTION}; }}\n",
    ):
        yield


def prepare(root: Path, size: int) -> None:
    www = root / "www"
    www.mkdir()
    block = os.urandom(MB)
    for name, length in ((f"big-{size}", size), (f"ranged-{256 * MB}", 256 * MB)):
        with (www / name).open("wb") as file:
            for _ in range(length // MB):
                file.write(block)
    for number in range(FILES):
        (www / f"small-{number}-{FILE_BYTES}").write_bytes(block * (FILE_BYTES // MB))
    names = "subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", root / "key.pem", "-out",
         root / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", names],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip


# What is compared ---------------------------------------------------------------------------------------------


def compare(
    title: str, rounds: int, out: Path, ours: Callable[[Path], Took], other: str, theirs: Callable[[Path], Took]
) -> None:
    """Runs both in turn and prints the ratio of their medians: above 1.00 digsite is faster, or needs more."""
    taken: dict[str, list[Took]] = {"ours": [], "theirs": []}
    pair = (("theirs", theirs), ("ours", ours))
    for number in range(rounds):
        for name, run in pair if number % 2 else pair[::-1]:  # who comes second finds what the first one left
            folder = Path(tempfile.mkdtemp(dir=out))
            taken[name].append(run(folder))
            shutil.rmtree(folder)
    walls = {name: statistics.median(took.wall_s for took in runs) for name, runs in taken.items()}
    cpus = {name: statistics.median(took.cpu_s for took in runs) for name, runs in taken.items()}
    say(
        f"{title:34} rate {walls['theirs'] / walls['ours']:5.2f}x {other:16} processor "
        f"{cpus['ours'] / cpus['theirs']:5.2f}x   ({walls['ours']:.2f} s, {other} {walls['theirs']:.2f} s)",
    )


def run_all(root: Path, out: Path, size: int, rounds: int) -> None:
    with served(root):
        for scheme, port in (("http", PLAIN_PORT), ("https", TLS_PORT)):
            base = f"{scheme}://127.0.0.1:{port}"
            one = [f"{base}/big-{size}"]
            title = f"one file of {size // MB} MiB, {scheme}"
            compare(title, rounds, out, partial(digsite, one), "curl", partial(curl, one))
            many = [f"{base}/small-{number}-{FILE_BYTES}" for number in range(FILES)]
            compare(
                f"{FILES} files of {FILE_BYTES // MB} MiB, {scheme}", rounds, out,
                partial(digsite, many, jobs=8), "aria2c -j8",
                partial(aria2c, many, jobs=8, connections=1),
            )  # fmt: skip


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction of a connection: every byte leaves as much later as the line is long."""
    loop, under_way = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

    async def deliver() -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    with suppress(ConnectionError):
        async with asyncio.TaskGroup() as both:
            both.create_task(deliver())
            data = b"first"
            while data:
                data = await reader.read(64 << 10)
                under_way.put_nowait((loop.time() + DELAY_S, data))


async def relay() -> None:
    """In a process of its own: a line of 40 ms to the server whose connections are capped, until it is ended."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", CAPPED_PORT)
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer), return_exceptions=True)

    server = await asyncio.start_server(serve_one, "127.0.0.1", DELAYED_PORT)
    say("ready")
    await server.serve_forever()


def run_capped(root: Path, out: Path, rounds: int) -> None:
    """A large file over four connections, each of them capped by the server, over a long line."""
    with served(root), subprocess.Popen([sys.executable, __file__, "--relay"], stdout=subprocess.PIPE) as line:
        try:
            assert line.stdout is not None
            line.stdout.readline()
            url = [f"http://127.0.0.1:{DELAYED_PORT}/ranged-{256 * MB}"]
            compare(
                f"256 MiB, 20 MB/s each, {2000 * DELAY_S:.0f} ms", rounds, out,
                partial(digsite, url, connections=4), "aria2c -x4", partial(aria2c, url, jobs=1, connections=4),
            )  # fmt: skip
        finally:
            line.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; by default the temporary folder")
    parser.add_argument("--size", type=int, default=2048, help="MiB of the large file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--relay", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work = json.loads(sys.stdin.read())
        folder = Path(work.pop("folder"))
        say(json.dumps(asyncio.run(_download(work.pop("urls"), folder, **work))))
        return
    if options.relay:
        asyncio.run(relay())
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        root, out = Path(made), Path(made) / "out"
        out.mkdir()
        os.environ.update(SSL_CERT_FILE=str(root / "cert.pem"), DIGSITE_HOME=str(root / "home"))
        prepare(root, options.size * MB)
        say(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
        run_all(root, out, options.size * MB, options.rounds)
        say(f"memory above the idle program: at most {getattr(digsite, 'memory_mb', 0.0):.0f} MiB")
        run_capped(root, out, options.rounds)


if __name__ == "__main__":
    main()
