"""What is fetched without being asked for stops long before the call limit; a closed account keeps no token."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tui.errors import CredentialError
from tui.models import Account, AccountName, AppId, AppRef, Budget, Build, Page
from tui.services.listings import Listings
from tui.services.session import Session

APP = AppRef(AccountName("store"), AppId("one"))
LIMIT = 3600


class Metered:
    """A session whose provider tells what is left of its limit."""

    def __init__(self, remaining: int | None) -> None:
        seen_at = datetime(2026, 11, 21, tzinfo=UTC)
        self.budget = None if remaining is None else Budget(LIMIT, remaining, seen_at)
        self.asked = 0

    @property
    def opened(self) -> Any:
        return self

    async def provider(self) -> Any:
        return self

    async def builds(self, *_: object) -> Page[Build]:
        self.asked += 1
        return Page(())


@pytest.mark.parametrize(
    ("remaining", "asks"), [(None, True), (LIMIT, True), (LIMIT // 5, True), (LIMIT // 5 - 1, False), (0, False)]
)
async def test_nothing_is_fetched_in_advance_under_a_fifth_of_the_limit(remaining: int | None, asks: bool) -> None:
    session: Any = Metered(remaining)
    await Listings().prefetch_builds(session, APP)
    assert bool(session.asked) is asks
    await Listings().builds(session, APP, None)  # what the user asks for goes on
    assert session.asked == 1 + asks


async def test_a_closed_account_has_forgotten_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("bitpat_" + "x" * 40)
    command = (sys.executable, "-c", f"print(open({str(tmp_path / 'token')!r}).read())")
    session = Session(Account(AccountName("acme"), "bitrise", token_command=command))
    opened = await session.provider()
    assert await session.provider() is opened
    (tmp_path / "token").unlink()  # logged out
    await session.aclose()
    with pytest.raises(CredentialError):
        await session.provider()
