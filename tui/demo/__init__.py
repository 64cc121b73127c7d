"""The embedded demo: both vendors' APIs and a storage host as real HTTP servers on loopback.

Importing this package is cheap: starlette and uvicorn are imported when `DemoServers` is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.demo.data import DemoData
    from tui.demo.faults import Faults
    from tui.demo.servers import DemoServers, SeenRequest

__all__ = ["DemoData", "DemoServers", "Faults", "SeenRequest"]

_MODULES = {
    "DemoData": "tui.demo.data",
    "DemoServers": "tui.demo.servers",
    "Faults": "tui.demo.faults",
    "SeenRequest": "tui.demo.servers",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
