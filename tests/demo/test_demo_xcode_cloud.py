"""App Store Connect's Xcode Cloud endpoints: order, includes, cursors, starting runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tui.demo import DemoServers


@pytest.fixture
def runs(xcode_cloud: httpx.Client) -> str:
    """The path of the runs of the first product."""
    return f"/v1/ciProducts/{xcode_cloud.get('/v1/ciProducts').json()['data'][0]['id']}/buildRuns"


def _numbers(answer: Any) -> list[int]:
    return [run["attributes"]["number"] for run in answer["data"]]


def test_runs_come_oldest_first_unless_sorted(xcode_cloud: httpx.Client, runs: str) -> None:
    oldest, newest = (xcode_cloud.get(f"{runs}?limit=5{sort}").json() for sort in ("", "&sort=-number"))
    assert _numbers(oldest) == [112, 113, 114, 115, 116]
    first = _numbers(newest)[0]
    assert first > 611
    assert _numbers(newest) == list(range(first, first - 5, -1))


def test_next_links_lead_through_everything_once(demo: DemoServers, xcode_cloud: httpx.Client, runs: str) -> None:
    url, seen = f"{runs}?sort=-number&limit=200&include=workflow", []
    while url:
        answer = xcode_cloud.get(url).json()
        seen += _numbers(answer)
        assert answer["meta"] == {"paging": {"limit": 200}}
        url = answer["links"].get("next")
        if url:
            assert url.startswith(demo.xcode_cloud_url + runs)
            assert "include=workflow" in url
    assert seen == list(range(seen[0], 111, -1))


def test_a_new_run_between_pages_shifts_nothing(xcode_cloud: httpx.Client, runs: str) -> None:
    first = xcode_cloud.get(f"{runs}?sort=-number&limit=3").json()
    run = {"data": {"type": "ciBuildRuns", "id": first["data"][2]["id"]}}
    body = {"data": {"type": "ciBuildRuns", "relationships": {"buildRun": run}}}
    started = xcode_cloud.post("/v1/ciBuildRuns", json=body)
    assert started.status_code == 201
    assert started.json()["data"]["attributes"]["startReason"] == "MANUAL_REBUILD"
    second = xcode_cloud.get(first["links"]["next"]).json()
    assert _numbers(second)[0] == _numbers(first)[-1] - 1


def test_relations_have_data_only_when_included(xcode_cloud: httpx.Client, runs: str) -> None:
    plain = xcode_cloud.get(f"{runs}?limit=1").json()
    assert set(plain["data"][0]["relationships"]) == {"builds", "actions"}
    assert "included" not in plain
    full = xcode_cloud.get(f"{runs}?limit=1&include=workflow,sourceBranchOrTag").json()
    relations = full["data"][0]["relationships"]
    wanted = {relations[name]["data"]["id"] for name in ("workflow", "sourceBranchOrTag")}
    assert {each["id"] for each in full["included"]} == wanted


def test_a_framework_has_no_app(xcode_cloud: httpx.Client) -> None:
    answer = xcode_cloud.get("/v1/ciProducts?include=app&filter[productType]=FRAMEWORK").json()
    assert [product["attributes"]["name"] for product in answer["data"]] == ["AcmeKit"]
    assert answer["data"][0]["relationships"]["app"]["data"] is None
    assert xcode_cloud.get(f"/v1/ciProducts/{answer['data'][0]['id']}/app").status_code == 404
    apps = xcode_cloud.get("/v1/apps?filter[bundleId]=com.acme.ios").json()["data"]
    assert [app["attributes"]["name"] for app in apps] == ["Acme"]
    products = xcode_cloud.get(f"/v1/ciProducts?filter[app]={apps[0]['id']}").json()["data"]
    assert [product["attributes"]["name"] for product in products] == ["Acme"]


def test_fields_can_be_chosen(xcode_cloud: httpx.Client, runs: str) -> None:
    run = xcode_cloud.get(f"{runs}?limit=1&fields[ciBuildRuns]=number,createdDate").json()["data"][0]
    assert set(run["attributes"]) == {"number", "createdDate"}
    assert "relationships" not in run


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=201", "limit"),
        ("limit=0", "limit"),
        ("sort=createdDate", "sort"),
        ("include=actions", "include"),
        ("filter[status]=FAILED", "filter[status]"),
        ("cursor=!!", "cursor"),
        ("page=2", "page"),
    ],
)
def test_unknown_parameters_are_refused(xcode_cloud: httpx.Client, runs: str, query: str, parameter: str) -> None:
    response = xcode_cloud.get(f"{runs}?{query}")
    error = response.json()["errors"][0]
    assert (response.status_code, error["status"], error["code"]) == (400, "400", "PARAMETER_ERROR.INVALID")
    assert error["source"] == {"parameter": parameter}


def test_equal_titles_stand_under_two_actions(xcode_cloud: httpx.Client, runs: str) -> None:
    run = next(
        run["id"]
        for run in xcode_cloud.get(f"{runs}?sort=-number").json()["data"]
        if run["attributes"]["number"] == 611
    )
    names = {}
    for action in xcode_cloud.get(f"/v1/ciBuildRuns/{run}/actions").json()["data"]:
        artifacts = xcode_cloud.get(f"/v1/ciBuildActions/{action['id']}/artifacts").json()["data"]
        names[action["attributes"]["name"]] = {each["attributes"]["fileName"] for each in artifacts}
    assert set(names) == {"Build - iOS", "Analyze - iOS", "Test - iOS", "Archive - iOS"}
    assert "Acme.xcresult.zip" in names["Build - iOS"] & names["Analyze - iOS"] & names["Test - iOS"]


def test_artifacts_end_after_thirty_days(xcode_cloud: httpx.Client, runs: str) -> None:
    def green_runs() -> Iterator[str]:
        """As many pages as it takes: how many runs a month has differs from day to day."""
        page = f"{runs}?limit=200&sort=-number"
        while page:
            answer = xcode_cloud.get(page).json()
            for run in answer["data"]:
                if run["attributes"]["completionStatus"] == "SUCCEEDED":
                    yield run["id"]
            page = answer["links"].get("next", "")

    expired = 0
    for run in green_runs():
        action = xcode_cloud.get(f"/v1/ciBuildRuns/{run}/actions?limit=1").json()["data"][0]["id"]
        artifacts = xcode_cloud.get(f"/v1/ciBuildActions/{action}/artifacts").json()["data"]
        if not artifacts:
            break
        expired += artifacts[0]["attributes"]["downloadUrl"] is None
    else:
        pytest.fail("no run is old enough to have lost its artifacts")
    assert expired > 3


def test_a_branch_must_be_of_the_workflows_repository(xcode_cloud: httpx.Client) -> None:
    products = xcode_cloud.get("/v1/ciProducts").json()["data"]
    workflow = xcode_cloud.get(f"/v1/ciProducts/{products[0]['id']}/workflows").json()["data"][1]["id"]
    branches = {}
    for product in products[:2]:
        first = xcode_cloud.get(f"/v1/ciProducts/{product['id']}/workflows").json()["data"][0]["id"]
        repository = xcode_cloud.get(f"/v1/ciWorkflows/{first}/repository").json()["data"]["id"]
        references = xcode_cloud.get(f"/v1/scmRepositories/{repository}/gitReferences").json()["data"]
        branches[product["id"]] = references[1]["id"]
    statuses = []
    for branch in (*branches.values(), "main"):
        relations = {
            "workflow": {"data": {"type": "ciWorkflows", "id": workflow}},
            "sourceBranchOrTag": {"data": {"type": "scmGitReferences", "id": branch}},
        }
        body = {"data": {"type": "ciBuildRuns", "attributes": {"clean": True}, "relationships": relations}}
        statuses.append(xcode_cloud.post("/v1/ciBuildRuns", json=body).status_code)
    assert statuses == [201, 409, 409]


def test_the_rate_header_counts_down(xcode_cloud: httpx.Client) -> None:
    left = [xcode_cloud.get("/v1/apps").headers["x-rate-limit"] for _ in range(2)]
    assert left == ["user-hour-lim:3600;user-hour-rem:3599;", "user-hour-lim:3600;user-hour-rem:3598;"]


def test_nothing_can_be_deleted(xcode_cloud: httpx.Client) -> None:
    response = xcode_cloud.delete("/v1/ciArtifacts/x")
    assert (response.status_code, response.json()["errors"][0]["status"]) == (405, "405")
