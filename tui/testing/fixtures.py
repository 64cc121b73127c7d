"""Fixtures to import into a conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tui.demo import DemoServers


@pytest.fixture
def demo_servers() -> Iterator[DemoServers]:
    """Both vendors' APIs and their storage on loopback, with fresh state."""
    with DemoServers() as servers:
        yield servers
