"""Completion as a shell does it: a real shell reads what the command prints."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.catalog.store import Catalog
from tui.models import (
    AccountName,
    App,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    BuildRef,
    Status,
)

APP = AppRef(AccountName("bitrise"), AppId("a1"))
BUILD = BuildRef(APP.account, APP.app, BuildId("b1"))
Complete = Callable[..., list[str]]


@pytest.fixture
def listed(tmp_path: Path) -> None:
    """A catalog as the explorer leaves it."""
    (tmp_path / "home" / "cache").mkdir(parents=True)
    catalog = Catalog(tmp_path / "home" / "cache" / "catalog.sqlite")
    build = Build(BUILD, 2341, Status.SUCCEEDED, "1")
    catalog.keep_apps(APP.account, [App(APP, "acme-android", "bitrise")], complete=True)
    catalog.keep_builds(APP, [build])
    ref = ArtifactRef(*(BUILD.account, BUILD.app, BUILD.build), ArtifactId("x"))
    catalog.keep_artifacts(build, [Artifact(ref, "app-release.apk", ArtifactKind.APK, "android-apk")])
    catalog.close()


@pytest.fixture(params=["bash"])
def complete(request: pytest.FixtureRequest, env: dict[str, str]) -> Complete:
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"{request.param} is not installed")
    environment = {
        **env,
        "PATH": f"{Path(sys.executable).parent}:{env['PATH']}",
        "BITRISE_TOKEN": "bitpat_" + "x" * 40,
    }

    def run(*words: str) -> list[str]:
        script = (
            'eval "$(digsite completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; };'
            ' _digsite_completion digsite; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            [shell, "-c", script, "bash", "digsite", *words],
            env=environment, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.stdout.split("\n")[:-1]

    return run


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("sho",), ["show"]),
        (("ls", "bit"), ["bitrise/"]),
        (("bitr",), ["bitrise/"]),
        (("ls", "bitrise/"), ["bitrise/acme-android/"]),
        (("get", "bitrise/acme-android/"), [
            "bitrise/acme-android/2341/", "bitrise/acme-android/latest/", "bitrise/acme-android/latest-green/"]),
        (("rm", "bitrise/acme-android/2341/app"), ["bitrise/acme-android/2341/app-release.apk"]),
        (("ls", "nobody/"), [""]),
        (("ls", "bitrise//"), [""]),
        (("get", "--on-c"), ["--on-conflict"]),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("listed")
def test_completion(complete: Complete, words: tuple[str, ...], found: list[str]) -> None:
    assert complete(*words) == found


def test_before_anything_was_listed(complete: Complete) -> None:
    assert complete("ls", "bitrise/") == [""]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script(digsite: Callable[..., object], shell: str) -> None:
    ran = digsite("completion", shell)
    assert ran.code == 0  # type: ignore[attr-defined]
    assert "_DIGSITE_COMPLETE" in ran.out  # type: ignore[attr-defined]
    if shell != "fish":
        assert "*/" in ran.out  # type: ignore[attr-defined]  # no blank after a slash
