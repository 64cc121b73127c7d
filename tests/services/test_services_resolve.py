"""Paths that name one thing, several things, or nothing, on a provider that holds what a test gives it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.fake_provider import ACME, FakeProvider, one_app
from tui.errors import NotFound, PathError
from tui.paths import DigPath
from tui.providers import Provider
from tui.services.resolve import Resolver
from tui.services.session import Session


@pytest.fixture
def fake() -> FakeProvider:
    return one_app()


@pytest.fixture
def resolver(fake: FakeProvider) -> Resolver:
    class Opened(Session):
        async def provider(self) -> Provider:
            return fake  # type: ignore[return-value]  # the parts that a resolver and changes use

    return Resolver({ACME: Opened(fake.account)})


async def numbers(resolver: Resolver, path: str) -> Any:
    found = await resolver.find(DigPath.parse(path))
    return found.build.number if found.build else None


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("acme/one/3", 3),
        ("acme/One/3", 3),
        ("acme/one/b2", 2),
        ("acme/one/latest", 4),
        ("acme/one/latest-green", 3),
        ("acme/one/latest-green@feature%2Fx", 2),
        ("acme/one/latest@feature%2Fx", 2),
    ],
)
async def test_a_build_by_number_id_or_newest(resolver: Resolver, path: str, number: int) -> None:
    assert await numbers(resolver, path) == number


async def test_an_ambiguous_app_title_is_refused_with_the_ids(resolver: Resolver) -> None:
    with pytest.raises(PathError, match="2 apps of acme are called 'Twin'") as raised:
        await resolver.find(DigPath.parse("acme/Twin"))
    assert "acme/two" in str(raised.value.hint)
    assert "acme/three" in str(raised.value.hint)
    found = await resolver.find(DigPath.parse("acme/three"))
    assert found.path == "acme/three", "an ambiguous title is not printed as a path"


@pytest.mark.parametrize("path", ["nobody", "acme/none", "acme/one/99", "acme/one/latest@none", "acme/one/3/none"])
async def test_what_does_not_exist_is_not_found(resolver: Resolver, path: str) -> None:
    with pytest.raises(NotFound):
        await resolver.find(DigPath.parse(path))


async def test_artifacts_by_title_id_both_or_glob(resolver: Resolver) -> None:
    async def ids(pattern: str) -> list[str]:
        found = await resolver.find(DigPath.parse(f"acme/one/3/{pattern}"))
        return [str(a.ref.artifact) for a in found.artifacts]

    assert await ids("app.apk") == ["a"]
    assert await ids("log.txt") == ["b", "c"]
    assert await ids("c") == ["c"]
    assert await ids("log.txt~c") == ["c"]
    assert await ids("*.txt") == ["b", "c"]
    assert await ids("*") == ["a", "b", "c"]


async def test_every_printed_path_names_its_artifact_alone(resolver: Resolver) -> None:
    found = await resolver.find(DigPath.parse("acme/one/3/*"))
    for wanted in found.artifacts:
        again = await resolver.find(DigPath.parse(found.path_of(wanted, found.siblings)))
        assert again.artifacts == (wanted,)
