"""The explorer on the demo's servers, driven by keys."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tui.app import DigsiteApp
from tui.cli.demo import demo_sessions
from tui.config import load_config
from tui.demo import DemoServers
from tui.models import AccountName, App, Artifact, Build
from tui.models.rules import ArchiveRule
from tui.screens.explorer import Explorer
from tui.services import Services, open_services
from tui.services.indexing import Indexer
from tui.widgets.dock import TransfersDock

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LIMIT_S = 20
APP = "acme-android"


@dataclass
class Driver:
    """Presses keys and waits for what they lead to; never for a time."""

    app: DigsiteApp
    pilot: Pilot[str]
    services: Services
    demo: DemoServers

    @property
    def explorer(self) -> Explorer:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, Explorer))

    async def until(self, condition: Callable[[], object]) -> None:
        """Lets the program go on until the condition holds."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await self.pilot.pause()

    async def settle(self) -> None:
        """Until no worker is left."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                await self.pilot.pause()
                left = [worker for worker in self.app.workers if not worker.is_finished]
                if not left:
                    return
                await asyncio.gather(*(worker.wait() for worker in left), return_exceptions=True)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def loaded(self) -> None:
        await self.until(lambda: self.explorer.apps.rows.rows and not self.explorer.apps.is_loading)

    async def open_app(self, title: str, account: str = "demo-bitrise") -> None:
        await self.loaded()
        rows = self.explorer.apps.rows
        app = next(a for a in rows.rows if isinstance(a, App) and a.title == title and a.ref.account == account)
        rows.go_to(app.ref)
        await self.press("enter")
        await self.until(lambda: self.explorer.open_app == app and not self.explorer.builds.is_loading)
        await self.until(lambda: self.explorer.pane is self.explorer.builds and self.explorer.builds.rows.has_focus)

    async def open_build(self, wanted: Callable[[Build], bool]) -> Build:
        rows = self.explorer.builds.rows
        build = next(b for b in rows.rows if isinstance(b, Build) and wanted(b))
        rows.go_to(build.ref)
        await self.press("enter")
        await self.until(lambda: self.explorer.open_build == build and not self.explorer.artifacts.is_loading)
        await self.until(lambda: self.explorer.artifacts.rows.has_focus)
        return build

    async def go_to_artifact(self, wanted: Callable[[Artifact], bool]) -> Artifact:
        rows = self.explorer.artifacts.rows
        artifact = next(a for a in rows.rows if isinstance(a, Artifact) and wanted(a))
        rows.go_to(artifact.ref)
        await self.pilot.pause()
        return artifact

    def screen_text(self) -> str:
        """What is on the screen now, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    @property
    def toasts(self) -> list[str]:
        return [notification.message for notification in self.app._notifications]

    @property
    def dock_text(self) -> str:
        return "".join(dock.text for dock in self.explorer.query(TransfersDock))


Opened = Callable[..., AbstractAsyncContextManager[Driver]]


@pytest.fixture
def demo() -> Iterator[DemoServers]:
    with DemoServers(now=NOW) as servers:
        yield servers


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("DIGSITE_", "BITRISE_", "ASC_"))]:
        monkeypatch.delenv(name)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def drive(demo: DemoServers) -> Callable[..., object]:
    """Opens the explorer on the demo: `async with drive(size=(80, 24)) as driver`."""

    @asynccontextmanager
    async def opened(size: tuple[int, int] = (120, 40)) -> AsyncIterator[Driver]:
        async with open_services(load_config(), demo_sessions(demo)) as services:
            app = DigsiteApp(services, now=lambda: NOW)
            async with app.run_test(size=size, notifications=True) as pilot:
                yield Driver(app, pilot, services, demo)

    return opened


async def index(services: Services, days: int, title: str) -> None:
    """One app's builds of some days, as `digsite index` lists them."""
    assert services.catalog is not None
    indexer = Indexer(services.catalog, lambda _: None)
    session = services.sessions[AccountName("demo-bitrise")]
    provider = await session.provider()
    for app in (await provider.apps(None)).items:
        if app.title == title:
            services.catalog.keep_apps(session.account.name, [app], complete=False)
            await indexer.walk(await indexer.plan([session], app=app, since=NOW - timedelta(days=days)))
    services.catalog.settle()


@pytest.fixture
def indexed(demo: DemoServers, tmp_path: Path) -> Opened:
    """The explorer over a catalog of one app: `async with indexed(days=12) as driver`."""

    @asynccontextmanager
    async def opened(
        *, size: tuple[int, int] = (120, 40), days: int = 2, title: str = APP, archive: Path | None = None
    ) -> AsyncIterator[Driver]:
        config = load_config()
        if archive is not None:
            config = replace(config, archive_rules=(ArchiveRule(str(archive)),))
        async with open_services(config, demo_sessions(demo), with_catalog=True) as services:
            await index(services, days, title)
            app = DigsiteApp(services, now=lambda: NOW)
            async with app.run_test(size=size, notifications=True) as pilot:
                driver = Driver(app, pilot, services, demo)
                await driver.loaded()
                yield driver

    return opened
