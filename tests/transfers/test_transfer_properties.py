"""Whatever goes wrong in whatever order: finished means identical, unfinished means no file of that name."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transfers.conftest import Answer, FaultServer, Provider
from tui.models import AccountName, AppId, Artifact, ArtifactId, ArtifactKind, ArtifactRef, BuildId
from tui.storage import Storage
from tui.transfers.history import History
from tui.transfers.queue import TransferQueue
from tui.transfers.retry import RetryPolicy
from tui.transfers.snapshot import TransferSnapshot, TransferState

pytestmark = pytest.mark.usefixtures("size_class")

SIZE = 300_000
EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"

cuts = st.integers(0, SIZE)
faults = st.one_of(
    cuts.map(lambda cut: Answer(cut_after=cut)),
    cuts.map(lambda cut: Answer(cut_after=cut, reset=True)),
    cuts.map(lambda cut: Answer(cut_after=cut, ignore_range=True)),
    cuts.map(lambda cut: Answer(cut_after=cut, chunked=True)),
    cuts.map(lambda cut: Answer(cut_after=cut, no_length=True)),
    cuts.map(lambda cut: Answer(cut_after=cut, ignore_if_range=True)),
    cuts.map(lambda start: Answer(range_start=start)),
    st.just(Answer(drop_content_range=True)),
    st.just(Answer(drip=True)),
    st.just(Answer(status=403, text=EXPIRED)),
    st.sampled_from([404, 429, 500, 503]).map(lambda status: Answer(status=status)),
    st.just(Answer(surplus=b"surplus", chunked=True)),
)
steps = st.one_of(faults, st.just("new object"), st.just("new run"))


async def run(server: FaultServer, folder: Path, size: int | None) -> TransferSnapshot:
    storage = Storage(allow_loopback=True)
    policy = RetryPolicy(tries=3, first_delay_s=0.0)
    history = History(folder / "history.sqlite")
    queue = TransferQueue(Provider(server).source, storage, history=history, policy=policy)
    ref = ArtifactRef(AccountName("acme"), AppId("app"), BuildId("b1"), ArtifactId("A1"))
    artifact = Artifact(ref=ref, title="x", kind=ArtifactKind.APK, kind_raw="x", size_bytes=size)
    (result,) = await queue.wait([queue.add(artifact, folder / "app.apk", label="x")])
    await queue.aclose()
    storage.close()
    return result


def check(result: TransferSnapshot, server: FaultServer, folder: Path) -> None:
    target = folder / "app.apk"
    if result.state is TransferState.DONE:
        assert target.read_bytes() == server.body
        assert result.sha256 == server.sha256
    else:
        assert result.error is not None
        assert not target.exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plan=st.lists(steps, max_size=8),
    validator=st.sampled_from(["strong", "weak", "date", "none"]),
    is_size_known=st.booleans(),
)
def test_any_sequence_of_faults(
    server: FaultServer, plan: list[Answer | str], validator: str, is_size_known: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        version = 0

        def new_object() -> None:
            nonlocal version
            version += 1
            server.fill(SIZE, seed=version)
            server.etag = {"strong": f'"v{version}"', "weak": f'W/"v{version}"'}.get(validator)
            date = f"Sat, 21 Nov 2026 10:00:{version:02} GMT"
            server.last_modified = date if validator == "date" else None

        new_object()
        server.plan = []
        for step in [*plan, "new run"]:
            if step == "new object":
                server.plan = []
                new_object()
            elif isinstance(step, Answer):
                # Without any word on the size, nobody can tell an early end or a late one.
                if is_size_known or not (step.no_length or step.surplus):
                    server.plan.append(step)
            else:
                check(asyncio.run(run(server, folder, SIZE if is_size_known else None)), server, folder)
                if (folder / "app.apk").exists():
                    return
        server.plan = []
        result = asyncio.run(run(server, folder, SIZE if is_size_known else None))
        assert result.state is TransferState.DONE
        check(result, server, folder)
