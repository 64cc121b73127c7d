"""Accounts: the welcome of the first run, the list behind `@`, and the form that adds one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Select, Static

from tui.credentials import passphrase, probe_store, remember_passphrase
from tui.errors import CredentialError, DigsiteError
from tui.models import Account, AccountName, Store
from tui.providers import ProviderPlugin, plugin, plugin_names
from tui.safe_text import clean
from tui.secret import Secret
from tui.services import Services
from tui.services.accounts import (
    Added,
    add_account,
    found_key_files,
    guessed_key_id,
    new_account,
    read_secret_file,
)
from tui.services.doctor import Level, check_account, credential_findings
from tui.services.session import Session
from tui.widgets.dialogs import FORM_BINDINGS

DEMO = "demo"
"""The third choice of the welcome screen."""

ADD: Final = "add"
SHOW: Final = "show"
"""The other choices; a name follows."""

_STORES: Final = (
    ("OS keyring", Store.KEYRING),
    ("vault: a file under a passphrase", Store.VAULT),
    ("plain file: not encrypted, only you may read it", Store.PLAIN_FILE),
    ("environment: you set the variable for each run", Store.ENVIRONMENT),
    ("memory: asked for in each run", Store.MEMORY),
)
_SHOWN_KEYS: Final = 4
"""Key files that are offered."""


class AccountsDialog(ModalScreen[str | None]):
    """The accounts of this run and the ways to add one.

    Gives back `add:PROVIDER`, `show:ACCOUNT` (`show:` for all), `demo`, or None.

    Args:
        services: For the accounts.
        welcome: Whether this is the first run, with no account at all.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss_dialog", "Close", id="accounts.close"),
        Binding("down,j", "app.focus_next", "Next", show=False, id="accounts.next", priority=True),
        Binding("up,k", "app.focus_previous", "Previous", show=False, id="accounts.previous", priority=True),
    ]

    def __init__(self, services: Services, *, welcome: bool) -> None:
        super().__init__()
        self._services, self._welcome = services, welcome
        # Held, not queried: a check may end after the dialog was left.
        self._state = Static(self._intro(), classes="dialog--text", id="accounts-state")

    def compose(self) -> ComposeResult:
        title = "Welcome to digsite" if self._welcome else "Accounts"
        with Vertical(classes="dialog"):
            yield Static(Content(title), classes="dialog--title")
            yield self._state
            with VerticalScroll(classes="dialog--choices", can_focus=False):
                if len(self._services.sessions) > 1:
                    yield Button("Show all accounts", name=f"{SHOW}:", compact=True)
                    for account in self._services.sessions:
                        yield Button(Content(clean(f"Show only: {account}")), name=f"{SHOW}:{account}", compact=True)
                for number, name in enumerate(filter(_has_secret, plugin_names())):
                    yield Button(
                        Content(clean(f"Add: {_title(name)}")),
                        id=f"choice-{number}",
                        name=f"{ADD}:{name}",
                        compact=True,
                    )
                if self._welcome:
                    yield Button("Look at the demo", id="choice-demo", name=DEMO, compact=True)
            yield Static("enter chooses · esc closes", classes="dialog--prompt")

    def _intro(self) -> Content:
        if self._welcome:
            return Content(
                "digsite explores the artifacts of your CI builds.\nAdd an account, or look at the demo first; "
                "nothing leaves this machine there.\nSecrets go to the OS keyring, or where you choose."
            )
        lines = [_unchecked(session) for session in self._services.sessions.values()]
        lines.extend(clean(str(problem)) for problem in self._services.problems)
        return Content("\n".join(lines) or "No account yet.")

    def on_mount(self) -> None:
        self.query(Button).first().focus()
        if not self._welcome:
            self._check()

    @work(description="check accounts")
    async def _check(self) -> None:
        """Asks for accounts in use only: a keyring is not to prompt because somebody looks at a list."""
        sessions = list(self._services.sessions.values())
        lines = [_unchecked(session) for session in sessions]
        for number, session in enumerate(sessions):
            if session.opened is not None:
                lines[number] = await _checked(session)
                self._state.update(Content("\n".join(lines)))

    @on(Button.Pressed)
    def _chosen(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.name)

    def action_dismiss_dialog(self) -> None:
        """Closes without a choice."""
        self.dismiss(None)


