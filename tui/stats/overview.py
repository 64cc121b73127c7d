"""Everything at a glance."""

from __future__ import annotations

from dataclasses import dataclass

from tui.stats.grouping import By, Group
from tui.stats.growth import Growth
from tui.stats.health import Health


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of one page."""

    count: int
    size_bytes: int
    groups: dict[By, list[Group]]
    growth: Growth
    health: list[Health]
