"""Builds what a run needs and closes it again, in one place."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui import folders
from tui.config import Config, download_dir
from tui.errors import DigsiteError
from tui.folders import cache_dir, state_dir

if TYPE_CHECKING:
    from tui.catalog.store import Catalog
    from tui.models import AccountName, Artifact, Build, Source
    from tui.services.build_logs import BuildLog
    from tui.services.build_tests import BuildTests
    from tui.services.builds import BuildChanges
    from tui.services.changes import Changes
    from tui.services.destinations import Template
    from tui.services.inside import Inside
    from tui.services.journal import Journal
    from tui.services.listings import Listings
    from tui.services.resolve import Resolver
    from tui.services.session import Session
    from tui.storage import Storage
    from tui.transfers.queue import TransferQueue
    from tui.transfers.snapshot import TransferId


class Services:
    """What screens and commands work with.

    Args:
        config: What config.toml says.
        sessions: Stand in for the configured accounts (the demo's).
        catalog_path: Where listings are kept; None keeps none.
    """

    def __init__(
        self, config: Config, sessions: Sequence[Session] | None = None, catalog_path: Path | None = None
    ) -> None:
        self.config = config
        self._given, self._catalog_path = sessions, catalog_path
        self.download_dir: Path = download_dir(config)
        if config.template is not None:
            from tui.services.destinations import Template

            self.template = Template(config.template)  # a wrong one is refused before a screen opens

    # Made when they are first wanted: the first screen waits for imports, and most commands need few of these

    @cached_property
    def _configured(self) -> tuple[Sequence[Session], Sequence[DigsiteError]]:
        return configured_sessions(self.config) if self._given is None else (self._given, ())

    @cached_property
    def sessions(self) -> Mapping[AccountName, Session]:
        """The accounts of this run, in the order they are shown."""
        return {session.account.name: session for session in self._configured[0]}

    @property
    def problems(self) -> Sequence[DigsiteError]:
        """Accounts that the environment describes wrongly, as errors to show."""
        return self._configured[1]

    @property
    def resolver(self) -> Resolver:
        """Looks paths up in the accounts."""
        from tui.services.resolve import Resolver

        return Resolver(self.sessions)

    @cached_property
    def catalog(self) -> Catalog | None:
        """Where listings are kept."""
        if self._catalog_path is None:
            return None
        from tui.catalog.store import Catalog

        return Catalog(self._catalog_path)

    @cached_property
    def listings(self) -> Listings:
        """Lists what the accounts have."""
        from tui.services.listings import Listings

        return Listings(self.catalog)

    @cached_property
    def template(self) -> Template:
        """How downloads are named."""
        from tui.services.destinations import DEFAULT_TEMPLATE, Template

        return Template(DEFAULT_TEMPLATE)

    @cached_property
    def _journal(self) -> Journal:
        from tui.services.journal import Journal

        return Journal(state_dir() / "changes.jsonl")

    @cached_property
    def changes(self) -> Changes:
        """Publishes and deletes artifacts."""
        from tui.services.changes import Changes

        return Changes(self._journal, self.listings)

    @cached_property
    def builds(self) -> BuildChanges:
        """Starts, repeats and aborts builds."""
        from tui.services.builds import BuildChanges

        return BuildChanges(self._journal)

    @cached_property
    def storage(self) -> Storage:
        """The bare client of this run."""
        from tui.hosts import is_loopback
        from tui.storage import Storage

        loopback = any(is_loopback(urlsplit(s.account.url or "").hostname or "") for s in self.sessions.values())
        return Storage(allow_loopback=loopback, read_timeout_s=self.config.stall_timeout_s)

    @cached_property
    def transfers(self) -> TransferQueue:
        """The downloads of this run."""
        from tui.transfers.queue import TransferQueue

        config = self.config
        return TransferQueue(
            self._source,
            self.storage,
            jobs=config.jobs,
            connections=config.connections,
            limit_rate=config.limit_rate,
        )

    async def _source(self, artifact: Artifact) -> Source:
        provider = await self.sessions[artifact.ref.account].provider()
        return await provider.source(artifact)

    async def look_inside(self, artifact: Artifact) -> Inside:
        """Opens an artifact as an archive, without downloading it.

        Raises:
            PeekError: It is no archive that can be looked into.
            NoRanges: The storage does not serve parts of it.
            DigsiteError: The provider or the storage cannot be asked.
        """
        from tui.services.inside import open_inside  # zipfile and plistlib, only where they are wanted

        return await open_inside(self.storage, self._source, artifact)

    def log(self, build: Build) -> BuildLog:
        """The log of a build, to be read."""
        from tui.services.build_logs import BuildLog  # as above

        return BuildLog(build, self.sessions[build.ref.account].provider, self.storage, self.look_inside)

    def tests(self) -> BuildTests:
        """Reads results of tests."""
        from tui.services.build_tests import BuildTests  # as above

        return BuildTests(self.storage, self.look_inside)

    async def keep_transfers(self) -> Sequence[TransferId]:
        """Makes the queue outlive the program; gives what earlier runs left unfinished."""
        from tui.transfers.store import QueueStore

        store = QueueStore(folders.state_dir() / "queue.sqlite")
        return await self.transfers.keep(store, tuple(self.sessions))

    def add_session(self, session: Session) -> None:
        """Takes an account in that was added while running; it stands in for what the environment gave."""
        configured = [s for s in self.sessions.values() if not s.account.from_environment]
        self.sessions = {s.account.name: s for s in (*configured, session)}

    async def aclose(self) -> None:
        """Ends transfers in order, then closes all connections."""
        if "transfers" in vars(self):
            await self.transfers.aclose()
        for session in vars(self).get("sessions", {}).values():
            await session.aclose()
        if (catalog := vars(self).get("catalog")) is not None:
            catalog.close()


def configured_sessions(
    config: Config, environ: Mapping[str, str] | None = None
) -> tuple[list[Session], list[DigsiteError]]:
    """The accounts of config.toml; where there is none but archives, also those that the environment describes."""
    from tui.providers import plugin, plugin_names
    from tui.services.session import ARCHIVE, Session

    sessions = [Session(account) for account in config.accounts]
    if any(account.provider != ARCHIVE for account in config.accounts):
        return sessions, []
    problems: list[DigsiteError] = []
    for name in plugin_names():
        try:
            described = plugin(name).environment(os.environ if environ is None else environ)
        except DigsiteError as error:
            problems.append(error)
        else:
            if described is not None:
                account, secret = described
                sessions.append(Session(account, secret, "environment"))
    return sessions, problems


@asynccontextmanager
async def open_services(
    config: Config,
    sessions: Sequence[Session] | None = None,
    *,
    with_catalog: bool = False,
    catalog_path: Path | None = None,
) -> AsyncIterator[Services]:
    """Opens what a run needs.

    Args:
        config: What config.toml says.
        sessions: Stand in for the configured accounts (the demo's).
        with_catalog: Whether listings are shown from the catalog first, and kept there.
        catalog_path: Where it is; by default in the cache folder.
    """
    path = (catalog_path or cache_dir() / "catalog.sqlite") if with_catalog else None
    services = Services(config, sessions, path)
    try:
        yield services
    finally:
        await services.aclose()
