"""Download with options: where to, under which names, and what to do where a name is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui.models import Artifact
from tui.safe_text import clean
from tui.services.destinations import FIELDS, Origin, Template, TemplateError
from tui.transfers.destination import ConflictRule
from tui.widgets.dialogs import FORM_BINDINGS
from tui.widgets.format import count
from tui.widgets.questions import total_size

_SHOWN: Final = 3
"""Names in the preview."""
_RULES: Final = (
    (None, "ask"),
    (ConflictRule.RENAME, "keep both, renamed"),
    (ConflictRule.OVERWRITE, "overwrite"),
    (ConflictRule.SKIP, "skip"),
)


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """How a batch is downloaded."""

    folder: Path
    template: Template
    rule: ConflictRule | None = None
    """For names that other files have; None asks when there are any."""
    unpack: bool = False


class DownloadDialog(ModalScreen[DownloadOptions | None]):
    """Asks for a folder, a name template, a conflict rule and whether to unpack; shows what comes of it.

    Args:
        found: What is to be downloaded.
        options: What it starts with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="download.cancel"),
        *FORM_BINDINGS,
    ]

    def __init__(self, found: Sequence[Origin], options: DownloadOptions) -> None:
        super().__init__()
        self._found, self._options = found, options
        self._rule = 0
        self._unpack = options.unpack

    def compose(self) -> ComposeResult:
        artifacts: list[Artifact] = [found.artifact for found in self._found]
        with Vertical(classes="dialog"):
            title = f"Download {count(len(artifacts), 'file')}, {total_size(artifacts)}"
            yield Static(Content(title), classes="dialog--title")
            yield Static("Folder", classes="form--label")
            yield Input(str(self._options.folder), id="folder", compact=True)
            fields = " ".join(f"{{{field}}}" for field in FIELDS)
            yield Static(Content(f"Name, from {fields}"), classes="form--label")
            yield Input(self._options.template.text, id="template", compact=True)
            yield Static("", id="preview", classes="dialog--text")
            yield Button("", id="rule", compact=True)
            yield Button("", id="unpack", compact=True)
            yield Static("tab next · enter downloads, or changes a choice · esc cancels", classes="dialog--prompt")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Download", id="start", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._show_choices()
        self._show_preview()
        self.query_one("#template").focus()

    @property
    def preview(self) -> str:
        """What is said below the template: names, or what is wrong."""
        return str(self.query_one("#preview", Static).content)

    def _read(self) -> DownloadOptions:
        """What was typed.

        Raises:
            TemplateError: The template or the folder cannot be used.
        """
        typed = self.query_one("#folder", Input).value.strip()
        if not typed or "\0" in typed:
            raise TemplateError("Name a folder.")
        try:
            folder = Path(typed).expanduser().absolute()
        except RuntimeError as error:  # `~somebody` who does not exist
            raise TemplateError("There is no such home folder.") from error
        template = Template(self.query_one("#template", Input).value)
        return DownloadOptions(folder, template, _RULES[self._rule][0], self._unpack)

    @on(Input.Changed)
    def _show_preview(self) -> None:
        shown = self.query_one("#preview", Static)
        try:
            options = self._read()
        except TemplateError as error:
            shown.update(Content(clean(str(error), 300)))
            shown.add_class("-bad")
            self.query_one("#start", Button).disabled = True
            return
        targets = list(options.template.targets(options.folder, self._found).values())
        lines = [clean(str(path), 300) for path in targets[:_SHOWN]]
        if len(targets) > _SHOWN:
            lines.append(f"and {len(targets) - _SHOWN:,} more")
        shown.update(Content("\n".join(lines)))
        shown.remove_class("-bad")
        self.query_one("#start", Button).disabled = False

    def _show_choices(self) -> None:
        self.query_one("#rule", Button).label = Content(f"Where a name is taken: {_RULES[self._rule][1]}")
        self.query_one("#unpack", Button).label = Content(f"Unpack zip archives: {'yes' if self._unpack else 'no'}")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        match event.button.id:
            case "rule":
                self._rule = (self._rule + 1) % len(_RULES)
            case "unpack":
                self._unpack = not self._unpack
            case "start":
                self._start()
            case _:
                self.dismiss(None)
        self._show_choices()

    @on(Input.Submitted)
    def _start(self) -> None:
        try:
            self.dismiss(self._read())
        except TemplateError:
            self.query_one("#template").focus()  # what is wrong is on the screen already

    def action_cancel(self) -> None:
        """Closes; nothing is downloaded."""
        self.dismiss(None)
