"""What the explorer does with rows, each made when it is first wanted: the first paint waits for imports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from tui.services import Services

if TYPE_CHECKING:
    from tui.screens.artifact_actions import ArtifactActions
    from tui.screens.build_actions import BuildActions
    from tui.screens.build_follower import BuildFollower
    from tui.screens.downloads import Downloads
    from tui.screens.explorer import Explorer
    from tui.screens.handoff import HandOff
    from tui.screens.keeping import Keeping
    from tui.screens.programs import Programs
    from tui.screens.undo import Undo
    from tui.screens.views import Views


@dataclass
class Acting:
    """The rooms behind the keys of one explorer.

    Args:
        screen: Whose they are.
        services: To act with.
        now: The clock, aware UTC.
        undo: Told of what can be taken back.
        follower: Told of builds.
        keeping: Pins and archives.
    """

    screen: Explorer
    services: Services
    now: Callable[[], datetime]
    undo: Undo
    follower: BuildFollower
    keeping: Keeping

    @cached_property
    def artifacts(self) -> ArtifactActions:
        """Publishes and deletes."""
        from tui.screens.artifact_actions import ArtifactActions

        return ArtifactActions(self.screen, self.services, self.undo)

    @cached_property
    def builds(self) -> BuildActions:
        """Shows and changes builds."""
        from tui.screens.build_actions import BuildActions

        follower = self.follower
        return BuildActions(self.screen, self.services, self.now, follower.follow, follower.started, follower.changed)

    @cached_property
    def downloads(self) -> Downloads:
        """Downloads."""
        from tui.screens.downloads import Downloads

        return Downloads(self.screen, self.services)

    @cached_property
    def hand_off(self) -> HandOff:
        """Copies, opens, shows as a QR code."""
        from tui.screens.handoff import HandOff

        return HandOff(self.screen, self.services, self.now)

    @cached_property
    def programs(self) -> Programs:
        """Runs programs of the user's."""
        from tui.screens.programs import Programs

        return Programs(self.screen, self.services)

    @cached_property
    def views(self) -> Views:
        """Switches to other views."""
        from tui.screens.views import Views

        return Views(self.screen, self.services, self.now, self.undo, self.downloads, self.keeping)
