"""Servers and clients for the tests of the demo."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tui.demo import DemoServers
from tui.demo.bitrise_apps import APPS, AppSpec
from tui.demo.bitrise_builds import app_slug, build_slug

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

Claims = dict[str, Any]


@pytest.fixture
def demo() -> Iterator[DemoServers]:
    with DemoServers() as servers:
        yield servers


@pytest.fixture
def bitrise(demo: DemoServers) -> Iterator[httpx.Client]:
    headers = {"Authorization": demo.environment()["BITRISE_TOKEN"]}
    with httpx.Client(base_url=demo.bitrise_url, headers=headers) as client:
        yield client


@pytest.fixture
def bare() -> Iterator[httpx.Client]:
    """Knows no credential."""
    with httpx.Client() as client:
        yield client


@pytest.fixture
def sign(demo: DemoServers) -> Callable[..., str]:
    """Makes a token of the demo's key; arguments replace claims, None removes one."""
    environment = demo.environment()

    def signed(kid: str | None = None, key: str | None = None, **changes: object) -> str:
        now = int(time.time())
        claims: Claims = {
            "iss": environment["ASC_ISSUER_ID"],
            "iat": now - 60,
            "exp": now + 600,
            "aud": "appstoreconnect-v1",
        }
        claims |= changes
        claims = {name: value for name, value in claims.items() if value is not None}
        private = key or environment["ASC_PRIVATE_KEY"]
        return jwt.encode(claims, private, algorithm="ES256", headers={"kid": kid or environment["ASC_KEY_ID"]})

    return signed


@pytest.fixture
def xcode_cloud(demo: DemoServers, sign: Callable[..., str]) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {sign()}"}
    with httpx.Client(base_url=demo.xcode_cloud_url, headers=headers) as client:
        yield client


@pytest.fixture(scope="session")
def specs() -> Callable[[str], Any]:
    """Reads one of the vendors' documents."""
    folder = os.environ.get("DIGSITE_SPECS") or Path(__file__).parents[2] / "../shared/specs"

    def read(name: str) -> Any:
        path = Path(folder) / name
        if not path.is_file():
            pytest.skip(f"{name} is not beside this checkout; DIGSITE_SPECS names its folder")
        return json.loads(path.read_text())

    return read


@pytest.fixture
def app_named() -> Callable[[str], AppSpec]:
    return lambda title: next(app for app in APPS if app.title == title)


@pytest.fixture
def build_path(app_named: Callable[[str], AppSpec]) -> Callable[[str, int], str]:
    """The path of a build by its app's title and its distance from the newest finished one."""

    def path(title: str, distance: int = 0) -> str:
        app = app_named(title)
        return f"/apps/{app_slug(app)}/builds/{build_slug(app, app.newest - distance)}"

    return path
