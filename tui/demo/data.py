"""Everything the demo serves: generated, the same for the same day, and changed only in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from tui.demo.archives import Body, sha256
from tui.demo.bitrise_data import BitriseData
from tui.demo.contents import Content
from tui.demo.xcode_cloud_data import XcodeCloudData


class DemoData:
    """Both accounts' data.

    Args:
        now: When the demo opens, aware. Ids, names and times of everything finished depend on its day (UTC) alone.
        clock: Gives the present moment; without one time stands still at `now`, as snapshots need it.
    """

    def __init__(self, now: datetime, *, clock: Callable[[], datetime] | None = None) -> None:
        self.now: Final = now.astimezone(UTC)
        self.clock: Final = clock or (lambda: self.now)
        self.bitrise: Final = BitriseData(self.now, self.clock)
        self.xcode_cloud: Final = XcodeCloudData(self.now, self.clock)

    def content(self, artifact_id: str) -> Content | None:
        """What an artifact of either account is made of; None when there is none, or it was deleted or expired."""
        ours = self.bitrise.artifact(artifact_id)
        if ours is not None:
            return None if ours.is_expired(self.clock()) else ours.content
        theirs = self.xcode_cloud.artifact(artifact_id)
        return None if theirs is None or theirs.action.is_expired else theirs.content

    def sha256(self, artifact_id: str) -> str:
        """The SHA-256 of an artifact's bytes as the storage serves them.

        Raises:
            KeyError: There is no such artifact.
        """
        content = self.content(artifact_id)
        if content is None:
            raise KeyError(artifact_id)
        return sha256(body_of(content))


@lru_cache(maxsize=16)
def body_of(content: Content) -> Body:
    """The bytes of an artifact; those asked for lately are remembered, without their filler."""
    return content.body()
