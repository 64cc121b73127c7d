"""The first paint waits for what it shows and for nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Terminal
from tui.demo import DemoServers

LATER = {
    "_ssl", "click", "cryptography", "email", "hmac", "httpx", "humanize", "importlib.metadata", "jwt", "keyring",
    "segno", "starlette", "tomlkit", "tomllib", "urllib3", "uvicorn", "zipfile",
    "tui.archive.opening", "tui.catalog.figures", "tui.credentials", "tui.http", "tui.models.inspection",
    "tui.models.rules", "tui.paths", "tui.peek", "tui.providers.bitrise.provider", "tui.providers.xcode_cloud.provider",
    "tui.rules", "tui.services.resolve", "tui.stats", "tui.storage", "tui.transfers", "tui.widgets.dialogs",
    "tui.widgets.dock", "tui.widgets.tabs",
}  # fmt: skip
"""What the explorer needs once it is there."""
SCREENS = {"acting", "explorer", "explorer_keys", "feeds", "help_toggle", "looks"}
PROGRAM = """
import json, sys
import tui.cli.put_off
put_off = tui.cli.put_off.put_off

def then(*names):  # is called before anything else is imported
    put_off(*names)
    from tui.screens.explorer import Explorer
    Explorer._begin = begin

def begin(explorer):  # is called once the first paint is done
    with open({told!r}, "w") as file:
        json.dump(sorted(sys.modules), file)
    explorer.app.exit()

tui.cli.put_off.put_off = then
sys.argv = ["digsite"]
from tui.cli.main import main
main()
"""


@pytest.fixture
def demo() -> Iterator[DemoServers]:
    with DemoServers() as servers:
        yield servers


def test_the_first_paint_waits_for_no_module_it_does_not_show(
    env: dict[str, str], demo: DemoServers, tmp_path: Path
) -> None:
    told = tmp_path / "modules.json"
    program = PROGRAM.format(told=str(told))
    terminal = Terminal([sys.executable, "-c", program], {**env, **demo.environment()}, 120, 40)
    try:
        terminal.until(lambda text: "Artifacts" in text)
        assert terminal.end() == 0
    finally:
        terminal.close()
    modules = set(json.loads(told.read_text()))
    assert LATER & modules == set()
    room = "tui.screens."
    assert {name.removeprefix(room) for name in modules if name.startswith(room)} == SCREENS
