"""The OS keyring of Linux on a private D-Bus: working, locked, silent, dying, dead, absent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.credentials import secret_service

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("dbus-daemon") is None,
    reason="a private bus needs dbus-daemon, which is not installed",
)

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"""

PROGRAM = """
import asyncio, sys
from tui.credentials import delete_secret, probe_store, read_secret, store_secret
from tui.errors import DigsiteError
from tui.models import Account, AccountName
from tui.secret import Secret
account = Account(AccountName("acme"), "bitrise")

async def job():
    print(await probe_store(account))
    await store_secret(account, Secret("s3cret-value"))
    secret, place = await read_secret(account)
    print(secret.reveal(), "|", place)
    print(await delete_secret(account), await delete_secret(account))

try:
    asyncio.run(job())
except DigsiteError as error:
    print(type(error).__name__, error)
    sys.exit(4)
"""

Run = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs `PROGRAM` against a Secret Service in a mode; without one on the bus for `absent`."""
    started: list[subprocess.Popen[str]] = []
    socket = tmp_path / "bus"
    (tmp_path / "bus.conf").write_text(CONFIG.format(socket=socket))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DIGSITE", "PYTHON_KEYRING"))}
    env |= {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={socket}", "HOME": str(tmp_path), "DIGSITE_HOME": str(tmp_path)}

    def start(*argv: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline()
        return process

    def run_in(mode: str) -> subprocess.CompletedProcess[str]:
        if mode != "dead":
            start("dbus-daemon", f"--config-file={tmp_path / 'bus.conf'}", "--print-address", "--nofork")
        if mode not in {"absent", "dead"}:
            start(sys.executable, secret_service.__file__, mode)
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, timeout=30, check=False
        )

    yield run_in
    for process in reversed(started):
        process.kill()
        process.communicate()


def test_a_working_one_keeps_and_gives_back_and_deletes(run: Run) -> None:
    done = run("ok")
    assert done.stdout.splitlines() == [
        "OS keyring (Secret Service)",
        "s3cret-value | OS keyring (Secret Service)",
        "True False",
    ]


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("locked", "is locked, and nobody answered its prompt"),
        ("dismissed", "is locked or not running"),
        ("silent", "did not answer within 5 seconds"),
        ("dying", "stopped in the middle of its work"),
        ("absent", "no OS keyring"),
        ("dead", "no OS keyring"),
    ],
)
def test_each_fault_has_its_own_words_and_the_ways_out(run: Run, mode: str, says: str) -> None:
    done = run(mode)
    assert done.returncode == 4, done.stderr
    assert says in done.stdout
    assert all(way in done.stdout for way in ("--store vault", "token_command", "DIGSITE_SECRET_ACME"))
    assert "s3cret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
