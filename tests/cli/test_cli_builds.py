"""`digsite log`, `start` and `abort`, from a script and on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tui.demo.servers import DemoServers

Digsite = Callable[..., Any]
ANDROID, IOS = "bitrise/acme-android", "xcode-cloud/Acme"


@pytest.fixture
def demo() -> Iterator[DemoServers]:
    """Of its own for each test: builds are started and aborted."""
    with DemoServers() as servers:
        yield servers


def build_with(digsite: Digsite, app: str, status: str) -> str:
    builds = digsite("ls", app, "--json").json["builds"]
    return str(next(build["path"] for build in builds if build["status"] == status))


def test_a_log_is_written_as_it_is(digsite: Digsite) -> None:
    ran = digsite("log", build_with(digsite, ANDROID, "failed"))
    assert ran.code == 0
    assert ran.err == ""
    assert "\x1b[" in ran.out, "redirected it is not changed"
    assert len(ran.out.splitlines()) > 20


def test_a_log_of_a_bundle_names_the_others(digsite: Digsite) -> None:
    path = build_with(digsite, IOS, "failed")
    ran = digsite("log", path)
    assert ran.code == 0
    others = [line.strip() for line in ran.err.splitlines() if line.startswith("  ")]
    assert others
    other = digsite("log", path, "--member", others[0])
    assert (other.code, other.out != ran.out) == (0, True)
    assert digsite("log", path, "--member", "no-such").code == 3


def test_on_a_terminal_only_colours_are_left(digsite: Digsite, env: dict[str, str], demo: DemoServers) -> None:
    path = build_with(digsite, ANDROID, "failed")
    outputs = []
    for extra in ({}, {"NO_COLOR": "1"}):
        ours, theirs = pty.openpty()
        running = subprocess.Popen(
            [sys.executable, "-m", "tui", "log", path],
            env={**env, **demo.environment(), **extra},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # Linux: the other end is closed
            pass
        os.close(ours)
        assert running.wait(60) == 0
        outputs.append(shown.decode())
    coloured, plain = outputs
    assert re.search(r"\x1b\[[\d;]+m", coloured)
    assert "\x1b" not in re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert "\x1b" not in plain


def test_paths_that_name_no_build(digsite: Digsite) -> None:
    assert digsite("log", ANDROID).code == 2
    assert digsite("log", f"{ANDROID}/999999").code == 3
    assert digsite("abort", f"{ANDROID}/latest").code == 2
    assert digsite("abort", ANDROID).code == 2
    assert digsite("start", "bitrise").code == 2


def test_a_build_is_started_shown_and_aborted(digsite: Digsite, demo: DemoServers) -> None:
    ran = digsite("start", ANDROID, "--workflow", "primary", "--branch", "main", "--env", "CHANNEL=beta")
    assert ran.code == 0, ran.err
    path = ran.out.strip()
    assert path.startswith(f"{ANDROID}/")
    assert digsite("show", path, "--json").json["build"]["branch"] == "main"
    aborted = digsite("abort", path, "--reason", "wrong branch", "--json")
    assert aborted.code == 0, aborted.err
    assert (aborted.json["build"]["status"], aborted.json["build"]["reason"]) == ("aborted", "wrong branch")
    assert digsite("abort", path).code == 4, "it has ended"
    assert len([r for r in demo.requests if r.method == "POST"]) == 2


def test_a_build_of_xcode_cloud_is_started_but_cannot_be_aborted(digsite: Digsite) -> None:
    build = digsite("ls", IOS, "--json").json["builds"][0]
    ran = digsite("start", IOS, "--workflow", build["workflow"], "--branch", "main", "--clean", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["kind"] == "start"
    refused = digsite("abort", ran.json["build"]["path"])
    assert refused.code == 4
    assert "API" in refused.err


def test_a_build_is_repeated(digsite: Digsite) -> None:
    old = build_with(digsite, ANDROID, "failed")
    ran = digsite("start", old, "--json")
    assert ran.code == 0, ran.err
    before, after = digsite("show", old, "--json").json["build"], ran.json["build"]
    assert after["path"] != old
    assert after["branch"] == before["branch"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ((ANDROID,), 2),
        ((ANDROID, "--workflow", "primary"), 2),
        ((ANDROID, "--workflow", "primary", "--branch", "main", "--env", "hunter2"), 2),
        ((f"{ANDROID}/latest", "--branch", "main"), 2),
        ((IOS, "--workflow", "no such", "--branch", "main"), 3),
    ],
)
def test_a_start_that_cannot_be_is_not_sent(
    digsite: Digsite, demo: DemoServers, args: tuple[str, ...], code: int
) -> None:
    ran = digsite("start", *args)
    assert ran.code == code, ran.err
    assert "hunter2" not in ran.out + ran.err
    assert not [r for r in demo.requests if r.method == "POST"]


def test_a_read_only_run_starts_and_aborts_nothing(digsite: Digsite, demo: DemoServers) -> None:
    path = build_with(digsite, ANDROID, "running")
    assert digsite("--read-only", "abort", path).code == 4
    assert digsite("--read-only", "start", ANDROID, "--workflow", "primary", "--branch", "main").code == 4
    assert not [r for r in demo.requests if r.method == "POST"]


def test_log_starts_without_what_it_does_not_need(env: dict[str, str]) -> None:
    code = "import sys, tui.cli.log, tui.cli.start, tui.cli.abort; print([m for m in ('textual', 'keyring', 'jwt') " \
        "if m in sys.modules])"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
