"""What changed between builds and artifacts, and where a file comes from: on the demo, requests counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from tui.cli.demo import demo_sessions
from tui.config import load_config
from tui.demo import DemoServers
from tui.errors import NotFound
from tui.models import Artifact, ArtifactId, ArtifactKind
from tui.paths import DigPath
from tui.peek.diff import ChangeKind
from tui.services import Services, open_services
from tui.services.comparing import Comparing
from tui.services.identifying import Identified, Identifying, Spent
from tui.services.resolve import Found
from tui.transfers.history import Finished, History

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
IOS = "demo-bitrise/Acme for iOS"


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServers]:
    with DemoServers(now=NOW) as servers:
        yield servers


@pytest.fixture
async def services(demo: DemoServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path / "home"))
    async with open_services(load_config(), demo_sessions(demo), with_catalog=True) as opened:
        yield opened


async def find(services: Services, path: str) -> Found:
    return await services.resolver.find(DigPath.parse(path))


async def newest_ipa(services: Services) -> Found:
    return await find(services, f"{IOS}/latest-green/Acme.ipa")


async def test_the_green_build_before_is_of_the_same_workflow_and_branch(services: Services) -> None:
    for path in (f"{IOS}/latest-green", "demo-xcode-cloud/Acme/latest-green"):
        build = (await find(services, path)).build
        assert build is not None
        before = await Comparing(services).previous_green(build)
        assert (before.workflow, before.branch, before.status) == (build.workflow, build.branch, "succeeded")
        assert before.number is not None
        assert build.number is not None
        assert before.number < build.number


async def test_without_a_green_build_before_it_says_so(services: Services) -> None:
    build = (await find(services, f"{IOS}/latest-green")).build
    assert build is not None
    with pytest.raises(NotFound, match="no green build of 'release' on 'never'"):
        await Comparing(services).previous_green(replace(build, workflow="release", branch="never"))


async def test_what_two_builds_left_behind(services: Services) -> None:
    comparing = Comparing(services)
    after = (await newest_ipa(services)).build
    assert after is not None
    before = await comparing.previous_green(after)
    found = await comparing.builds(before, after)
    deltas = [abs(item.change.delta_bytes) for item in found.artifacts]
    assert deltas == sorted(deltas, reverse=True)
    ipa = next(item for item in found.artifacts if item.change.name == "Acme.ipa")
    assert ipa.change.kind is ChangeKind.GREW
    assert ipa.pair.before is not None
    assert ipa.pair.before.ref.build == before.ref.build


async def test_files_inside_are_compared_by_directories_alone(services: Services, demo: DemoServers) -> None:
    comparing = Comparing(services)
    found = await newest_ipa(services)
    assert found.build is not None
    before = await comparing.counterpart(
        found.artifacts[0], found.siblings, await comparing.previous_green(found.build)
    )
    asked = len([r for r in demo.requests if r.server == "storage"])
    compared = await comparing.files(before, found.artifacts[0])
    kinds = {change.name: change.kind for change in compared.files}
    assert kinds["Payload/Acme.app/Assets.car"] is ChangeKind.GREW
    assert kinds["Payload/Acme.app/Info.plist"] is ChangeKind.CHANGED
    assert kinds["Payload/Acme.app/PkgInfo"] is ChangeKind.SAME
    assert compared.moved_bytes < 200_000
    assert len([r for r in demo.requests if r.server == "storage"]) - asked <= 8


async def test_what_has_no_counterpart_says_so(services: Services) -> None:
    found = await newest_ipa(services)
    assert found.build is not None
    other = replace(found.artifacts[0], title="else", ref=replace(found.artifacts[0].ref, artifact=ArtifactId("x")))
    with pytest.raises(NotFound, match="no artifact like 'else'"):
        await Comparing(services).counterpart(other, [other], found.build)


async def test_sizes_before_come_from_the_catalog_without_a_request(services: Services, demo: DemoServers) -> None:
    comparing = Comparing(services)
    found = await newest_ipa(services)
    build = found.build
    assert build is not None
    assert services.catalog is not None
    assert comparing.sizes_before(build, found.siblings) == [[] for _ in found.siblings]
    page = await services.listings.apps(found.session, None)
    assert page.items
    previous = await comparing.previous_green(build)
    old = await comparing.artifacts(previous)
    services.catalog.settle()
    asked = len(demo.requests)
    known = dict(zip((a.title for a in found.siblings), comparing.sizes_before(build, found.siblings), strict=True))
    assert known["Acme.ipa"] == [next(a.size_bytes for a in old if a.title == "Acme.ipa")]
    assert len(demo.requests) == asked


# Where something comes from -----------------------------------------------------------------------------------


async def fetched(services: Services, artifact: Artifact, file: Path) -> Path:
    provider = await services.sessions[artifact.ref.account].provider()
    source = await provider.source(artifact)
    with services.storage.open(source.url) as body, file.open("wb") as out:
        while piece := body.read():
            out.write(piece)
    return file


async def old_artifact(services: Services, kind: ArtifactKind | None = None) -> tuple[Found, Artifact]:
    """A small artifact of a build that is not the newest."""
    newest = (await find(services, f"{IOS}/latest-green")).build
    assert newest is not None
    before = await Comparing(services).previous_green(newest)
    found = await find(services, f"{IOS}/{before.number}/*")
    wanted = [a for a in found.artifacts if kind is None or a.kind is kind]
    return found, min(wanted, key=lambda a: a.size_bytes or 0)


def searching(services: Services) -> tuple[Identifying, list[Spent]]:
    told: list[Spent] = []
    return Identifying(services, told.append), told


async def test_a_file_under_another_name_is_known_by_what_is_inside(services: Services, tmp_path: Path) -> None:
    found, artifact = await old_artifact(services, ArtifactKind.IPA)
    file = await fetched(services, artifact, tmp_path / "renamed")
    search, told = searching(services)
    known = await search.file(file, DigPath.parse(IOS), 50)
    assert known.artifact == artifact.ref
    assert known.path == found.path_of(artifact, found.siblings)
    assert (known.how, known.is_proved) == ("same files inside, by CRC-32", True)
    assert 1 < search.spent.builds <= 50
    assert search.spent.calls > search.spent.builds
    assert len(told) == search.spent.builds - 1
    assert search.spent.moved_bytes < 1_000_000


async def test_what_was_downloaded_is_known_by_its_checksum_without_a_search(
    services: Services, tmp_path: Path, demo: DemoServers
) -> None:
    found, artifact = await old_artifact(services, ArtifactKind.LOGS)
    file = await fetched(services, artifact, tmp_path / "x.log")
    sha256 = demo.data.sha256(artifact.ref.artifact)
    size = file.stat().st_size
    record = Finished(tmp_path / "gone", artifact.ref, size, sha256, 0)
    History(tmp_path / "home" / "state" / "transfers.sqlite").add(record)
    search, _ = searching(services)
    known = await search.file(file, DigPath.parse(""), 50)
    assert known.path == found.path_of(artifact, found.siblings)
    assert known.is_proved
    assert search.spent.builds == 0


async def test_a_text_of_the_same_size_and_title_is_likely_only(services: Services, tmp_path: Path) -> None:
    _, artifact = await old_artifact(services, ArtifactKind.LOGS)
    file = await fetched(services, artifact, tmp_path / artifact.title)
    known = await searching(services)[0].file(file, DigPath.parse(IOS), 50)
    assert (known.artifact, known.how, known.is_proved) == (artifact.ref, "same size and title", False)


async def symbols(services: Services) -> tuple[Artifact, str]:
    found = await newest_ipa(services)
    dsym = next(a for a in found.siblings if ".dSYM" in a.title)
    (binary,) = await (await services.look_inside(dsym)).symbols()
    return dsym, binary.uuid


async def test_the_uuid_of_a_crash_leads_to_its_symbols(services: Services) -> None:
    dsym, uuid = await symbols(services)
    known = await searching(services)[0].uuid(UUID(uuid), DigPath.parse("demo-bitrise"), 50)
    assert known.artifact == dsym.ref
    assert "symbols of Acme (arm64)" in known.how


async def test_what_is_unknown_is_told_within_the_limit(services: Services, tmp_path: Path) -> None:
    search, _ = searching(services)
    with pytest.raises(NotFound, match="No artifact of 4 builds has this UUID") as raised:
        await search.uuid(UUID(int=1), DigPath.parse(IOS), 4)
    assert raised.value.hint == "--limit looks further back."
    file = tmp_path / "Acme.ipa"
    file.write_bytes(b"another file")
    with pytest.raises(NotFound, match="is this file"):
        await searching(services)[0].file(file, DigPath.parse(f"{IOS}/latest-green"), 4)


async def test_a_search_can_be_cancelled(services: Services) -> None:
    begun = asyncio.Event()
    search = Identifying(services, lambda _: begun.set())
    task: asyncio.Task[Identified] = asyncio.ensure_future(search.uuid(UUID(int=1), DigPath.parse(""), 5000))
    async with asyncio.timeout(20):
        await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert search.spent.builds < 5000
