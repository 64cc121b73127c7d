"""App Store Connect's Xcode Cloud endpoints over the demo's data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from json import JSONDecodeError
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui.demo.faults import Faults
from tui.demo.json_api import ApiError, Documents, Query, Resource, not_found, parameter_error
from tui.demo.seeds import IdCodec
from tui.demo.storage import Signer
from tui.demo.tokens import TokenKey
from tui.demo.xcode_cloud_attributes import app_id
from tui.demo.xcode_cloud_data import XcodeCloudData, branches
from tui.demo.xcode_cloud_products import PRODUCTS, ProductSpec, WorkflowSpec
from tui.demo.xcode_cloud_resources import Resources
from tui.demo.xcode_cloud_runs import ISSUE_IDS, TEST_IDS, Action, Run

CALLS_PER_HOUR: Final = 3600
_RUN_INCLUDE: Final = ("builds", "workflow", "product", "sourceBranchOrTag", "destinationBranch", "pullRequest")
_PRODUCT_INCLUDE: Final = ("app", "bundleId", "primaryRepositories")
_WORKFLOW_INCLUDE: Final = ("product", "repository", "xcodeVersion", "macOsVersion")

Endpoint = Callable[[Request], Awaitable[Response]]


class XcodeCloudApi:
    """The endpoints. Every answer carries X-Rate-Limit; every one but 401 needs a good token."""

    def __init__(self, data: XcodeCloudData, key: TokenKey, signer: Signer, base_url: str, faults: Faults) -> None:
        self._data = data
        self._key = key
        self._make = Resources(data, signer)
        self._faults = faults
        self._documents = Documents(base_url)
        self._calls: list[float] = []

    def app(self) -> ASGIApp:
        """The API as an ASGI application."""
        run, action = "/v1/ciBuildRuns/{id}", "/v1/ciBuildActions/{id}"
        workflow, repository = "/v1/ciWorkflows/{id}", "/v1/scmRepositories/{id}"
        table: Sequence[tuple[str, Endpoint]] = (
            ("/v1/ciProducts", self.products),
            ("/v1/ciProducts/{id}", self.product),
            ("/v1/ciProducts/{id}/app", self.product_app),
            ("/v1/ciProducts/{id}/workflows", self.workflows),
            ("/v1/ciProducts/{id}/buildRuns", self.product_runs),
            (workflow, self.workflow),
            (workflow + "/buildRuns", self.workflow_runs),
            (workflow + "/repository", self.workflow_repository),
            (run, self.run),
            (run + "/actions", self.actions),
            (action, self.action),
            (action + "/artifacts", self.artifacts),
            (action + "/issues", self.issues),
            (action + "/testResults", self.tests),
            (action + "/buildRun", self.action_run),
            ("/v1/ciArtifacts/{id}", self.artifact),
            ("/v1/ciIssues/{id}", self.issue),
            ("/v1/ciTestResults/{id}", self.test),
            (repository, self.repository),
            (repository + "/gitReferences", self.references),
            (repository + "/pullRequests", self.pull_requests),
            ("/v1/apps", self.apps),
            ("/v1/apps/{id}", self.show_app),
        )
        routes = [Route(path, self._authorized(endpoint), methods=["GET"]) for path, endpoint in table]
        routes.append(Route("/v1/ciBuildRuns", self._authorized(self.start), methods=["POST"]))
        handlers = {ApiError: _refused, HTTPException: _refused}
        return self._counted(Starlette(routes=routes, exception_handlers=handlers))

    def _counted(self, app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            now = self._faults.now()
            self._calls = [at for at in self._calls[-CALLS_PER_HOUR:] if at > now - 3600] + [now]
            unused = max(0, CALLS_PER_HOUR - len(self._calls))
            left = unused if self._faults.calls_left is None else self._faults.calls_left
            header = (b"x-rate-limit", f"user-hour-lim:{CALLS_PER_HOUR};user-hour-rem:{left};".encode())

            async def limited(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], header]
                await send(message)

            await app(scope, receive, limited)

        return counted

    def _authorized(self, endpoint: Endpoint) -> Endpoint:
        async def authorized(request: Request) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            asked = f"{request.method} {request.url.path}?{request.url.query}"
            if scheme != "Bearer" or not self._key.accepts(token, self._faults.now(), asked):
                raise ApiError(
                    401,
                    "NOT_AUTHORIZED",
                    "Authentication credentials are missing or invalid.",
                    "Provide a properly configured and signed bearer token, and make sure that it has not expired.",
                )
            return await endpoint(request)

        return authorized

    async def products(self, request: Request) -> Response:
        """GET /v1/ciProducts."""
        filters = ("filter[productType]", "filter[app]")
        query = Query(request, include=_PRODUCT_INCLUDE, filters=filters)
        types, apps = query.filter("productType"), query.filter("app")
        wanted = [
            product
            for product in PRODUCTS
            if (types is None or product.product_type in types)
            and (apps is None or (product.bundle_id is not None and app_id(product) in apps))
        ]
        return self._documents.many(query, wanted, self._make.product)

    async def product(self, request: Request) -> Response:
        """GET /v1/ciProducts/{id}."""
        product = self._asked_product(request)
        return self._documents.one(Query(request, include=_PRODUCT_INCLUDE), self._make.product(product))

    async def product_app(self, request: Request) -> Response:
        """GET /v1/ciProducts/{id}/app; a framework has none."""
        product = self._asked_product(request)
        if product.bundle_id is None:
            raise not_found("apps", product.name)
        return self._documents.one(Query(request), self._make.app(product))

    async def workflows(self, request: Request) -> Response:
        """GET /v1/ciProducts/{id}/workflows."""
        product = self._asked_product(request)
        query = Query(request, include=_WORKFLOW_INCLUDE)
        return self._documents.many(query, product.workflows, lambda each: self._make.workflow(product, each))

    async def product_runs(self, request: Request) -> Response:
        """GET /v1/ciProducts/{id}/buildRuns: oldest first unless sorted."""
        return self._runs(request, self._data.runs(self._asked_product(request)))

    async def workflow(self, request: Request) -> Response:
        """GET /v1/ciWorkflows/{id}."""
        product, workflow = self._asked_workflow(request)
        return self._documents.one(Query(request, include=_WORKFLOW_INCLUDE), self._make.workflow(product, workflow))

    async def workflow_runs(self, request: Request) -> Response:
        """GET /v1/ciWorkflows/{id}/buildRuns."""
        product, workflow = self._asked_workflow(request)
        return self._runs(request, [run for run in self._data.runs(product) if run.workflow is workflow])

    async def workflow_repository(self, request: Request) -> Response:
        """GET /v1/ciWorkflows/{id}/repository."""
        product, _ = self._asked_workflow(request)
        return self._documents.one(Query(request, include=("defaultBranch",)), self._make.repository(product))

    async def run(self, request: Request) -> Response:
        """GET /v1/ciBuildRuns/{id}."""
        return self._documents.one(Query(request, include=_RUN_INCLUDE), self._make.run(self._asked_run(request)))

    async def actions(self, request: Request) -> Response:
        """GET /v1/ciBuildRuns/{id}/actions."""
        actions = self._asked_run(request).actions(self._data.now())
        return self._documents.many(Query(request, include=("buildRun",)), actions, self._make.action)

    async def action(self, request: Request) -> Response:
        """GET /v1/ciBuildActions/{id}."""
        query = Query(request, include=("buildRun",))
        return self._documents.one(query, self._make.action(self._asked_action(request)))

    async def artifacts(self, request: Request) -> Response:
        """GET /v1/ciBuildActions/{id}/artifacts."""
        artifacts = self._asked_action(request).artifacts()
        return self._documents.many(Query(request), artifacts, self._make.artifact)

    async def issues(self, request: Request) -> Response:
        """GET /v1/ciBuildActions/{id}/issues."""
        issues = self._make.issues(self._asked_action(request))
        return self._documents.many(Query(request), issues, lambda each: each)

    async def tests(self, request: Request) -> Response:
        """GET /v1/ciBuildActions/{id}/testResults."""
        results = self._make.tests(self._asked_action(request))
        return self._documents.many(Query(request), results, lambda each: each)

    async def artifact(self, request: Request) -> Response:
        """GET /v1/ciArtifacts/{id}."""
        artifact = self._data.artifact(request.path_params["id"])
        if artifact is None:
            raise not_found("ciArtifacts", request.path_params["id"])
        return self._documents.one(Query(request), self._make.artifact(artifact))

    async def action_run(self, request: Request) -> Response:
        """GET /v1/ciBuildActions/{id}/buildRun."""
        run = self._make.run(self._asked_action(request).run)
        return self._documents.one(Query(request, include=_RUN_INCLUDE), run)

    async def issue(self, request: Request) -> Response:
        """GET /v1/ciIssues/{id}."""
        return self._finding(request, "ciIssues", ISSUE_IDS, self._make.issues)

    async def test(self, request: Request) -> Response:
        """GET /v1/ciTestResults/{id}."""
        return self._finding(request, "ciTestResults", TEST_IDS, self._make.tests)

    def _finding(
        self, request: Request, kind: str, codec: IdCodec, make: Callable[[Action], list[Resource]]
    ) -> Response:
        key = request.path_params["id"]
        found = self._data.finding(codec, key)
        resource = None if found is None else next((each for each in make(found[0]) if each.id == key), None)
        if resource is None:
            raise not_found(kind, key)
        return self._documents.one(Query(request), resource)

    async def repository(self, request: Request) -> Response:
        """GET /v1/scmRepositories/{id}."""
        product = self._asked_repository(request)
        return self._documents.one(Query(request, include=("defaultBranch",)), self._make.repository(product))

    async def references(self, request: Request) -> Response:
        """GET /v1/scmRepositories/{id}/gitReferences: no filter by name."""
        product = self._asked_repository(request)
        query = Query(request, include=("repository",))
        return self._documents.many(query, branches(product), lambda each: self._make.reference(product, each))

    async def pull_requests(self, request: Request) -> Response:
        """GET /v1/scmRepositories/{id}/pullRequests."""
        product = self._asked_repository(request)
        query = Query(request, include=("repository",))
        names = [name for name in branches(product) if name.partition("/")[0] in {"feature", "fix"}]
        return self._documents.many(query, names, lambda each: self._make.pull_request(product, each))

    async def apps(self, request: Request) -> Response:
        """GET /v1/apps."""
        attributes = ("name", "bundleId", "sku")
        orders = [f"{sign}{name}" for name in attributes for sign in ("", "-")]
        filters = [f"filter[{name}]" for name in (*attributes, "id")]
        query = Query(request, filters=filters, sort=orders)
        apps = [self._make.app(product) for product in PRODUCTS if product.bundle_id is not None]
        for name in attributes:
            wanted = query.filter(name)
            apps = [app for app in apps if wanted is None or app.attributes[name] in wanted]
        ids = query.filter("id")
        apps = [app for app in apps if ids is None or app.id in ids]
        if query.sort is not None:
            name = query.sort.removeprefix("-")
            apps.sort(key=lambda app: str(app.attributes[name]), reverse=query.sort.startswith("-"))
        return self._documents.many(query, apps, lambda each: each)

    async def show_app(self, request: Request) -> Response:
        """GET /v1/apps/{id}."""
        product = self._data.app_product(request.path_params["id"])
        if product is None:
            raise not_found("apps", request.path_params["id"])
        return self._documents.one(Query(request), self._make.app(product))

    async def start(self, request: Request) -> Response:
        """POST /v1/ciBuildRuns: a workflow with or without a branch, or an earlier run once more."""
        related = await _relations(request)
        earlier = self._data.run(related["buildRun"]) if "buildRun" in related else None
        if earlier is not None:
            product, workflow, branch, reason = earlier.product, earlier.workflow, earlier.branch, "MANUAL_REBUILD"
        else:
            found = self._data.workflow(related.get("workflow", ""))
            if found is None:
                raise _entity_error("RELATIONSHIP.INVALID", "The relationship 'workflow' names no workflow.")
            product, workflow = found
            branch, reason = self._branch(product, related), "MANUAL"
        if not workflow.is_enabled:
            raise _entity_error("RELATIONSHIP.INVALID", "The workflow is disabled.")
        run = self._data.start(product, workflow, branch, reason=reason)
        return self._documents.one(Query(request), self._make.run(run), 201)

    def _branch(self, product: ProductSpec, related: Mapping[str, str]) -> str:
        for name, find in (
            ("sourceBranchOrTag", self._data.branch),
            ("pullRequest", self._data.pull_request),
        ):
            if name in related:
                found = find(related[name])
                if found is None or found[0] is not product:
                    raise _entity_error("RELATIONSHIP.INVALID", f"The relationship '{name}' names nothing there.")
                return found[1]
        return branches(product)[0]

    def _runs(self, request: Request, runs: list[Run]) -> Response:
        query = Query(request, include=_RUN_INCLUDE, filters=("filter[builds]",), sort=("number", "-number"))
        if query.filter("builds") is not None:
            runs = []
        if query.sort == "-number":
            runs = runs[::-1]
        return self._documents.many(query, runs, self._make.run, key=lambda run: run.number)

    def _asked_product(self, request: Request) -> ProductSpec:
        product = self._data.product(request.path_params["id"])
        if product is None:
            raise not_found("ciProducts", request.path_params["id"])
        return product

    def _asked_workflow(self, request: Request) -> tuple[ProductSpec, WorkflowSpec]:
        found = self._data.workflow(request.path_params["id"])
        if found is None:
            raise not_found("ciWorkflows", request.path_params["id"])
        return found

    def _asked_run(self, request: Request) -> Run:
        run = self._data.run(request.path_params["id"])
        if run is None:
            raise not_found("ciBuildRuns", request.path_params["id"])
        return run

    def _asked_action(self, request: Request) -> Action:
        action = self._data.action(request.path_params["id"])
        if action is None:
            raise not_found("ciBuildActions", request.path_params["id"])
        return action

    def _asked_repository(self, request: Request) -> ProductSpec:
        product = self._data.repository_product(request.path_params["id"])
        if product is None:
            raise not_found("scmRepositories", request.path_params["id"])
        return product


async def _relations(request: Request) -> dict[str, str]:
    """The ids of the relations in a body, by name."""
    try:
        body: object = await request.json()
    except (JSONDecodeError, UnicodeDecodeError):
        raise parameter_error("body", "The request entity is not a valid JSON document") from None
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict) or data.get("type") != "ciBuildRuns":
        raise _entity_error("TYPE.INVALID", "The resource's type must be 'ciBuildRuns'.")
    given = data.get("relationships")
    related = {}
    for name, value in given.items() if isinstance(given, dict) else ():
        identifier = value.get("data") if isinstance(value, dict) else None
        if isinstance(identifier, dict) and isinstance(identifier.get("id"), str):
            related[name] = identifier["id"]
    return related


def _entity_error(code: str, detail: str) -> ApiError:
    return ApiError(409, f"ENTITY_ERROR.{code}", "The provided entity has an invalid value", detail)


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, ApiError):
        return error.response()
    if not isinstance(error, HTTPException):
        raise error
    path = request.url.path
    code, title = ("NOT_FOUND", "The URL path is not valid") if error.status_code == 404 else ("METHOD_ERROR", "Wrong")
    return ApiError(error.status_code, code, title, f"The path '{path}' is not valid").response()
