"""Everything known of an artifact; the facts of the app inside it are read while this is open, not before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.errors import DigsiteError
from tui.models import Artifact, ArtifactKind
from tui.screens.panel import PanelLine, PanelScreen
from tui.widgets.facts import Facts

_APPS = frozenset({ArtifactKind.IPA, ArtifactKind.APK, ArtifactKind.AAB, ArtifactKind.XCARCHIVE})


class ArtifactScreen(PanelScreen):
    """Shows an artifact.

    Args:
        artifact: What is known already.
        path: Of the artifact.
        known: Its facts: of the app, of the file, of its size over the last builds.
        read: Reads the facts of the app inside; they are then among the known ones.
        look_inside: Opens it as an archive.
    """

    NAME = "Artifact"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "look_inside", "Inside", id="detail.inside")]

    def __init__(
        self,
        artifact: Artifact,
        path: str,
        known: Callable[[], tuple[Facts, Facts, Facts]],
        read: Callable[[], Awaitable[None]],
        look_inside: Callable[[], None],
    ) -> None:
        super().__init__(path, label_cells=13)
        self._artifact, self._known, self._read, self._look_inside = artifact, known, read, look_inside

    def on_mount(self) -> None:
        super().on_mount()
        self.show_headline(self._artifact.title, is_bad=False)
        self._show("")
        if can_have_app(self._artifact) and not self._known()[0]:
            self._show("reading the app's files…")
            self._load()

    @work(description="read the app's facts")
    async def _load(self) -> None:
        try:
            await self._read()
        except DigsiteError as error:
            self._show(str(error))
        else:
            self._show("" if self._known()[0] else "tells nothing of an app")

    def _show(self, state: str) -> None:
        app, file, sizes = self._known()
        lines = [PanelLine("App", label, value) for label, value in app]
        lines += [PanelLine("App", "Inside", state, "muted")] if state else []
        lines += [PanelLine("Size over the last green builds", label, value) for label, value in sizes]
        lines += [PanelLine("Artifact", label, value) for label, value in file]
        self.show_lines(lines)

    def action_look_inside(self) -> None:
        """Opens it as an archive."""
        self.dismiss(None)
        self._look_inside()


def can_have_app(artifact: Artifact) -> bool:
    """Whether reading what is inside may tell of an app or its debug symbols."""
    title = artifact.title.lower()
    return artifact.kind in _APPS or ".dsym" in title or ".xcarchive" in title
