"""Every request that the providers make is one that the vendors' own descriptions know."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema
import pytest

from tests.contract import test_contract_bitrise, test_contract_xcode_cloud
from tui.demo import DemoServers, SeenRequest
from tui.errors import NotFound, ProviderError
from tui.models import AppRef, Build, BuildQuery, Status, Verb
from tui.models.inspection import BuildVerb, GitRefKind, StartRequest
from tui.providers import Provider
from tui.testing.search import busy_app, find_artifact, pages

SPECS = Path(os.environ.get("DIGSITE_SPECS") or Path(__file__).parents[2] / "../shared/specs")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def load(name: str) -> dict[str, Any]:
    path = SPECS / name
    if not path.is_file():
        pytest.skip(f"the vendor's description {name} is not here; DIGSITE_SPECS names its folder")
    spec: dict[str, Any] = json.loads(path.read_text())
    return spec


def operation(spec: Mapping[str, Any], prefix: str, request: SeenRequest) -> Mapping[str, Any]:
    """What the description says of the request's path and method."""
    assert request.path.startswith(prefix)
    path = request.path.removeprefix(prefix)
    for template, methods in spec["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and request.method.lower() in methods:
            found: Mapping[str, Any] = methods[request.method.lower()]
            return found
    pytest.fail(f"no operation {request.method} {request.path}")


def check_value(value: str, schema: Mapping[str, Any]) -> None:
    kind = schema.get("type")
    if kind == "integer":
        assert value.isdecimal(), value
        assert int(value) <= schema.get("maximum", 2**63)
    if kind == "boolean":
        assert value in ("true", "false")
    if "enum" in schema:
        assert value in [str(word) for word in schema["enum"]], value


def closed(schema: Any) -> Any:
    """The same schema, but a property it does not name is an error."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: closed(value) for name, value in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return schema


def check_query(request: SeenRequest, declared: Mapping[str, Mapping[str, Any]]) -> None:
    for name, value in parse_qsl(request.query, keep_blank_values=True, strict_parsing=bool(request.query)):
        assert name in declared, f"{name} is no parameter of {request.path}"
        schema = declared[name].get("schema", declared[name])
        if schema.get("type") == "array":
            assert declared[name]["explode"] is False
            for part in value.split(","):
                check_value(part, schema["items"])
        else:
            check_value(value, schema)


QUERIES = [
    BuildQuery(branch="main"),
    BuildQuery(workflow="release", status=Status.SUCCEEDED),
    *(BuildQuery(status=status) for status in Status),
    BuildQuery(number=3),
    BuildQuery(after=NOW, before=NOW),
]


async def use_everything(provider: Provider) -> None:
    """Makes every call that a provider can make."""
    await provider.check()
    [app async for app in pages(provider.apps)]
    app, builds = await busy_app(provider)
    await provider.app(app.ref)
    [build async for build in pages(lambda cursor: provider.builds(app.ref, cursor=cursor))]
    for query in QUERIES:
        await provider.builds(app.ref, query)
    await provider.build(builds[0].ref)
    artifact = await find_artifact(provider, lambda _: True)
    await provider.artifact(artifact)
    await provider.source(artifact)
    if provider.capabilities.publish:
        published = await find_artifact(provider, lambda item: provider.refusal(Verb.PUBLISH, item) is None)
        await provider.set_public(published, True)
        await provider.set_public(published, False)
    if provider.capabilities.delete:
        await provider.delete(artifact.ref)
        with pytest.raises(NotFound):
            await provider.artifact(artifact)
    await use_builds(provider, app.ref, builds)
    await provider.aclose()


async def use_builds(provider: Provider, app: AppRef, builds: list[Build]) -> None:
    """Looks inside builds, and starts and ends some."""
    for build in builds[:5]:
        with suppress(NotFound):
            part = await provider.log(build)
            if part.next_cursor is not None:
                await provider.log(build, part.next_cursor)
        await provider.actions(build)
        await provider.issues(build)
        await provider.tests(build)
    workflow = (await provider.workflows(app))[0]
    refs = [ref async for ref in provider.git_refs(app, workflow)]
    environment = {"STAGE": "beta"} if provider.account.provider == "bitrise" else {}
    await provider.start(StartRequest(app, workflow.name, branch=refs[0].name, environment=environment))
    for number in [int(ref.name.split()[0][1:]) for ref in refs if ref.kind is GitRefKind.PULL_REQUEST][:1]:
        await provider.start(StartRequest(app, workflow.id, pull_request=number, clean=True))
    finished = next(build for build in builds if build.status is Status.SUCCEEDED)
    started = await provider.start(StartRequest(app, workflow.name, rebuild=finished.ref))
    if provider.build_refusal(BuildVerb.ABORT, started) is None:
        await provider.abort(started.ref, "enough seen")


Open = Callable[[DemoServers], Provider]


@pytest.mark.parametrize(
    ("server", "prefix", "name", "open_demo"),
    [
        ("bitrise", "/v0.1", "bitrise-v0.1.swagger.json", test_contract_bitrise.open_demo),
        ("xcode-cloud", "", "app-store-connect-ci.openapi.json", test_contract_xcode_cloud.open_demo),
    ],
)
async def test_every_request_is_in_the_vendors_description(
    server: str, prefix: str, name: str, open_demo: Open, demo_servers: DemoServers
) -> None:
    spec = load(name)
    known = {part: closed(spec[part]) for part in ("definitions", "components") if part in spec}
    await use_everything(open_demo(demo_servers))
    requests = [request for request in demo_servers.requests if request.server == server]
    assert {request.method for request in requests} >= {"GET", "POST", *({"PATCH", "DELETE"} if prefix else set())}
    assert len(requests) > len(QUERIES)
    for request in requests:
        found = operation(spec, prefix, request)
        parameters = found.get("parameters", [])
        declared = {each["name"]: each for each in parameters if each["in"] == "query"}
        # Apple's next links carry a cursor that its description does not name.
        check_query(request, declared if prefix else {"cursor": {"type": "string"}, **declared})
        bodies = [each["schema"] for each in parameters if each["in"] == "body"]
        if "requestBody" in found:
            bodies = [found["requestBody"]["content"]["application/json"]["schema"]]
        assert bool(request.body) == bool(bodies)
        for schema in bodies:
            jsonschema.validate(json.loads(request.body), {**closed(schema), **known})


async def test_providers_name_the_storage_and_never_talk_to_it(demo_servers: DemoServers) -> None:
    await use_everything(test_contract_bitrise.open_demo(demo_servers))
    await use_everything(test_contract_xcode_cloud.open_demo(demo_servers))
    assert {request.server for request in demo_servers.requests} == {"bitrise", "xcode-cloud"}


async def test_no_secret_reaches_a_log_or_an_error(demo_servers: DemoServers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    environ = demo_servers.environment()
    for open_demo in (test_contract_bitrise.open_demo, test_contract_xcode_cloud.open_demo):
        await use_everything(open_demo(demo_servers))
    echo = json.dumps({"message": environ["BITRISE_TOKEN"]}).encode()
    demo_servers.faults.fail("bitrise", "GET", "/apps", 400, body=echo)
    provider = test_contract_bitrise.open_demo(demo_servers)
    with pytest.raises(ProviderError) as caught:
        await provider.apps()
    await provider.aclose()
    sent = {request.headers["authorization"].rpartition(" ")[2] for request in demo_servers.requests}
    assert environ["BITRISE_TOKEN"] in sent
    key_line = environ["ASC_PRIVATE_KEY"].splitlines()[1]
    shown = caplog.text + str(caught.value)
    for secret in (*sent, key_line, "X-Amz-Signature"):
        assert secret not in shown
