"""Reading App Store Connect's documents: one resource, a page of them, or all pages of a list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, TypeVar

from tui.errors import BadPayload
from tui.http import ApiClient
from tui.models import Cursor, Page
from tui.providers.paging import Trail
from tui.providers.xcode_cloud import parse

T = TypeVar("T")

MAX_PAGE_SIZE: Final = 200
"""The documented maximum; every list is asked for with a limit because the default is not documented."""


class Listing:
    """The lists of one account."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def pages(
        self,
        segments: tuple[str, ...],
        parse_item: Callable[[object, parse.Included], T | None],
        *,
        what: str,
        params: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Page[T]]:
        """The pages of a list, each asked for when it is wanted."""
        cursor: Cursor | None = None
        while True:
            query = {**(params or {}), "limit": str(MAX_PAGE_SIZE)}
            page, cursor = await self.page(segments, query, cursor, parse_item, what=what)
            yield page
            if cursor is None:
                return

    async def all(
        self,
        segments: tuple[str, ...],
        parse_item: Callable[[object, parse.Included], T | None],
        *,
        what: str,
        params: Mapping[str, str] | None = None,
    ) -> Page[T]:
        """All pages of a short list as one."""
        collected: list[T] = []
        unreadable = 0
        note = None
        async for page in self.pages(segments, parse_item, what=what, params=params):
            collected.extend(page.items)
            unreadable += page.unreadable
            note = page.note
        return Page(tuple(collected), unreadable=unreadable, note=note)

    async def page(
        self,
        segments: tuple[str, ...],
        params: Mapping[str, str],
        cursor: Cursor | None,
        parse_item: Callable[[object, parse.Included], T | None],
        *,
        what: str,
    ) -> tuple[Page[T], Cursor | None]:
        """One page, and its next cursor again, which a filter of ours may drop from the page."""
        trail = Trail.read(cursor)
        if trail.token:
            answer = await self._client.get_link(trail.token, what=what)
        else:
            answer = await self._client.get(*segments, what=what, params=params)
        received = self.items(answer)
        along = parse.included(answer)
        parsed = (parse_item(data, along) for data in received)
        readable = tuple(item for item in parsed if item is not None)
        next_cursor, note = trail.follow(parse.next_link(answer), received)
        unreadable = len(received) - len(readable)
        return Page(readable, next_cursor, parse.total_items(answer), unreadable, note), next_cursor

    def items(self, answer: object) -> list[object]:
        """The resources of a list answer.

        Raises:
            BadPayload: It is none.
        """
        received = parse.items(answer)
        if received is None:
            raise BadPayload(f"The answer of {self._client.origin.host} is not a list.")
        return received


def readable(item: T | None, noun: str) -> T:
    """What was parsed.

    Raises:
        BadPayload: It could not be.
    """
    if item is None:
        raise BadPayload(f"The answer of Xcode Cloud is not a readable {noun}.")
    return item
