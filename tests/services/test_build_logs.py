"""Logs in every form a provider has them: a text behind a link, pieces of a running build, members of bundles."""

from __future__ import annotations

import asyncio
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, cast

import pytest

from tests.transfers.conftest import Answer, FaultServer
from tui.errors import NotFound, Unreachable
from tui.models import (
    AccountName,
    Action,
    ActionId,
    AppId,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    BuildRef,
    Cursor,
    Page,
    Source,
    Status,
)
from tui.models.inspection import BuildVerb, LogChunk, LogPart, TestResult, TestStatus
from tui.peek import PeekError
from tui.peek.junit import junit_results
from tui.secret import Secret
from tui.services import build_logs, build_tests
from tui.services.build_logs import BuildLog
from tui.services.build_tests import BuildTests
from tui.services.inside import Inside, open_inside
from tui.storage import Storage

REF = BuildRef(AccountName("acme"), AppId("app"), BuildId("b1"))
RUNNING = Build(REF, 1, Status.RUNNING, "0")
ENDED = replace(RUNNING, status=Status.FAILED)


@dataclass
class FakeProvider:
    """Answers `log` from a list, the last one again and again."""

    parts: list[LogPart | Exception] = field(default_factory=list)
    cursors: list[Cursor | None] = field(default_factory=list)
    artifacts_: tuple[Artifact, ...] = ()
    server: FaultServer | None = None

    async def log(self, build: Build, cursor: Cursor | None = None) -> LogPart:
        self.cursors.append(cursor)
        part = self.parts.pop(0) if len(self.parts) > 1 else self.parts[0]
        if isinstance(part, Exception):
            raise part
        return part

    def build_refusal(self, verb: BuildVerb, build: Build | None = None) -> str | None:
        return "There is no list of tests."

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        return Page(self.artifacts_)

    async def source(self, artifact: Artifact) -> Source:
        assert self.server is not None
        return Source(Secret(self.server.url(f"/{artifact.title}")), artifact.size_bytes)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    running = FaultServer()
    yield running
    running.close()


@pytest.fixture
def storage() -> Iterator[Storage]:
    client = Storage(allow_loopback=True)
    yield client
    client.close()


def reader(fake: FakeProvider, storage: Storage, build: Build = ENDED, slept: list[float] | None = None) -> BuildLog:
    async def provider() -> Any:
        return fake

    async def look_inside(artifact: Artifact) -> Inside:
        return await open_inside(storage, fake.source, artifact)

    async def sleep(seconds: float) -> None:
        if slept is not None:
            slept.append(seconds)

    return BuildLog(build, provider, storage, look_inside, sleep=sleep)


def link(server: FaultServer) -> LogPart:
    return LogPart(source=Source(Secret(server.url("/log")), None), is_complete=True)


def chunks(*positions: int, cursor: str | None = "c", done: bool = False) -> LogPart:
    pieces = tuple(LogChunk(n, f"line {n}\n") for n in positions)
    return LogPart(chunks=pieces, next_cursor=Cursor(cursor) if cursor else None, is_complete=done)


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [Answer(cut_after=700)],
        [Answer(reset=True, cut_after=10), Answer(cut_after=300)],
        [Answer(status=403, text=b"<Error><Code>AccessDenied</Code></Error>")],
        [Answer(cut_after=700), Answer(ignore_range=True)],
    ],
    ids=["good", "cut", "cut twice", "expired", "cut, then without ranges"],
)
async def test_a_log_behind_a_link_arrives_once_whatever_breaks(
    server: FaultServer, storage: Storage, faults: list[Answer]
) -> None:
    server.body = b"".join(b"line %d\n" % n for n in range(500))
    server.plan = list(faults)
    got = bytearray()
    log = reader(FakeProvider([link(server)]), storage)
    await log.read(got.extend)
    assert bytes(got) == server.body
    assert log.is_complete


async def test_what_is_there_already_is_not_sent_again(server: FaultServer, storage: Storage) -> None:
    server.body = b"0123456789" * 100
    got = bytearray()
    await reader(FakeProvider([link(server)]), storage).read(got.extend, skip=990)
    assert bytes(got) == b"0123456789"
    assert server.requests[-1].headers["range"] == "bytes=990-"
    await reader(FakeProvider([link(server)]), storage).read(got.extend, skip=1000)
    assert len(got) == 10


