"""What stands behind the keys of an explorer, each made when it is first wanted: the first paint waits for imports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from tui.services import Services

if TYPE_CHECKING:
    from tui.screens.account_actions import AccountActions
    from tui.screens.artifact_actions import ArtifactActions
    from tui.screens.build_actions import BuildActions
    from tui.screens.build_follower import BuildFollower
    from tui.screens.comparing import ExplorerComparing
    from tui.screens.downloads import Downloads
    from tui.screens.elsewhere import Elsewhere
    from tui.screens.explorer import Explorer
    from tui.screens.feeds import Feeds, Narrowing
    from tui.screens.handoff import HandOff
    from tui.screens.history import History
    from tui.screens.keeping import Keeping
    from tui.screens.place import Place
    from tui.screens.programs import Programs
    from tui.screens.undo import Undo
    from tui.screens.views import Views


class Acting:
    """The rooms behind the keys of one explorer.

    Args:
        screen: Whose they are.
        services: To act with.
        now: The clock, aware UTC.
    """

    def __init__(self, screen: Explorer, services: Services, now: Callable[[], datetime]) -> None:
        self.screen, self.services, self.now = screen, services, now

    @cached_property
    def accounts(self) -> AccountActions:
        """Chooses and adds accounts."""
        from tui.screens.account_actions import AccountActions

        return AccountActions(self.screen, self.services)

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
    def comparing(self) -> ExplorerComparing:
        """Tells of changes."""
        from tui.screens.comparing import ExplorerComparing

        return ExplorerComparing(self.screen, self.services, self.now)

    @cached_property
    def downloads(self) -> Downloads:
        """Downloads."""
        from tui.screens.downloads import Downloads

        return Downloads(self.screen, self.services)

    @cached_property
    def elsewhere(self) -> Elsewhere:
        """Goes to other places."""
        from tui.screens.elsewhere import Elsewhere

        return Elsewhere(self.screen, self.services, self.now)

    @cached_property
    def feeds(self) -> Feeds:
        """Says where rows come from."""
        from tui.screens.feeds import Feeds

        return Feeds(self.services, self.now)

    @cached_property
    def follower(self) -> BuildFollower:
        """Looks at running builds."""
        from tui.screens.build_follower import BuildFollower

        return BuildFollower(self.screen, self.services)

    @cached_property
    def hand_off(self) -> HandOff:
        """Copies, opens, shows as a QR code."""
        from tui.screens.handoff import HandOff

        return HandOff(self.screen, self.services, self.now)

    @cached_property
    def history(self) -> History:
        """Knows where the user has been."""
        from tui.screens.history import History
        from tui.services.remembered import Remembered

        return History(self.screen, Remembered())

    @cached_property
    def keeping(self) -> Keeping:
        """Pins and archives."""
        from tui.screens.keeping import Keeping

        return Keeping(self.screen, self.services)

    @cached_property
    def narrowing(self) -> Narrowing:
        """Knows what the filter of the builds asks of the provider."""
        from tui.screens.feeds import Narrowing

        return Narrowing(self.now)

    @cached_property
    def place(self) -> Place:
        """Names rows."""
        from tui.screens.place import Place

        return Place(self.screen, self.services)

    @cached_property
    def programs(self) -> Programs:
        """Runs programs of the user's."""
        from tui.screens.programs import Programs

        return Programs(self.screen, self.services)

    @cached_property
    def undo(self) -> Undo:
        """Takes back what was done."""
        from tui.screens.undo import Undo

        return Undo(self.screen)

    @cached_property
    def views(self) -> Views:
        """Switches to other views."""
        from tui.screens.views import Views

        return Views(self.screen, self.services, self.now, self.undo, self.downloads, self.keeping)
