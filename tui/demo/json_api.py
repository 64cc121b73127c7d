"""The rules of Apple's JSON:API answers: includes, sparse fields, paging by cursor, errors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from tui.demo.answers import Json

T = TypeVar("T")

MAX_LIMIT: Final = 200
DEFAULT_LIMIT: Final = 50


class ApiError(Exception):
    """A refusal in Apple's shape.

    Args:
        status: The HTTP status.
        code: Apple's dotted code.
        title: What it means.
        detail: What happened here.
        parameter: The query parameter at fault.
    """

    def __init__(self, status: int, code: str, title: str, detail: str, *, parameter: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.error: dict[str, object] = {"status": str(status), "code": code, "title": title, "detail": detail}
        if parameter is not None:
            self.error["source"] = {"parameter": parameter}

    def response(self) -> Json:
        """The JSON document."""
        return Json({"errors": [self.error]}, self.status)


def parameter_error(parameter: str, detail: str) -> ApiError:
    """A query parameter is unknown or has an impossible value."""
    title = "A parameter has an invalid value"
    return ApiError(400, "PARAMETER_ERROR.INVALID", title, detail, parameter=parameter)


def not_found(kind: str, resource_id: str) -> ApiError:
    """There is no such resource."""
    detail = f"There is no resource of type '{kind}' with id '{resource_id}'"
    return ApiError(404, "NOT_FOUND", "The specified resource does not exist", detail)


@dataclass(frozen=True)
class Resource:
    """One resource, with every relation it could show.

    `linked` relations always show their links; of the others only those asked for by `include` appear, with `data`.
    """

    kind: str
    id: str
    attributes: Mapping[str, object]
    linked: Sequence[str] = ()
    related: Relations = field(default_factory=dict[str, "Callable[[], Resource | list[Resource] | None]"])


Relations = Mapping[str, Callable[[], Resource | list[Resource] | None]]
"""Relations by name, made only when they are included."""


class Query:
    """What a request asks for, checked against what the endpoint knows."""

    def __init__(
        self, request: Request, *, include: Sequence[str] = (), filters: Sequence[str] = (), sort: Sequence[str] = ()
    ) -> None:
        self.request = request
        self.fields: dict[str, set[str]] = {}
        params = request.query_params
        for name, value in params.multi_items():
            if name.startswith("fields["):
                self.fields[name[7:-1]] = set(value.split(","))
            elif name not in {"include", "limit", "cursor", "sort", *filters} and not name.startswith("limit["):
                raise parameter_error(name, f"The parameter '{name}' can not be used with this request")
        self.include = [name for name in params.get("include", "").split(",") if name]
        for name in self.include:
            if name not in include:
                raise parameter_error("include", f"'{name}' is not a valid relationship name")
        self.sort = params.get("sort")
        if self.sort is not None and self.sort not in sort:
            raise parameter_error("sort", f"'{self.sort}' is not a valid value")
        self.limit = self._limit()

    def filter(self, name: str) -> set[str] | None:
        """The values of one filter; None when it is not given."""
        text = self.request.query_params.get(f"filter[{name}]")
        return None if text is None else set(text.split(","))

    def cursor(self) -> int | None:
        """Where the page starts; None at the beginning."""
        text = self.request.query_params.get("cursor")
        if text is None:
            return None
        try:
            return int(base64.urlsafe_b64decode(text))
        except (ValueError, binascii.Error):
            raise parameter_error("cursor", "The cursor is not valid") from None

    def _limit(self) -> int:
        text = self.request.query_params.get("limit", str(DEFAULT_LIMIT))
        if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
            raise parameter_error("limit", f"'{text}' is not between 1 and {MAX_LIMIT}")
        return int(text)


class Documents:
    """Writes whole answers; links are absolute, as Apple's are."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def one(self, query: Query, resource: Resource, status: int = 200) -> Json:
        """A document with one resource."""
        document: dict[str, object] = {"data": self._render(query, resource), "links": {"self": self._self(query)}}
        return Json(self._with_included(document, query, [resource]), status)

    def many(
        self,
        query: Query,
        items: Sequence[T],
        render: Callable[[T], Resource],
        *,
        key: Callable[[T], int] | None = None,
    ) -> Json:
        """A page of resources.

        Args:
            query: Says where the page begins and how long it is.
            items: All of them, in order.
            render: Makes a resource of one.
            key: A number that names an item for good, so that a page begins right although new items appeared.
        """
        cursor = query.cursor()
        start = cursor or 0
        if cursor is not None and key is not None:
            start = next((at for at, item in enumerate(items) if key(item) == cursor), len(items))
        page = items[start : start + query.limit]
        links = {"self": self._self(query)}
        end = start + query.limit
        if end < len(items):
            mark = end if key is None else key(items[end])
            pairs = [pair for pair in query.request.query_params.multi_items() if pair[0] not in {"cursor", "limit"}]
            pairs += [("cursor", base64.urlsafe_b64encode(str(mark).encode()).decode()), ("limit", str(query.limit))]
            links["next"] = f"{self._base_url}{query.request.url.path}?{urlencode(pairs)}"
        resources = [render(item) for item in page]
        document: dict[str, object] = {
            "data": [self._render(query, resource) for resource in resources],
            "links": links,
            "meta": {"paging": {"limit": query.limit}},
        }
        return Json(self._with_included(document, query, resources))

    def _self(self, query: Query) -> str:
        path, text = query.request.url.path, query.request.url.query
        return f"{self._base_url}{path}?{text}" if text else f"{self._base_url}{path}"

    def _with_included(
        self, document: dict[str, object], query: Query, resources: Sequence[Resource]
    ) -> dict[str, object]:
        if query.include:
            included: dict[tuple[str, str], Resource] = {}
            for resource in resources:
                for name in query.include:
                    for other in _listed(resource, name):
                        included[other.kind, other.id] = other
            document["included"] = [self._render(query, other, is_included=True) for other in included.values()]
        return document

    def _render(self, query: Query, resource: Resource, *, is_included: bool = False) -> dict[str, object]:
        url = f"{self._base_url}/v1/{resource.kind}/{resource.id}"
        relationships: dict[str, dict[str, object]] = {
            name: {"links": {"self": f"{url}/relationships/{name}", "related": f"{url}/{name}"}}
            for name in resource.linked
        }
        for name in () if is_included else query.include:
            if name in resource.related:
                found = resource.related[name]()
                data = [_identifier(each) for each in found] if isinstance(found, list) else _identifier(found)
                relationships.setdefault(name, {})["data"] = data
        wanted = query.fields.get(resource.kind)
        rendered: dict[str, object] = {"type": resource.kind, "id": resource.id}
        for part, values in (("attributes", resource.attributes), ("relationships", relationships)):
            shown = {name: value for name, value in values.items() if wanted is None or name in wanted}
            if shown:
                rendered[part] = shown
        return {**rendered, "links": {"self": url}}


def _listed(resource: Resource, name: str) -> list[Resource]:
    found = resource.related[name]() if name in resource.related else None
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _identifier(resource: Resource | None) -> dict[str, str] | None:
    return None if resource is None else {"type": resource.kind, "id": resource.id}
