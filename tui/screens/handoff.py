"""How a row gets out of the explorer: copied, opened in a browser, handed to another machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from tui.ascii_glyphs import wanted
from tui.errors import DigsiteError
from tui.models import App, Artifact, Build, Source
from tui.safe_text import clean
from tui.services import Services
from tui.services.handoff import command_lines, curl_line, scp_line
from tui.services.programs import downloaded_file
from tui.terminal.clipboard import fill, program, sequence
from tui.widgets.choice import Choice, ChoiceDialog
from tui.widgets.dialogs import SignedDialog, TextDialog

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

Row = App | Build | Artifact
_SIGNED, _CURL = "signed", "curl"


class HandOff:
    """Copies and opens rows of one explorer.

    Args:
        screen: The explorer.
        services: Accounts and transfers.
        now: The clock, aware UTC.
    """

    def __init__(self, screen: Explorer, services: Services, now: Callable[[], datetime]) -> None:
        self._screen, self._services, self._now = screen, services, now

    def _say(self, text: str, *, severity: str = "information") -> None:
        self._screen.notify(clean(text), severity=severity, markup=False)  # type: ignore[arg-type]  # a Literal

    def do(self, what: str, row: Row | None) -> None:
        """What a key asks for: `copy`, `menu`, `qr`, `command` or `web`."""
        {"copy": self.copy, "menu": self.menu, "qr": self.qr, "command": self.command_line, "web": self.open_web}[what](
            row
        )

    def copy(self, row: Row | None) -> None:
        """Sends the install URL, else the path, to the terminal's clipboard."""
        if row is not None:
            self._screen.run_worker(self._copy(row), description="copy")

    async def _copy(self, row: Row) -> None:
        row = await self._with_install_url(row)
        url = row.install_url if isinstance(row, Artifact) and row.is_public else None
        self._send(url or self._screen.path_of(row))

    async def _with_install_url(self, row: Row) -> Row:
        """A public artifact with the link of its page, which lists do not tell."""
        if not isinstance(row, Artifact) or not row.is_public or row.install_url:
            return row
        try:
            provider = await self._services.sessions[row.ref.account].provider()
            found = await provider.artifact(row)
        except DigsiteError as error:
            self._say(str(error), severity="warning")
            return row
        self._screen.artifacts.rows.update_row(found)
        return found

    def menu(self, row: Row | None) -> None:
        """Asks which text of the row to copy."""
        if row is not None:
            self._screen.run_worker(self._menu(row), description="copy")

    async def _menu(self, row: Row) -> None:
        row = await self._with_install_url(row)
        texts = dict(self._texts(row))
        if isinstance(row, Artifact):
            file = await downloaded_file(row, self._services.transfers.snapshot().transfers)
            if file is not None:
                texts["scp"] = scp_line(file)
        choices = [choice for name, choice in _CHOICES.items() if name in texts]
        if isinstance(row, Artifact):
            choices += [Choice(_SIGNED, "s", "Signed URL"), Choice(_CURL, "c", "curl line")]
        chosen = await self._screen.app.push_screen_wait(ChoiceDialog("Copy", [self._screen.path_of(row)], choices))
        if chosen in texts:
            self._send(texts[chosen])
        elif chosen is not None and isinstance(row, Artifact):
            await self._show_signed(row, as_curl=chosen == _CURL)

    def _texts(self, row: Row) -> Iterator[tuple[str, str]]:
        """What can be copied without asking anybody."""
        yield "path", self._screen.path_of(row)
        match row:
            case Artifact():
                yield "id", str(row.ref.artifact)
                if row.is_public and row.install_url:
                    yield "install", row.install_url
            case Build():
                yield "id", str(row.ref.build)
                if row.commit_sha:
                    yield "commit", row.commit_sha
            case App():
                yield "id", str(row.ref.app)
        if (url := self._web_url(row)) is not None:
            yield "web", url

    def _send(self, text: str) -> None:
        """To the clipboard of this desktop where there is one, else to the terminal's, which never answers."""
        command = program(os.environ)
        if command is not None:
            self._screen.run_worker(self._fill(command, text), description="copy")
        else:
            self._send_to_terminal(text)

    async def _fill(self, command: tuple[str, ...], text: str) -> None:
        if await fill(command, text):
            self._say(f"Copied: {text}")
        else:
            self._send_to_terminal(text)

    def _send_to_terminal(self, text: str) -> None:
        if sequence(text, os.environ) is None:
            self._screen.app.push_screen(TextDialog("Too long for the terminal's clipboard: select it", text))
            return
        self._screen.app.copy_to_clipboard(text)
        self._say(f"Sent to the terminal's clipboard: {text}")

    async def _show_signed(self, artifact: Artifact, *, as_curl: bool) -> None:
        try:
            provider = await self._services.sessions[artifact.ref.account].provider()
            source = await provider.source(artifact)
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        text = _signed_text(source, artifact, as_curl=as_curl)
        self._screen.app.copy_to_clipboard(text)
        self._screen.app.push_screen(SignedDialog(text, source.expires_at, self._now))

    def qr(self, row: Row | None) -> None:
        """Shows the install page as a QR code."""
        if not isinstance(row, Artifact):
            self._say("Choose an artifact with a public install page.", severity="warning")
        elif not row.is_public:
            self._say("It has no public install page; p makes one where the provider can.", severity="warning")
        else:
            self._screen.run_worker(self._qr(row), description="read an artifact")

    async def _qr(self, artifact: Artifact) -> None:
        from tui.widgets.qr import QrDialog  # segno, only where it is wanted

        url = artifact.install_url
        if url is None:
            try:
                provider = await self._services.sessions[artifact.ref.account].provider()
                url = (await provider.artifact(artifact)).install_url
            except DigsiteError as error:
                self._say(str(error), severity="error")
                return
        if not url:
            self._say("The provider names no install page.", severity="warning")
            return
        self._screen.app.push_screen(QrDialog(artifact.title, url, with_blocks=not wanted(os.environ)))

    def command_line(self, row: Row | None) -> None:
        """Shows the commands that do the same from a script."""
        if row is not None:
            lines = command_lines(row, self._screen.path_of(row))
            self._screen.app.push_screen(TextDialog("The same on the command line", "\n".join(lines)))

    def open_web(self, row: Row | None) -> None:
        """Opens the row's page; without a display shows the URL, ready to select."""
        url = self._web_url(row)
        if url is None:
            self._say("The provider names no web page for this row.", severity="warning")
        elif _has_display():
            self._screen.app.open_url(url)
        else:
            self._screen.app.push_screen(TextDialog("Open this page", url))

    def _web_url(self, row: Row | None) -> str | None:
        match row:
            case Artifact(is_public=True, install_url=str(url)) if url:
                found: str | None = url
            case Artifact():
                found = self._screen.open_build.web_url if self._screen.open_build else None
            case App() | Build():
                found = row.web_url
            case None:
                found = None
        return found if found and found.startswith(("https://", "http://")) else None


_CHOICES = {
    "path": Choice("path", "p", "Path"),
    "id": Choice("id", "i", "Id"),
    "install": Choice("install", "u", "Install URL"),
    "commit": Choice("commit", "h", "Commit hash"),
    "web": Choice("web", "w", "Web page"),
    "scp": Choice("scp", "f", "scp line"),
}


def _signed_text(source: Source, artifact: Artifact, *, as_curl: bool) -> str:
    url = source.url.reveal()
    return curl_line(url, artifact.title, artifact.ref.artifact) if as_curl else url


def _has_display() -> bool:
    if sys.platform == "darwin" or os.name == "nt":
        return "SSH_CONNECTION" not in os.environ
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
