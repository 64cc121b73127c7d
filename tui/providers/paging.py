"""Following the pages of a listing that a faulty server may send in circles."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui.errors import ProviderError
from tui.models import Cursor

MAX_EMPTY_PAGES: Final = 3
"""So many pages in a row without an item, and the listing ends."""
INCOMPLETE: Final = "The list may be incomplete: the server's pages go in a circle."
ENDLESS: Final = "The list may be incomplete: the server sends only empty pages."


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a listing stands; it travels inside the cursor, so a provider keeps no state between pages.

    Circles are found by Brent's algorithm: one earlier token is remembered, and replaced by the present one
    after 1, 2, 4, 8, ... steps, which meets every circle while its length in memory stays the same.
    """

    token: str = ""
    """What the server named as the next page; empty on the first."""
    mark: str = ""
    """The digest of the remembered token."""
    steps: int = 0
    power: int = 1
    empty: int = 0
    """Pages without an item, in a row."""

    @classmethod
    def read(cls, cursor: Cursor | None) -> Trail:
        """The trail inside a cursor; a fresh one for the first page.

        Raises:
            ProviderError: The cursor was not made by `follow`.
        """
        if cursor is None:
            return cls()
        try:
            token, mark, steps, power, empty = json.loads(cursor)
            return cls(str(token), str(mark), int(steps), int(power), int(empty))
        except (ValueError, TypeError) as error:
            raise ProviderError("This is not the cursor of a page.") from error

    def follow(self, token: str | None, received: Sequence[object]) -> tuple[Cursor | None, str | None]:
        """The cursor of the next page and a note when the listing is cut short.

        Args:
            token: What the answer names as the next page; None or empty at the end.
            received: The items of the answer, before any filter of ours.
        """
        if not token:
            return None, None
        digest = hashlib.blake2s(token.encode("utf-8", "replace"), digest_size=8).hexdigest()
        if token == self.token or digest == self.mark:
            return None, INCOMPLETE
        empty = 0 if received else self.empty + 1
        if empty >= MAX_EMPTY_PAGES:
            return None, ENDLESS
        mark, steps, power = self.mark, self.steps + 1, self.power
        if steps >= power:
            mark, steps, power = digest, 0, power * 2
        return Cursor(json.dumps([token, mark, steps, power, empty])), None
