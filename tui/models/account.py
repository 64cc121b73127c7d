"""Accounts: a named login at one provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tui.models.ids import AccountName


@dataclass(frozen=True, slots=True)
class Account:
    """What config.toml (or the environment) says of one account; never its secret."""

    name: AccountName
    provider: str
    """A provider's registered name: `bitrise`, `xcode-cloud`, or a plug-in's."""
    url: str | None = None
    """Overrides the provider's address; https, or http on a loopback host."""
    read_only: bool = False
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """The provider's own keys, e.g. `key_id` and `issuer_id`, `auth_header`."""
    from_environment: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a credential belongs to, as far as the provider tells."""

    label: str
    """For people: a user or workspace name, or what kind of key it is."""
    expires_at: datetime | None = None
    """When the credential ends, aware UTC; None when unknown or never."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of an hourly call limit."""

    limit: int
    remaining: int
    seen_at: datetime
    """Aware UTC."""
