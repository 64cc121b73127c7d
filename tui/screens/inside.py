"""The inside of an artifact: its members, largest first, each of them readable without downloading the whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.errors import DigsiteError
from tui.models import Artifact, Cursor, Page
from tui.models.filter import Fields
from tui.peek import MAX_SHOWN_BYTES, Entry, InsideFacts, as_text
from tui.peek.png import MAX_PNG_BYTES, PngError, decode
from tui.safe_text import clean, safe_filename
from tui.screens.help_toggle import HelpToggle
from tui.services import Services
from tui.services.inside import Inside
from tui.threads import in_daemon_thread
from tui.widgets.columns import Column
from tui.widgets.crumbs import Crumbs
from tui.widgets.detail import DetailPanel
from tui.widgets.dialogs import TextDialog
from tui.widgets.format import size
from tui.widgets.inside_facts import inside_lines
from tui.widgets.keybar import KeyBar
from tui.widgets.pane import Feed, Pane
from tui.widgets.rowlist import RowList

_FIELDS: Fields[Entry] = Fields(haystack=lambda entry: entry.name.lower())


class InsideScreen(HelpToggle):
    """Shows what is in an archive.

    Args:
        services: To open it with.
        artifact: The archive.
        path: Of the artifact, for the line on top.
        now: The clock, aware UTC.
        keep_facts: Told what was read of the app inside.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-one"), (160, "-wide")]  # noqa: RUF012  # Textual reads it from the class
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,left,backspace", "back", "Back", id="inside.back"),
        Binding("d", "take_out", "Take this file out", id="inside.take-out"),
        Binding("m", "sizes", "Sizes by folder", id="inside.sizes"),
        Binding("y", "copy_path", "Copy path", id="inside.copy"),
        Binding("q", "close", "Close", id="inside.close"),
        Binding("question_mark,f1", "toggle_help", "Help", id="app.help"),
    ]

    def __init__(
        self,
        services: Services,
        artifact: Artifact,
        path: str,
        now: Callable[[], datetime],
        keep_facts: Callable[[Artifact, InsideFacts], None],
    ) -> None:
        super().__init__()
        self._services, self._artifact, self._path = services, artifact, path
        self._now, self._keep_facts = now, keep_facts
        self._inside: Inside | None = None
        columns: tuple[Column[Entry], ...] = (
            Column("name", "Name", lambda entry: entry.name, 20, grow=1, sort=lambda entry: entry.name),
            Column("packed", "Packed", lambda entry: size(entry.packed_bytes), 9, align="right", drop=1,
                          tone=lambda _: "muted", sort=lambda entry: entry.packed_bytes),
            Column("size", "Size", lambda entry: size(entry.size_bytes), 9, align="right",
                          sort=lambda entry: entry.size_bytes),
        )  # fmt: skip
        rows = RowList[Entry](columns, key=lambda entry: entry.name, order=lambda entry: -entry.size_bytes)
        self.members = Pane[Entry](
            "Inside", rows, _FIELDS, now=now, size_of=lambda entry: entry.size_bytes, has_titles=True, id="members"
        )

    def compose(self) -> ComposeResult:
        yield Crumbs()
        facts = DetailPanel(id="app-facts")
        facts.border_title = "App"
        yield facts
        yield self.members
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Crumbs).show(f"{self._path}//", "")
        self.members.rows.focus()
        feed = Feed[Entry](self._artifact.title, self._load)
        self.members.show(self._artifact.title, [feed], empty=lambda: ("The archive is empty.",))

    async def _load(self, cursor: Cursor | None) -> Page[Entry]:
        inside = await self._services.look_inside(self._artifact)
        self._inside = inside
        self._load_facts(inside)
        entries = tuple(entry for entry in inside.entries if not entry.is_folder)
        return Page(entries, total=len(entries))

    @work(description="read the app's facts")
    async def _load_facts(self, inside: Inside) -> None:
        try:
            facts = await inside.facts()
        except DigsiteError as error:
            self.notify(clean(str(error)), severity="warning", markup=False)
            return
        if facts is not None:
            self._keep_facts(self._artifact, facts)
            lines = inside_lines(facts, self._now())
            panel = self.query_one(DetailPanel)
            panel.show(lines)
            panel.styles.height = 2 + min(len(lines), max(8, self.size.height // 3))  # the members keep the most of it
            self.add_class("-has-facts")
        self.query_one(Crumbs).show(
            f"{self._path}//", f"{size(inside.moved_bytes)} of {size(self._artifact.size_bytes)} read"
        )

    def action_back(self) -> None:
        """Clears the filter, else goes back to the artifacts."""
        if not self.members.drop_filter():
            self.dismiss()

    def action_close(self) -> None:
        """Back to the artifacts."""
        self.dismiss()

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        if isinstance(event.rows.current, Entry):
            self._view(event.rows.current)

    @work(exclusive=True, group="view", description="read a member")
    async def _view(self, entry: Entry) -> None:
        if self._inside is None:
            return
        is_picture = entry.name.lower().endswith(".png")
        try:
            data = await self._inside.read(entry.name, MAX_PNG_BYTES if is_picture else MAX_SHOWN_BYTES)
            if is_picture and await self._show_picture(entry, data):
                return
        except DigsiteError as error:
            self.notify(clean(str(error)), severity="error", markup=False)
            return
        data = data[:MAX_SHOWN_BYTES]
        cut = f" (the first {size(len(data))} of {size(entry.size_bytes)})" if entry.size_bytes > len(data) else ""
        text = await in_daemon_thread(lambda: as_text(data), name="view")
        self.app.push_screen(TextDialog(f"{entry.name}{cut}", text))

    async def _show_picture(self, entry: Entry, data: bytes) -> bool:
        from tui.widgets.picture import PictureDialog

        columns, lines = self.size.width - 6, 2 * (self.size.height - 6)
        try:
            picture = await in_daemon_thread(lambda: decode(data, columns, lines), name="picture")
        except PngError as error:
            self.notify(f"{error} Its bytes are shown.", severity="warning", markup=False)
            return False
        self.app.push_screen(PictureDialog(entry.name, picture))
        return True

    def action_sizes(self) -> None:
        """Shows what takes the space, folder by folder."""
        from tui.screens.folder_sizes import FolderSizesScreen

        if self._inside is not None:
            screen = FolderSizesScreen(self._inside.entries, self._path, self._now)
            self.app.push_screen(screen, self._go_to)

    def _go_to(self, path: str | None) -> None:
        if path is not None:
            self.members.rows.go_to(path)

    def action_take_out(self) -> None:
        """Writes the member under the cursor into the download folder."""
        entry = self.members.rows.current
        if entry is not None:
            self._take_out(entry)

    @work(description="take a member out")
    async def _take_out(self, entry: Entry) -> None:
        if self._inside is None:
            return
        name = safe_filename(entry.name.rpartition("/")[2], unique=entry.name)
        target = _free_name(self._services.download_dir, name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                await self._inside.copy(entry.name, file.write)
        except (DigsiteError, OSError) as error:
            target.unlink(missing_ok=True)
            self.notify(clean(str(error)), severity="error", markup=False)
        else:
            self.notify(clean(f"Written: {target}"), markup=False)

    def action_copy_path(self) -> None:
        """Copies the member's path, as `digsite cat` takes it."""
        entry = self.members.rows.current
        if entry is not None:
            text = f"{self._path}//{entry.name}"
            self.app.copy_to_clipboard(clean(text))
            self.notify(clean(f"Sent to the terminal's clipboard: {text}"), markup=False)


def _free_name(folder: Path, name: str) -> Path:
    """A name that is not taken: nothing is ever overwritten."""
    path, number = folder / name, 2
    while path.exists():
        path, number = folder / f"{Path(name).stem} ({number}){Path(name).suffix}", number + 1
    return path
