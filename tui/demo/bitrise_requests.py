"""What Bitrise's endpoints have in common: parameters, bodies, pages, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from json import JSONDecodeError
from typing import Final, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tui.demo.answers import Json

MAX_LIMIT: Final = 50
T = TypeVar("T")


def page_of(
    request: Request, items: Sequence[T], render: Callable[[T], dict[str, object]], slug: Callable[[T], str]
) -> dict[str, object]:
    """One page of a list, from the item that `next` names."""
    limit, slugs = limit_of(request), [slug(item) for item in items]
    anchor = request.query_params.get("next")
    if anchor and anchor not in slugs:
        raise HTTPException(400, "Invalid next parameter")
    start = slugs.index(anchor) if anchor else 0
    following = slugs[start + limit] if start + limit < len(slugs) else None
    data = [render(item) for item in items[start : start + limit]]
    return {"data": data, "paging": paging_of(len(items), limit, following)}


def paging_of(total: int, limit: int, following: str | None = None) -> dict[str, object]:
    """The paging part of a list answer."""
    paging: dict[str, object] = {"total_item_count": total, "page_item_limit": limit}
    return paging if following is None else {**paging, "next": following}


def limit_of(request: Request) -> int:
    """How many items a page has."""
    limit = integer(request, "limit")
    if limit is not None and not 1 <= limit <= MAX_LIMIT:
        raise HTTPException(400, f"limit must be between 1 and {MAX_LIMIT}")
    return limit or MAX_LIMIT


def integer(request: Request, name: str) -> int | None:
    """A query parameter that is a whole number; None when it is not given."""
    text = request.query_params.get(name)
    try:
        return None if text is None else int(text)
    except ValueError:
        raise HTTPException(400, f"Invalid {name} parameter") from None


def moment(request: Request, name: str) -> datetime | None:
    """A query parameter in unix seconds, aware UTC; None when it is not given."""
    seconds = integer(request, name)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise HTTPException(400, f"Invalid {name} parameter") from None


async def body_of(request: Request) -> Mapping[str, object]:
    """A JSON object in a request's body."""
    try:
        body: object = await request.json()
    except (JSONDecodeError, UnicodeDecodeError):
        raise HTTPException(400, "Invalid request body") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "Invalid request body")
    return body


def found(item: T | None) -> T:
    """The item, or a 404."""
    if item is None:
        raise HTTPException(404, "Not Found")
    return item


async def refused(request: Request, error: Exception) -> Response:
    """A refusal in Bitrise's shape."""
    if not isinstance(error, HTTPException):
        raise error
    return Json({"message": error.detail}, error.status_code)
