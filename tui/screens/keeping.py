"""What is kept whatever the provider drops: pins, and copies in an archive, of one explorer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.errors import DigsiteError
from tui.models import App, Artifact, ArtifactId, Build, BuildRef
from tui.safe_text import clean
from tui.services import Services
from tui.services.pins import Pin, PinRef, Pins
from tui.services.session import ARCHIVE
from tui.threads import in_daemon_thread
from tui.widgets.facts import Facts
from tui.widgets.format import build_name, count

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer
    from tui.services.chosen import ChosenArchive

Row = App | Build | Artifact
_log = logging.getLogger(__name__)
_RULE = """{config} has no rule yet, so there is nowhere to archive to. One is enough:

[[archive.rules]]
destination = "/srv/artifacts"      # or s3://bucket/prefix, gs://..., az://...

What the rule says beyond that is for `digsite archive run`; K copies whatever you choose."""


class Keeping:
    """Pins and archives rows; answers and failures are shown in the explorer."""

    def __init__(self, screen: Explorer, services: Services) -> None:
        self._screen, self._services = screen, services
        self._pins = Pins()
        self._pinned: frozenset[PinRef] = frozenset()
        self._archived: dict[BuildRef, frozenset[ArtifactId] | None] = {}
        """None where an archive did not answer."""
        self._opened: ChosenArchive | None = None

    @property
    def has_archive(self) -> bool:
        """Whether config.toml names a destination."""
        return bool(self._services.config.archive_rules)

    def _archive(self) -> ChosenArchive:
        if self._opened is None:
            from tui.services.chosen import ChosenArchive  # not before it is wanted: the first paint waits for imports

            self._opened = ChosenArchive(self._services)
        return self._opened

    def _refresh(self) -> None:
        self._screen.artifacts.rows.refresh()
        self._screen.show_place()

    def _say(self, text: str, *, severity: str = "information") -> None:
        self._screen.notify(clean(text, 400), severity=severity, markup=False)  # type: ignore[arg-type]  # a Literal

    # What is known ----------------------------------------------------------------------------------------

    def text(self, artifact: Artifact) -> str:
        """`archived`, `pinned`, both, or `?` where the archive does not answer. Asks nobody."""
        archived = self._archived.get(artifact.ref.build_ref, frozenset())
        known = "?" if archived is None else "archived" if artifact.ref.artifact in archived else ""
        if not self._pinned & {artifact.ref, artifact.ref.build_ref}:
            return known
        return {"": "pinned", "archived": "arch+pin"}.get(known, f"pinned {known}")

    def facts(self, artifact: Artifact) -> Facts:
        """The same for the panel, where a narrow list has no room for it."""
        return [("Kept", text)] if (text := self.text(artifact)) else []

    def look(self, app: App | None, build: Build) -> None:
        """Finds out what is kept of a build that was opened."""
        self._screen.run_worker(self._look(app, build), group="kept", exclusive=True, description="what is kept")

    async def _look(self, app: App | None, build: Build) -> None:
        try:
            self._pinned = await in_daemon_thread(self._read_pins, name="pins")
        except DigsiteError as error:
            self._say(str(error), severity="error")
        if app is not None and self.has_archive and app.provider != ARCHIVE:
            archive = self._archive()
            try:
                found = await in_daemon_thread(lambda: archive.archived(app, build), name="archive")
                self._archived[build.ref] = found
            except DigsiteError as error:
                _log.warning("archive: %s", error.message)
                self._archived[build.ref] = None
        self._refresh()

    def _read_pins(self) -> frozenset[PinRef]:
        return frozenset(pin.ref for pin in self._pins.all())

    # Pins -------------------------------------------------------------------------------------------------

    def pin(self, rows: Sequence[Row]) -> None:
        """Pins artifacts or builds; takes the pins away where all of them have one."""
        chosen = [Pin(row.ref, self._screen.path_of(row)) for row in rows if not isinstance(row, App)]
        if chosen:
            self.toggle(chosen)
        else:
            self._say("Choose builds or artifacts to pin.", severity="warning")

    def toggle(self, chosen: Sequence[Pin]) -> None:
        """Pins what is chosen; takes the pins away where all of it has one."""
        self._screen.run_worker(self._toggle(chosen), description="pin")

    async def _toggle(self, chosen: Sequence[Pin]) -> None:
        try:
            is_pinned = await in_daemon_thread(lambda: self._change(chosen), name="pins")
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        refs = {pin.ref for pin in chosen}
        self._pinned = self._pinned | refs if is_pinned else self._pinned - refs
        what = chosen[0].path if len(chosen) == 1 else count(len(chosen), "item")
        self._say(f"Pinned {what}: never pruned." if is_pinned else f"No pin on {what} any more.")
        self._screen.pane.rows.unmark(refs)
        self._refresh()

    def _change(self, chosen: Sequence[Pin]) -> bool:
        """Whether they are pinned after it."""
        refs = {pin.ref for pin in chosen}
        if refs <= self._read_pins():
            self._pins.remove(refs)
            return False
        self._pins.add(chosen)
        return True

    # Archive ----------------------------------------------------------------------------------------------

    def archive(self, rows: Sequence[Row]) -> None:
        """Copies artifacts, or all artifacts of builds, to the first destination; the result of each is shown."""
        chosen = [row for row in rows if not isinstance(row, App)]
        app, build = self._screen.open_app, self._screen.open_build
        if not self.has_archive:
            from tui.widgets.dialogs import TextDialog  # here and below: not before it is wanted

            text = _RULE.format(config=self._services.config.path)
            self._screen.app.push_screen(TextDialog("No archive is configured", text))
        elif not chosen or app is None:
            self._say("Choose builds or artifacts to archive.", severity="warning")
        elif app.provider == ARCHIVE:
            self._say("It is in an archive already.", severity="warning")
        else:
            self._screen.run_worker(self._archive_each(app, build, chosen), description="archive")

    async def _archive_each(self, app: App, build: Build | None, rows: Sequence[Build | Artifact]) -> None:
        from tui.services.chosen import outcome
        from tui.widgets.batch import BatchDialog, Outcome

        archive = self._archive()
        done: list[Build | Artifact] = []

        async def copy(index: int) -> Outcome:
            row = rows[index]
            try:
                if isinstance(row, Build):
                    told = outcome(await archive.archive(app, row))
                elif build is not None:
                    told = outcome(await archive.archive(app, build, [row]))
                else:
                    return Outcome("its build is not open any more", is_done=False)
            except DigsiteError as error:
                return Outcome(str(error), is_done=False)
            done.append(row)
            return Outcome(told)

        names = [build_name(row) if isinstance(row, Build) else row.title for row in rows]
        title = f"Archiving {count(len(rows), 'item')} to {archive.destination}"
        await self._screen.app.push_screen_wait(BatchDialog(title, names, copy))
        if done:
            self._say(f"Archived {count(len(done), 'item')} to {archive.destination}.")
            self._screen.pane.rows.unmark(row.ref for row in done)
        if build is not None:
            await self._look(app, build)
