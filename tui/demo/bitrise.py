"""Bitrise's API v0.1 over the demo's data, in the shapes of Bitrise's Swagger document."""

from __future__ import annotations

import hmac
import itertools
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tui.demo.answers import Json
from tui.demo.bitrise_apps import APPS, AppSpec, BitriseStatus, Shape
from tui.demo.bitrise_builds import BitriseArtifact, BitriseBuild, BuildFilter, app_slug
from tui.demo.bitrise_data import BitriseData
from tui.demo.bitrise_items import (
    ORGANIZATION,
    USER,
    app_item,
    artifact_meta,
    build_item,
    everywhere_item,
    stamp,
)
from tui.demo.bitrise_logs import bitrise_yml, log_manifest
from tui.demo.bitrise_requests import body_of, found, integer, limit_of, moment, page_of, paging_of, refused
from tui.demo.people import AUTHORS
from tui.demo.storage import InstallPages, Signer, bitrise_path

PREFIX: Final = "/v0.1"
Endpoint = Callable[[Request], Awaitable[Response]]


class BitriseApi:
    """The endpoints. Every one answers 401 to any other token, as `{"message": ...}` like all refusals."""

    def __init__(self, data: BitriseData, token: str, signer: Signer, pages: InstallPages) -> None:
        self._data = data
        self._token = token
        self._signer = signer
        self._pages = pages

    def app(self) -> Starlette:
        """The API as an ASGI application."""
        build = "/apps/{app}/builds/{build}"
        artifact = build + "/artifacts/{artifact}"
        table: Sequence[tuple[str, str, Endpoint]] = (
            ("GET", "/me", self.me),
            ("GET", "/organizations", self.organizations),
            ("GET", "/apps", self.apps),
            ("GET", "/apps/{app}", self.show_app),
            ("GET", "/apps/{app}/branches", self.branches),
            ("GET", "/apps/{app}/build-workflows", self.workflows),
            ("GET", "/apps/{app}/builds", self.builds),
            ("POST", "/apps/{app}/builds", self.start),
            ("GET", "/builds", self.all_builds),
            ("GET", build, self.show_build),
            ("POST", build + "/abort", self.abort),
            ("GET", build + "/log", self.log),
            ("GET", build + "/bitrise.yml", self.configuration),
            ("GET", build + "/artifacts", self.artifacts),
            ("GET", artifact, self.show_artifact),
            ("PATCH", artifact, self.update_artifact),
            ("DELETE", artifact, self.delete_artifact),
        )
        routes = [Route(PREFIX + path, self._authorized(call), methods=[verb]) for verb, path, call in table]
        return Starlette(routes=routes, exception_handlers={HTTPException: refused})

    def _authorized(self, endpoint: Endpoint) -> Endpoint:
        accepted = (self._token.encode(), f"token {self._token}".encode())

        async def authorized(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode("latin-1")
            if not any(hmac.compare_digest(given, each) for each in accepted):
                raise HTTPException(401, "Unauthorized")
            return await endpoint(request)

        return authorized

    async def me(self, request: Request) -> Response:
        """GET /me."""
        created = stamp(self._data.opened_at.replace(hour=9, minute=0, second=0) - timedelta(days=2000))
        profile = {**USER, "unconfirmed_email": "", "avatar_url": "", "data_id": 4711, "created_at": created,
                   "has_used_organization_trial": True, "payment_processor": "stripe"}  # fmt: skip
        return Json({"data": profile})

    async def organizations(self, request: Request) -> Response:
        """GET /organizations: without paging."""
        organization = {**ORGANIZATION, "avatar_icon_url": None, "concurrency_count": 4, "owners": [USER]}
        return Json({"data": [organization]})

    async def apps(self, request: Request) -> Response:
        """GET /apps."""
        query = request.query_params
        apps = [
            app
            for app in APPS
            if query.get("title", app.title).lower() in app.title.lower()
            and query.get("project_type", app.project_type) == app.project_type
        ]
        order = query.get("sort_by", "created_at")
        if order not in {"created_at", "last_build_at"}:
            raise HTTPException(400, f"Invalid sort_by parameter: {order}")
        if order == "last_build_at":
            never = datetime.min.replace(tzinfo=UTC)
            apps.sort(key=lambda app: self._data.last_build_at(app) or never, reverse=True)
        return Json(page_of(request, apps, app_item, app_slug))

    async def show_app(self, request: Request) -> Response:
        """GET /apps/{app}."""
        return Json({"data": app_item(self._app(request))})

    async def branches(self, request: Request) -> Response:
        """GET /apps/{app}/branches: those that have builds."""
        return Json({"data": sorted({shape.branch for shape in self._shapes(request)})})

    async def workflows(self, request: Request) -> Response:
        """GET /apps/{app}/build-workflows: those ever triggered."""
        return Json({"data": sorted({shape.workflow for shape in self._shapes(request)})})

    async def builds(self, request: Request) -> Response:
        """GET /apps/{app}/builds."""
        app, query = self._app(request), request.query_params
        order = query.get("sort_by", "created_at")
        if order not in {"created_at", "running_first"}:
            raise HTTPException(400, f"Invalid sort_by parameter: {order}")
        if query.get("is_pipeline_build") == "true":
            return Json({"data": [], "paging": paging_of(0, limit_of(request))})
        wanted = BuildFilter(
            branch=query.get("branch"),
            workflow=query.get("workflow"),
            commit_message=query.get("commit_message"),
            trigger=query.get("trigger_event_type"),
            pull_request=integer(request, "pull_request_id"),
            number=integer(request, "build_number"),
            after=moment(request, "after"),
            before=moment(request, "before"),
            status=integer(request, "status"),
        )
        selection = self._data.select(app, wanted, running_first=order == "running_first")
        limit, start = limit_of(request), 0
        if "next" in query:
            first = self._data.build(app, query["next"])
            if first is None:
                raise HTTPException(400, "Invalid next parameter")
            start = selection.position(first.number)
        page = selection.page(start, limit + 1)
        paging = paging_of(len(selection), limit, page[limit].slug if len(page) > limit else None)
        return Json({"data": [build_item(build) for build in page[:limit]], "paging": paging})

    async def all_builds(self, request: Request) -> Response:
        """GET /builds: those of all apps, newest first."""
        status, limit = integer(request, "status"), limit_of(request)
        cursor = request.query_params.get("next")
        first = None if cursor is None else self._data.any_build(cursor)
        if cursor is not None and first is None:
            raise HTTPException(400, "Invalid next parameter")
        if request.query_params.get("owner_slug", ORGANIZATION["slug"]) != ORGANIZATION["slug"]:
            return Json({"data": [], "paging": paging_of(0, limit)})
        on_hold = {"true": True, "false": False}.get(request.query_params.get("is_on_hold", ""))
        total, builds = self._data.everything(BuildFilter(status=status, on_hold=on_hold), first)
        page = list(itertools.islice(builds, limit + 1))
        items = [everywhere_item(build) for build in page[:limit]]
        return Json({"data": items, "paging": paging_of(total, limit, page[limit].slug if len(page) > limit else None)})

    async def show_build(self, request: Request) -> Response:
        """GET /apps/{app}/builds/{build}."""
        return Json({"data": build_item(self._build(request))})

    async def start(self, request: Request) -> Response:
        """POST /apps/{app}/builds."""
        app, body = self._app(request), await body_of(request)
        params = body.get("build_params")
        if not isinstance(params, dict) or not any(
            params.get(key) for key in ("tag", "commit_hash", "branch", "workflow_id", "pipeline_id")
        ):
            raise HTTPException(400, "build_params needs a tag, a commit_hash, a branch or a workflow_id")
        text = {key: value for key, value in params.items() if isinstance(value, str)}
        shape = Shape(text.get("branch", "main"), text.get("workflow_id", "primary"), "", text.get("tag"))
        build = self._data.start(app, shape, text.get("commit_message"), text.get("commit_hash"))
        result = {
            "build_slug": build.slug,
            "build_number": build.number,
            "build_url": f"https://app.bitrise.io/build/{build.slug}",
            "triggered_workflow": shape.workflow,
        }
        message = f"Webhook processed: build #{build.number} started."
        results = [{**result, "triggered_pipeline": "", "status": "ok", "message": message}]
        head = {"status": "ok", "message": message, "service": "bitrise", "slug": app_slug(app)}
        return Json({**head, **result, "results": results}, 201)

    async def abort(self, request: Request) -> Response:
        """POST /apps/{app}/builds/{build}/abort."""
        build, body = self._build(request), await body_of(request)
        if build.status is not BitriseStatus.NOT_FINISHED:
            raise HTTPException(400, "Build already finished")
        reason = body.get("abort_reason")
        text = reason if isinstance(reason, str) and reason else f"User {AUTHORS[6]} aborted the build"
        self._data.abort(build, text, with_success=body.get("abort_with_success") is True)
        return Json({"status": "ok"})

    async def log(self, request: Request) -> Response:
        """GET /apps/{app}/builds/{build}/log: chunks while it runs, a signed URL once it is archived."""
        build = self._build(request)
        url = self._signer.url(f"/bitrise/builds/{build.slug}/log") if build.finished_at is not None else None
        after = request.query_params.get("after_timestamp", "")
        return Json(found(log_manifest(build, self._data.now(), after, url)))

    async def configuration(self, request: Request) -> Response:
        """GET /apps/{app}/builds/{build}/bitrise.yml: plain text."""
        return PlainTextResponse(bitrise_yml(self._build(request).subject))

    async def artifacts(self, request: Request) -> Response:
        """GET .../artifacts: neither URLs nor dates nor checksums."""
        listed = self._data.artifacts(self._build(request))
        return Json(page_of(request, listed, self._artifact_item, lambda each: each.slug))

    async def show_artifact(self, request: Request) -> Response:
        """GET .../artifacts/{artifact}: with a URL that lives for ten minutes, or as a redirect to it."""
        artifact = self._artifact(request)
        if integer(request, "download"):
            return RedirectResponse(found(self._download_url(artifact)), 302)
        return Json({"data": self._artifact_detail(artifact)})

    async def update_artifact(self, request: Request) -> Response:
        """PATCH .../artifacts/{artifact}: only the public page, only on installable files."""
        artifact, body = self._artifact(request), await body_of(request)
        enabled = body.get("is_public_page_enabled")
        if not isinstance(enabled, bool):
            raise HTTPException(400, "is_public_page_enabled must be true or false")
        if not artifact.can_be_public:
            raise HTTPException(400, "Public install page cannot be set for this artifact type")
        self._data.set_public(artifact, enabled)
        return Json({"data": self._artifact_detail(artifact)})

    async def delete_artifact(self, request: Request) -> Response:
        """DELETE .../artifacts/{artifact}: gives it as it was, without its URLs."""
        artifact = self._artifact(request)
        item = self._artifact_item(artifact)
        self._data.delete(artifact)
        return Json({"data": item})

    def _app(self, request: Request) -> AppSpec:
        return found(self._data.app(request.path_params["app"]))

    def _build(self, request: Request) -> BitriseBuild:
        return found(self._data.build(self._app(request), request.path_params["build"]))

    def _artifact(self, request: Request) -> BitriseArtifact:
        build = self._build(request)
        artifact = found(self._data.artifact(request.path_params["artifact"]))
        if artifact.build.slug != build.slug:
            raise HTTPException(404, "Not Found")
        return artifact

    def _shapes(self, request: Request) -> set[Shape]:
        app = self._app(request)
        told = {build.shape for build in self._data.select(app, BuildFilter()).told}
        return told | (set(app.shapes) if app.count else set())

    def _artifact_item(self, artifact: BitriseArtifact) -> dict[str, object]:
        return {
            "slug": artifact.slug,
            "title": artifact.recipe.title,
            "artifact_type": artifact.recipe.artifact_type,
            "file_size_bytes": artifact.size,
            "is_public_page_enabled": self._data.is_public(artifact),
            "artifact_meta": artifact_meta(artifact),
            "intermediate_file_info": None,
        }

    def _download_url(self, artifact: BitriseArtifact) -> str | None:
        return None if artifact.is_expired(self._data.now()) else self._signer.url(bitrise_path(artifact))

    def _artifact_detail(self, artifact: BitriseArtifact) -> dict[str, object]:
        return {
            **self._artifact_item(artifact),
            "expiring_download_url": self._download_url(artifact),
            "public_install_page_url": self._pages.url(artifact) if self._data.is_public(artifact) else "",
        }
