"""What the views of the catalog have in common: statistics, what expires, what is public.

They show what was listed, read in a thread; what is done with an artifact asks its provider first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.catalog.figures import Figures
from tui.catalog.store import Catalog
from tui.errors import DigsiteError
from tui.models import ArtifactRef, Cursor, Page
from tui.models.totals import CatalogedArtifact
from tui.paths import DigPath
from tui.safe_text import clean
from tui.screens.catalog_actions import CatalogActions
from tui.screens.explorer_keys import VIEW_BINDINGS
from tui.screens.help_toggle import HelpToggle
from tui.screens.keeping import Keeping
from tui.screens.undo import Undo
from tui.services import Services
from tui.services.pins import Pin
from tui.threads import in_daemon_thread
from tui.widgets.crumbs import Crumbs
from tui.widgets.keybar import KeyBar
from tui.widgets.pane import Feed, Fetch, Pane
from tui.widgets.rowlist import RowList

T = TypeVar("T")
A = TypeVar("A")

NOT_LISTED: Final = "digsite index lists what is missing."


VIEW_KEYS: Final[list[BindingType]] = [
    Binding("escape,h,left,backspace", "back", "Back", id="storage.back",
            tooltip="Close the filter, else go one step back"),
    Binding("d", "act('download')", "Download", id="storage.download"),
    Binding("p", "act('publish')", "Public", id="storage.publish", tooltip="Public install page on or off"),
    Binding("X,delete", "act('delete')", "Delete", id="storage.delete", tooltip="Delete; asks first"),
    Binding("m", "pin", "Pin", id="storage.pin", tooltip="Never prune the chosen artifacts, or no longer so"),
    Binding("y", "copy", "Copy path", id="storage.copy", show=False),
    Binding("z", "undo", "Undo", id="storage.undo", show=False),
    Binding("r,R", "refresh_rows", "Refresh", id="storage.refresh", show=False,
            tooltip="Read the catalog again"),
    *VIEW_BINDINGS,
    Binding("question_mark,f1", "toggle_help", "Help", id="app.help"),
    Binding("q", "app.quit", "Quit", id="app.quit"),
]  # fmt: skip
"""Of all these views, after those that each has of its own: the key bar shows the first that fit."""


class NoCatalog(DigsiteError):
    """This run keeps no catalog, so there is nothing to sum up."""


class StorageScreen(HelpToggle, Generic[T]):
    """A list over the catalog. Gives the number of the view to go to, or the path of what to open in the explorer.

    Args:
        services: With the catalog.
        now: The clock, aware UTC.
        actions: What is done with artifacts.
        keeping: For pins.
        undo: Of the explorer.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-wide")]  # noqa: RUF012  # Textual reads it from the class
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        services: Services,
        now: Callable[[], datetime],
        actions: CatalogActions,
        keeping: Keeping,
        undo: Undo,
    ) -> None:
        super().__init__()
        self._services, self._now, self._actions, self._keeping, self._undo = services, now, actions, keeping, undo
        self.pane = self.make_pane()

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield from self.compose_head()
        yield Static("", id="storage-note", markup=False)
        yield self.pane
        yield KeyBar()

    def on_mount(self) -> None:
        self.pane.rows.focus()
        self.reload(anew=True)

    # What each view says of itself ------------------------------------------------------------------------

    def make_pane(self) -> Pane[T]:
        """Its list, empty."""
        raise NotImplementedError

    def compose_head(self) -> ComposeResult:
        """What stands above the list."""
        yield from ()

    def reload(self, *, anew: bool) -> None:
        """Reads what is shown; with `anew` something else than before, from its first row."""
        raise NotImplementedError

    def artifact_of(self, row: T) -> tuple[CatalogedArtifact, str] | None:
        """The artifact of a row with its path; None where the row is no artifact."""
        raise NotImplementedError

    def open_row(self, row: T) -> None:
        """Opens a row that is no artifact."""

    # Reading ----------------------------------------------------------------------------------------------

    async def read(self, work: Callable[[Figures], A]) -> A:
        """Reads the catalog in a thread.

        Raises:
            NoCatalog: There is none.
            CatalogUnreadable: It cannot be read now.
            DigsiteError: What was asked for is not there.
        """
        catalog = self._services.catalog
        if catalog is None:
            raise NoCatalog("This run keeps no catalog.", hint="Start digsite without the switch that forbids it.")
        return await in_daemon_thread(lambda: _read(catalog, work), name="catalog-view")

    def fill(
        self, subject: str, load: Callable[[], Awaitable[Sequence[T]]], empty: Sequence[str], *, anew: bool
    ) -> None:
        """Shows rows that are read at once.

        Args:
            subject: What they belong to, for the title.
            load: Reads them.
            empty: Lines where there is none.
            anew: Whether they are others than before.
        """

        async def page(_: Cursor | None) -> Page[T]:
            rows = tuple(await load())
            return Page(rows, total=len(rows))

        self.fill_pages(subject, page, empty, anew=anew)

    def fill_pages(self, subject: str, page: Fetch[T], empty: Sequence[str], *, anew: bool) -> None:
        """Shows rows that are read page after page until all are there; else as `fill`."""
        feed = Feed[T](subject, page, is_near=True)
        if anew:
            self.pane.show(subject, [feed], empty=lambda: tuple(empty))
        else:
            self.pane.refresh_rows([feed])

    def note(self, text: str) -> None:
        """What is to be known of the figures, above the list; empty hides it."""
        note = self.query_one("#storage-note", Static)
        note.display = bool(text)
        note.update(Content(clean(text, 400)))

    # Keys -------------------------------------------------------------------------------------------------

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        row = self.pane.rows.current
        if row is None:
            return
        found = self.artifact_of(row)
        if found is None:
            self.open_row(row)
        else:
            self.dismiss(DigPath.parse(found[1]))

    def chosen(self) -> list[tuple[CatalogedArtifact, str]]:
        """Artifacts among the marked rows, else the one under the cursor."""
        rows = self.pane.rows
        chosen = rows.marked or ([rows.current] if rows.current is not None else [])
        found = [found for row in chosen if (found := self.artifact_of(row)) is not None]
        if not found:
            self.notify("Choose an artifact; enter goes deeper, down to the artifacts.", severity="warning")
        return found

    def action_act(self, what: str) -> None:
        """Downloads, publishes or deletes the chosen artifacts."""
        refs: list[ArtifactRef] = [artifact.ref for artifact, _ in self.chosen()]
        if refs:
            act = {"download": self._actions.download, "publish": self._actions.publish, "delete": self._actions.delete}
            act[what](refs, self._settled)

    def _settled(self) -> None:
        if self.is_attached:
            self.pane.rows.set_marks(())
            self.reload(anew=False)

    def action_pin(self) -> None:
        """Pins the chosen artifacts, or takes their pins away."""
        chosen = self.chosen()
        if chosen:
            self._keeping.toggle([Pin(artifact.ref, path) for artifact, path in chosen])
            self.pane.rows.set_marks(())

    def action_copy(self) -> None:
        """Copies the path of the artifact under the cursor."""
        row = self.pane.rows.current
        found = self.artifact_of(row) if row is not None else None
        if found is not None:
            self.app.copy_to_clipboard(found[1])
            self.notify(clean(f"Sent to the terminal's clipboard: {found[1]}", 200), markup=False)

    def action_undo(self) -> None:
        """Takes back what was done last, here or in the explorer."""
        self._undo.back()

    def action_refresh_rows(self) -> None:
        """Reads the catalog again."""
        self.reload(anew=False)

    def action_view(self, number: int) -> None:
        """Goes to another view."""
        self.dismiss(number)

    def action_back(self) -> None:
        """Clears the filter, else goes one step back."""
        if not self.pane.drop_filter() and not self.step_back():
            self.dismiss(None)

    def step_back(self) -> bool:
        """Goes one step back inside the view; False where that leads out of it."""
        return False


def _read(catalog: Catalog, work: Callable[[Figures], A]) -> A:
    catalog.settle()  # what was changed just now is written behind the screen
    with catalog.figures_apart() as figures:
        return work(figures)
