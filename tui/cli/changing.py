"""Services for commands that change something at a provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tui.cli.output import warn
from tui.config import Config
from tui.services import Services, open_services


@asynccontextmanager
async def open_for_changes(config: Config) -> AsyncIterator[Services]:
    """With the catalog, which hears of changes; says so where it had to be set aside."""
    async with open_services(config, with_catalog=True) as services:
        if services.catalog is not None and services.catalog.message:
            warn(services.catalog.message)
        yield services
