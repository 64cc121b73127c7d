"""Bitrise's API v0.1 over the demo's data, in the shapes of Bitrise's Swagger document."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from json import JSONDecodeError
from typing import Final, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tui.demo import seeds
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
    precise_stamp,
    stamp,
)
from tui.demo.logs import bitrise_log
from tui.demo.people import AUTHORS
from tui.demo.storage import InstallPages, Signer, bitrise_path

PREFIX: Final = "/v0.1"
MAX_LIMIT: Final = 50
_CHUNK_LINES: Final = 20
T = TypeVar("T")
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
            ("GET", build, self.show_build),
            ("POST", build + "/abort", self.abort),
            ("GET", build + "/log", self.log),
            ("GET", build + "/artifacts", self.artifacts),
            ("GET", artifact, self.show_artifact),
            ("PATCH", artifact, self.update_artifact),
            ("DELETE", artifact, self.delete_artifact),
        )
        routes = [Route(PREFIX + path, self._authorized(call), methods=[verb]) for verb, path, call in table]
        return Starlette(routes=routes, exception_handlers={HTTPException: _refused})

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
        return Json(_page(request, apps, app_item, app_slug))

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
            return Json({"data": [], "paging": _paging(0, _limit(request))})
        wanted = BuildFilter(
            branch=query.get("branch"),
            workflow=query.get("workflow"),
            commit_message=query.get("commit_message"),
            trigger=query.get("trigger_event_type"),
            pull_request=_integer(request, "pull_request_id"),
            number=_integer(request, "build_number"),
            after=_moment(request, "after"),
            before=_moment(request, "before"),
            status=_integer(request, "status"),
        )
        selection = self._data.select(app, wanted, running_first=order == "running_first")
        limit, start = _limit(request), 0
        if "next" in query:
            first = self._data.build(app, query["next"])
            if first is None:
                raise HTTPException(400, "Invalid next parameter")
            start = selection.position(first.number)
        page = selection.page(start, limit + 1)
        paging = _paging(len(selection), limit, page[limit].slug if len(page) > limit else None)
        return Json({"data": [build_item(build) for build in page[:limit]], "paging": paging})

    async def show_build(self, request: Request) -> Response:
        """GET /apps/{app}/builds/{build}."""
        return Json({"data": build_item(self._build(request))})

    async def start(self, request: Request) -> Response:
        """POST /apps/{app}/builds."""
        app, body = self._app(request), await _body(request)
        params = body.get("build_params")
        if not isinstance(params, dict) or not any(
            params.get(key) for key in ("tag", "commit_hash", "branch", "workflow_id", "pipeline_id")
        ):
            raise HTTPException(400, "build_params needs a tag, a commit_hash, a branch or a workflow_id")
        text = {key: value for key, value in params.items() if isinstance(value, str)}
        shape = Shape(text.get("branch", "main"), text.get("workflow_id", "primary"), "", text.get("tag"))
        build = self._data.start(app, shape, text.get("commit_message"))
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
        build, body = self._build(request), await _body(request)
        if build.status is not BitriseStatus.NOT_FINISHED:
            raise HTTPException(400, "Build already finished")
        reason = body.get("abort_reason")
        text = reason if isinstance(reason, str) and reason else f"User {AUTHORS[6]} aborted the build"
        self._data.abort(build, text, with_success=body.get("abort_with_success") is True)
        return Json({"status": "ok"})

    async def log(self, request: Request) -> Response:
        """GET /apps/{app}/builds/{build}/log: chunks while it runs, a signed URL once it is archived."""
        build, now = self._build(request), self._data.now()
        if build.started_at is None:
            raise HTTPException(404, "Not Found")
        lines = bitrise_log(build.subject)
        texts = ["\n".join(lines[at : at + _CHUNK_LINES]) + "\n" for at in range(0, len(lines), _CHUNK_LINES)]
        took = (build.finished_at - build.started_at) if build.finished_at else timedelta(seconds=200)
        written = [(build.started_at + took * position / len(texts), text) for position, text in enumerate(texts)]
        after = request.query_params.get("after_timestamp", "")
        chunks = [
            {"chunk": text, "position": position + 1}
            for position, (at, text) in enumerate(written)
            if at <= now and precise_stamp(at) > after
        ]
        chunks.sort(key=lambda chunk: seeds.number("chunk", build.slug, chunk["position"]))
        is_archived = build.finished_at is not None
        url = self._signer.url(f"/bitrise/builds/{build.slug}/log") if is_archived else None
        return Json(
            {
                "expiring_raw_log_url": url,
                "is_archived": is_archived,
                "log_chunks": chunks,
                "generated_log_chunks_num": len(chunks),
                "timestamp": None,
                "next_after_timestamp": "" if is_archived else precise_stamp(now),
            }
        )

    async def artifacts(self, request: Request) -> Response:
        """GET .../artifacts: neither URLs nor dates nor checksums."""
        listed = self._data.artifacts(self._build(request))
        return Json(_page(request, listed, self._artifact_item, lambda each: each.slug))

    async def show_artifact(self, request: Request) -> Response:
        """GET .../artifacts/{artifact}: with a URL that lives for ten minutes."""
        return Json({"data": self._artifact_detail(self._artifact(request))})

    async def update_artifact(self, request: Request) -> Response:
        """PATCH .../artifacts/{artifact}: only the public page, only on installable files."""
        artifact, body = self._artifact(request), await _body(request)
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
        return _found(self._data.app(request.path_params["app"]))

    def _build(self, request: Request) -> BitriseBuild:
        return _found(self._data.build(self._app(request), request.path_params["build"]))

    def _artifact(self, request: Request) -> BitriseArtifact:
        build = self._build(request)
        artifact = _found(self._data.artifact(request.path_params["artifact"]))
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

    def _artifact_detail(self, artifact: BitriseArtifact) -> dict[str, object]:
        is_expired = artifact.is_expired(self._data.now())
        return {
            **self._artifact_item(artifact),
            "expiring_download_url": None if is_expired else self._signer.url(bitrise_path(artifact)),
            "public_install_page_url": self._pages.url(artifact) if self._data.is_public(artifact) else "",
        }


def _page(
    request: Request, items: Sequence[T], render: Callable[[T], dict[str, object]], slug: Callable[[T], str]
) -> dict[str, object]:
    limit, slugs = _limit(request), [slug(item) for item in items]
    anchor = request.query_params.get("next")
    if anchor and anchor not in slugs:
        raise HTTPException(400, "Invalid next parameter")
    start = slugs.index(anchor) if anchor else 0
    following = slugs[start + limit] if start + limit < len(slugs) else None
    data = [render(item) for item in items[start : start + limit]]
    return {"data": data, "paging": _paging(len(items), limit, following)}


def _paging(total: int, limit: int, following: str | None = None) -> dict[str, object]:
    paging: dict[str, object] = {"total_item_count": total, "page_item_limit": limit}
    return paging if following is None else {**paging, "next": following}


def _limit(request: Request) -> int:
    limit = _integer(request, "limit")
    if limit is not None and not 1 <= limit <= MAX_LIMIT:
        raise HTTPException(400, f"limit must be between 1 and {MAX_LIMIT}")
    return limit or MAX_LIMIT


def _integer(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    try:
        return None if text is None else int(text)
    except ValueError:
        raise HTTPException(400, f"Invalid {name} parameter") from None


def _moment(request: Request, name: str) -> datetime | None:
    seconds = _integer(request, name)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise HTTPException(400, f"Invalid {name} parameter") from None


async def _body(request: Request) -> Mapping[str, object]:
    try:
        body: object = await request.json()
    except (JSONDecodeError, UnicodeDecodeError):
        raise HTTPException(400, "Invalid request body") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "Invalid request body")
    return body


def _found(item: T | None) -> T:
    if item is None:
        raise HTTPException(404, "Not Found")
    return item


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return Json({"message": error.detail}, error.status_code)
