"""Accounts: the welcome of the first run, the list behind `@`, and the form that adds one."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui.errors import CredentialError, DigsiteError
from tui.providers import ProviderPlugin, plugin, plugin_names
from tui.safe_text import clean
from tui.secret import Secret
from tui.services import Services
from tui.services.accounts import Added, add_account, check_account

DEMO = "demo"
"""The third choice of the welcome screen."""


class AccountsDialog(ModalScreen[str | None]):
    """The accounts of this run and the ways to add one; gives back a provider's name, `demo`, or None.

    Args:
        services: For the accounts.
        welcome: Whether this is the first run, with no account at all.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss_dialog", "Close", id="accounts.close"),
        Binding("down,j", "app.focus_next", show=False, id="accounts.next"),
        Binding("up,k", "app.focus_previous", show=False, id="accounts.previous"),
    ]

    def __init__(self, services: Services, *, welcome: bool) -> None:
        super().__init__()
        self._services, self._welcome = services, welcome

    def compose(self) -> ComposeResult:
        title = "Welcome to digsite" if self._welcome else "Accounts"
        with Vertical(classes="dialog"):
            yield Static(title, classes="dialog--title")
            yield Static(self._intro(), classes="dialog--text", id="accounts-state")
            with VerticalScroll(classes="dialog--choices", can_focus=False):
                for number, name in enumerate(plugin_names()):
                    yield Button(f"Add: {clean(_title(name))}", id=f"choice-{number}", name=name, compact=True)
                if self._welcome:
                    yield Button("Look at the demo", id="choice-demo", name=DEMO, compact=True)
            yield Static("enter chooses · esc closes", classes="dialog--prompt")

    def _intro(self) -> Content:
        if self._welcome:
            return Content(
                "digsite explores the artifacts of your CI builds.\nAdd an account, or look at the demo first; "
                "nothing leaves this machine there.\nSecrets go to the OS keyring."
            )
        lines = []
        for session in self._services.sessions.values():
            account = session.account
            note = ", read-only" if account.read_only else ""
            lines.append(
                clean(f"{account.name}: {account.provider}{note} · secret: {session.origin or 'not read yet'}")
            )
        lines.extend(clean(str(problem)) for problem in self._services.problems)
        return Content("\n".join(lines) or "No account yet.")

    def on_mount(self) -> None:
        self.query(Button).first().focus()
        if not self._welcome:
            self._check()

    @work(description="check accounts")
    async def _check(self) -> None:
        lines = []
        for session in self._services.sessions.values():
            found = await check_account(session)
            state = f"failed: {found.error}" if found.error else f"ok, {found.identity.label if found.identity else ''}"
            lines.append(clean(f"{found.account}: {found.provider} · {state} · secret: {found.origin or 'none'}"))
            self.query_one("#accounts-state", Static).update(Content("\n".join(lines)))

    @on(Button.Pressed)
    def _chosen(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.name)

    def action_dismiss_dialog(self) -> None:
        """Closes without a choice."""
        self.dismiss(None)


class AddAccountDialog(ModalScreen[Added | None]):
    """Asks for what a provider needs, proves the secret with it, and keeps it in the OS keyring."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Cancel", id="add-account.cancel")]

    def __init__(self, provider: str) -> None:
        super().__init__()
        self._plugin: ProviderPlugin = plugin(provider)

    def compose(self) -> ComposeResult:
        chosen = self._plugin
        with Vertical(classes="dialog"):
            yield Static(Content(clean(f"Add a {chosen.title} account")), classes="dialog--title")
            with VerticalScroll(classes="dialog--form", can_focus=False):
                yield Static("Name, for paths: work, acme, ...", classes="form--label")
                yield Input(value=chosen.name, id="account-name", compact=True)
                for number, field in enumerate(chosen.fields):
                    yield Static(Content(clean(f"{field.label}. {field.help}")), classes="form--label")
                    yield Input(id=f"field-{number}", name=field.name, compact=True)
                yield Static(
                    Content(clean(f"{chosen.secret_label}, or a file that holds it: @PATH")),
                    classes="form--label",
                )
                yield Input(id="secret", password=True, compact=True)
            yield Static("", id="form-state", classes="dialog--text")
            yield Button("Check and add", id="add", compact=True)
            yield Static("tab next · enter checks and adds · esc cancels", classes="dialog--prompt")

    def on_mount(self) -> None:
        self.query_one("#account-name").focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == "secret":
            self._add()
        else:
            self.focus_next()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._add()

    def _say(self, text: str) -> None:
        self.query_one("#form-state", Static).update(Content(clean(text)))

    @work(exclusive=True, group="add", description="add an account")
    async def _add(self) -> None:
        self._say("Checking…")
        options = {
            field.name: value
            for number, field in enumerate(self._plugin.fields)
            if (value := self.query_one(f"#field-{number}", Input).value.strip())
        }
        try:
            secret = _typed_secret(self.query_one("#secret", Input).value)
            added = await add_account(
                self._plugin.name,
                self.query_one("#account-name", Input).value.strip(),
                secret,
                options=options,
            )
        except DigsiteError as error:
            self._say(str(error))
            return
        self.dismiss(added)

    def action_close(self) -> None:
        """Closes; nothing was kept."""
        self.dismiss(None)


def _title(name: str) -> str:
    try:
        return plugin(name).title
    except DigsiteError:
        return f"{name} (broken plug-in)"


def _typed_secret(text: str) -> Secret:
    """What was typed, or what the file behind an `@` holds: a .p8 key has many lines."""
    if not text.startswith("@"):
        return Secret(text)
    path = Path(text[1:].strip()).expanduser()
    try:
        return Secret(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialError(f"The file {path} cannot be read.", hint="Check the path.") from error
