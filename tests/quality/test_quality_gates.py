"""The gates of the project, so that one command runs all: format, lint, types, layers, pictures, file sizes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def run(*command: str) -> None:
    done = subprocess.run(
        [str(BIN / command[0]) if command[0] != "python" else sys.executable, *command[1:]],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_format() -> None:
    run("ruff", "format", "--check", ".")


def test_lint() -> None:
    run("ruff", "check", "--no-cache", ".")


def test_types_by_mypy() -> None:
    run("mypy", "--no-error-summary")


def test_types_by_pyright() -> None:
    run("pyright", "--pythonpath", sys.executable)


def test_imports_follow_the_layers() -> None:
    run("lint-imports", "--no-cache")


def test_pictures_are_current() -> None:
    run("python", "screenshots/make.py", "--check")


def test_pages_are_current() -> None:
    run("python", "docs/make.py", "--check")


@pytest.mark.parametrize("path", sorted((ROOT / "tui").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
