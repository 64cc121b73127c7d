"""Accounts: a named login at one provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tui.models.ids import AccountName


class Store(StrEnum):
    """Where the secret of an account is kept; the values are the words of config.toml and of `--store`."""

    KEYRING = "keyring"
    VAULT = "vault"
    """A file of its own, encrypted with a passphrase."""
    PLAIN_FILE = "plain-file"
    """A file that only its owner may read; not encrypted, so never chosen but by this word."""
    ENVIRONMENT = "environment"
    """Nowhere: `DIGSITE_SECRET_<ACCOUNT>` gives it."""
    MEMORY = "memory"
    """Asked for at the start of each run."""


@dataclass(frozen=True, slots=True)
class Account:
    """What config.toml (or the environment) says of one account; never its secret."""

    name: AccountName
    provider: str
    """A provider's registered name: `bitrise`, `xcode-cloud`, or a plug-in's."""
    url: str | None = None
    """Overrides the provider's address; https, or http on a loopback host."""
    read_only: bool = False
    """Whether every change is refused before it is sent."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """The provider's own keys, e.g. `key_id` and `issuer_id`, `auth_header`."""
    from_environment: bool = False
    store: Store = Store.KEYRING
    """Where the secret is kept: `keyring`, `vault` (a file encrypted with a passphrase), `plain-file`, `environment`
    (`DIGSITE_SECRET_<ACCOUNT>`) or `memory` (asked for in each run)."""
    token_command: tuple[str, ...] = ()
    """A program and its arguments that print the secret; it then stands in for the store."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a credential belongs to, as far as the provider tells."""

    label: str
    """For people: a user or workspace name, or what kind of key it is."""
    expires_at: datetime | None = None
    """When the credential ends, aware UTC; None when unknown or never."""
    scope: tuple[str, ...] = ()
    """What the credential is restricted to, in the provider's words; empty when it is not, or not known."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of an hourly call limit."""

    limit: int
    remaining: int
    seen_at: datetime
    """Aware UTC."""
