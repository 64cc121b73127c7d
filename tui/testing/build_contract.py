# ruff: noqa: D102 - the name of a test says what it proves
"""What every provider must do with builds: their logs, issues and tests, and starting and aborting them."""

from __future__ import annotations

import pytest

from tui.errors import NotFound, NotSupported, ProviderError
from tui.models import ActionId, Build, Status
from tui.models.inspection import BuildVerb, GitRefKind, IssueKind, StartRequest
from tui.providers import Provider
from tui.testing.search import busy_app, find_artifact, first_of, startable


class BuildContract:
    """The part of `ProviderContract` that is about builds."""

    async def test_what_a_build_is_made_with_is_told_or_not_known(self, provider: Provider) -> None:
        _, builds = await busy_app(provider)
        stack = await provider.stack(builds[0])
        assert stack is None or stack.strip()

    async def test_the_log_of_a_finished_build_is_whole(self, provider: Provider) -> None:
        _, builds = await busy_app(provider)

        async def has_log(build: Build) -> bool:
            try:
                await provider.log(build)
            except NotFound:
                return False
            return True

        build = await first_of(builds, has_log)
        assert provider.build_refusal(BuildVerb.LOG, build) is None
        part = await provider.log(build)
        assert part.is_complete
        assert part.next_cursor is None
        assert part.source or part.chunks or part.bundles
        if part.source is not None:
            assert part.source.url.reveal() not in repr(part)
        for bundle in part.bundles:
            assert bundle.ref.build_ref == build.ref

    async def test_actions_are_those_of_the_artifacts(self, provider: Provider) -> None:
        sample = await find_artifact(provider, lambda artifact: True)
        actions = await provider.actions(await provider.build(sample.ref.build_ref))
        ids: list[ActionId] = [action.id for action in actions]
        assert len(set(ids)) == len(ids)
        assert bool(actions) == provider.capabilities.groups_by_action
        assert sample.action is None or sample.action.id in ids

    async def test_issues_come_errors_first_or_are_refused(self, provider: Provider) -> None:
        _, builds = await busy_app(provider)
        if provider.build_refusal(BuildVerb.ISSUES) is not None:
            assert await provider.issues(builds[0]) == ()
            return

        async def has_error(build: Build) -> bool:
            issues = await provider.issues(build) if build.status is Status.FAILED else ()
            return any(issue.kind is IssueKind.ERROR for issue in issues)

        issues = await provider.issues(await first_of(builds, has_error))
        order = [list(IssueKind).index(issue.kind) for issue in issues]
        assert order == sorted(order)
        assert all(issue.message for issue in issues)

    async def test_tests_come_failures_first_or_are_refused(self, provider: Provider) -> None:
        _, builds = await busy_app(provider)
        if provider.build_refusal(BuildVerb.TESTS) is not None:
            assert await provider.tests(builds[0]) == ()
            return

        async def has_failure(build: Build) -> bool:
            results = await provider.tests(build) if build.status is Status.FAILED else ()
            return any(result.status.is_failure for result in results)

        results = await provider.tests(await first_of(builds, has_failure))
        failures = [result.status.is_failure for result in results]
        assert failures == sorted(failures, reverse=True)
        assert all(result.message for result in results if result.status.is_failure)

    async def test_workflows_and_references_are_named_once(self, provider: Provider) -> None:
        app, _ = await busy_app(provider)
        workflows = await provider.workflows(app.ref)
        assert len({workflow.id for workflow in workflows}) == len(workflows) > 0
        refs = [ref async for ref in provider.git_refs(app.ref, workflows[0])]
        assert len({(ref.kind, ref.id) for ref in refs}) == len(refs) > 0
        assert all(ref.name for ref in refs)

    async def test_a_started_build_is_there_and_not_finished(self, provider: Provider) -> None:
        app, _ = await busy_app(provider)
        workflow = await startable(provider, app)
        refs = [ref async for ref in provider.git_refs(app.ref, workflow)]
        branch = next(ref.name for ref in refs if ref.kind is GitRefKind.BRANCH)
        request = StartRequest(app.ref, workflow.name, branch=branch)
        if provider.build_refusal(BuildVerb.START) is not None:
            with pytest.raises(ProviderError):
                await provider.start(request)
            return
        started = await provider.start(request)
        assert started.ref.app_ref == app.ref
        assert not started.status.is_finished
        assert (started.branch, started.workflow) == (branch, workflow.name)
        assert started.ref in {build.ref for build in (await provider.builds(app.ref)).items}

    async def test_a_rebuild_is_another_build_of_the_same(self, provider: Provider) -> None:
        app, builds = await busy_app(provider)
        original = next(build for build in builds if build.status is Status.SUCCEEDED and not build.tag)
        if provider.build_refusal(BuildVerb.REBUILD, original) is not None:
            return
        request = StartRequest(app.ref, original.workflow or "", rebuild=original.ref)
        started = await provider.start(request)
        assert started.ref != original.ref
        assert (started.branch, started.workflow) == (original.branch, original.workflow)

    async def test_a_build_under_way_is_aborted_or_that_is_refused(self, provider: Provider) -> None:
        app, builds = await busy_app(provider)
        if provider.build_refusal(BuildVerb.ABORT) is not None:
            with pytest.raises(NotSupported):
                await provider.abort(builds[0].ref, "not needed")
            return
        workflow = await startable(provider, app)
        started = await provider.start(StartRequest(app.ref, workflow.name))
        assert provider.build_refusal(BuildVerb.ABORT, started) is None
        await provider.abort(started.ref, "not needed")
        aborted = await provider.build(started.ref)
        assert (aborted.status, aborted.reason) == (Status.ABORTED, "not needed")
        assert provider.build_refusal(BuildVerb.ABORT, aborted)
