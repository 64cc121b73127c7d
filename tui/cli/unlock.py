"""Asks, before a run begins, for what it needs and no store can give: a vault's passphrase, secrets kept in memory.

Before, because a prompt in the middle would hold up everything else, and could leave the terminal without echo.
"""

from __future__ import annotations

import asyncio
import os
import signal

from tui.cli.output import is_interactive
from tui.config import load_config
from tui.models import Store
from tui.secret import Secret


def ask_for_secrets() -> None:
    """Asks on the terminal, if there is one; an empty answer skips."""
    if not is_interactive():
        return
    accounts = [account for account in load_config().accounts if account.store in {Store.VAULT, Store.MEMORY}]
    if not accounts:
        return
    from tui.credentials import secret_variable, store_secret

    waiting = [account for account in accounts if not os.environ.get(secret_variable(account.name))]
    if any(account.store is Store.VAULT for account in waiting):
        ask_passphrase(is_new=False)
    for account in waiting:
        if account.store is Store.MEMORY:
            typed = _ask(f"Secret of {account.name} (not shown, kept for this run; empty skips)")
            if typed:
                asyncio.run(store_secret(account, Secret(typed)))


def ask_passphrase(*, is_new: bool) -> None:
    """Asks for the vault's passphrase, unless it is known; twice where it is a new one."""
    from tui.credentials import passphrase, remember_passphrase

    if passphrase() is not None or not is_interactive():
        return
    if is_new:
        typed = _ask("Passphrase of the vault (not shown)", is_new=True)
    else:
        typed = _ask("Passphrase of the vault (not shown; empty skips)")
    if typed:
        remember_passphrase(Secret(typed))


def _ask(text: str, *, is_new: bool = False) -> str:
    """What is typed unseen; twice, and not empty, where it is new."""
    import click  # not before something is asked: most runs ask nothing, and the first paint waits for imports

    from tui.cli.exit_codes import EndedBySignal

    default = None if is_new else ""
    try:
        typed: str = click.prompt(
            text, default=default, show_default=False, hide_input=True, confirmation_prompt=is_new, err=True
        )
    except click.Abort:
        raise EndedBySignal(signal.SIGINT) from None
    return typed
