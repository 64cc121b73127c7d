"""Every command and the main views with unique secrets: afterwards these are in no file, byte, argument or child."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.e2e.conftest import Terminal
from tests.security.conftest import BIN, OpenTerminal, leaking_files, leaks, secrets_of
from tui.app import DigsiteApp
from tui.config import load_config
from tui.demo.servers import DemoServers
from tui.screens.accounts import AddAccountDialog
from tui.services import open_services

GREEN = "bitrise/acme-android/latest-green"
COMMANDS = (
    ["ls"],
    ["ls", "--json"],
    ["ls", "xcode-cloud/Acme/latest-green"],
    ["show", "bitrise/acme-android", "--json"],
    ["show", f"{GREEN}/*.apk"],
    ["get", f"{GREEN}/*.log", "--json"],
    ["get", "xcode-cloud/Acme/latest-green", "--dry-run"],
    ["share", f"{GREEN}/*.apk"],
    ["rm", f"{GREEN}/*.apk", "--dry-run"],
    ["rm", f"{GREEN}/none.apk", "--yes"],
    ["accounts"],
    ["accounts", "check", "--json"],
    ["accounts", "add", "x", "--provider", "bitrise", "--with-token"],
    ["token", "xcode-cloud/Acme", "--save-as", "box", "--store", "plain-file"],
    ["token", "bitrise/acme-android"],
    ["ls", "--nonsense"],
    ["ls", "nobody/none"],
)


def test_no_command_leaves_a_secret_anywhere(demo: DemoServers, env: dict[str, str], tmp_path: Path) -> None:
    secrets = secrets_of(demo)
    written = b""
    for args in COMMANDS:
        done = subprocess.run(
            [str(BIN / "digsite"), *args],
            env={**env, **demo.environment()},
            input=demo.environment()["BITRISE_TOKEN"].encode(),
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert leaks(done.stdout + done.stderr, secrets) == [], args
        written += done.stdout
    assert b"acme-android" in written
    assert (tmp_path / "home" / "state" / "digsite.log").stat().st_size > 1000, "debug logging was on"
    assert leaking_files(tmp_path, secrets) == {}


def test_no_view_leaves_a_secret_anywhere(demo: DemoServers, terminal: OpenTerminal, tmp_path: Path) -> None:
    secrets = secrets_of(demo)
    with terminal(extra=demo.environment()) as t:
        t.until(lambda text: "acme-android" in text and "Weather" in text)
        t.send("@")
        t.until(lambda text: "secret: environment" in text and "Add: Bitrise" in text)
        t.send("jjj\r")  # past the three that switch between accounts
        t.until(lambda text: "Choose another place" in text)  # said once the form has the focus
        t.send("\t")
        # A key is given to what has the focus when it arrives: the cursor must have left the first field.
        t.until(lambda text: not _has_cursor(t, text.split("Name,")[0].count("\n") + 1))
        t.send(f"{demo.environment()['BITRISE_TOKEN']}")
        t.until(lambda text: "••••••••" in text)
        t.send("\r")
        t.until(lambda text: "••••••••" in text and "Choose another place" in text)
        t.send("\x1b")
        t.until(lambda text: "Add a Bitrise account" not in text)
        t.send("/acme-android\r")
        t.until(lambda text: "1 of" in text)
        t.send("\r")
        t.until(lambda text: "Builds · acme-android" in text and "succeeded" in text)
        t.send("/status:succeeded\r")
        t.until(lambda text: "filtered by Bitrise" in text and "failed" not in text.split("Builds")[1])
        t.send("\r")
        t.until(lambda text: ".apk" in text)
        t.send("d")
        t.until(lambda text: "1 done" in text)
        t.send("?")
        t.send("q")
        t.send("q")
        assert t.end() == 0
        assert leaks(bytes(t.raw), secrets) == []
    assert leaking_files(tmp_path, secrets) == {}


def _has_cursor(terminal: Terminal, line: int) -> bool:
    return any(cell.reverse for cell in terminal.screen.buffer[line].values())


def test_the_arguments_and_children_of_the_program_have_no_secret(
    demo: DemoServers, env: dict[str, str], tmp_path: Path
) -> None:
    """A `token_command` sees neither our secrets in its environment, nor anybody ours in the process list."""
    seen = tmp_path / "seen.json"
    program = tmp_path / "child.py"
    program.write_text(
        "import json, os, pathlib\n"
        "files = pathlib.Path('/proc').glob('[0-9]*/cmdline')\n"
        "lines = [path.read_bytes().decode(errors='replace') for path in files]\n"
        f"open({str(seen)!r}, 'w').write(json.dumps([dict(os.environ), lines]))\n"
        "print('not-a-token-that-is-accepted')\n"
    )
    config = tmp_path / "home" / "config" / "config.toml"
    config.parent.mkdir(parents=True)
    command = json.dumps([sys.executable, str(program)])
    url = demo.bitrise_url
    config.write_text(
        f'[accounts.a]\nprovider = "bitrise"\nurl = "{url}"\ntoken_command = {command}\n'
        f'[accounts.b]\nprovider = "bitrise"\nurl = "{url}"\n'
    )
    environ = {**env, **demo.environment(), "DIGSITE_SECRET_B": demo.environment()["BITRISE_TOKEN"]}
    done = subprocess.run([str(BIN / "digsite"), "ls"], env=environ, capture_output=True, timeout=60, check=False)
    assert done.returncode == 5
    assert leaks(seen.read_bytes(), secrets_of(demo)) == []
    assert json.loads(seen.read_text())[0]["HOME"] == env["HOME"]


async def test_a_picture_of_the_form_does_not_show_what_was_typed(
    demo: DemoServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    token = demo.environment()["BITRISE_TOKEN"]
    async with open_services(load_config(), []) as services:
        app = DigsiteApp(services)
        async with app.run_test(size=(120, 40)) as pilot:
            dialog = AddAccountDialog("bitrise")
            app.push_screen(dialog)
            await pilot.pause()
            dialog.query_one("#secret", Input).value = token
            await pilot.pause()
            picture = app.export_screenshot()
            assert "Bitrise" in picture
            assert leaks(picture.encode(), secrets_of(demo)) == []
