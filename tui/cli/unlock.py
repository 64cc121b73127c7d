"""Asks, before a run begins, for what it needs and no store can give: a vault's passphrase, secrets kept in memory.

Before, because a prompt in the middle would hold up everything else, and could leave the terminal without echo.
"""

from __future__ import annotations

import asyncio
import os

import click

from tui.cli.output import is_interactive
from tui.config import load_config
from tui.credentials import passphrase, remember_passphrase, secret_variable, store_secret
from tui.models import Store
from tui.secret import Secret


def ask_for_secrets() -> None:
    """Asks on the terminal, if there is one; an empty answer skips."""
    if not is_interactive():
        return
    waiting = [a for a in load_config().accounts if not os.environ.get(secret_variable(a.name))]
    if any(account.store is Store.VAULT for account in waiting):
        ask_passphrase(is_new=False)
    for account in waiting:
        if account.store is Store.MEMORY:
            prompt = f"Secret of {account.name} (not shown, kept for this run; empty skips)"
            typed = click.prompt(prompt, default="", show_default=False, hide_input=True, err=True)
            if typed:
                asyncio.run(store_secret(account, Secret(typed)))


def ask_passphrase(*, is_new: bool) -> None:
    """Asks for the vault's passphrase, unless it is known; twice where it is a new one."""
    if passphrase() is not None or not is_interactive():
        return
    if is_new:
        text = "Passphrase of the vault (not shown)"
        typed = click.prompt(text, hide_input=True, confirmation_prompt=True, err=True)
    else:
        text = "Passphrase of the vault (not shown; empty skips)"
        typed = click.prompt(text, default="", show_default=False, hide_input=True, err=True)
    if typed:
        remember_passphrase(Secret(typed))
