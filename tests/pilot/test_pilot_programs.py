"""Programs on the row under the cursor: listed, asked for, run, and told of; the terminal is theirs and comes back."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pilot.test_pilot_explorer import finished, is_apk
from tui.screens.programs import PickDialog
from tui.widgets.dialogs import ConfirmDialog

Drive = Callable[..., Any]
COPIES = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read()); print('copied', *sys.argv[2:])"


@pytest.fixture(autouse=True)
def no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EDITOR", "PAGER"):
        monkeypatch.delenv(name, raising=False)


def configure(home: Path, *words: str, on: str = "artifact", more: str = "") -> None:
    folder = home / "config"
    folder.mkdir(parents=True)
    argv = json.dumps([sys.executable, "-c", COPIES, *words])
    (folder / "config.toml").write_text(f'[[commands]]\nname = "Copy"\nargv = {argv}\non = "{on}"\n{more}')


async def at_an_apk(d: Any) -> Any:
    await d.open_app("acme-android")
    await d.open_build(finished)
    return await d.go_to_artifact(is_apk)


async def listed(d: Any) -> list[str]:
    await d.press("semicolon")
    await d.until(lambda: isinstance(d.app.screen, PickDialog))
    return [line[1] for line in d.app.screen.rows.rows]


async def test_a_command_that_wants_the_file_runs_once_it_is_here(drive: Drive, home: Path, tmp_path: Path) -> None:
    configure(home, str(tmp_path / "row.json"), "{file}")
    async with drive() as d:
        artifact = await at_an_apk(d)
        assert await listed(d) == ["Copy"]
        assert "Download it first." in d.screen_text()
        await d.press("enter")
        await d.until(lambda: "Download it first." in d.toasts)
        await d.press("d")
        await d.until(lambda: "1 done" in d.dock_text)
        assert "Copy" in await listed(d)
        d.app.screen.rows.go_to(len(d.app.screen.rows.rows) - 1)
        await d.press("enter")
        (transfer,) = d.services.transfers.snapshot().transfers
        await d.until(lambda: f"Copy: copied {transfer.target}" in d.toasts)
        document = json.loads((tmp_path / "row.json").read_text())
        assert document["artifact"]["id"] == artifact.ref.artifact
        assert document["artifact"]["path"] == d.explorer.path_of(artifact)


async def test_a_dangerous_one_asks_first(drive: Drive, home: Path, tmp_path: Path) -> None:
    configure(home, str(tmp_path / "row.json"), on="app", more="dangerous = true\n")
    async with drive() as d:
        await d.loaded()
        assert await listed(d) == ["Copy"]
        await d.press("enter")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("enter")
        await d.settle()
        assert not (tmp_path / "row.json").exists()
        await listed(d)
        await d.press("enter")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("y")
        await d.until(lambda: "Copy: copied" in d.toasts)
        assert json.loads((tmp_path / "row.json").read_text())["kind"] == "app"


async def test_a_failure_is_told_with_its_reason(drive: Drive, home: Path, tmp_path: Path) -> None:
    configure(home, str(tmp_path / "no" / "folder"), on="app")
    async with drive() as d:
        await d.loaded()
        await listed(d)
        await d.press("enter")
        await d.until(lambda: any("Copy failed with exit code 1" in toast for toast in d.toasts))
        assert any("FileNotFoundError" in toast for toast in d.toasts)


async def test_without_a_terminal_to_give_an_interactive_one_says_so(drive: Drive, home: Path, tmp_path: Path) -> None:
    configure(home, str(tmp_path / "row.json"), on="app", more="interactive = true\n")
    async with drive() as d:
        await d.loaded()
        await listed(d)
        await d.press("enter")
        await d.until(lambda: any("wants a terminal" in toast for toast in d.toasts))
        assert not (tmp_path / "row.json").exists()


@pytest.mark.parametrize("size", [(120, 40), (50, 20)])
async def test_with_nothing_to_run_it_says_how_to_have_something(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(size) as d:
        await d.loaded()
        assert await listed(d) == []
        assert "[[commands]]" in d.screen_text()
        await d.press("escape")
        await d.until(lambda: d.app.screen is d.explorer)


def test_an_editor_has_the_terminal_and_the_explorer_is_redrawn_after_it(tmp_path: Path) -> None:
    pytest.importorskip("pty")
    from tests.e2e.conftest import Terminal

    editor = tmp_path / "editor.py"
    editor.write_text(
        "import signal, sys\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\n"  # a handler waits if it comes before input()
        "print('\\x1b[2J\\x1b[HEDITING', sys.argv[1].rpartition('/')[2], flush=True)\n"
        "signal.sigwait({signal.SIGINT})\n"
        "print('INTERRUPTED', flush=True)\n"
        "while input() != 'done': pass\n"
    )
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DIGSITE_HOME": str(tmp_path / "home"),
        "DIGSITE_DOWNLOADS": str(tmp_path / "downloads"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "EDITOR": f"{sys.executable} {editor}",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    terminal = Terminal([str(Path(sys.executable).with_name("digsite")), "demo"], env, 120, 40)
    try:
        terminal.until(lambda text: "acme-android" in text and "Weather" in text)
        terminal.send("/acme-android\r")
        terminal.until(lambda text: "1 of" in text)
        terminal.send("\r")
        terminal.until(lambda text: "Builds · acme-android" in text and "succeeded" in text)
        terminal.send("/status:succeeded\r")
        terminal.until(lambda text: "failed" not in text)
        terminal.send("\r")
        terminal.until(lambda text: "Artifacts · #" in text and ".apk" in text)
        terminal.send("d")
        terminal.until(lambda text: "1 done" in text)
        terminal.send(";")
        terminal.until(lambda text: "Open in $EDITOR" in text)
        terminal.send("\r")
        terminal.until(lambda text: "EDITING" in text and "Artifacts" not in text)
        terminal.send("\x03")
        terminal.until(lambda text: "INTERRUPTED" in text)
        terminal.send("done\r")
        terminal.until(lambda text: "Artifacts" in text and "EDITING" not in text)
        terminal.send("q")
        assert terminal.end() == 0
    finally:
        terminal.close()
