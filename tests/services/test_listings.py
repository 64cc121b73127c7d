"""Lists that were asked for before a change and come after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.fake_provider import FakeProvider, one_app
from tui.catalog.store import Catalog
from tui.models import Artifact, Build, Cursor, Page
from tui.providers import Provider
from tui.services.changes import Changes
from tui.services.listings import Listings
from tui.services.session import Session


class Slow(Session):
    """A session whose provider reads its list at once, and sends the first answer when the test says so."""

    def __init__(self, fake: FakeProvider) -> None:
        super().__init__(fake.account)
        self._fake = fake
        self.asked, self.answered = asyncio.Event(), asyncio.Event()

    async def provider(self) -> Provider:
        return self  # type: ignore[return-value]  # the parts that are used here

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        page = Page(tuple(self._fake.all_artifacts))
        self.asked.set()
        await self.answered.wait()
        return page


@pytest.fixture
def fake() -> FakeProvider:
    return one_app()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog(tmp_path / "catalog.db")
    yield opened
    opened.close()


@pytest.mark.parametrize("change", ["delete", "publish"])
async def test_a_list_of_before_a_change_brings_nothing_back(fake: FakeProvider, catalog: Catalog, change: str) -> None:
    listings, slow, first = Listings(catalog), Slow(fake), fake.all_artifacts[0]
    build = next(each for each in fake.all_builds if each.ref == first.ref.build_ref)
    catalog.keep_apps(fake.account.name, fake.all_apps, complete=True)
    late = asyncio.ensure_future(listings.artifacts(slow, build, None))
    await slow.asked.wait()
    changes = Changes(listings=listings)
    if change == "delete":
        await changes.delete(fake, first)  # type: ignore[arg-type]
    else:
        await changes.publish(fake, first, enabled=True)  # type: ignore[arg-type]
    slow.answered.set()
    there = fake.all_artifacts
    catalog.settle()
    assert list((await late).items) == there
    assert list((await listings.artifacts(slow, build, None)).items) == there
    catalog.settle()
    kept = catalog.artifacts(build.ref)
    assert kept is not None
    assert list(kept.items) == there
