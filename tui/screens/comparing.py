"""What the explorer tells of changes: compared builds and artifacts, sizes before, facts of the app inside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.errors import DigsiteError
from tui.models import Artifact, ArtifactRef, Build, BuildRef
from tui.safe_text import clean
from tui.services import Services
from tui.services.resolve import artifact_part
from tui.widgets.bars import short_change, sparkline
from tui.widgets.facts import Facts, artifact_facts
from tui.widgets.format import count, size
from tui.widgets.rowlist import RowList

if TYPE_CHECKING:
    from tui.peek import InsideFacts
    from tui.screens.explorer import Explorer
    from tui.services.comparing import Comparing

_SPARK_CELLS = 20
_APP_LABELS = frozenset({"App", "Identifier", "Version", "Minimum OS", "Profile", "Team", "Export"})
"""Of the facts that the provider tells of the app inside."""


class ExplorerComparing:
    """Compares rows of one explorer; answers and failures are shown there."""

    def __init__(self, screen: Explorer, services: Services, now: Callable[[], datetime]) -> None:
        self._screen, self._services, self._now = screen, services, now
        self._compared: dict[ArtifactRef, int | None] = {}
        """Sizes in the green build before, from comparisons; None where it had none like it."""
        self._sizes: dict[ArtifactRef, list[int | None]] = {}
        """Sizes in green builds before, newest first, from the catalog; of the open build only."""
        self._sizes_of: BuildRef | None = None
        self._inside: dict[ArtifactRef, InsideFacts] = {}

    def _comparing(self) -> Comparing:
        from tui.services.comparing import Comparing  # zipfile, only where it is wanted

        return Comparing(self._services)

    # Comparisons ------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """Two marked rows with each other, else the row under the cursor with the green build before."""
        marked = self._screen.pane.rows.marked
        row = self._screen.pane.rows.current
        if len(marked) not in {0, 2} or not isinstance(row, Build | Artifact):
            text = "Mark two rows to compare them, or none." if marked else "Choose a build or an artifact to compare."
            self._screen.notify(text, severity="warning", markup=False)
        elif len(marked) == 2:
            self._run(self._compare(marked[1], marked[0]))
        else:
            self._run(self._compare(None, row))

    def _run(self, work: Any) -> None:
        self._screen.notify("Comparing…", timeout=2)
        self._screen.run_worker(self._guarded(work), group="compare", exclusive=True, description="compare")

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except DigsiteError as error:
            self._screen.notify(clean(str(error)), severity="error", markup=False)

    async def _compare(self, before: Build | Artifact | None, after: Build | Artifact) -> None:
        if isinstance(after, Build):
            await self._compare_builds(before if isinstance(before, Build) else None, after)
        else:
            await self._compare_artifacts(before if isinstance(before, Artifact) else None, after)

    async def _compare_builds(self, before: Build | None, after: Build) -> None:
        from tui.screens.changes_view import ChangesScreen

        comparing = self._comparing()
        if before is not None and _moment(before) > _moment(after):
            before, after = after, before
        is_previous = before is None
        before = before or await comparing.previous_green(after)
        found = await comparing.builds(before, after)
        if is_previous:
            for item in found.artifacts:
                if item.pair.after is not None:
                    self._compared[item.pair.after.ref] = item.pair.before.size_bytes if item.pair.before else None
            self._screen.artifacts.rows.refresh()
        paths = (self._screen.path_of(before), self._screen.path_of(after))
        self._screen.app.push_screen(ChangesScreen(comparing, found, paths, self._now))

    async def _compare_artifacts(self, before: Artifact | None, after: Artifact) -> None:
        from tui.screens.changes_view import ChangesScreen

        comparing = self._comparing()
        path, build = self._screen.path_of(after), self._screen.open_build
        other = self._screen.path_of(before) if before is not None else ""
        if before is None:
            if build is None or build.ref != after.ref.build_ref:
                return
            previous = await comparing.previous_green(build)
            siblings = tuple(self._screen.artifacts.rows.rows)
            before = await comparing.counterpart(after, siblings, previous)
            self._compared[after.ref] = before.size_bytes
            self._screen.artifacts.rows.refresh()
            other = f"{self._screen.path_of(previous)}/{artifact_part(before)}"
        self._screen.app.push_screen(ChangesScreen(comparing, (before, after), (other, path), self._now))

    # Sizes before -----------------------------------------------------------------------------------------

    def change_text(self, artifact: Artifact) -> str:
        """How much more it takes than in the green build before; empty where that is not known. Asks nobody."""
        known = self._before(artifact)[:1]
        if artifact.ref in self._compared:
            known = [self._compared[artifact.ref]]
        if not known or artifact.size_bytes is None:
            return ""
        return "new" if known[0] is None else short_change(artifact.size_bytes - known[0])

    def _before(self, artifact: Artifact) -> list[int | None]:
        build = self._screen.open_build
        if build is None or build.ref != artifact.ref.build_ref or self._services.catalog is None:
            return []
        if build.ref != self._sizes_of:
            self._sizes, self._sizes_of = {}, build.ref
        if artifact.ref not in self._sizes:
            siblings = list(self._screen.artifacts.rows.rows)
            sizes = self._comparing().sizes_before(build, siblings)
            self._sizes = {sibling.ref: before for sibling, before in zip(siblings, sizes, strict=True)}
        return self._sizes.get(artifact.ref, [])

    def _size_facts(self, artifact: Artifact) -> Facts:
        newest_first = [artifact.size_bytes, *self._before(artifact)]
        values = [value for value in reversed(newest_first[:_SPARK_CELLS]) if value is not None]
        if len(values) < 2 or artifact.size_bytes is None:
            return []
        least, most = size(min(values)), size(max(values))
        spread = least if least == most else f"{least} to {most}"
        return [("Sizes", f"{sparkline(values)} {spread}, {count(len(values), 'build')}")]

    # Detail -----------------------------------------------------------------------------------------------

    def facts(self, artifact: Artifact) -> Facts:
        """What is known of an artifact, for the panel: its app first."""
        app, file, sizes = self._known(artifact)
        return [*file[:1], *sizes, *app, *file[1:]]

    def _known(self, artifact: Artifact) -> tuple[Facts, Facts, Facts]:
        told = artifact_facts(artifact, self._now())
        app = [fact for fact in told if fact[0] in _APP_LABELS]
        file = [fact for fact in told if fact not in app]
        if (inside := self._inside.get(artifact.ref)) is not None:
            from tui.widgets.inside_facts import inside_lines

            read = inside_lines(inside, self._now())
            app = read + [fact for fact in app if fact[0] not in {label for label, _ in read}]
        return app, file, self._size_facts(artifact)

    def keep_facts(self, artifact: Artifact, facts: InsideFacts) -> None:
        """Remembers what was read, for as long as the explorer runs, and has its panel show it."""
        self._inside[artifact.ref] = facts
        rows = self._screen.artifacts.rows
        rows.post_message(RowList.Moved(rows))

    def show_detail(self, artifact: Artifact) -> None:
        """Everything known of an artifact, on a screen of its own; what its app tells is read then."""
        from tui.screens.artifact_detail import ArtifactScreen

        screen = self._screen

        async def read() -> None:
            facts = await (await self._services.look_inside(artifact)).facts()
            if facts is not None:
                self.keep_facts(artifact, facts)

        path = screen.path_of(artifact)
        screen.app.push_screen(
            ArtifactScreen(artifact, path, lambda: self._known(artifact), read, screen.action_look_inside)
        )


def _moment(build: Build) -> tuple[float, int]:
    return build.created_at.timestamp() if build.created_at else 0.0, build.number or 0
