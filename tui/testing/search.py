"""Looking for something to test with, in whatever the server behind a provider has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest

from tui.models import App, AppRef, Artifact, Build, BuildQuery, Cursor, Page
from tui.models.inspection import Workflow
from tui.providers import Provider

T = TypeVar("T")

MAX_PAGES = 4
"""Pages of one listing that a test looks at."""
MAX_BUILDS = 60
"""Builds that are searched for an artifact of a certain kind."""


async def pages(fetch: Callable[[Cursor | None], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """The items of the first pages of a listing."""
    cursor: Cursor | None = None
    for _ in range(MAX_PAGES):
        page = await fetch(cursor)
        for item in page.items:
            yield item
        cursor = page.next_cursor
        if cursor is None:
            return


async def builds_of(provider: Provider, app: AppRef, query: BuildQuery) -> list[Build]:
    """The first builds that match a query."""
    return [build async for build in pages(lambda cursor: provider.builds(app, query, cursor))]


async def find_artifacts(provider: Provider) -> AsyncIterator[Artifact]:
    """Artifacts of the newest builds of every app."""
    async for app in pages(provider.apps):
        page = await provider.builds(app.ref)
        for build in page.items[:MAX_BUILDS]:
            for artifact in (await provider.artifacts(build)).items:
                yield artifact


async def find_artifact(provider: Provider, wanted: Callable[[Artifact], bool]) -> Artifact:
    """The first artifact of a certain kind."""
    async for artifact in find_artifacts(provider):
        if wanted(artifact):
            return artifact
    pytest.fail("the server behind `provider` has no such artifact")


async def busy_app(provider: Provider) -> tuple[App, list[Build]]:
    """An app with builds on several branches, and its newest builds."""
    async for app in pages(provider.apps):
        builds = list((await provider.builds(app.ref)).items)
        if len({build.branch for build in builds}) > 1:
            return app, builds
    pytest.fail("the server behind `provider` has no app with builds on several branches")


async def first_of(builds: list[Build], wanted: Callable[[Build], Awaitable[bool]]) -> Build:
    """The first finished build that has something."""
    for build in builds[:MAX_BUILDS]:
        if build.status.is_finished and await wanted(build):
            return build
    pytest.fail("the server behind `provider` has no such build")


async def startable(provider: Provider, app: App) -> Workflow:
    """A workflow that can be started."""
    for workflow in await provider.workflows(app.ref):
        if workflow.is_enabled:
            return workflow
    pytest.fail("the server behind `provider` has no enabled workflow in its busy app")
