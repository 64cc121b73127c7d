"""The composition root: what the explorer and every command work with.

async with open_services(load_config()) as services:
    await DigsiteApp(services).run_async()
"""

from tui.services.root import Services, configured_sessions, open_services

__all__ = ["Services", "configured_sessions", "open_services"]