async def test_a_build_that_has_just_started_is_asked_for_thirty_seconds(storage: Storage) -> None:
    slept: list[float] = []
    got = bytearray()
    late = FakeProvider([NotFound("none yet"), NotFound("none yet"), chunks(1, 0)])
    await reader(late, storage, RUNNING, slept).read(got.extend)
    assert bytes(got) == b"line 0\nline 1\n"
    never, slept = FakeProvider([NotFound("none yet")]), []
    with pytest.raises(NotFound):
        await reader(never, storage, RUNNING, slept).read(got.extend)
    assert sum(slept) == build_logs.FIRST_WAIT_S
    with pytest.raises(NotFound):
        await reader(FakeProvider([NotFound("gone")]), storage, ENDED).read(got.extend)


async def test_a_running_log_is_followed_by_its_cursor_to_its_end(server: FaultServer, storage: Storage) -> None:
    fake = FakeProvider([chunks(2, 1, 3, cursor="a"), chunks(4, 3, cursor="b"), chunks(cursor=None), link(server)])
    log, got = reader(fake, storage, RUNNING), bytearray()
    await log.read(got.extend)
    assert await log.more(got.extend)
    assert not await log.more(got.extend)
    states = [log.is_complete]
    await log.more(got.extend)
    states.append(log.is_complete)
    assert states == [False, True]
    assert bytes(got) == b"line 1\nline 2\nline 3\nline 4\n"
    assert fake.cursors == [None, "a", "b", "b"]


# Bundles ------------------------------------------------------------------------------------------------------


def bundle(server: FaultServer, status: Status = Status.FAILED, **members: bytes) -> Artifact:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    server.body = packed.getvalue()
    action = Action(ActionId("1"), "Test", "TEST", status, str(status))
    ref = ArtifactRef(REF.account, REF.app, REF.build, ArtifactId("L"))
    return Artifact(ref, "Logs.zip", ArtifactKind.LOGS, "LOG_BUNDLE", len(server.body), action=action)


async def test_the_log_that_tells_most_is_read_from_a_bundle(server: FaultServer, storage: Storage) -> None:
    logs = bundle(server, ci__setup_log=b"setup\n" * 900, ci__xcodebuild_log=b"build\n", picture_png=b"x")
    fake = FakeProvider([LogPart(bundles=(logs,), is_complete=True)], server=server)
    log, got = reader(fake, storage), bytearray()
    await log.read(got.extend)
    assert bytes(got) == b"build\n"
    assert [member.name for member in log.members] == ["ci/xcodebuild.log", "ci/setup.log"]
    got.clear()
    await log.read(got.extend, member="setup")
    assert bytes(got) == b"setup\n" * 900
    with pytest.raises(NotFound, match="no such log"):
        await log.read(got.extend, member="other")


async def test_a_bundle_without_logs_says_so(server: FaultServer, storage: Storage) -> None:
    fake = FakeProvider([LogPart(bundles=(bundle(server, picture_png=b"x"),))], server=server)
    with pytest.raises(NotFound, match="no log that is text"):
        await reader(fake, storage).read(bytearray().extend)


# The start and the end ----------------------------------------------------------------------------------------


async def test_of_a_long_log_only_its_ends_are_fetched(
    server: FaultServer, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_logs, "HEAD_BYTES", 1000)
    monkeypatch.setattr(build_logs, "TAIL_BYTES", 2000)
    server.body = b"".join(b"%06d filler of a long log\n" % n for n in range(40_000)) + b"Login.swift:1:1: error: x\n"
    lines = await reader(FakeProvider([link(server)]), storage).excerpt()
    assert lines[0].number == 1
    assert [line.number for line in lines if "error: x" in line.text] == [None]
    assert sum(len(line.text) for line in lines) < 10_000
    assert server.requests[-1].headers["range"].startswith("bytes=")
    small = await reader(FakeProvider([chunks(0, 1)]), storage, RUNNING).excerpt()
    assert [line.text for line in small] == ["line 0", "line 1", ""]


async def test_of_a_log_of_short_lines_the_first_and_the_last_are_kept(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_logs, "HEAD_LINES", 2)
    monkeypatch.setattr(build_logs, "TAIL_LINES", 3)
    piece = LogPart(chunks=(LogChunk(0, "\n".join(map(str, range(1, 101)))),), is_complete=True)
    lines = await reader(FakeProvider([piece]), storage).excerpt()
    assert [(line.number, line.text) for line in lines] == [(n, str(n)) for n in (1, 2, 98, 99, 100)]


