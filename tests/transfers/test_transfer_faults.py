"""Every fault a storage host can have ends in the right bytes under the right name, or in no file at all."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.transfers.conftest import Answer, Download, FaultServer, Provider
from tui.errors import (
    Gone,
    Incomplete,
    LinkExpired,
    Mismatch,
    NotFound,
    TransferError,
    Unreachable,
)
from tui.models import Artifact, ArtifactKind, Source
from tui.secret import Secret
from tui.storage import Storage
from tui.transfers.claim import note_path, part_path, sidecar_path
from tui.transfers.history import History
from tui.transfers.part import SYNC_BYTES
from tui.transfers.queue import TransferQueue
from tui.transfers.retry import RetryPolicy
from tui.transfers.snapshot import TransferSnapshot, TransferState

pytestmark = pytest.mark.usefixtures("size_class")

MB = 1 << 20
EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assert_published(result: TransferSnapshot, server: FaultServer, folder: Path) -> None:
    assert result.state is TransferState.DONE, result.error
    assert hashlib.sha256((folder / "app.apk").read_bytes()).hexdigest() == server.sha256 == result.sha256
    assert files(folder) == ["app.apk"]


def assert_nothing_published(result: TransferSnapshot, folder: Path, error: type[Exception]) -> None:
    assert result.state is TransferState.FAILED
    assert type(result.error) is error
    assert not (folder / "app.apk").exists()


@pytest.mark.parametrize("size", [1, MB - 1, MB, SYNC_BYTES, SYNC_BYTES + 1])
async def test_a_good_download(download: Download, server: FaultServer, folder: Path, size: int) -> None:
    server.fill(size)
    result = await download()
    assert_published(result, server, folder)
    assert (result.done_bytes, result.size_bytes) == (size, size)
    assert server.sent == size


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("cut", [0, 1, 70_000, 3 * MB - 1])
async def test_a_cut_body_goes_on_where_it_stopped(
    download: Download, server: FaultServer, folder: Path, cut: int, reset: bool
) -> None:
    server.fill(3 * MB)
    server.plan = [Answer(cut_after=cut, reset=reset)]
    assert_published(await download(), server, folder)
    if not reset:  # a reset may throw away bytes that were on their way
        assert server.sent == 3 * MB
    if cut > 1 and not reset:
        assert server.requests[1].headers["range"] == f"bytes={cut}-"
        assert server.requests[1].headers["if-range"] == '"v1"'


async def test_many_cuts_do_not_use_up_the_tries_as_long_as_bytes_arrive(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(40 * 10_000)
    server.always = Answer(cut_after=10_000)
    assert_published(await download(), server, folder)
    assert len(server.requests) == 40


async def test_no_progress_ends_after_ten_tries_and_keeps_the_part(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.plan = [Answer(cut_after=500_000)]
    server.always = Answer(cut_after=0)
    assert_nothing_published(await download(), folder, Incomplete)
    assert len(server.requests) == 1 + 10
    assert part_path(folder / "app.apk").stat().st_size == 500_000

    server.always = Answer()
    assert_published(await download(), server, folder)
    assert server.sent == MB


async def test_range_ignored_starts_over_in_the_same_answer(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.plan = [Answer(cut_after=600_000), Answer(ignore_range=True)]
    result = await download()
    assert_published(result, server, folder)
    assert result.note is not None
    assert "started over" in result.note
    assert len(server.requests) == 2


@pytest.mark.parametrize("wrong", [Answer(range_start=17), Answer(drop_content_range=True)])
async def test_a_wrong_part_is_never_appended(
    download: Download, server: FaultServer, folder: Path, wrong: Answer
) -> None:
    server.fill(MB)
    server.plan = [Answer(cut_after=600_000), wrong]
    assert_published(await download(), server, folder)
    assert "range" not in server.requests[2].headers


async def test_an_object_that_changed_is_fetched_anew(download: Download, server: FaultServer, folder: Path) -> None:
    server.fill(MB, seed=1)
    server.plan = [Answer(cut_after=600_000), Answer(cut_after=0)]
    server.always = Answer(cut_after=0)
    await download()
    server.fill(MB, seed=2)
    server.etag, server.always = '"v2"', Answer()
    result = await download()
    assert_published(result, server, folder)
    assert result.note == "started over: it changed on the server"


async def test_a_changed_object_is_noticed_when_if_range_is_ignored(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB, seed=1)
    server.always = Answer(cut_after=0)
    server.plan = [Answer(cut_after=600_000)]
    await download()
    server.fill(MB, seed=2)
    server.etag, server.always = '"v2"', Answer(ignore_if_range=True)
    assert_published(await download(), server, folder)


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
async def test_without_a_validator_the_end_of_the_part_is_compared(
    download: Download, server: FaultServer, folder: Path, etag: str | None
) -> None:
    server.fill(MB)
    server.etag = etag
    server.plan = [Answer(cut_after=600_000)]
    assert_published(await download(), server, folder)
    assert server.requests[1].headers["range"] == f"bytes={600_000 - 65_536}-"
    assert "if-range" not in server.requests[1].headers


async def test_without_a_validator_another_object_of_the_same_size_is_noticed(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB, seed=1)
    server.etag = None
    server.plan, server.always = [Answer(cut_after=600_000)], Answer(cut_after=0)
    await download()
    server.fill(MB, seed=2)
    server.always = Answer()
    assert_published(await download(), server, folder)


async def test_last_modified_serves_where_there_is_no_strong_etag(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.etag, server.last_modified = None, "Sat, 21 Nov 2026 10:00:00 GMT"
    server.plan = [Answer(cut_after=600_000)]
    assert_published(await download(), server, folder)
    assert server.requests[1].headers["if-range"] == "Sat, 21 Nov 2026 10:00:00 GMT"


async def test_416_of_a_part_that_is_longer_than_the_object_starts_over(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.plan, server.always = [Answer(cut_after=900_000)], Answer(cut_after=0)
    await download()
    server.always = Answer(ignore_if_range=True)
    server.fill(500_000)
    result = await download(size=500_000)
    assert_published(result, server, folder)


async def test_416_of_a_complete_part_is_success(download: Download, server: FaultServer, folder: Path) -> None:
    server.fill(MB)
    server.plan = [Answer(chunked=True, cut_after=MB)]  # all bytes, but not the end that says so
    result = await download(size=None)
    assert_published(result, server, folder)
    assert server.requests[0].sent == MB
    assert len(server.requests) == 2


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_part_of_a_file_of_unknown_size_is_not_its_end(
    download: Download, server: FaultServer, folder: Path, is_told: bool
) -> None:
    server.fill(MB)
    server.plan = [Answer(cut_after=300_000, chunked=not is_told)]
    server.always = Answer(unknown_total=True, at_most=200_000)
    assert_published(await download(size=None), server, folder)


async def test_a_part_of_unknown_total_without_a_byte_is_not_asked_for_for_ever(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.plan = [Answer(chunked=True, cut_after=300_000)]
    part = {"Content-Range": "bytes 300000-300009/*"}
    server.always = Answer(chunked=True, at_most=0, drop_content_range=True, headers=part)
    assert_nothing_published(await download(size=None), folder, Incomplete)
    assert len(server.requests) == 1 + 10


async def test_a_size_once_told_is_not_forgotten(download: Download, server: FaultServer, folder: Path) -> None:
    server.fill(MB)
    server.plan = [Answer(cut_after=300_000), Answer(ignore_range=True, no_length=True, cut_after=600_000)]
    result = await download(size=None)
    assert_published(result, server, folder)
    assert "unverified" not in (result.note or "")


async def test_an_object_that_changed_to_the_length_of_the_part_is_fetched_anew(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB, seed=1)
    server.plan, server.always = [Answer(cut_after=500_000)], Answer(cut_after=0)
    await download(size=None)
    server.fill(500_000, seed=2)
    server.always = Answer(ignore_if_range=True)
    assert_published(await download(size=None), server, folder)


async def test_more_bytes_than_the_file_has_are_fetched_anew(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.plan, server.always = [Answer(cut_after=600_000)], Answer(cut_after=0)
    await download()
    for path in (sidecar_path(folder / "app.apk"), note_path(folder / "app.apk")):
        path.write_text(json.dumps({**json.loads(path.read_text()), "size_bytes": 500_000}))
    server.always = Answer()
    assert_published(await download(), server, folder)


async def test_a_zero_byte_artifact(download: Download, server: FaultServer, folder: Path) -> None:
    server.fill(0)
    assert_published(await download(), server, folder)
    assert "range" not in server.requests[0].headers


async def test_chunked_without_length(download: Download, server: FaultServer, folder: Path) -> None:
    server.fill(MB)
    server.plan = [Answer(chunked=True, cut_after=400_000), Answer(chunked=True)]
    assert_published(await download(size=None), server, folder)


async def test_a_body_ended_by_the_connection_is_marked_as_unverified(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.always = Answer(no_length=True)
    result = await download(size=None)
    assert_published(result, server, folder)
    assert result.note is not None
    assert "length unverified" in result.note


async def test_a_body_ended_by_the_connection_too_early_is_continued(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.plan = [Answer(no_length=True, cut_after=400_000)]
    assert_published(await download(), server, folder)


async def test_stored_gzip_is_kept_as_it_is_stored(download: Download, server: FaultServer, folder: Path) -> None:
    server.body = gzip.compress(bytes(MB))
    server.always = Answer(headers={"Content-Encoding": "gzip"})
    assert_published(await download(), server, folder)
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("difference", [-1, 1])
async def test_another_size_than_promised_is_not_published_unless_accepted(
    queue: TransferQueue,
    server: FaultServer,
    folder: Path,
    make_artifact: Callable[..., Artifact],
    provider: Provider,
    difference: int,
) -> None:
    server.fill(MB)
    transfer = queue.add(make_artifact(size=MB + difference), folder / "app.apk", label="app")
    (result,) = await queue.wait([transfer])
    assert_nothing_published(result, folder, Mismatch)
    assert f"{MB + difference:,}" in str(result.error)
    assert f"{MB:,}" in str(result.error)

    queue.retry(transfer, accept_size=True)
    (result,) = await queue.wait([transfer])
    assert_published(result, server, folder)


async def test_more_bytes_than_promised_are_not_published(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.always = Answer(chunked=True, surplus=b"x")
    assert_nothing_published(await download(), folder, Mismatch)


async def test_an_error_page_is_not_published_as_an_app(download: Download, server: FaultServer, folder: Path) -> None:
    server.body, server.content_type = b"<html>Sign in</html>", "text/html"
    assert_nothing_published(await download(size=None), folder, Mismatch)
    assert_nothing_published(await download(size=MB), folder, Mismatch)


async def test_a_report_in_html_is_published(download: Download, server: FaultServer, folder: Path) -> None:
    server.body, server.content_type = b"<html>Report</html>", "text/html"
    assert_published(await download(size=None, kind=ArtifactKind.FILE), server, folder)


async def test_damaged_bytes_are_told_by_the_md5_of_amazon_s3(
    download: Download, server: FaultServer, folder: Path
) -> None:
    server.fill(MB)
    server.etag = f'"{hashlib.md5(server.body[:-1] + b"?").hexdigest()}"'  # noqa: S324
    server.always = Answer(headers={"x-amz-request-id": "1"}, server="AmazonS3")
    assert_nothing_published(await download(), folder, Mismatch)
    server.etag = f'"{hashlib.md5(server.body).hexdigest()}"'  # noqa: S324
    assert_published(await download(), server, folder)


async def test_an_expired_link_is_replaced_and_the_download_goes_on(
    download: Download, server: FaultServer, provider: Provider, folder: Path
) -> None:
    server.fill(MB)
    server.plan = [
        Answer(cut_after=300_000),
        Answer(status=403, text=EXPIRED),
        Answer(cut_after=300_000),
        Answer(status=403, text=EXPIRED),
    ]
    assert_published(await download(), server, folder)
    assert provider.asked == 3
    assert server.sent == MB


async def test_a_link_that_stays_refused_is_the_answer_after_one_new_link(
    download: Download, server: FaultServer, provider: Provider, folder: Path
) -> None:
    server.fill(MB)
    server.always = Answer(status=403, text=b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
    result = await download()
    assert_nothing_published(result, folder, LinkExpired)
    assert "SignatureDoesNotMatch" in str(result.error)
    assert provider.asked == 2


async def test_a_link_about_to_expire_is_replaced_before_it_is_used_again(
    storage: Storage, server: FaultServer, folder: Path, make_artifact: Callable[..., Artifact], history: History
) -> None:
    server.fill(MB)
    server.plan = [Answer(cut_after=300_000)] * 3
    asked = 0

    async def source(artifact: Artifact) -> Source:
        nonlocal asked
        asked += 1
        soon = datetime.now(UTC) + timedelta(seconds=2)
        return Source(url=Secret(server.url()), size_bytes=MB, expires_at=soon)

    queue = TransferQueue(source, storage, history=history, policy=RetryPolicy(first_delay_s=0.0))
    transfer = queue.add(make_artifact(size=MB), folder / "app.apk", label="app")
    (result,) = await queue.wait([transfer])
    assert_published(result, server, folder)
    assert asked == len(server.requests) == 4


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_passing_fault_is_tried_again(
    download: Download, server: FaultServer, folder: Path, status: int
) -> None:
    server.fill(MB)
    server.plan = [Answer(status=status)] * 3
    assert_published(await download(), server, folder)


async def test_an_object_that_is_gone_is_not_tried_again(download: Download, server: FaultServer, folder: Path) -> None:
    server.always = Answer(status=404, text=b"<Error><Code>NoSuchKey</Code></Error>")
    assert_nothing_published(await download(size=5), folder, Gone)
    assert len(server.requests) == 1


async def test_the_providers_refusal_is_the_error(
    download: Download, server: FaultServer, provider: Provider, folder: Path
) -> None:
    provider.errors = [NotFound("It expired.")]
    assert_nothing_published(await download(size=5), folder, NotFound)
    assert server.requests == []
    assert files(folder) == []


async def test_an_unreachable_provider_is_asked_again(
    download: Download, server: FaultServer, provider: Provider, folder: Path
) -> None:
    server.fill(100)
    provider.errors = [Unreachable("No network."), Unreachable("No network.")]
    assert_published(await download(), server, folder)


async def test_a_dripping_connection_is_given_up(
    storage: Storage,
    server: FaultServer,
    provider: Provider,
    folder: Path,
    make_artifact: Callable[..., Artifact],
    history: History,
) -> None:
    server.fill(1000)
    server.plan = [Answer(drip=True)] * 2
    policy = RetryPolicy(first_delay_s=0.0, slow_window_s=0.0, slow_bytes=2)
    queue = TransferQueue(provider.source, storage, history=history, policy=policy)
    transfer = queue.add(make_artifact(size=1000), folder / "app.apk", label="app")
    (result,) = await queue.wait([transfer])
    assert_published(result, server, folder)
    assert len(server.requests) > 2


async def test_a_redirect_gets_neither_credential_nor_cookie(
    download: Download, server: FaultServer, folder: Path
) -> None:
    other = FaultServer()
    try:
        other.fill(MB)
        server.always = Answer(status=302, location=other.url(), headers={"Set-Cookie": "a=b"})
        result = await download(size=MB)
        assert_published(result, other, folder)
        sent = server.requests + other.requests
        assert not any({"authorization", "cookie"} & request.headers.keys() for request in sent)
        assert {request.method for request in sent} == {"GET"}
    finally:
        other.close()


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://storage.example.com/x", "without https"),
        ("file:///etc/passwd", "without a host"),
        ("ftp://storage.example.com/x", "without https"),
        ("https://169.254.169.254/latest", "local link"),
        ("https://[fe80::1]/", "local link"),
        ("http://[", "not a URL"),
    ],
)
async def test_a_redirect_elsewhere_is_refused(
    download: Download, server: FaultServer, folder: Path, location: str, words: str
) -> None:
    server.always = Answer(status=307, location=location)
    result = await download(size=5)
    assert_nothing_published(result, folder, TransferError)
    assert words in str(result.error)


async def test_a_redirect_loop_ends(download: Download, server: FaultServer, folder: Path) -> None:
    server.always = Answer(status=301, location="/again")
    result = await download(size=5)
    assert_nothing_published(result, folder, TransferError)
    assert len(server.requests) == 6
