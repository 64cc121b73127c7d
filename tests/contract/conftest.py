from __future__ import annotations

from tui.testing import demo_servers

__all__ = ["demo_servers"]
