"""Makes the pictures of this folder from the demo: `python screenshots/make.py [SCENE...]`.

With `--check` it writes nothing and exits 1 when a picture is stale. The demo's data stand still at one moment, so
the same program gives the same pictures.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

os.environ.update(
    TEXTUAL_ANIMATIONS="none",
    TZ="UTC",
    TERM="xterm-256color",
    COLORTERM="truecolor",
    LANG="C.UTF-8",
    PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
)
_UNWANTED = (
    "NO_COLOR", "COLUMNS", "LINES", "LC_ALL", "LC_CTYPE", "DISPLAY", "WAYLAND_DISPLAY", "PAGER", "EDITOR", "VISUAL",
    "TMUX", "SSH_CONNECTION",
)  # fmt: skip
for name in list(os.environ):
    if name in _UNWANTED or name.startswith(("DIGSITE_", "BITRISE_", "ASC_")):
        del os.environ[name]
time.tzset()

from scene import DOWNLOADS, NOW, Scene  # noqa: E402  # Textual reads its environment when imported
from scenes import SETTINGS, index  # noqa: E402

from tui.app import DigsiteApp  # noqa: E402
from tui.catalog import store  # noqa: E402
from tui.cli.demo import demo_sessions  # noqa: E402
from tui.config import load_config  # noqa: E402
from tui.demo.servers import DemoServers  # noqa: E402
from tui.habits import Habits  # noqa: E402
from tui.services import open_services  # noqa: E402
from tui.widgets.themes import DARK, LIGHT  # noqa: E402

os.environ["DIGSITE_DOWNLOADS"] = str(DOWNLOADS)
store._now = lambda: int(NOW.timestamp()) - 3600  # noqa: SLF001  # it has no clock to hand in

FOLDER = Path(__file__).parent
WORKERS = 2
USUAL = (120, 40)
OTHERS = {
    "apps": ((80, 24), (50, 20)),
    "artifacts": ((80, 24), (50, 20), (200, 60)),
    "add-xcode-cloud": ((50, 20),),
    "builds": ((80, 24),),
    "copy-menu": ((50, 20),),
    "delete": ((50, 20),),
    "dock": ((50, 20),),
    "download": ((80, 24),),
    "tabs": ((50, 20),),
    "why-red-xcode-cloud": ((80, 24),),
}
"""Sizes in which a scene is shown beside the usual one."""
BY_DAY = ("artifacts", "log", "start", "welcome", "why-red")
"""Scenes that are shown in the light theme too."""


def pictures() -> dict[str, tuple[str, tuple[int, int], str]]:
    """Scene, size and theme by the name of the picture."""
    found = {}
    for scene in SETTINGS:
        for width, height in (USUAL, *OTHERS.get(scene, ())):
            found[f"{scene}-{width}x{height}"] = scene, (width, height), DARK.name
        if scene in BY_DAY:
            found[f"{scene}-light-{USUAL[0]}x{USUAL[1]}"] = scene, USUAL, LIGHT.name
    return found


async def _draw(scene_name: str, size: tuple[int, int], theme: str) -> str:
    setting = SETTINGS[scene_name]
    config = replace(load_config(), habits=Habits(theme=theme, digs=setting.digs))
    with DemoServers(now=NOW) as demo:
        demo.faults.calls_left = 3_580  # how many were made when the path was drawn is a matter of timing
        sessions = demo_sessions(demo) if setting.has_accounts else []
        async with open_services(config, sessions, with_catalog=setting.is_indexed) as services:
            app = DigsiteApp(services, now=lambda: NOW)
            async with app.run_test(size=size) as pilot:
                scene = Scene(app, pilot, demo, services)
                if setting.is_indexed:
                    await index(scene)
                await setting.act(scene)
                await scene.rest()
                await pilot.pause()
                return app.export_screenshot(title="digsite")


def draw(scene: str, size: tuple[int, int], theme: str) -> str:
    """One scene as SVG."""
    with tempfile.TemporaryDirectory() as home:  # nothing is remembered from one to the next
        os.environ["DIGSITE_HOME"] = home
        return asyncio.run(_draw(scene, size, theme))


def main() -> int:
    """Writes or checks the pictures, all or those of some scenes; gives the exit code."""
    wanted = [word for word in sys.argv[1:] if word != "--check"]
    check = "--check" in sys.argv[1:]
    known = pictures()
    chosen = {name: picture for name, picture in known.items() if not wanted or picture[0] in wanted}
    stale = [path.name for path in FOLDER.glob("*.svg") if path.stem not in known]
    with ProcessPoolExecutor(WORKERS) as workers:
        for name, svg in zip(chosen, workers.map(draw, *zip(*chosen.values(), strict=True)), strict=True):
            path = FOLDER / f"{name}.svg"
            if not check:
                path.write_text(svg, encoding="utf-8")
            elif not path.is_file() or path.read_text(encoding="utf-8") != svg:
                stale.append(path.name)
    if stale:
        print(f"stale: {', '.join(stale)}; run: python screenshots/make.py", file=sys.stderr)  # noqa: T201
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
