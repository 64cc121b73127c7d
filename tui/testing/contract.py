# ruff: noqa: D102 - the name of a test says what it proves
"""What every provider must do, as tests over a real server.

    class TestMine(ProviderContract):
        @pytest.fixture
        async def provider(self): ...          # opened with a good credential; close it afterwards
        @pytest.fixture
        async def wrong_provider(self): ...    # opened with a credential that the server refuses
        @pytest.fixture
        async def offline_provider(self): ...  # pointed at an address where nobody listens

The server behind `provider` needs an app with some builds on several branches, red ones among them, and artifacts;
what the provider can change, these tests change, and what it can start, they start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from tui.errors import AuthError, DigsiteError, NotFound, NotSupported, ProviderError, Unreachable
from tui.models import (
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactRef,
    Build,
    BuildId,
    BuildQuery,
    BuildRef,
    Cursor,
    Verb,
)
from tui.providers import Provider
from tui.storage import Storage
from tui.testing.build_contract import BuildContract
from tui.testing.search import builds_of, busy_app, find_artifact, find_artifacts, pages

MAX_DOWNLOAD_BYTES = 64 * 1024 * 1024
"""The longest artifact that a test downloads."""


class ProviderContract(BuildContract):
    """Subclass it and give the three fixtures; each test is one promise of `Provider`."""

    async def test_check_tells_who_the_credential_belongs_to(self, provider: Provider) -> None:
        assert (await provider.check()).label

    async def test_apps_are_paged_without_duplicates(self, provider: Provider) -> None:
        apps = [app async for app in pages(provider.apps)]
        assert apps
        assert len({app.ref for app in apps}) == len(apps)
        for app in apps:
            assert app.title
            assert app.ref.account == provider.account.name
            assert app.provider == provider.account.provider

    async def test_an_app_reads_the_same_alone(self, provider: Provider) -> None:
        listed = (await provider.apps()).items[0]
        assert await provider.app(listed.ref) == listed

    async def test_builds_come_newest_first_without_duplicates(self, provider: Provider) -> None:
        app, _ = await busy_app(provider)
        builds = await builds_of(provider, app.ref, BuildQuery())
        assert len({build.ref for build in builds}) == len(builds)
        created = [build.created_at for build in builds if build.created_at is not None]
        assert created == sorted(created, reverse=True)
        assert all(moment.utcoffset() is not None for moment in created)

    async def test_recent_builds_are_those_of_all_apps_newest_first_or_are_refused(self, provider: Provider) -> None:
        try:
            first = await provider.recent_builds()
        except NotSupported:
            return
        assert first.items
        recent = [item async for item in pages(provider.recent_builds)]
        assert len({build.ref for _, build in recent}) == len(recent)
        assert all(build.ref.app_ref == app.ref for app, build in recent)
        created = [build.created_at for _, build in recent if build.created_at is not None]
        assert created == sorted(created, reverse=True)
        app, newest = first.items[0]
        assert newest in (await provider.builds(app.ref)).items
        assert app == await provider.app(app.ref)

    async def test_a_build_reads_the_same_alone(self, provider: Provider) -> None:
        _, builds = await busy_app(provider)
        finished = next(build for build in builds if build.status.is_finished)
        assert await provider.build(finished.ref) == finished

    async def test_filters_are_respected(self, provider: Provider) -> None:
        app, builds = await busy_app(provider)
        chosen = next(build for build in reversed(builds) if build.status.is_finished and build.branch)
        assert chosen.created_at is not None
        same_minute = chosen.created_at.replace(second=0, microsecond=0)
        for query in (
            BuildQuery(branch=chosen.branch),
            BuildQuery(status=chosen.status),
            BuildQuery(number=chosen.number),
            BuildQuery(workflow=chosen.workflow),
            BuildQuery(after=same_minute),
        ):
            found = await builds_of(provider, app.ref, query)
            assert chosen.ref in {build.ref for build in found}, query
            for build in found:
                assert query.branch in (None, build.branch)
                assert query.status in (None, build.status)
                assert query.number in (None, build.number)
                assert query.workflow in (None, build.workflow)
                assert query.after is None or (build.created_at and build.created_at >= query.after)
        earlier = await builds_of(provider, app.ref, BuildQuery(before=same_minute))
        assert all(build.created_at is None or build.created_at < chosen.created_at for build in earlier)

    async def test_artifacts_are_dated_and_grouped(self, provider: Provider) -> None:
        sample = await find_artifact(provider, lambda artifact: True)
        build = await provider.build(sample.ref.build_ref)
        artifacts = [item async for item in pages(lambda cursor: provider.artifacts(build, cursor))]
        assert len({artifact.ref for artifact in artifacts}) == len(artifacts)
        for artifact in artifacts:
            assert artifact.title
            assert artifact.ref.build_ref == build.ref
            assert artifact.created_at is None or artifact.created_at.utcoffset() is not None
            assert (artifact.action is not None) == provider.capabilities.groups_by_action
        if build.status.is_finished:
            assert all(artifact.created_at is not None for artifact in artifacts)

    async def test_an_artifact_reads_the_same_again(self, provider: Provider) -> None:
        listed = await find_artifact(provider, lambda artifact: True)
        fresh = await provider.artifact(listed)
        assert replace(fresh, install_url=None) == replace(listed, install_url=None)

    async def test_a_source_is_downloadable_by_a_client_without_credential(self, provider: Provider) -> None:
        def is_small(artifact: Artifact) -> bool:
            return artifact.size_bytes is not None and 0 < artifact.size_bytes < MAX_DOWNLOAD_BYTES

        artifact = await find_artifact(provider, is_small)
        source = await provider.source(artifact)
        assert source.url.reveal() not in repr(source)
        assert not {"authorization", "cookie"} & {name.lower() for name in source.headers}

        def download() -> int:
            storage = Storage(allow_loopback=True)
            with storage.open(source.url, headers=source.headers) as body:
                length = sum(map(len, iter(body.read, b"")))
            storage.close()
            return length

        length = await asyncio.to_thread(download)
        assert length == source.size_bytes
        assert length == artifact.size_bytes

    async def test_unknown_ids_are_not_found(self, provider: Provider) -> None:
        listed = await find_artifact(provider, lambda artifact: True)
        ref = listed.ref
        odd = "no/such ?#%2F"
        calls: list[Awaitable[object]] = [
            provider.app(AppRef(ref.account, AppId(odd))),
            provider.builds(AppRef(ref.account, AppId(odd))),
            provider.build(BuildRef(ref.account, ref.app, BuildId(odd))),
            provider.artifact(_elsewhere(listed, odd)),
            provider.source(_elsewhere(listed, odd)),
            provider.log(_missing(await provider.build(ref.build_ref), odd)),
            provider.workflows(AppRef(ref.account, AppId(odd))),
        ]
        for call in calls:
            with pytest.raises(NotFound):
                await call

    async def test_publishing_goes_there_and_back_or_is_refused(self, provider: Provider) -> None:
        if not provider.capabilities.publish:
            artifact = await find_artifact(provider, lambda artifact: True)
            assert provider.refusal(Verb.PUBLISH, artifact)
            with pytest.raises(NotSupported):
                await provider.set_public(artifact, True)
            return
        artifact = await find_artifact(provider, lambda item: provider.refusal(Verb.PUBLISH, item) is None)
        for enabled in (True, False, True):
            changed = await provider.set_public(artifact, enabled)
            assert changed.ref == artifact.ref
            assert changed.is_public is enabled
            assert (changed.install_url is not None) is enabled
            assert await provider.artifact(artifact) == changed

    async def test_what_cannot_be_published_says_why(self, provider: Provider) -> None:
        artifact = await find_artifact(provider, lambda item: provider.refusal(Verb.PUBLISH, item) is not None)
        with pytest.raises(NotSupported):
            await provider.set_public(artifact, True)

    async def test_deleting_is_for_good_or_is_refused(self, provider: Provider) -> None:
        artifact = await find_artifact(provider, lambda artifact: True)
        if not provider.capabilities.delete:
            assert provider.refusal(Verb.DELETE, artifact)
            with pytest.raises(NotSupported):
                await provider.delete(artifact.ref)
            return
        assert provider.refusal(Verb.DELETE, artifact) is None
        await provider.delete(artifact.ref)
        with pytest.raises(NotFound):
            await provider.artifact(artifact)
        with pytest.raises(NotFound):
            await provider.delete(artifact.ref)
        left = (await provider.artifacts(await provider.build(artifact.ref.build_ref))).items
        assert artifact.ref not in {item.ref for item in left}

    async def test_a_cancelled_call_leaves_the_provider_usable(self, provider: Provider) -> None:
        for turns in range(12):
            call = asyncio.create_task(_read_all(provider))
            for _ in range(turns * turns):
                # A turn of the loop, no time: each call is cancelled further on, wherever that is in the plug-in.
                await asyncio.sleep(0)
            if call.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await call
            else:  # it was quicker
                await call
        assert (await provider.apps()).items

    async def test_many_calls_at_once_all_succeed(self, provider: Provider) -> None:
        first, *others = await asyncio.gather(*(provider.apps() for _ in range(12)))
        assert all(page.items == first.items for page in others)

    async def test_a_refused_credential_is_an_auth_error(self, wrong_provider: Provider) -> None:
        for call in (wrong_provider.check, wrong_provider.apps):
            with pytest.raises(AuthError) as caught:
                await call()
            assert str(wrong_provider.account.name) in caught.value.message

    async def test_a_server_that_is_not_there_is_unreachable(self, offline_provider: Provider) -> None:
        with pytest.raises(Unreachable) as caught:
            await offline_provider.apps()
        assert caught.value.hint

    async def test_a_foreign_cursor_is_an_error_of_the_family(self, provider: Provider) -> None:
        with pytest.raises(ProviderError):
            await provider.apps(Cursor("not-a-cursor"))

    async def test_closing_twice_is_harmless_and_ends_all_calls(self, provider: Provider) -> None:
        await provider.apps()
        await provider.aclose()
        await provider.aclose()
        with pytest.raises(DigsiteError):
            await provider.apps()


async def _read_all(provider: Provider) -> None:
    async for _ in find_artifacts(provider):
        pass
    pytest.fail("the listing ended before it was cancelled")


def _missing(build: Build, build_id: str) -> Build:
    return replace(build, ref=BuildRef(build.ref.account, build.ref.app, BuildId(build_id)))


def _elsewhere(artifact: Artifact, artifact_id: str) -> Artifact:
    ref = artifact.ref
    return replace(artifact, ref=ArtifactRef(ref.account, ref.app, ref.build, ArtifactId(artifact_id)))
