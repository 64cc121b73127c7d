"""A search through everything that was listed finds what is there, newest first, and says when it is partial."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.catalog.test_catalog_store import ACME, APP, DAY, build
from tui.catalog.store import Catalog
from tui.models import App, AppId, AppRef, Artifact, ArtifactId, ArtifactKind, ArtifactRef, BuildRef
from tui.models.findings import Findings, Hit

OTHER = replace(APP, ref=AppRef(ACME, AppId("a2")), title="100%_done")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog(tmp_path / "catalog #1?.sqlite")
    opened.keep_apps(ACME, [APP, OTHER], complete=True)
    for number in range(6):
        made = replace(
            build(number), created_at=DAY + timedelta(days=number), commit_message="Fix it" if number == 3 else None
        )
        ref = ArtifactRef(ACME, APP.ref.app, made.ref.build, ArtifactId(f"x{number}"))
        title = "Needle_1.ipa" if number == 2 else "Acme.ipa"
        opened.keep_artifacts(made, [Artifact(ref, title, ArtifactKind.IPA, "ios-ipa", size_bytes=number)])
    opened.settle()
    yield opened
    opened.close()


def find(catalog: Catalog, text: str, limit: int = 50) -> Findings:
    return catalog.search(text, limit=limit, within_s=60)


def names(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.title or (f"#{hit.number}" if hit.number is not None else hit.app_title) for hit in hits]


def test_apps_then_builds_then_artifacts_newest_first(catalog: Catalog) -> None:
    found = find(catalog, "acme")
    assert [type(hit.ref) for hit in found.hits] == [AppRef, AppRef] + [ArtifactRef] * 5
    assert [hit.number for hit in found.hits[2:]] == [5, 4, 3, 1, 0]
    assert not found.has_more
    assert not found.is_partial


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("needle", ["Needle_1.ipa"]),
        ("NEEDLE ipa", ["Needle_1.ipa"]),
        ("needle main 2", ["Needle_1.ipa"]),
        ("needle 3", []),
        ("fix", ["#3"]),
        ("fix acme main", ["#3"]),
        ("100%", ["100%_done"]),
        ("0%_d", ["100%_done"]),
        ("e_1", ["Needle_1.ipa"]),
        ("a\\", []),
        ("'; DROP TABLE apps; --", []),
        ("\ud800", []),
        ("  ", []),
    ],
)
def test_all_words_must_be_there_and_stand_for_themselves(catalog: Catalog, text: str, expected: list[str]) -> None:
    assert names(find(catalog, text).hits) == expected


def test_a_hit_tells_where_it_is(catalog: Catalog) -> None:
    (hit,) = find(catalog, "needle").hits
    assert isinstance(hit.ref, ArtifactRef)
    assert hit.ref.build_ref == BuildRef(ACME, APP.ref.app, build(2).ref.build)
    assert (hit.number, hit.branch, hit.app_title, hit.size_bytes) == (2, "main", "Acme", 2)
    assert hit.created_at == DAY + timedelta(days=2)


def test_apps_that_are_gone_are_not_found(catalog: Catalog) -> None:
    catalog.keep_apps(ACME, [OTHER], complete=True)
    catalog.settle()
    assert names(find(catalog, "acme").hits) == ["100%_done"]
    assert find(catalog, "needle") == Findings()


def test_more_than_asked_for_is_said(catalog: Catalog) -> None:
    found = find(catalog, "main", limit=2)
    assert [hit.number for hit in found.hits] == [5, 4]
    assert found.has_more


def test_what_is_not_looked_through_in_time_is_said(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog.sqlite")
    apps = [App(AppRef(ACME, AppId(f"a{n}")), f"App {n}", "bitrise") for n in range(2000)]
    catalog.keep_apps(ACME, apps, complete=True)
    catalog.settle()
    assert catalog.search("nothing", limit=9, within_s=-1).is_partial
    stop = threading.Event()
    assert not catalog.search("nothing", limit=9, within_s=60, stop=stop).is_partial
    stop.set()
    assert catalog.search("nothing", limit=9, within_s=60, stop=stop).is_partial
    catalog.close()


def test_without_a_catalog_file_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    catalog = Catalog(tmp_path / "file" / "catalog.sqlite")
    assert catalog.message
    assert find(catalog, "acme") == Findings()
    catalog.close()
