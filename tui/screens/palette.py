"""Names in the command palette: apps, builds and artifacts that are loaded, found by a few of their letters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

from textual.command import Hit, Hits, Provider
from textual.content import Content

from tui.models import App, Artifact, Build
from tui.safe_text import clean
from tui.screens.explorer import Explorer
from tui.widgets.format import build_name

_MOST = 5_000
"""Rows of each list that are looked through: the palette asks at every key."""
_HITS = 20


class Names(Provider):
    """Goes to a row by its name."""

    async def search(self, query: str) -> Hits:
        """Rows whose names hold the letters of the query in their order, best first."""
        matcher = self.matcher(query)
        found = [(matcher.match(name), name, row) for name, row in self._names()]
        found.sort(key=lambda each: -each[0])
        for score, name, row in islice((each for each in found if each[0] > 0), _HITS):
            kind = type(row).__name__.lower()
            # Content, not markup: the name came from a server.
            yield Hit(score, Content(name), partial(self._go, row), text=name, help=f"Go to this {kind}")

    @property
    def _explorer(self) -> Explorer | None:
        return self.screen if isinstance(self.screen, Explorer) else None

    def _names(self) -> Iterator[tuple[str, App | Build | Artifact]]:
        explorer = self._explorer
        if explorer is None:
            return
        for app in islice(explorer.apps.rows.rows, _MOST):
            yield clean(f"{app.title} · {app.ref.account}", 100), app
        for build in islice(explorer.builds.rows.rows, _MOST):
            words = (build_name(build), build.branch or build.tag or "", build.workflow or "", str(build.status))
            yield clean(" ".join(word for word in words if word), 100), build
        for artifact in islice(explorer.artifacts.rows.rows, _MOST):
            yield clean(artifact.title, 100), artifact

    def _go(self, row: App | Build | Artifact) -> None:
        explorer = self._explorer
        if explorer is None:
            return
        match row:
            case App():
                explorer.apps.rows.go_to(row.ref)
                explorer.show_builds(row)
            case Build():
                explorer.builds.rows.go_to(row.ref)
                explorer.show_artifacts(row)
            case Artifact():
                explorer.artifacts.rows.go_to(row.ref)
                explorer.artifacts.rows.focus()
