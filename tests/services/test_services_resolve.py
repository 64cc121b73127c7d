"""Paths that name one thing, several things, or nothing, on a provider that holds what a test gives it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.fake_provider import ACME, FakeProvider, app, artifact, build, one_app
from tui.errors import BadPayload, NotFound, PathError
from tui.models import App, AppRef, Artifact, Build, BuildId, BuildQuery, Cursor, Page, Status
from tui.paths import DigPath
from tui.providers import Provider
from tui.services.resolve import Resolver, all_apps
from tui.services.session import Session


@pytest.fixture
def fake() -> FakeProvider:
    return one_app()


def resolver_of(fake: FakeProvider) -> Resolver:
    class Opened(Session):
        async def provider(self) -> Provider:
            return fake  # type: ignore[return-value]  # the parts that a resolver and changes use

    return Resolver({ACME: Opened(fake.account)})


@pytest.fixture
def resolver(fake: FakeProvider) -> Resolver:
    return resolver_of(fake)


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


class Deaf(FakeProvider):
    """Ignores every filter of builds."""

    async def builds(self, app: AppRef, query: BuildQuery, cursor: Cursor | None = None) -> Page[Build]:
        return self._page(self.all_builds, cursor)


@pytest.mark.parametrize(
    ("path", "number"),
    [("1", 1), ("latest-green", 3), ("latest@feature%2Fx", 2), ("latest-green@feature%2Fx", 2)],
)
async def test_a_server_that_ignores_the_filter_gives_no_other_build(
    fake: FakeProvider, path: str, number: int
) -> None:
    deaf = resolver_of(Deaf(all_apps=fake.all_apps, all_builds=fake.all_builds))
    assert await numbers(deaf, f"acme/one/{path}") == number
    for missing in ("99", "latest@none"):
        with pytest.raises(NotFound):
            await deaf.find(DigPath.parse(f"acme/one/{missing}"))


async def test_two_builds_of_one_number_are_told_apart_by_id(fake: FakeProvider) -> None:
    twin = build(3, Status.FAILED)
    fake.all_builds.append(replace(twin, ref=replace(twin.ref, build=BuildId("other"))))
    with pytest.raises(PathError, match="have the number 3") as raised:
        await resolver_of(fake).find(DigPath.parse("acme/one/3"))
    assert "acme/one/b3, acme/one/other" in str(raised.value.hint)
    assert await numbers(resolver_of(fake), "acme/one/b3") == 3


@pytest.mark.parametrize(
    ("hostile", "path"), [("log.txt~c", "log.txt~c"), ("c", "c"), ("log.txt", "c"), ("[*]", "[[][*]]")]
)
async def test_a_title_takes_no_path_from_another_artifact(fake: FakeProvider, hostile: str, path: str) -> None:
    fake.all_artifacts.insert(0, artifact("evil", hostile))
    resolver = resolver_of(fake)
    found = await resolver.find(DigPath.parse("acme/one/3/*"))
    for wanted in found.artifacts:
        again = await resolver.find(DigPath.parse(found.path_of(wanted, found.siblings)))
        assert again.artifacts == (wanted,)
    named = (await resolver.find(DigPath.parse(f"acme/one/3/{path}"))).artifacts
    assert [each.ref.artifact for each in named] == ["evil" if path == "[[][*]]" else "c"]


@pytest.mark.parametrize("title", ["*", "?pp.apk", "[a-z]*", "app[.]apk", "[*]"])
@pytest.mark.parametrize("has_twin", [False, True])
async def test_the_path_of_what_is_gone_names_nothing_else(fake: FakeProvider, title: str, has_twin: bool) -> None:
    fake.all_artifacts += [artifact("evil", title), *([artifact("twin", title)] if has_twin else [])]
    resolver = resolver_of(fake)
    found = await resolver.find(DigPath.parse("acme/one/3/evil"))
    path = DigPath.parse(found.path_of(found.artifacts[0], found.siblings))
    assert (await resolver.find(path)).artifacts == found.artifacts
    fake.all_artifacts = [each for each in fake.all_artifacts if each.ref.artifact != "evil"]
    with pytest.raises(NotFound):
        await resolver.find(path)


async def test_two_that_answer_to_one_title_and_id_are_refused(fake: FakeProvider) -> None:
    fake.all_artifacts = [artifact("c", "a~b"), artifact("b~c", "a")]
    with pytest.raises(PathError, match="2 artifacts of this build answer to 'a~b~c'") as raised:
        await resolver_of(fake).find(DigPath.parse("acme/one/3/a~b~c"))
    assert raised.value.hint == "Ids: c, b~c."


@given(st.dictionaries(st.text("ab~", min_size=1, max_size=4), st.text("ab~*[]?", max_size=4), max_size=6))
async def test_whatever_titles_there_are_each_printed_path_names_its_artifact_alone(titles: dict[str, str]) -> None:
    fake = one_app()
    fake.all_artifacts = [artifact(name, title) for name, title in titles.items()]
    resolver = resolver_of(fake)
    for wanted in fake.all_artifacts:
        found = await resolver.find(DigPath.parse(f"acme/one/3/{wanted.ref.artifact}"))
        assert found.artifacts == (wanted,)
        again = await resolver.find(DigPath.parse(found.path_of(wanted, found.siblings)))
        assert again.artifacts == (wanted,)


class Gapped(FakeProvider):
    """Every list lacks something."""

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        return replace(await super().apps(cursor), unreadable=1)

    async def builds(self, app: AppRef, query: BuildQuery, cursor: Cursor | None = None) -> Page[Build]:
        return replace(await super().builds(app, query, cursor), unreadable=1)

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        return replace(await super().artifacts(build, cursor), note="The list may be incomplete.")


@pytest.fixture
def gapped(fake: FakeProvider) -> Resolver:
    provider = Gapped(all_apps=fake.all_apps, all_builds=fake.all_builds, all_artifacts=fake.all_artifacts)
    return resolver_of(provider)


async def test_a_glob_over_a_list_with_gaps_is_for_reading_only(gapped: Resolver) -> None:
    path = DigPath.parse("acme/one/3/*.txt")
    with pytest.raises(BadPayload, match="may be incomplete"):
        await gapped.find(path)
    found = await gapped.find(path, partly=True)
    assert [each.ref.artifact for each in found.artifacts] == ["b", "c"]
    with pytest.raises(BadPayload, match="Nothing was changed"):
        found.refuse_gaps()


@pytest.mark.parametrize("path", ["One", "One/3", "one/latest", "one/latest-green@main", "one/3/app.apk", "One/3/a"])
async def test_what_a_list_with_gaps_told_by_title_or_order_is_not_for_changes(gapped: Resolver, path: str) -> None:
    found = await gapped.find(DigPath.parse(f"acme/{path}"))
    with pytest.raises(BadPayload, match="may be incomplete"):
        found.refuse_gaps()


@pytest.mark.parametrize("path", ["one", "one/3", "one/b3", "one/3/a", "one/3/log.txt~c"])
async def test_what_is_named_by_id_needs_no_whole_list(gapped: Resolver, path: str) -> None:
    (await gapped.find(DigPath.parse(f"acme/{path}"))).refuse_gaps()


@pytest.mark.parametrize("path", ["one/3/none", "one/latest@none"])
async def test_what_is_not_in_a_list_with_gaps_may_be_there_all_the_same(gapped: Resolver, path: str) -> None:
    with pytest.raises(BadPayload, match="may be incomplete"):
        await gapped.find(DigPath.parse(f"acme/{path}"), partly=True)


async def test_all_apps_of_a_list_with_gaps_are_given_before_that_is_told(fake: FakeProvider) -> None:
    provider = Gapped(all_apps=[*fake.all_apps, app("one", "One")])
    apps = all_apps(provider)  # type: ignore[arg-type]
    assert [(await anext(apps)).title for _ in range(3)] == ["One", "Twin", "Twin"]
    with pytest.raises(BadPayload, match="list of apps may be incomplete"):
        await anext(apps)
