"""The composition root: what the explorer and every command work with.

async with open_services(load_config()) as services:
    await DigsiteApp(services).run_async()
"""

from tui.services.changes import Changes
from tui.services.resolve import Found, Resolver, all_apps, all_artifacts, app_part, artifact_part, build_part
from tui.services.root import Services, configured_sessions, open_services
from tui.services.session import Session

__all__ = [
    "Changes",
    "Found",
    "Resolver",
    "Services",
    "Session",
    "all_apps",
    "all_artifacts",
    "app_part",
    "artifact_part",
    "build_part",
    "configured_sessions",
    "open_services",
]
