"""Every kind of answer is valid against the vendors' own documents.

What those documents forbid and the vendors really send is listed here, and nothing else is let through.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema
import pytest
import referencing
import referencing.jsonschema

from tui.demo import DemoServers

BITRISE_ALSO_NULL = {"artifact_meta", "intermediate_file_info"}
"""Null in Bitrise's own examples, though the document types them as objects."""

APPLE_UNKNOWN_FILE_TYPES = {"SCREENSHOT"}
"""Met by clients in the field, missing from Apple's list."""

Check = Callable[[httpx.Response, str], Any]


def _closed(schema: Any) -> Any:
    """The same schema, but a property it does not name is an error."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: _closed(value) for name, value in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return schema


def _nullable(schema: Any) -> Any:
    return {"anyOf": [schema, {"type": "null"}]}


def _bitrise_schema(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    properties = value.get("properties", {})
    for key, each in properties.items():
        if each.get("x-nullable") or key in BITRISE_ALSO_NULL:
            properties[key] = _nullable(each)
    return value


@pytest.fixture
def valid_bitrise(specs: Callable[[str], Any]) -> Check:
    document = specs("bitrise-v0.1.swagger.json")
    definitions = {name: _bitrise_schema(value) for name, value in _closed(document["definitions"]).items()}
    resource = referencing.jsonschema.DRAFT4.create_resource({"definitions": definitions})
    registry = referencing.Registry().with_resource("urn:bitrise", resource)

    def check(response: httpx.Response, path: str) -> Any:
        operation = document["paths"][path][response.request.method.lower()]
        schema = {"$ref": "urn:bitrise" + operation["responses"][str(response.status_code)]["schema"]["$ref"]}
        jsonschema.Draft4Validator(schema, registry=registry).validate(response.json())
        return response.json()

    return check


def _all_nullable(schema: Any) -> Any:
    """Apple's attributes at any depth: none is marked nullable, and Apple's own examples have nulls."""
    if isinstance(schema, dict) and "properties" in schema:
        schema["properties"] = {key: _nullable(_all_nullable(value)) for key, value in schema["properties"].items()}
    if isinstance(schema, dict) and "items" in schema:
        schema["items"] = _all_nullable(schema["items"])
    return schema


@pytest.fixture
def valid_apple(specs: Callable[[str], Any]) -> Check:
    document = specs("app-store-connect-ci.openapi.json")
    schemas = copy.deepcopy(_closed(document["components"]["schemas"]))
    file_type = schemas["CiArtifact"]["properties"]["attributes"]["properties"]["fileType"]
    file_type["enum"] += sorted(APPLE_UNKNOWN_FILE_TYPES)
    for schema in schemas.values():
        properties = schema.get("properties", {})
        if "attributes" in properties:
            properties["attributes"] = _all_nullable(properties["attributes"])
        for relation in properties.get("relationships", {}).get("properties", {}).values():
            if relation["properties"].get("data", {}).get("type") == "object":
                relation["properties"]["data"] = _nullable(relation["properties"]["data"])

    components = referencing.jsonschema.DRAFT202012.create_resource({"components": {"schemas": schemas}})
    registry = referencing.Registry().with_resource("urn:apple", components)

    def check(response: httpx.Response, path: str) -> Any:
        operation = document["paths"][path][response.request.method.lower()]
        content = operation["responses"][str(response.status_code)]["content"]["application/json"]
        schema = {"$ref": "urn:apple" + content["schema"]["$ref"]}
        jsonschema.Draft202012Validator(schema, registry=registry).validate(response.json())
        return response.json()

    return check


def test_bitrise_account_and_apps_are_valid(bitrise: httpx.Client, valid_bitrise: Check) -> None:
    for path in ("/me", "/organizations", "/apps"):
        valid_bitrise(bitrise.get(path), path)
    for app in bitrise.get("/apps").json()["data"]:
        slug = app["slug"]
        valid_bitrise(bitrise.get(f"/apps/{slug}"), "/apps/{app-slug}")
        valid_bitrise(bitrise.get(f"/apps/{slug}/branches"), "/apps/{app-slug}/branches")
        valid_bitrise(bitrise.get(f"/apps/{slug}/build-workflows"), "/apps/{app-slug}/build-workflows")


def test_bitrise_builds_and_artifacts_are_valid(bitrise: httpx.Client, valid_bitrise: Check) -> None:
    seen = set()
    for app in bitrise.get("/apps").json()["data"]:
        builds = f"/apps/{app['slug']}/builds"
        page = valid_bitrise(bitrise.get(builds, params={"limit": 15}), "/apps/{app-slug}/builds")
        for build in page["data"]:
            seen.add((build["status"], build["is_on_hold"]))
            path, one = f"{builds}/{build['slug']}", "/apps/{app-slug}/builds/{build-slug}"
            valid_bitrise(bitrise.get(path), one)
            valid_bitrise(bitrise.get(f"{path}/log"), f"{one}/log")
            for artifact in valid_bitrise(bitrise.get(f"{path}/artifacts"), f"{one}/artifacts")["data"][:3]:
                shown = bitrise.get(f"{path}/artifacts/{artifact['slug']}")
                valid_bitrise(shown, f"{one}/artifacts/{{artifact-slug}}")
    page = valid_bitrise(bitrise.get("/builds", params={"limit": 20}), "/builds")
    assert len({build["repository"]["slug"] for build in page["data"]}) > 1
    assert seen == {(0, False), (0, True), (1, False), (2, False), (3, False), (4, False)}


def test_bitrise_changes_and_refusals_are_valid(
    bitrise: httpx.Client, valid_bitrise: Check, build_path: Callable[..., str]
) -> None:
    path = build_path("acme-android")
    one = "/apps/{app-slug}/builds/{build-slug}/artifacts/{artifact-slug}"
    first = f"{path}/artifacts/{bitrise.get(f'{path}/artifacts').json()['data'][0]['slug']}"
    valid_bitrise(bitrise.patch(first, json={"is_public_page_enabled": False}), one)
    valid_bitrise(bitrise.patch(first, json={}), one)
    deleted = valid_bitrise(bitrise.delete(first), one)["data"]
    assert "expiring_download_url" not in deleted
    valid_bitrise(bitrise.get(first), one)
    builds = path.rpartition("/")[0]
    started = bitrise.post(builds, json={"hook_info": {"type": "bitrise"}, "build_params": {"branch": "main"}})
    slug = valid_bitrise(started, "/apps/{app-slug}/builds")["results"][0]["build_slug"]
    abort = "/apps/{app-slug}/builds/{build-slug}/abort"
    valid_bitrise(bitrise.post(f"{builds}/{slug}/abort", json={}), abort)
    valid_bitrise(bitrise.post(f"{builds}/{slug}/abort", json={}), abort)
    valid_bitrise(bitrise.get("/me", headers={"Authorization": "wrong"}), "/me")


def test_xcode_cloud_products_are_valid(xcode_cloud: httpx.Client, valid_apple: Check) -> None:
    products = valid_apple(
        xcode_cloud.get("/v1/ciProducts?include=app,bundleId,primaryRepositories&limit=200"), "/v1/ciProducts"
    )
    apps = valid_apple(xcode_cloud.get("/v1/apps?sort=name"), "/v1/apps")
    valid_apple(xcode_cloud.get(f"/v1/apps/{apps['data'][0]['id']}"), "/v1/apps/{id}")
    for product in products["data"]:
        path, one = f"/v1/ciProducts/{product['id']}", "/v1/ciProducts/{id}"
        valid_apple(xcode_cloud.get(f"{path}?include=app"), one)
        valid_apple(xcode_cloud.get(f"{path}/app"), f"{one}/app")
        workflows = valid_apple(xcode_cloud.get(f"{path}/workflows?include=product,repository"), f"{one}/workflows")[
            "data"
        ]
        for workflow in workflows:
            path, one = f"/v1/ciWorkflows/{workflow['id']}", "/v1/ciWorkflows/{id}"
            valid_apple(xcode_cloud.get(path), one)
            valid_apple(xcode_cloud.get(f"{path}/repository"), f"{one}/repository")
        repository = xcode_cloud.get(f"/v1/ciWorkflows/{workflows[0]['id']}/repository").json()["data"]["id"]
        path, one = f"/v1/scmRepositories/{repository}", "/v1/scmRepositories/{id}"
        valid_apple(xcode_cloud.get(f"{path}?include=defaultBranch"), one)
        valid_apple(xcode_cloud.get(f"{path}/gitReferences?include=repository"), f"{one}/gitReferences")
        valid_apple(xcode_cloud.get(f"{path}/pullRequests"), f"{one}/pullRequests")


def test_xcode_cloud_runs_are_valid(xcode_cloud: httpx.Client, valid_apple: Check) -> None:
    include = "builds,workflow,product,sourceBranchOrTag,destinationBranch,pullRequest"
    query = {"sort": "-number", "include": include, "limit": "14"}
    statuses, types = set(), set()
    for product in xcode_cloud.get("/v1/ciProducts").json()["data"]:
        path = f"/v1/ciProducts/{product['id']}/buildRuns"
        runs = valid_apple(xcode_cloud.get(path, params=query), "/v1/ciProducts/{id}/buildRuns")
        for run in runs["data"]:
            statuses.add(run["attributes"]["completionStatus"])
            path, one = f"/v1/ciBuildRuns/{run['id']}", "/v1/ciBuildRuns/{id}"
            valid_apple(xcode_cloud.get(path), one)
            actions = valid_apple(xcode_cloud.get(f"{path}/actions?include=buildRun"), f"{one}/actions")
            for action in actions["data"]:
                path, one = f"/v1/ciBuildActions/{action['id']}", "/v1/ciBuildActions/{id}"
                valid_apple(xcode_cloud.get(path), one)
                valid_apple(xcode_cloud.get(f"{path}/buildRun"), f"{one}/buildRun")
                for kind, alone in (("issues", "ciIssues"), ("testResults", "ciTestResults")):
                    for found in valid_apple(xcode_cloud.get(f"{path}/{kind}"), f"{one}/{kind}")["data"][:1]:
                        again = valid_apple(xcode_cloud.get(f"/v1/{alone}/{found['id']}"), f"/v1/{alone}/{{id}}")
                        assert again["data"]["attributes"] == found["attributes"]
                artifacts = valid_apple(xcode_cloud.get(f"{path}/artifacts"), f"{one}/artifacts")["data"]
                types |= {artifact["attributes"]["fileType"] for artifact in artifacts}
                for artifact in artifacts[:1]:
                    valid_apple(xcode_cloud.get(f"/v1/ciArtifacts/{artifact['id']}"), "/v1/ciArtifacts/{id}")
    assert statuses == {None, "SUCCEEDED", "FAILED", "ERRORED", "CANCELED", "SKIPPED"}
    assert types == APPLE_UNKNOWN_FILE_TYPES | {
        "ARCHIVE",
        "ARCHIVE_EXPORT",
        "LOG_BUNDLE",
        "RESULT_BUNDLE",
        "TEST_PRODUCTS",
        "XCODEBUILD_PRODUCTS",
        "STAPLED_NOTARIZED_ARCHIVE",
    }


def test_xcode_cloud_changes_and_refusals_are_valid(
    demo: DemoServers, xcode_cloud: httpx.Client, valid_apple: Check
) -> None:
    product = xcode_cloud.get("/v1/ciProducts").json()["data"][0]["id"]
    workflow = xcode_cloud.get(f"/v1/ciProducts/{product}/workflows").json()["data"][0]["id"]
    identifier = {"data": {"type": "ciWorkflows", "id": workflow}}
    body = {"data": {"type": "ciBuildRuns", "relationships": {"workflow": identifier}}}
    run = valid_apple(xcode_cloud.post("/v1/ciBuildRuns", json=body), "/v1/ciBuildRuns")["data"]
    assert run["attributes"]["executionProgress"] == "PENDING"
    assert run["attributes"]["startedDate"] is None
    valid_apple(xcode_cloud.post("/v1/ciBuildRuns", json={"data": {"type": "ciBuildRuns"}}), "/v1/ciBuildRuns")
    valid_apple(xcode_cloud.get("/v1/ciArtifacts/none"), "/v1/ciArtifacts/{id}")
    valid_apple(xcode_cloud.get("/v1/ciProducts?include=nothing"), "/v1/ciProducts")
    valid_apple(xcode_cloud.get("/v1/ciProducts", headers={"Authorization": "Bearer x"}), "/v1/ciProducts")
