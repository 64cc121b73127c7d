"""The installed command in subprocesses, pointed at the demo's servers by environment variables alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tui.demo.servers import DemoServers

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "documents.schema.json").read_text(encoding="utf-8"))


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document, which is as `docs/documents.schema.json` says."""
        document = json.loads(self.out)
        jsonschema.validate(document, SCHEMA, format_checker=jsonschema.FormatChecker())
        return document


Digsite = Callable[..., Ran]


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServers]:
    with DemoServers() as servers:
        yield servers


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment with nothing of the user's in it, and no keyring."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
    return {
        **kept,
        "HOME": str(tmp_path),
        "DIGSITE_HOME": str(tmp_path / "home"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


@pytest.fixture
def digsite(env: dict[str, str], demo: DemoServers, tmp_path: Path) -> Digsite:
    """Runs `digsite ARGS`; `demo_env=False` leaves the demo's variables out."""

    def run(*args: str, stdin: str = "", demo_env: bool = True, extra: Mapping[str, str] | None = None) -> Ran:
        environment = {**env, **(demo.environment() if demo_env else {}), **(extra or {})}
        done = subprocess.run(
            [sys.executable, "-m", "tui", *args],
            input=stdin,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        for secret in demo.environment().values():
            if not secret.startswith("http") and len(secret) > 20:
                assert secret not in done.stdout + done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