async def test_of_a_long_log_in_a_bundle_the_rest_is_not_unpacked(
    server: FaultServer, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_logs, "HEAD_BYTES", 1000)
    monkeypatch.setattr(build_logs, "TAIL_BYTES", 2000)
    logs = bundle(server, ci_log=Random(1).randbytes(4 << 20))  # nothing that packs
    log = reader(FakeProvider([LogPart(bundles=(logs,), is_complete=True)], server=server), storage)
    lines = await log.excerpt()
    assert 0 < sum(len(line.text) for line in lines) <= 9000
    assert log.member is not None
    assert log.member.inside.moved_bytes < 2 << 20


async def test_who_gives_a_log_up_ends_its_unpacking(server: FaultServer, storage: Storage) -> None:
    logs = bundle(server, ci_log=bytes(4 << 20))
    log = reader(FakeProvider([LogPart(bundles=(logs,), is_complete=True)], server=server), storage)
    came, go_on = threading.Event(), threading.Event()
    workers: list[threading.Thread] = []

    def write(_: bytes) -> None:
        workers.append(threading.current_thread())
        came.set()
        go_on.wait(20)

    def wait() -> None:
        while workers[0].name == "peek":  # it has another name when it has done its work
            workers[0].join(0.01)

    reading = asyncio.ensure_future(log.read(write))
    assert await asyncio.to_thread(came.wait, 20)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    go_on.set()
    async with asyncio.timeout(20):
        await asyncio.to_thread(wait)
    assert len(workers) == 1


async def test_a_storage_that_is_down_is_said(storage: Storage) -> None:
    with pytest.raises(Unreachable):
        await reader(FakeProvider([Unreachable("no")]), storage).excerpt()


# Tests --------------------------------------------------------------------------------------------------------

REPORT = (
    b'<testsuite name="%b"><testcase name="ok"/><testcase name="bad"><failure message="no"/></testcase></testsuite>'
)


async def test_results_come_from_the_report_among_the_artifacts(server: FaultServer, storage: Storage) -> None:
    report = bundle(server, app__TEST_xml=REPORT % b"A", lib__TEST_xml=REPORT % b"B", notes_xml=b"<x/>")
    report = replace(report, title="test-results.zip", kind=ArtifactKind.FILE)
    other = replace(report, title="app-release.apk", ref=replace(report.ref, artifact=ArtifactId("apk")))
    fake = FakeProvider(artifacts_=(other, report), server=server)

    async def look_inside(artifact: Artifact) -> Inside:
        return await open_inside(storage, fake.source, artifact)

    results = await BuildTests(storage, look_inside).read(cast("Any", fake), ENDED)
    assert [test.status for test in results] == [TestStatus.FAILED] * 2 + [TestStatus.PASSED] * 2
    assert {test.suite for test in results} == {"A", "B"}
    server.body = REPORT % b"C"
    fake.artifacts_ = (replace(report, title="junit.xml", size_bytes=None),)
    assert len(await BuildTests(storage, look_inside).read(cast("Any", fake), ENDED)) == 2
    fake.artifacts_ = (other,)
    with pytest.raises(NotFound, match="no list of tests"):
        await BuildTests(storage, look_inside).read(cast("Any", fake), ENDED)


async def test_reports_have_one_limit_together_and_are_read_in_a_thread(
    server: FaultServer, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = bundle(server, app__TEST_xml=REPORT % b"A", lib__TEST_xml=REPORT % b"B")
    report = replace(report, title="test-results.zip", kind=ArtifactKind.FILE)
    fake, threads = FakeProvider(artifacts_=(report,), server=server), set[str]()

    async def look_inside(artifact: Artifact) -> Inside:
        return await open_inside(storage, fake.source, artifact)

    def read(data: bytes, most: int) -> tuple[TestResult, ...] | None:
        threads.add(threading.current_thread().name)
        return junit_results(data, most)

    monkeypatch.setattr(build_tests, "junit_results", read)
    monkeypatch.setattr(build_tests, "MAX_RESULTS", 4)
    tests = BuildTests(storage, look_inside)
    assert len(await tests.read(cast("Any", fake), ENDED)) == 4
    assert threads == {"tests"}
    monkeypatch.setattr(build_tests, "MAX_RESULTS", 3)
    with pytest.raises(PeekError, match="more than"):
        await tests.read(cast("Any", fake), ENDED)
    monkeypatch.setattr(build_tests, "_MAX_TOTAL_BYTES", 2 * len(REPORT) - 3)  # of one letter instead of two: `%b`
    with pytest.raises(PeekError, match="too large"):
        await tests.read(cast("Any", fake), ENDED)
