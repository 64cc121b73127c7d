"""A program in a terminal with everything it writes kept, and the secrets that must be nowhere in it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Terminal
from tui.demo.servers import DemoServers

BIN = Path(sys.executable).parent
JWT = re.compile(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+")
SIGNATURE = re.compile(rb"X-Amz-Signature=[0-9a-f]{8}", re.IGNORECASE)

OpenTerminal = Callable[..., AbstractContextManager[Terminal]]


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServers]:
    with DemoServers() as servers:
        yield servers


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment with nothing of the user's in it; everything is logged."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "user"),
        "DIGSITE_HOME": str(tmp_path / "home"),
        "DIGSITE_DOWNLOADS": str(tmp_path / "downloads"),
        "DIGSITE_LOG": "debug",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "TEXTUAL_ANIMATIONS": "none",
    }


@pytest.fixture
def terminal(env: dict[str, str]) -> OpenTerminal:
    """Runs the installed `digsite` in a terminal; gives what it wrote, byte by byte."""

    @contextmanager
    def opened(
        *args: str, columns: int = 120, lines: int = 40, extra: Mapping[str, str] | None = None
    ) -> Iterator[Terminal]:
        started = Terminal([str(BIN / "digsite"), *args], {**env, **(extra or {})}, columns, lines)
        try:
            yield started
        finally:
            started.close()

    return opened


def secrets_of(demo: DemoServers) -> list[bytes]:
    """The demo's token, and each line of its key."""
    environ = demo.environment()
    lines = environ["ASC_PRIVATE_KEY"].splitlines()
    return [environ["BITRISE_TOKEN"].encode(), *(line.encode() for line in lines if not line.startswith("-----"))]


def leaks(data: bytes, secrets: list[bytes]) -> list[bytes]:
    """The secrets, tokens and signatures that stand in some bytes."""
    return [secret for secret in secrets if secret in data] + JWT.findall(data) + SIGNATURE.findall(data)


def leaking_files(folder: Path, secrets: list[bytes]) -> dict[Path, list[bytes]]:
    """Files under a folder that hold a secret in their text or their name; those of a chosen store are left out."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in {".secret", ".p8"}:
            inside = leaks(path.read_bytes() + os.fsencode(path), secrets)
            if inside:
                found[path] = inside
    return found