class AddAccountDialog(ModalScreen[Added | None]):
    """Asks for what a provider needs, proves the secret with it, and keeps it where the user says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Cancel", id="add-account.cancel"),
        *FORM_BINDINGS,
    ]

    def __init__(self, provider: str) -> None:
        super().__init__()
        self._plugin: ProviderPlugin = plugin(provider)
        # Held, not queried: the keyring may answer after the dialog was left.
        self._state = Static("", id="form-state", classes="dialog--text")
        self._keys = Vertical(id="found-keys", classes="dialog--choices")

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
                yield self._keys
                yield Input(id="secret", password=True, compact=True)
                yield Static("Where to keep it", classes="form--label")
                yield Select(_STORES, value=Store.KEYRING, allow_blank=False, id="store", compact=True)
                yield Static("Passphrase of the vault", classes="form--label vault")
                yield Input(id="passphrase", password=True, compact=True, classes="vault")
            yield self._state
            yield Button("Check and add", id="add", compact=True)
            yield Static("tab next · enter checks and adds · esc cancels", classes="dialog--prompt")

    def on_mount(self) -> None:
        self.query_one("#account-name").focus()
        self._show_passphrase(False)
        self._try_keyring()
        if self._key_id_input() is not None:
            self._offer_keys()

    @work(description="try the keyring")
    async def _try_keyring(self) -> None:
        """Says before anything is typed that there is none."""
        await self._is_kept(Account(AccountName(self._plugin.name), self._plugin.name))

    async def _is_kept(self, account: Account) -> bool:
        """Tries the account's store out; says so where it fails, with the ways out that this form has."""
        try:
            await probe_store(account)
        except CredentialError as error:
            self._say(f"{error.message} Choose another place for the secret.")
            return False
        return True

    @work(description="look for keys")
    async def _offer_keys(self) -> None:
        found = await asyncio.to_thread(found_key_files)
        buttons = [
            Button(Content(clean(f"Use {path}", 80)), id=f"key-{number}", name=str(path), compact=True)
            for number, path in enumerate(found[:_SHOWN_KEYS])
        ]
        if self._keys.is_attached:
            await self._keys.mount_all(buttons)

    def _key_id_input(self) -> Input | None:
        return next((each for each in self.query(Input) if each.name == "key_id"), None)

    @on(Button.Pressed, "#found-keys Button")
    def _use_key(self, event: Button.Pressed) -> None:
        event.stop()
        event.prevent_default()
        self.query_one("#secret", Input).value = f"@{event.button.name}"
        self.query_one("#secret").focus()

    @on(Input.Changed, "#secret")
    def _guess_key_id(self, event: Input.Changed) -> None:
        """App Store Connect puts the id of a key into the name of its file."""
        key_id = self._key_id_input()
        if key_id is not None and event.value.startswith("@"):
            key_id.value = guessed_key_id(Path(event.value[1:].strip())) or key_id.value

    @on(Select.Changed, "#store")
    def _store_chosen(self, event: Select.Changed) -> None:
        self._show_passphrase(event.value is Store.VAULT and passphrase() is None)
        if event.value is not Store.KEYRING:  # what was said was about the keyring
            self._say("")

    def _show_passphrase(self, shown: bool) -> None:
        for widget in self.query(".vault"):
            widget.display = shown

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        last = "passphrase" if self.query_one("#passphrase").display else "secret"
        if event.input.id == last:
            self._add()
        else:
            self.focus_next()

    @on(Button.Pressed, "#add")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._add()

    def _say(self, text: str) -> None:
        self._state.update(Content(clean(text)))

    @work(exclusive=True, group="add", description="add an account")
    async def _add(self) -> None:
        self._say("Checking…")
        options = {
            field.name: value
            for number, field in enumerate(self._plugin.fields)
            if (value := self.query_one(f"#field-{number}", Input).value.strip())
        }
        typed = self.query_one("#passphrase", Input).value
        store = self.query_one("#store", Select).value
        try:
            account = new_account(
                self._plugin.name,
                self.query_one("#account-name", Input).value.strip(),
                options=options,
                store=Store(str(store)),
            )
            if account.store is Store.VAULT and typed:
                remember_passphrase(Secret(typed))
            if not await self._is_kept(account):
                return
            added = await add_account(account, _typed_secret(self.query_one("#secret", Input).value))
        except DigsiteError as error:
            self._say(str(error))
            return
        for finding in credential_findings(added.identity, datetime.now(UTC)):
            self.app.notify(
                clean(f"{added.account.name}: {finding.topic} {finding.text}"),
                severity="warning" if finding.level in {Level.WARN, Level.FAIL} else "information",
                markup=False,
            )
        self.dismiss(added)

    def action_close(self) -> None:
        """Closes; nothing was kept."""
        self.dismiss(None)


def _has_secret(name: str) -> bool:
    """Whether the form suits it; an archive is set up by a rule in config.toml or by `digsite accounts add`."""
    try:
        return bool(plugin(name).secret_label)
    except DigsiteError:
        return True  # the button says that it is broken


def _title(name: str) -> str:
    try:
        return plugin(name).title
    except DigsiteError:
        return f"{name} (broken plug-in)"


def _typed_secret(text: str) -> Secret:
    """What was typed, or what the file behind an `@` holds: a .p8 key has many lines."""
    if not text.startswith("@"):
        return Secret(text)
    return read_secret_file(Path(text[1:].strip()))


def _unchecked(session: Session) -> str:
    account = session.account
    note = ", read-only" if account.read_only else ""
    return clean(f"{account.name}: {account.provider}{note} · secret: {session.origin or 'not read yet'}")


async def _checked(session: Session) -> str:
    found = await check_account(session)
    label = found.identity.label if found.identity else "failed"
    lines = [clean(f"{found.account}: {found.provider} · {label} · secret: {found.origin or 'none'}")]
    lines += [
        clean(f"  {each.level}: {each.topic}: {each.text} {each.hint or ''}")
        for each in found.findings
        if each.level in {Level.WARN, Level.FAIL} or each.topic in {"expiry", "read-only"}
    ]
    return "\n".join(lines)
