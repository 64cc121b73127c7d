"""An error in digsite itself: the terminal is given back, exit code 1, a report without secrets, its path printed."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from tests.security.conftest import BIN, OpenTerminal, leaking_files, leaks, secrets_of
from tui.crash import KEPT_REPORTS, write_report
from tui.demo.servers import DemoServers
from tui.secret import Secret

FAULT = """
import os
import tui.screens.explorer, tui.cli.ls

def fail(*args, **kwargs):
    local_token = os.environ["BITRISE_TOKEN"]
    local_key = os.environ["ASC_PRIVATE_KEY"]
    raise ValueError(f"canary {local_token} and {local_key} and https://x.example/a?X-Amz-Signature=0123456789abcdef")

tui.screens.explorer.Explorer.action_refresh_pane = fail
tui.cli.ls.list_apps = fail
"""


@pytest.fixture
def faulty(tmp_path: Path, demo: DemoServers) -> dict[str, str]:
    """Makes a key and a command fail, with secrets in locals and in the message."""
    (tmp_path / "fault").mkdir()
    (tmp_path / "fault" / "sitecustomize.py").write_text(FAULT)
    return {**demo.environment(), "PYTHONPATH": str(tmp_path / "fault")}


def the_report(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "home" / "state").glob("crash-*.txt")
    return path


def test_a_crash_in_the_explorer(
    terminal: OpenTerminal, faulty: dict[str, str], demo: DemoServers, tmp_path: Path
) -> None:
    with terminal(extra=faulty) as t:
        t.until(lambda text: "acme-android" in text)
        t.send("r")
        assert t.end() == 1
        raw = bytes(t.raw)
    report = the_report(tmp_path)
    after = raw.rpartition(b"\x1b[?1049l")[2]
    assert after, "the terminal was given back"
    assert b"\x1b[?1000l" in raw
    assert report.name.encode() in after.replace(b"\r\n", b"")
    assert b"Traceback" not in raw
    assert leaks(raw, secrets_of(demo)) == []
    text = report.read_text()
    assert "ValueError: canary" in text
    assert "action_refresh_pane" in text or "sitecustomize" in text
    assert "local_token =" not in text.replace('local_token = os.environ["BITRISE_TOKEN"]', "")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert leaking_files(tmp_path / "home", secrets_of(demo)) == {}


def test_a_crash_of_a_command(env: dict[str, str], faulty: dict[str, str], demo: DemoServers, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(BIN / "digsite"), "ls", "bitrise"], env={**env, **faulty}, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stdout == b""
    assert str(the_report(tmp_path)).encode() in done.stderr
    assert b"Traceback" not in done.stderr
    assert leaks(done.stderr, secrets_of(demo)) == []
    assert leaking_files(tmp_path / "home", secrets_of(demo)) == {}


def test_a_secret_without_a_form_of_its_own_is_masked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path))
    secret = Secret("plainoldtokenwithoutprefix")
    path = write_report(KeyError(f"x{secret.reveal()}x"))
    assert path is not None
    assert "KeyError" in path.read_text()
    assert secret.reveal() not in path.read_text()


def test_only_the_newest_reports_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path))
    folder = tmp_path / "state"
    folder.mkdir()
    for year in range(2001, 2001 + KEPT_REPORTS + 3):
        (folder / f"crash-{year}0101T000000-1.txt").write_text("old")
    newest = write_report(ValueError("x"))
    kept = sorted(folder.glob("crash-*.txt"))
    assert len(kept) == KEPT_REPORTS
    assert kept[-1] == newest


def test_a_folder_that_cannot_be_written_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path / "file"))
    assert write_report(ValueError("x")) is None
