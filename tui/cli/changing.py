"""What commands have in common that change something at a provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from tui.cli.output import warn
from tui.config import Config
from tui.errors import AuthError, NotAllowed, RateLimited
from tui.services import Services, open_services
from tui.widgets.format import count

ENDS_A_BATCH: Final = (AuthError, NotAllowed, RateLimited)
"""Errors that the next change would meet as well."""


@asynccontextmanager
async def open_for_changes(config: Config) -> AsyncIterator[Services]:
    """With the catalog, which hears of changes; says so where it had to be set aside."""
    async with open_services(config, with_catalog=True) as services:
        if services.catalog is not None and services.catalog.message:
            warn(services.catalog.message)
        yield services


def tell_not_tried(paths: Sequence[str]) -> list[str]:
    """Says how many were left alone after a failure that the next one would meet as well; gives them for a document."""
    if paths:
        warn(f"digsite: {count(len(paths), 'artifact')} not tried: the next would fail alike.")
    return list(paths)
