"""For authors of provider plug-ins: the tests that every provider must pass, and the demo as a fixture.

Needs pytest and pytest-asyncio (`pip install "digsite[testing]"`, with `asyncio_mode = "auto"`).
"""

from tui.testing.contract import ProviderContract
from tui.testing.fixtures import demo_servers

__all__ = ["ProviderContract", "demo_servers"]
