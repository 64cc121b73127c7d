"""Speed of the archive beside rclone, its memory, and views over a million artifacts: prints figures, asserts nothing.

    python tests/benchmarks/archive.py [--files N] [--artifacts N] [--builds N]

Needs nginx and rclone; takes some minutes. digsite archives as a run does, with claims, manifests and every copy
proved; rclone has the same signed URLs, behind an index that it can list. The files come from the demo, then from an
nginx that is faster than either. The S3 server is moto's, in Python as the demo is: there, take the ratio only.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.common import nginx, say, tool  # noqa: E402  # found from the root of the checkout
from tui.archive.opening import open_store  # noqa: E402
from tui.archive.reader import Reader  # noqa: E402
from tui.archive.state import State  # noqa: E402
from tui.catalog.store import Catalog  # noqa: E402
from tui.models import (  # noqa: E402
    AccountName,
    App,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    BuildQuery,
    BuildRef,
    Page,
    Source,
    Status,
)  # fmt: skip
from tui.models.rules import ArchiveRule  # noqa: E402
from tui.secret import Secret  # noqa: E402
from tui.services.archive_jobs import Summary  # noqa: E402
from tui.services.archiving import Archiver  # noqa: E402
from tui.storage import Storage  # noqa: E402

FILE_BYTES = 5 << 20
LARGE_BYTES = 512 << 20
JOBS = 4
ROUNDS = 3
PORT = 18490
APP = App(AppRef(AccountName("acme"), AppId("a1")), "Acme", "bitrise")
BUILD = Build(BuildRef(AccountName("acme"), AppId("a1"), BuildId("b")), 1, Status.SUCCEEDED, "1")


def artifact(number: int, size: int = FILE_BYTES) -> Artifact:
    ref = ArtifactRef(AccountName("acme"), AppId("a1"), BuildId("b"), ArtifactId(f"x{number}"))
    return Artifact(ref, f"file-{number:03}", ArtifactKind.FILE, "file", size_bytes=size)


@contextmanager
def s3() -> Iterator[str]:
    from tests.archive.conftest import _SERVER

    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=keys,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        url = server.stdout.readline().strip()
        os.environ.update(keys, AWS_ENDPOINT_URL=url, AWS_REGION="us-east-1")
        yield url
        server.stdin.close()


DEMO = """
import sys
from tui.demo.servers import DemoServers
with DemoServers() as servers:
    print(*(f"{name}={value!r}" for name, value in servers.environment().items()), sep="\\n", flush=True)
    print(flush=True)
    sys.stdin.read()
