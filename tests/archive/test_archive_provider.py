"""Archived copies as an account: listed, looked into and downloaded, whatever became of the originals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tui.archive.layout import MANIFEST, Layout, build_folder
from tui.archive.manifest import Entry, Manifest
from tui.archive.plugin import ArchivePlugin
from tui.archive.provider import ArchiveProvider
from tui.archive.reader import Reader
from tui.archive.store import Store
from tui.errors import ConfigError, Gone, NotFound, NotSupported, TransferError
from tui.models import (
    Account,
    AccountName,
    App,
    AppFacts,
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
    Cursor,
    Status,
    Verb,
)
from tui.providers import plugin
from tui.secret import Secret
from tui.storage import LocalFile, Storage

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
APP = App(AppRef(AccountName("acme"), AppId("a1")), "Acme / App", "bitrise", kind="ios", bundle_id="com.acme")


def fill(store: Store, app: App, numbers: range) -> None:
    folder = Layout(store).claim_app(app)
    for number in numbers:
        ref = BuildRef(app.ref.account, app.ref.app, BuildId(f"b{number}"))
        build = Build(
            ref, number, Status.SUCCEEDED, "1", branch="main" if number % 2 else "dev", created_at=NOW, finished_at=NOW
        )
        artifact = Artifact(
            ArtifactRef(ref.account, ref.app, ref.build, ArtifactId("x1")),
            "app\u202e.ipa",
            ArtifactKind.IPA,
            "ios-ipa",
            is_public=True,
            facts=AppFacts(version="1.0"),
        )
        stored = store.upload(f"{build_folder(folder, build)}/app.ipa", iter([b"content %d" % number]))
        entry = Entry(artifact, "app.ipa", stored.size_bytes, stored.sha256, NOW)
        Reader(store).write_manifest(build_folder(folder, build), Manifest(build, "bitrise", app.title, (entry,)))


@pytest.fixture
def provider(store: Store, destination: str) -> ArchiveProvider:
    fill(store, APP, range(1, 4))
    fill(store, replace(APP, ref=AppRef(AccountName("other"), AppId("a1"))), range(7, 8))
    account = Account(AccountName("kept"), "archive", options={"destination": destination})
    return ArchivePlugin().open(account, Secret(""))


async def test_everything_is_listed_under_the_account_of_the_archive(provider: ArchiveProvider) -> None:
    apps = (await provider.apps()).items
    assert [(app.title, app.ref.account, app.provider) for app in apps] == [("Acme / App", "kept", "archive")] * 2
    first, second = apps
    assert first.ref.app != second.ref.app
    builds = (await provider.builds(first.ref)).items
    assert [build.number for build in builds] == [3, 2, 1]
    assert builds[0].ref.account == "kept"
    (artifact,) = (await provider.artifacts(builds[0])).items
    assert (artifact.title, artifact.kind, artifact.size_bytes) == ("app\u202e.ipa", ArtifactKind.IPA, 9)
    assert artifact.facts == AppFacts(version="1.0")
    assert await provider.build(builds[0].ref) == builds[0]
    assert await provider.artifact(artifact) == artifact


async def test_filters_and_pages(provider: ArchiveProvider) -> None:
    app = (await provider.apps()).items[0]
    assert [b.number for b in (await provider.builds(app.ref, BuildQuery(branch="dev"))).items] == [2]
    assert [b.number for b in (await provider.builds(app.ref, BuildQuery(number=1))).items] == [1]
    fill(provider._reader.store, APP, range(100, 160))
    first = await provider.builds(app.ref)
    assert first.next_cursor is not None
    second = await provider.builds(app.ref, cursor=Cursor(first.next_cursor))
    assert second.next_cursor is None
    assert [b.number for b in (*first.items, *second.items)] == [*range(159, 99, -1), 3, 2, 1]


async def test_copies_are_downloaded_like_any_file(provider: ArchiveProvider) -> None:
    app = (await provider.apps()).items[0]
    (artifact,) = (await provider.artifacts((await provider.builds(app.ref)).items[0])).items
    source = await provider.source(artifact)
    assert source.size_bytes == 9
    with Storage(allow_loopback=True).open(source.url) as body:
        assert body.read() == b"content 3"
    with Storage(allow_loopback=True).open(source.url, start=8, if_range=body.head.validator) as rest:
        assert (rest.head.status, rest.head.start, rest.head.total, rest.read()) == (206, 8, 9, b"3")


async def test_what_is_not_there_and_what_cannot_be_done(provider: ArchiveProvider) -> None:
    app = (await provider.apps()).items[0]
    build = (await provider.builds(app.ref)).items[0]
    (artifact,) = (await provider.artifacts(build)).items
    assert provider.refusal(Verb.DOWNLOAD, artifact) is None
    for verb in (Verb.DELETE, Verb.PUBLISH):
        assert provider.refusal(verb, artifact)
    with pytest.raises(NotSupported):
        await provider.delete(artifact.ref)
    with pytest.raises(NotSupported):
        await provider.set_public(artifact, enabled=True)
    for wrong in (AppId("acme/../secret"), AppId("nowhere"), AppId("acme/none")):
        with pytest.raises(NotFound):
            await provider.app(AppRef(AccountName("kept"), wrong))
    with pytest.raises(NotFound):
        await provider.build(replace(build.ref, build=BuildId("none")))


async def test_a_torn_manifest_hides_one_build_and_says_so(provider: ArchiveProvider) -> None:
    app = (await provider.apps()).items[0]
    provider._reader.store.write(f"{app.ref.app}/2/{MANIFEST}", b'{"cut":')
    page = await provider.builds(app.ref)
    assert [build.number for build in page.items] == [3, 1]
    assert page.unreadable == 1


def test_the_plugin_is_found_by_name_and_wants_a_destination() -> None:
    found = plugin("archive")
    assert found.secret_label == ""
    with pytest.raises(ConfigError, match="destination"):
        found.open(Account(AccountName("kept"), "archive"), Secret(""))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "/etc/passwd", "file://localhost/etc/passwd"])
def test_no_text_of_a_server_becomes_a_local_file(url: str) -> None:
    with pytest.raises(TransferError):
        Storage(allow_loopback=True).open(Secret(url))


def test_a_local_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(Gone):
        Storage().open(LocalFile(tmp_path / "none"))
    (tmp_path / "file").write_bytes(b"0123456789")
    with Storage().open(LocalFile(tmp_path / "file"), start=2, end=4) as body:
        assert (body.head.status, body.read(), body.read()) == (206, b"234", b"")
    with Storage().open(LocalFile(tmp_path / "file"), start=10) as body:
        assert (body.head.status, body.head.total) == (416, 10)
    with Storage().open(LocalFile(tmp_path / "file"), start=3, if_range='"old"') as body:
        assert (body.head.status, body.head.start) == (200, 0)
