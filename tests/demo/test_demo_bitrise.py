"""Bitrise's API: filters, cursors, changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tui.demo import DemoServers
from tui.demo.bitrise_apps import AppSpec
from tui.demo.bitrise_builds import app_slug

Path = Callable[..., str]
Named = Callable[[str], AppSpec]


def _all(client: httpx.Client, path: str, **params: object) -> list[Any]:
    """Every item of a list, page by page."""
    items: list[Any] = []
    query = {name: str(value) for name, value in params.items()}
    while True:
        page = client.get(path, params=query).json()
        assert len(page["data"]) <= int(query.get("limit", 50))
        items += page["data"]
        if "next" not in page["paging"]:
            assert len(items) == page["paging"]["total_item_count"]
            return items
        query["next"] = page["paging"]["next"]
        assert page["paging"]["total_item_count"] > len(items)


def test_pages_join_without_a_gap(bitrise: httpx.Client, app_named: Named) -> None:
    builds = _all(bitrise, f"/apps/{app_slug(app_named('weather-kmp'))}/builds", limit=37)
    assert [build["build_number"] for build in builds] == list(range(612, 212, -1))
    assert len({build["slug"] for build in builds}) == 400
    triggered = [build["triggered_at"] for build in builds]
    assert triggered == sorted(triggered, reverse=True)


def test_next_is_the_slug_of_the_next_first_item(bitrise: httpx.Client, app_named: Named) -> None:
    path = f"/apps/{app_slug(app_named('weather-kmp'))}/builds"
    first = bitrise.get(path, params={"limit": 5}).json()
    second = bitrise.get(path, params={"limit": 5, "next": first["paging"]["next"]}).json()
    assert second["data"][0]["slug"] == first["paging"]["next"]
    assert bitrise.get(path, params={"next": "no-such-slug"}).status_code == 400
    assert len(_all(bitrise, "/apps", limit=3)) == 10


def _number(build: dict[str, Any]) -> int:
    return int(build["build_number"])


@pytest.mark.parametrize("title", ["acme-android", "acme-monorepo"])
def test_filters_admit_exactly_what_they_say(bitrise: httpx.Client, app_named: Named, title: str) -> None:
    path = f"/apps/{app_slug(app_named(title))}/builds"
    builds = _all_recent(bitrise, path, 250)
    oldest = int(datetime.fromisoformat(builds[-1]["triggered_at"]).timestamp())
    request = next(build["pull_request_id"] for build in builds if build["pull_request_id"])
    middle = int(datetime.fromisoformat(builds[100]["triggered_at"]).timestamp())
    cases: list[tuple[dict[str, object], Callable[[Any], bool]]] = [
        ({"branch": "main"}, lambda build: build["branch"] == "main"),
        ({"branch": "no-such"}, lambda build: False),
        ({"workflow": "release"}, lambda build: build["triggered_workflow"] == "release"),
        ({"status": 2}, lambda build: build["status"] == 2),
        ({"status": 3, "branch": "main"}, lambda build: (build["status"], build["branch"]) == (3, "main")),
        ({"commit_message": "CRASH"}, lambda build: "crash" in build["commit_message"].lower()),
        ({"pull_request_id": request}, lambda build: build["pull_request_id"] == request),
        ({"trigger_event_type": "tag"}, lambda build: build["tag"] is not None),
        ({"build_number": _number(builds[7])}, lambda build: _number(build) == _number(builds[7])),
        ({"before": middle}, lambda build: _moment(build) < middle),
        ({"is_pipeline_build": "true"}, lambda build: False),
    ]
    for query, admits in cases:
        found = _all_recent(bitrise, path, 250, **{"after": oldest - 1, **query})
        expected = [build["slug"] for build in builds if admits(build)]
        assert [build["slug"] for build in found] == expected, query


def _moment(build: dict[str, Any]) -> float:
    return datetime.fromisoformat(build["triggered_at"]).timestamp()


def _all_recent(client: httpx.Client, path: str, count: int, **params: object) -> list[Any]:
    items: list[Any] = []
    query = {name: str(value) for name, value in params.items()}
    while len(items) < count:
        page = client.get(path, params=query).json()
        items += page["data"]
        if "next" not in page["paging"]:
            break
        query["next"] = page["paging"]["next"]
    return items[:count]


def test_a_hundred_thousand_builds(bitrise: httpx.Client, app_named: Named) -> None:
    path = f"/apps/{app_slug(app_named('acme-monorepo'))}/builds"
    page = bitrise.get(path).json()
    assert page["paging"]["total_item_count"] == 100_000
    last = bitrise.get(path, params={"build_number": 48_221}).json()
    assert last["paging"]["total_item_count"] == 1
    assert bitrise.get(path, params={"build_number": 48_220}).json()["data"] == []
    end = bitrise.get(path, params={"next": last["data"][0]["slug"]}).json()
    assert (len(end["data"]), "next" in end["paging"]) == (1, False)


def test_running_builds_can_come_first(bitrise: httpx.Client, app_named: Named) -> None:
    path = f"/apps/{app_slug(app_named('acme-android'))}/builds"
    builds = bitrise.get(path, params={"sort_by": "running_first"}).json()["data"]
    unfinished = [build["status"] == 0 for build in builds]
    assert unfinished == sorted(unfinished, reverse=True)
    assert sum(unfinished) >= 3


@pytest.mark.parametrize(
    "query",
    ["limit=51", "limit=0", "limit=x", "status=red", "after=99999999999999999", "sort_by=name", "build_number="],
)
def test_impossible_parameters_are_refused(bitrise: httpx.Client, app_named: Named, query: str) -> None:
    response = bitrise.get(f"/apps/{app_slug(app_named('acme-android'))}/builds?{query}")
    assert (response.status_code, list(response.json())) == (400, ["message"])


def test_what_does_not_exist_is_not_found(bitrise: httpx.Client, build_path: Path) -> None:
    build = build_path("acme-android")
    other = build_path("Acme for iOS")
    slug = bitrise.get(f"{build}/artifacts").json()["data"][0]["slug"]
    for path in (
        "/apps/none",
        "/apps/none/builds",
        build[:-4] + "0000",
        f"{build}/artifacts/none",
        f"{other}/artifacts/{slug}",
        build.replace(build.split("/")[2], other.split("/")[2]),
        "/nothing",
    ):
        response = bitrise.get(path)
        assert (response.status_code, list(response.json())) == (404, ["message"]), path


def test_only_installable_files_have_a_public_page(bitrise: httpx.Client, build_path: Path) -> None:
    path = f"{build_path('acme-android')}/artifacts"
    artifacts = bitrise.get(path).json()["data"]
    for artifact in artifacts:
        response = bitrise.patch(f"{path}/{artifact['slug']}", json={"is_public_page_enabled": True})
        assert response.status_code == (200 if artifact["title"].endswith(".apk") else 400), artifact["title"]
    for body in (b"", b"[]", b'{"is_public_page_enabled": "yes"}', b"\xff"):
        assert bitrise.patch(f"{path}/{artifacts[0]['slug']}", content=body).status_code == 400


def test_a_deleted_artifact_is_gone(bitrise: httpx.Client, build_path: Path) -> None:
    path = f"{build_path('acme-android')}/artifacts"
    before = [each["slug"] for each in bitrise.get(path).json()["data"]]
    assert bitrise.delete(f"{path}/{before[0]}").json()["data"]["slug"] == before[0]
    assert [each["slug"] for each in bitrise.get(path).json()["data"]] == before[1:]
    for response in (bitrise.get(f"{path}/{before[0]}"), bitrise.delete(f"{path}/{before[0]}")):
        assert response.status_code == 404


def test_old_artifacts_lose_their_url_and_then_their_place(bitrise: httpx.Client, app_named: Named) -> None:
    path = f"/apps/{app_slug(app_named('Acme Classic'))}/builds"
    newest, *older = bitrise.get(path).json()["data"]
    artifacts = bitrise.get(f"{path}/{newest['slug']}/artifacts").json()["data"]
    assert artifacts
    for artifact in artifacts:
        shown = bitrise.get(f"{path}/{newest['slug']}/artifacts/{artifact['slug']}").json()["data"]
        assert shown["expiring_download_url"] is None
    assert all(bitrise.get(f"{path}/{build['slug']}/artifacts").json()["data"] == [] for build in older)


def test_a_started_build_takes_the_next_number_and_can_be_aborted(bitrise: httpx.Client, app_named: Named) -> None:
    path = f"/apps/{app_slug(app_named('Acme for iOS'))}/builds"
    body = {"hook_info": {"type": "bitrise"}, "build_params": {"branch": "main", "workflow_id": "nightly"}}
    started = bitrise.post(path, json=body)
    assert started.status_code == 201
    result = started.json()["results"][0]
    assert result["build_number"] == 1205
    build = bitrise.get(path).json()["data"][0]
    assert (build["slug"], build["status"], build["started_on_worker_at"]) == (result["build_slug"], 0, None)
    assert bitrise.get(f"{path}/{build['slug']}/log").status_code == 404
    aborted = bitrise.post(f"{path}/{build['slug']}/abort", json={"abort_reason": "wrong branch"})
    assert aborted.json() == {"status": "ok"}
    build = bitrise.get(f"{path}/{build['slug']}").json()["data"]
    assert (build["status"], build["abort_reason"]) == (3, "wrong branch")
    assert bitrise.post(f"{path}/{build['slug']}/abort", json={}).status_code == 400
    assert bitrise.post(path, json={"build_params": {}}).status_code == 400


def test_a_log_is_a_signed_text_once_the_build_is_over(
    bitrise: httpx.Client, bare: httpx.Client, build_path: Path, app_named: Named
) -> None:
    manifest = bitrise.get(f"{build_path('acme-android', 1)}/log").json()
    assert manifest["is_archived"]
    text = bare.get(manifest["expiring_raw_log_url"]).text
    assert "CartViewModelTest" in text
    assert "\x1b[31;1m" in text
    ordered = sorted(manifest["log_chunks"], key=lambda chunk: int(chunk["position"]))
    assert "".join(chunk["chunk"] for chunk in ordered) == text
    path = f"/apps/{app_slug(app_named('acme-android'))}/builds"
    builds = bitrise.get(path).json()["data"]
    running = next(build["slug"] for build in builds if build["status"] == 0 and build["started_on_worker_at"])
    manifest = bitrise.get(f"{path}/{running}/log").json()
    assert (manifest["is_archived"], manifest["expiring_raw_log_url"]) == (False, None)
    assert manifest["log_chunks"]
    later = bitrise.get(f"{path}/{running}/log", params={"after_timestamp": manifest["next_after_timestamp"]}).json()
    assert len(later["log_chunks"]) < len(manifest["log_chunks"])


def test_hostile_names_arrive_as_they_are(demo: DemoServers, bitrise: httpx.Client, build_path: Path) -> None:
    artifacts = bitrise.get(f"{build_path('Hostile names')}/artifacts").json()["data"]
    titles = [each["title"] for each in artifacts]
    assert {"../../etc/passwd", "[/", "..", "", "lone\ud800surrogate.apk"} <= set(titles)
    assert any("\x1b" in title for title in titles)
    assert any("\N{RIGHT-TO-LEFT OVERRIDE}" in title for title in titles)
    assert any(len(title) == 300 for title in titles)
    apps = bitrise.get("/apps").json()["data"]
    assert all(app["title"].isprintable() for app in apps)


def test_apps_are_filtered_and_sorted(bitrise: httpx.Client) -> None:
    assert [app["title"] for app in bitrise.get("/apps?title=acme&project_type=ios").json()["data"]] == ["Acme for iOS"]
    order = [app["title"] for app in bitrise.get("/apps?sort_by=last_build_at").json()["data"]]
    assert (order[0], order[-1]) == ("acme-android", "playground")
    assert order[-2] == "Acme Classic"
    empty = next(app for app in bitrise.get("/apps").json()["data"] if app["title"] == "playground")
    for part in ("branches", "build-workflows", "builds"):
        assert bitrise.get(f"/apps/{empty['slug']}/{part}").json()["data"] == []


def test_today_is_the_servers_day(bitrise: httpx.Client, build_path: Path) -> None:
    finished = bitrise.get(build_path("acme-android")).json()["data"]["finished_at"]
    age = datetime.now(UTC) - datetime.fromisoformat(finished)
    assert 0 < age.total_seconds() < 2 * 86_400
