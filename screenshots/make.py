"""Makes the pictures of this folder from the demo: `python screenshots/make.py`.

With `--check` it writes nothing and exits 1 when a picture is stale. The demo's data stand still at one moment, so
the same program gives the same pictures.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

os.environ.update(
    TEXTUAL_ANIMATIONS="none", TZ="UTC", COLUMNS="120", LINES="40", DIGSITE_DOWNLOADS="/home/ada/Downloads/digsite"
)
os.environ.pop("NO_COLOR", None)
time.tzset()

from textual.pilot import Pilot  # noqa: E402  # Textual reads its environment when it is imported

from tui.app import DigsiteApp  # noqa: E402
from tui.cli.demo import demo_sessions  # noqa: E402
from tui.config import load_config  # noqa: E402
from tui.demo.servers import DemoServers  # noqa: E402
from tui.models import Status  # noqa: E402
from tui.screens.explorer import Explorer  # noqa: E402
from tui.services import open_services  # noqa: E402

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
FOLDER = Path(__file__).parent
LIMIT_S = 30


class Scene:
    """The explorer on the demo, driven to one state."""

    def __init__(self, app: DigsiteApp, pilot: Pilot[str], demo: DemoServers) -> None:
        self.app, self.pilot, self.demo = app, pilot, demo

    @property
    def explorer(self) -> Explorer:
        """The main screen."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, Explorer))

    async def until(self, condition: Callable[[], object]) -> None:
        """Lets the program go on until the condition holds."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await self.pilot.pause()

    async def open_app(self, title: str, account: str = "demo-bitrise") -> None:
        """Opens an app."""
        apps = self.explorer.apps
        await self.until(lambda: len({app.ref.account for app in apps.rows.rows}) == 2 and not apps.is_loading)
        app = next(a for a in apps.rows.rows if (a.title, a.ref.account) == (title, account))
        apps.rows.go_to(app.ref)
        await self.pilot.press("enter")
        await self.until(lambda: self.explorer.builds.rows.rows and self.explorer.builds.rows.has_focus)

    async def open_build(self, status: Status = Status.SUCCEEDED) -> None:
        """Opens the newest build of a status."""
        rows = self.explorer.builds.rows
        rows.go_to(next(build.ref for build in rows.rows if build.status is status))
        await self.pilot.press("enter")
        await self.until(lambda: self.explorer.artifacts.rows.rows and self.explorer.artifacts.rows.has_focus)

    async def shows(self, text: str) -> None:
        """Until a text is on the screen."""

        def is_there() -> bool:
            return text.replace(" ", "&#160;") in self.app.export_screenshot()

        await self.until(is_there)

    async def rest(self) -> None:
        """Until the detail has followed the cursor and nothing is under way."""
        await self.until(lambda: not any(pane.is_loading for pane in self.explorer.query("Pane").results()))
        await self.until(lambda: self.explorer.shown_facts == self.explorer.facts())


async def apps(scene: Scene) -> None:
    """The first screen."""
    explorer = scene.explorer
    await scene.until(lambda: len(explorer.apps.rows.rows) > 10 and not explorer.apps.is_loading)


async def drill(scene: Scene) -> None:
    """Down to the artifacts of a build."""
    await scene.open_app("acme-android")
    await scene.open_build()


async def actions(scene: Scene) -> None:
    """Artifacts of Xcode Cloud under their actions."""
    await scene.open_app("Acme", "demo-xcode-cloud")
    await scene.open_build()


async def builds(scene: Scene) -> None:
    """A filtered list of builds, two of them marked."""
    await scene.open_app("acme-monorepo")
    await scene.pilot.press("slash", *"status:failed", "enter", "space", "space")


async def delete(scene: Scene) -> None:
    """The question before a delete."""
    await drill(scene)
    await scene.rest()
    await scene.pilot.press("X")
    await scene.until(lambda: scene.app.screen is not scene.explorer)


async def hostile(scene: Scene) -> None:
    """Names that try to break a terminal."""
    await scene.open_app("Hostile names")
    await scene.pilot.press("enter")
    await scene.until(lambda: scene.explorer.artifacts.rows.rows)


async def error(scene: Scene) -> None:
    """One account failing, the other usable."""
    scene.demo.faults.fail("bitrise", "GET", "/apps$", 401, times=9)
    explorer = scene.explorer
    await scene.until(lambda: explorer.apps.errors and explorer.apps.rows.rows and not explorer.apps.is_loading)


async def inside(scene: Scene) -> None:
    """Inside an IPA, without downloading it."""
    await scene.open_app("Acme for iOS")
    await scene.open_build()
    await scene.rest()
    rows = scene.explorer.artifacts.rows
    rows.go_to(next(artifact.ref for artifact in rows.rows if artifact.title.endswith(".ipa")))
    await scene.pilot.press("x")
    await scene.until(lambda: scene.app.screen is not scene.explorer and scene.app.screen.has_class("-has-facts"))


async def by_day(scene: Scene) -> None:
    """The light theme."""
    scene.app.theme = "digsite-light"
    await drill(scene)


async def at_a_failed_build(scene: Scene, app: str, account: str) -> None:
    """The cursor on the newest failed build of an app."""
    await scene.open_app(app, account)
    rows = scene.explorer.builds.rows
    rows.go_to(next(build.ref for build in rows.rows if build.status is Status.FAILED))
    await scene.rest()


async def why_red(scene: Scene) -> None:
    """Why a build is red, at Bitrise."""
    await at_a_failed_build(scene, "acme-android", "demo-bitrise")
    await scene.pilot.press("e")
    await scene.shows("Cause")


async def why_red_xcode_cloud(scene: Scene) -> None:
    """Why a build is red, at Xcode Cloud."""
    await at_a_failed_build(scene, "Acme", "demo-xcode-cloud")
    await scene.pilot.press("e")
    await scene.shows("Cause")


async def build_view(scene: Scene) -> None:
    """Everything known of a build."""
    await at_a_failed_build(scene, "Acme", "demo-xcode-cloud")
    await scene.pilot.press("i")
    await scene.shows("Commit")


async def log(scene: Scene) -> None:
    """The log of a failed build, at its first error."""
    await at_a_failed_build(scene, "acme-android", "demo-bitrise")
    await scene.pilot.press("L")
    await scene.shows("Running workflow")
    await scene.pilot.press("e")
    await scene.shows("FAILED")


async def changes(scene: Scene) -> None:
    """What grew since the green build before."""
    await drill(scene)
    await scene.rest()
    await scene.pilot.press("C")
    await scene.until(lambda: scene.app.screen is not scene.explorer)


async def code(scene: Scene) -> None:
    """The install page as a QR code."""
    await drill(scene)
    rows = scene.explorer.artifacts.rows
    await scene.until(lambda: any(artifact.is_public for artifact in rows.rows))
    public = next(artifact for artifact in rows.rows if artifact.is_public)
    rows.update_row(replace(public, install_url="https://app.example/artifact/7626904/p/97bb1a87973bbc02"))
    rows.go_to(public.ref)
    await scene.pilot.press("Q")
    await scene.until(lambda: scene.app.screen is not scene.explorer)


async def options(scene: Scene) -> None:
    """Downloading with options."""
    await drill(scene)
    await scene.pilot.press("D")
    await scene.shows("Unpack zip archives: no")


SCENES: dict[str, tuple[tuple[int, int], Callable[[Scene], Awaitable[None]]]] = {
    "apps-120x40": ((120, 40), apps),
    "artifacts-120x40": ((120, 40), drill),
    "artifacts-80x24": ((80, 24), drill),
    "artifacts-50x20": ((50, 20), drill),
    "artifacts-200x60": ((200, 60), drill),
    "xcode-cloud-120x40": ((120, 40), actions),
    "builds-80x24": ((80, 24), builds),
    "delete-120x40": ((120, 40), delete),
    "delete-50x20": ((50, 20), delete),
    "hostile-120x40": ((120, 40), hostile),
    "inside-120x40": ((120, 40), inside),
    "error-120x40": ((120, 40), error),
    "artifacts-light-120x40": ((120, 40), by_day),
    "why-red-120x40": ((120, 40), why_red),
    "why-red-xcode-cloud-80x24": ((80, 24), why_red_xcode_cloud),
    "build-120x40": ((120, 40), build_view),
    "log-120x40": ((120, 40), log),
    "changes-120x40": ((120, 40), changes),
    "qr-120x40": ((120, 40), code),
    "download-80x24": ((80, 24), options),
}


async def picture(size: tuple[int, int], act: Callable[[Scene], Awaitable[None]]) -> str:
    """One state as SVG."""
    with DemoServers(now=NOW) as demo:
        async with open_services(load_config(), demo_sessions(demo)) as services:
            app = DigsiteApp(services, now=lambda: NOW)
            async with app.run_test(size=size) as pilot:
                scene = Scene(app, pilot, demo)
                await act(scene)
                await scene.rest()
                await pilot.pause()
                return app.export_screenshot(title="digsite")


def main() -> int:
    """Writes or checks all pictures; gives the exit code."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, (size, act) in SCENES.items():
        path = FOLDER / f"{name}.svg"
        with tempfile.TemporaryDirectory() as home:  # nothing is remembered from one to the next
            os.environ["DIGSITE_HOME"] = home
            svg = asyncio.run(picture(size, act))
        if check and (not path.is_file() or path.read_text(encoding="utf-8") != svg):
            stale.append(path.name)
        elif not check:
            path.write_text(svg, encoding="utf-8")
    known = {f"{name}.svg" for name in SCENES}
    stale += [path.name for path in FOLDER.glob("*.svg") if path.name not in known]
    if stale:
        print(f"stale: {', '.join(stale)}; run: python screenshots/make.py", file=sys.stderr)  # noqa: T201
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