"""

ALONE = """
import json, pathlib, re, sys
from tests.benchmarks.archive import Secret, Source, digsite
urls, size, destination = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
digsite({name: Source(Secret(url), size) for name, url in urls.items()}, destination)
print(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""
"""One run in a process of its own; tells the most memory that it had, in KiB: getrusage would begin at its parent's."""


@contextmanager
def demo(files: int) -> Iterator[dict[str, Source]]:
    """Signed URLs of so many files of about `FILE_BYTES`; the servers run in a process of their own."""
    with subprocess.Popen(
        [sys.executable, "-c", DEMO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        lines = iter(server.stdout.readline, "\n")
        environment = {name: ast.literal_eval(value) for name, _, value in (line.partition("=") for line in lines)}
        yield asyncio.run(_demo_sources(environment, files))
        server.stdin.close()


async def _demo_sources(environment: dict[str, str], files: int) -> dict[str, Source]:
    from tui.providers import plugin

    described = plugin("bitrise").environment(environment)
    assert described is not None
    provider = plugin("bitrise").open(*described)
    found: dict[str, Source] = {}
    try:
        app = next(app for app in (await provider.apps()).items if app.title == "acme-android")
        cursor = None
        while True:
            page = await provider.builds(app.ref, BuildQuery(), cursor)
            for build in page.items:
                for each in (await provider.artifacts(build)).items:
                    if 0.5 * FILE_BYTES < (each.size_bytes or 0) < 2 * FILE_BYTES:
                        found[f"file-{len(found):03}"] = replace(
                            await provider.source(each), size_bytes=each.size_bytes
                        )
                    if len(found) == files:
                        return found
            cursor = page.next_cursor
    finally:
        await provider.aclose()


class _Index(BaseHTTPRequestHandler):
    """What rclone lists: every file with its size, each a redirect to its signed URL."""

    protocol_version = "HTTP/1.1"
    sources: ClassVar[dict[str, Source]] = {}

    def do_GET(self) -> None:
        source = self.sources.get(self.path.lstrip("/"))
        if source is not None:
            self._answer(302, b"", {"Location": source.url.reveal(), "Content-Length": "0"})
            return
        body = "".join(f'<a href="{name}">{name}</a>' for name in self.sources).encode()
        self._answer(200, body, {"Content-Type": "text/html", "Content-Length": str(len(body))})

    def do_HEAD(self) -> None:
        source = self.sources[self.path.lstrip("/")]
        self._answer(200, b"", {"Content-Length": str(source.size_bytes)})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def index(sources: dict[str, Source]) -> Iterator[str]:
    _Index.sources = sources
    with ThreadingHTTPServer(("127.0.0.1", 0), _Index) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def digsite(sources: dict[str, Source], destination: str) -> None:
    """Copies as a run does, five files a build."""
    with tempfile.TemporaryDirectory() as name:
        summary = asyncio.run(archive(Served(sources), destination, Path(name) / "state.sqlite"))
    assert summary.count("copied") == len(sources), summary.failures
    assert summary.moved_bytes == sum(source.size_bytes or 0 for source in sources.values())


def rclone(url: str, target: str) -> None:
    subprocess.run(
        [
            tool("rclone"),
            "copy",
            ":http:",
            target,
            "--http-url",
            url,
            "--transfers",
            str(JOBS),
            "--checkers",
            str(JOBS),
        ],
        check=True,
        env={
            **{name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"},
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_BUCKET_TYPE": "s3",
            "RCLONE_CONFIG_BUCKET_PROVIDER": "Other",
            "RCLONE_CONFIG_BUCKET_ENV_AUTH": "true",
            "RCLONE_CONFIG_BUCKET_ENDPOINT": os.environ.get("AWS_ENDPOINT_URL", ""),
        },
        stderr=subprocess.DEVNULL,
    )


def best(work: Callable[[int], object]) -> float:
    """The shortest of some rounds, in seconds."""
    taken = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        work(number)
        taken.append(time.perf_counter() - began)
    return min(taken)


def compare(label: str, sources: dict[str, Source], url: str, folder: Path, bucket: str) -> None:
    """Both programs in turns, so that what else the machine does is the same for both."""
    total = sum(source.size_bytes or 0 for source in sources.values()) / 1e6
    for place, ours, theirs in (
        ("a folder", str(folder / "ours"), str(folder / "theirs")),
        ("S3", f"s3://{bucket}/ours-{label}", f"bucket:{bucket}/theirs-{label}"),
    ):
        rates = []
        for number in range(ROUNDS):
            took = [timed(lambda n=number, o=ours: digsite(sources, f"{o}{n}"))]  # type: ignore[misc]
            took.append(timed(lambda n=number, t=theirs: rclone(url, f"{t}{n}")))  # type: ignore[misc]
            rates.append(took)
        mine, other = (min(column) for column in zip(*rates, strict=True))
        say(
            f"{len(sources)} files from {label} to {place}: {total / mine:.0f} MB/s,"
            f" rclone {total / other:.0f} MB/s, x{other / mine:.2f}"
        )


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def copies(files: int) -> None:
    with s3(), tempfile.TemporaryDirectory() as name, demo(files) as sources, index(sources) as url:
        compare("the demo", sources, url, Path(name), "archive")
    with s3(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "served").mkdir()
        for number in range(files):
            (folder / "served" / f"file-{number:03}").write_bytes(os.urandom(FILE_BYTES))
        url = f"http://127.0.0.1:{PORT}"
        with nginx(folder, f"server {{ listen 127.0.0.1:{PORT}; root {folder}/served; autoindex on; }}"):
            served = {f"file-{n:03}": Source(Secret(f"{url}/file-{n:03}"), FILE_BYTES) for n in range(files)}
            compare("nginx", served, url, folder, "archive")


def memory() -> None:
    """The most that a run takes, in a process of its own, of small and of large files."""
    with s3(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "served").mkdir()
        url = f"http://127.0.0.1:{PORT}"
        with nginx(folder, f"server {{ listen 127.0.0.1:{PORT}; root {folder}/served; }}"):
            for size, files in ((FILE_BYTES, 20), (LARGE_BYTES, 5)):
                urls = {f"file-{size}-{n}": f"{url}/file-{size}-{n}" for n in range(files)}
                for each in urls:
                    (folder / "served" / each).touch()
                    os.truncate(folder / "served" / each, size)
                for destination in (str(folder / f"archive-{size}"), f"s3://archive/memory-{size}"):
                    run = subprocess.run(
                        [sys.executable, "-c", ALONE, json.dumps(urls), str(size), destination],
                        cwd=ROOT,
                        check=True,
                        stdout=subprocess.PIPE,
                        text=True,
                    )
                    place = "S3" if ":" in destination else "a folder"
                    say(f"{files} files of {size >> 20} MiB to {place}: {int(run.stdout) >> 10} MB at most")


class Many:
    """A provider with so many builds of one artifact each, of one byte."""

    def __init__(self, builds: int) -> None:
        from tui.models import Account, Capabilities

        now = datetime.now(UTC) - timedelta(hours=1)
        self.account = Account(AccountName("acme"), "many")
        self.capabilities = Capabilities()
        self.budget = None
        self.downloads = 0
        ref = BUILD.ref
        self._builds = [
            replace(
                BUILD,
                ref=replace(ref, build=BuildId(f"b{n}")),
                number=n,
                created_at=now - timedelta(minutes=builds - n),
                finished_at=now,
            )
            for n in range(builds, 0, -1)
        ]

    async def apps(self, cursor: object = None) -> Page[App]:
        return Page((APP,))

    async def builds(self, app: object, query: object, cursor: object = None) -> Page[Build]:
        start = int(str(cursor or 0))
        after = getattr(query, "after", None)
        page = [b for b in self._builds[start : start + 50] if not (after and b.created_at and b.created_at < after)]
        more = len(page) == 50 and start + 50 < len(self._builds)
        return Page(tuple(page), str(start + 50) if more else None)  # type: ignore[arg-type]

    async def artifacts(self, build: Build, cursor: object = None) -> Page[Artifact]:
        return Page((replace(artifact(1, 1), ref=ArtifactRef(*_parts(build.ref), ArtifactId("x"))),))

    async def source(self, each: Artifact) -> Source:
        from tui.storage import LocalFile

        self.downloads += 1
        return Source(LocalFile(Path(__file__).with_name("one-byte")), 1)


class Served(Many):
    """A provider of these files, five a build."""

    def __init__(self, sources: dict[str, Source]) -> None:
        super().__init__(-(-len(sources) // 5))
        self._sources = sources

    async def artifacts(self, build: Build, cursor: object = None) -> Page[Artifact]:
        assert build.number is not None
        return Page(
            tuple(
                Artifact(
                    ArtifactRef(*_parts(build.ref), ArtifactId(name)),
                    name,
                    ArtifactKind.FILE,
                    "file",
                    size_bytes=self._sources[name].size_bytes,
                )
                for name in list(self._sources)[5 * build.number - 5 : 5 * build.number]
            )
        )

    async def source(self, each: Artifact) -> Source:
        self.downloads += 1
        return self._sources[each.title]


def _parts(ref: BuildRef) -> tuple[AccountName, AppId, BuildId]:
    return ref.account, ref.app, ref.build


class Opened:
    """As much of a session as a run needs."""

    def __init__(self, provider: Many) -> None:
        self.account = provider.account
        self._provider = provider

    async def provider(self) -> Many:
        return self._provider


async def archive(provider: Many, destination: str, state: Path) -> Summary:
    """One run of a rule that wants everything."""
    remembered = State(state)
    archiver = Archiver(
        [Opened(provider)],  # type: ignore[list-item]
        Storage(allow_loopback=True),
        remembered,
        retention=(),
        jobs=JOBS,
        dry_run=False,
        report=lambda _: None,
    )
    summary = await archiver.run([(ArchiveRule(destination), open_store(destination))])
    remembered.close()
    return summary


def reruns(builds: int) -> None:
    provider = Many(builds)
    with tempfile.TemporaryDirectory() as name:
        one = Path(__file__).with_name("one-byte")
        one.write_bytes(b"x")
        try:
            for label, state in (("first", "a"), ("again", "a"), ("by another machine", "b")):
                provider.downloads = 0
                began = time.perf_counter()
                summary = asyncio.run(archive(provider, str(Path(name) / "archive"), Path(name) / state))
                assert not summary.failures, summary.failures[0]
                took = time.perf_counter() - began
                say(f"{builds:,} builds, {label}: {took:.1f} s, {provider.downloads:,} downloads")
        finally:
            one.unlink()
        began = time.perf_counter()
        found = sum(1 for _ in Reader(open_store(str(Path(name) / "archive"))).manifests(""))
        say(f"manifests read: {found:,} in {time.perf_counter() - began:.1f} s")


def views(artifacts: int) -> None:
    """Fills a catalog, then times what stats and expiring read."""
    draw, kinds, now = random.Random(1), list(ArtifactKind), datetime(2026, 11, 22, tzinfo=UTC)
    apps = [replace(APP, ref=AppRef(AccountName("acme"), AppId(f"app-{n:036}"))) for n in range(50)]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "catalog.sqlite"
        catalog = Catalog(path)
        catalog.keep_apps(AccountName("acme"), apps, complete=True)
        for number in range(artifacts // 5):
            ended = now - timedelta(seconds=number * 300 * 86_400 * 5 / artifacts)
            ref = BuildRef(AccountName("acme"), apps[number % 50].ref.app, BuildId(f"{draw.getrandbits(128):032x}"))
            build = Build(
                ref, number, Status.SUCCEEDED if number % 5 else Status.FAILED, "1", branch=f"feature/{number % 40}",
                workflow=f"workflow-{number % 6}", commit_sha=f"{draw.getrandbits(160):040x}",
                commit_message="Fix what was broken", author="jane", created_at=ended,
                started_at=ended - timedelta(minutes=9), finished_at=ended,
            )  # fmt: skip
            made = [
                Artifact(
                    ArtifactRef(*_parts(ref), ArtifactId(f"{draw.getrandbits(64):016x}")), f"artifact-{n}.apk",
                    kinds[n], "android-apk", size_bytes=draw.randrange(10**5, 10**8), is_public=n == number % 50,
                    created_at=ended,
                )
                for n in range(5)
            ]  # fmt: skip
            catalog.keep_artifacts(build, made)
            if number % 2000 == 0:
                catalog.settle()
        catalog.settle()
        catalog._reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        say(f"{artifacts:,} artifacts: {path.stat().st_size / artifacts:.0f} bytes each, builds included")
        figures, refs = catalog.figures, [app.ref for app in apps]
        timed: dict[str, Callable[[], object]] = {
            "apps": figures.apps,
            "days, kinds, growth": lambda: figures.days(refs),
            "branches": lambda: figures.labels(refs, "branch"),
            "health": lambda: figures.runs(refs, date(2026, 9, 22)),
            "largest": lambda: figures.top(refs, "largest", 50),
            "oldest": lambda: figures.top(refs, "oldest", 50),
            "duplicates": lambda: figures.duplicates(refs, 50),
            "public, the first 500": lambda: figures.public(refs, 500),
            "public, all of them": lambda: figures.public(refs),
        }
        for label, view in timed.items():
            say(f"  {label}: {best(lambda _, view=view: view()) * 1000:.0f} ms")  # type: ignore[misc]
        catalog.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Speed of the archive beside rclone.")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--artifacts", type=int, default=1_000_000)
    parser.add_argument("--builds", type=int, default=10_000)
    chosen = parser.parse_args()
    copies(chosen.files)
    memory()
    reruns(chosen.builds)
    views(chosen.artifacts)
