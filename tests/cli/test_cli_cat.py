"""`digsite cat` and `digsite ls PATH//`: inside a remote archive, from a script."""

from __future__ import annotations

import plistlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tui.demo.servers import DemoServers

Digsite = Callable[..., Any]
BUILD = "bitrise/Acme for iOS/latest-green"


def ipa(digsite: Digsite) -> str:
    artifacts = digsite("ls", BUILD, "--json").json["artifacts"]
    return str(next(artifact["path"] for artifact in artifacts if artifact["title"].endswith(".ipa")))


def test_members_are_listed_and_written(digsite: Digsite, demo: DemoServers, env: dict[str, str]) -> None:
    path = ipa(digsite)
    members = digsite("ls", f"{path}//", "--json").json["members"]
    names = [member["name"] for member in members]
    (plist,) = [name for name in names if name.endswith(".app/Info.plist")]
    done = subprocess.run(
        [sys.executable, "-m", "tui", "cat", f"{path}//{plist}"],
        env={**env, **demo.environment()},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert plistlib.loads(done.stdout)["CFBundleIdentifier"].startswith("com.acme")


def test_wrong_members_get_a_clear_error(digsite: Digsite) -> None:
    path = ipa(digsite)
    assert digsite("cat", f"{path}//none").code == 3
    assert digsite("cat", path).code == 2
    assert digsite("cat", f"{BUILD}/*//x").code == 2
    ran = digsite("cat", "bitrise/acme-android/latest-green/*.log//x")
    assert ran.code == 1
    assert "not a zip archive" in ran.err
