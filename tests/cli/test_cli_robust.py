"""What a command line meets in the wild: closed streams, a full disk behind stdout, paths and values that are wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tui.demo.servers import DemoServers

Digsite = Callable[..., Any]
APP = "bitrise/acme-android"


@pytest.mark.parametrize(
    "verb", [("rm", "--yes"), ("share", "--off"), ("get",), ("show",), ("pin",), ("log",)], ids=lambda verb: verb[0]
)
def test_a_file_inside_is_not_taken_for_the_whole(digsite: Digsite, demo: DemoServers, verb: tuple[str, ...]) -> None:
    path = digsite("ls", f"{APP}/latest-green", "--json").json["artifacts"][0]["path"]
    demo.requests.clear()
    ran = digsite(verb[0], f"{path}//no/such/file", *verb[1:])
    assert ran.code == 2
    assert "inside an artifact" in ran.err
    assert demo.requests == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_end_no_command(env: dict[str, str], demo: DemoServers, tmp_path: Path, closed: str) -> None:
    ran = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m tui ls {closed}', sys.executable],
        env={**env, **demo.environment()},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ("bitrise/acme-android" in ran.stdout) is (">&-" not in closed.replace("2>&-", ""))
    assert list(tmp_path.rglob("crash-*")) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("arguments", [("ls",), ("ls", "--json"), ("--help",)], ids=" ".join)
def test_a_full_disk_behind_the_output_is_told(
    env: dict[str, str], demo: DemoServers, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "tui", *arguments],
            env={**env, **demo.environment()},
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 1
    assert "No space left" in ran.stderr
    assert "error in itself" not in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "extra", "told"),
    [
        (("ls", "bitrise/app%FF"), {}, "not text"),
        (("get", f"{APP}/latest-green", "-o", "~nobody-of-that-name/x"), {}, "--output"),
        (("get", f"{APP}/latest-green", "-o", "-"), {}, "stdout"),
        (("ls",), {"DIGSITE_DOWNLOADS": "~nobody-of-that-name/x"}, "DIGSITE_DOWNLOADS"),
        (("ls",), {"DIGSITE_HOME": "~nobody-of-that-name/x"}, "DIGSITE_HOME"),
        (("accounts", "add", "a", "--provider", "bitrise", "--token-command", "op 'x"), {}, "--token-command"),
    ],
    ids=["path", "output", "stdout", "downloads", "home", "token command"],
)
def test_a_wrong_value_is_named(digsite: Digsite, arguments: tuple[str, ...], extra: dict[str, str], told: str) -> None:
    ran = digsite(*arguments, extra=extra)
    assert ran.code == 2
    assert told in ran.err
    assert "error in itself" not in ran.err


def test_a_number_of_thousands_of_digits_in_the_configuration_is_named(digsite: Digsite, env: dict[str, str]) -> None:
    folder = Path(env["DIGSITE_HOME"]) / "config"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(f"jobs = {'9' * 5000}\n")
    ran = digsite("ls")
    assert ran.code == 2
    assert "config.toml" in ran.err
