"""What is right and wrong with this machine and each account: the findings of `digsite accounts check`."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tui.config import Config, is_read_only_run
from tui.credentials import Keyring
from tui.errors import CredentialError, DigsiteError
from tui.http.client import CLOCK_TOLERANCE_S
from tui.http.transport import PROXY_SCHEMES, PROXY_VARIABLES
from tui.models import AccountName, Budget, Identity, Store
from tui.providers import Provider
from tui.safe_text import clean
from tui.services.session import ARCHIVE, Session

EXPIRY_WARNING: Final = timedelta(days=14)
"""A credential that ends sooner is warned of."""
CLOCK_LIMIT_S: Final = 15 * 60.0
"""Signed tokens follow the server's clock so far."""
_LOW_BUDGET: Final = 0.2


class Level(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    INFO = "info"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor."""

    level: Level
    topic: str
    """One word or two: `clock`, `key file`."""
    text: str
    hint: str | None = None
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One account as the doctor found it."""

    account: AccountName
    provider: str
    origin: str | None
    findings: tuple[Finding, ...]
    identity: Identity | None = None
    budget: Budget | None = None
    error: DigsiteError | None = None


async def check_machine(
    config: Config, environ: Mapping[str, str] | None = None, keyring: Keyring | None = None
) -> list[Finding]:
    """Looks at what all accounts share. Reads no secret, so no keyring asks for anything."""
    environ = os.environ if environ is None else environ
    findings = [_config_file(config), await _keyring(config, keyring or Keyring())]
    findings += _proxies(environ)
    findings += _certificates(environ)
    findings += _key_file(environ)
    if is_read_only_run(environ):
        findings.append(Finding(Level.INFO, "read-only", "every change is refused in this run."))
    if any(account.provider != ARCHIVE for account in config.accounts):
        findings += [
            Finding(Level.INFO, "environment", f"{name} is set but not used: config.toml has accounts.")
            for name in ("BITRISE_TOKEN", "ASC_KEY_ID")
            if environ.get(name)
        ]
    return findings


async def check_account(session: Session) -> Checked:
    """Asks the provider with the account's secret; an error is a finding, not raised."""
    account = session.account
    findings: list[Finding] = []
    if account.read_only:
        findings.append(Finding(Level.INFO, "read-only", "changes are refused."))
    provider: Provider | None = None
    identity: Identity | None = None
    failure: DigsiteError | None = None
    try:
        provider = await session.provider()
        identity = await provider.check()
    except DigsiteError as error:
        failure = error
    if provider is not None:
        findings.insert(0, Finding(Level.OK, "secret", f"from {session.origin}."))
        findings += _clock(provider.clock_offset_s)
        findings += _budget(provider.budget)
    if identity is not None:
        findings.append(Finding(Level.OK, "access", f"{clean(identity.label)}; may list apps."))
        findings += credential_findings(identity, datetime.now(UTC))
    if failure is not None:
        topic = "secret" if isinstance(failure, CredentialError) else "access"
        findings.append(Finding(Level.FAIL, topic, failure.message, failure.hint))
    budget = provider.budget if provider is not None else None
    return Checked(account.name, account.provider, session.origin, tuple(findings), identity, budget, failure)


def credential_findings(identity: Identity, now: datetime) -> list[Finding]:
    """When a credential ends and what it is restricted to."""
    findings: list[Finding] = []
    if identity.expires_at is not None:
        left = identity.expires_at - now
        day = f"{identity.expires_at:%Y-%m-%d}"
        if left <= timedelta(0):
            findings.append(Finding(Level.FAIL, "expiry", f"ended on {day}.", "Replace the secret."))
        elif left < EXPIRY_WARNING:
            # Rounded up: "in 0 days" for one that still works would be wrong.
            days = -(-left // timedelta(days=1))
            text = f"ends on {day}, in {days} day{'s' if days != 1 else ''}."
            hint = "Mint a new one now: digsite token; then remove the account and add it again."
            findings.append(Finding(Level.WARN, "expiry", text, hint))
        else:
            findings.append(Finding(Level.OK, "expiry", f"ends on {day}, in {left.days} days."))
    if identity.scope:
        text = f"restricted to {len(identity.scope)} kinds of request; other views answer with an error."
        findings.append(Finding(Level.INFO, "scope", text))
    return findings


def _config_file(config: Config) -> Finding:
    try:
        mode = stat.S_IMODE(config.path.stat().st_mode)
    except OSError:
        return Finding(Level.INFO, "config", f"{config.path} does not exist; the environment serves.")
    if os.name == "posix" and mode & stat.S_IWOTH:
        text = f"{config.path} may be written by everybody (mode {mode:04o}): they could redirect your tokens."
        return Finding(Level.FAIL, "config", text, f"Run: chmod 600 {config.path}")
    return Finding(Level.OK, "config", f"{config.path}")


async def _keyring(config: Config, keyring: Keyring) -> Finding:
    needing = [
        a.name for a in config.accounts if a.store is Store.KEYRING and not a.token_command and a.provider != ARCHIVE
    ]
    try:
        return Finding(Level.OK, "keyring", await keyring.describe())
    except CredentialError as error:
        if not needing:
            return Finding(Level.INFO, "keyring", f"{error.message} No account needs it.")
        hint = f"{error.hint or ''} Other stores: digsite accounts add NAME --store vault, or a token_command.".strip()
        text = f"{error.message} Kept there: {', '.join(clean(name, 60) for name in needing)}."
        return Finding(Level.WARN, "keyring", text, hint)


def _proxies(environ: Mapping[str, str]) -> list[Finding]:
    """The proxies that would be used, without the logins in them."""
    findings = []
    for name in PROXY_VARIABLES:
        value = environ.get(name)
        if not value:
            continue
        try:
            parts = urlsplit(value if "://" in value else f"http://{value}")
            place = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
        except ValueError:
            place = ""
        if not place:
            findings.append(Finding(Level.FAIL, "proxy", f"{name} cannot be read.", f"Correct or unset {name}."))
        elif "://" in value and not value.lower().startswith(PROXY_SCHEMES):
            text = f"{name} names a kind of proxy that is not supported."
            findings.append(Finding(Level.FAIL, "proxy", text, "Use a http:// proxy, or unset the variable."))
        else:
            findings.append(Finding(Level.INFO, "proxy", f"{name}: requests go through {clean(place, 120)}."))
    return findings or [Finding(Level.OK, "proxy", "none.")]


def _certificates(environ: Mapping[str, str]) -> list[Finding]:
    findings = []
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        value = environ.get(name)
        if value:
            if os.access(Path(value).expanduser(), os.R_OK):
                findings.append(Finding(Level.INFO, "certificates", f"{name}: {clean(value, 200)}"))
            else:
                text = f"{name} names something that cannot be read: {clean(value, 200)}"
                findings.append(Finding(Level.FAIL, "certificates", text, f"Correct or unset {name}."))
    return findings or [Finding(Level.OK, "certificates", "those that came with digsite (certifi).")]


def _key_file(environ: Mapping[str, str]) -> list[Finding]:
    """Who may read the key that the environment points at; stores check their own files."""
    value = environ.get("ASC_PRIVATE_KEY_PATH")
    if not value or os.name != "posix":
        return []
    path = Path(value).expanduser()
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return []  # reading it has failed with words of its own
    if mode & 0o077:
        text = f"{clean(str(path), 200)} may be read by others (mode {mode:04o})."
        return [Finding(Level.WARN, "key file", text, f"Run: chmod 600 {clean(str(path), 200)}")]
    return [Finding(Level.OK, "key file", f"{clean(str(path), 200)}, mode {mode:04o}.")]


def _clock(offset_s: float | None) -> list[Finding]:
    if offset_s is None:
        return []
    text = f"this machine's clock is {abs(offset_s):.0f} s {'behind' if offset_s > 0 else 'ahead'}."
    if abs(offset_s) <= CLOCK_TOLERANCE_S:
        return [Finding(Level.OK, "clock", "agrees with the server's.")]
    if abs(offset_s) <= CLOCK_LIMIT_S:
        return [Finding(Level.WARN, "clock", text, "Tokens follow the server's time; set the clock all the same.")]
    return [Finding(Level.FAIL, "clock", text, "Set the clock: signed tokens and links fail.")]


def _budget(budget: Budget | None) -> list[Finding]:
    if budget is None:
        return []
    text = f"{budget.remaining:,} of {budget.limit:,} calls left in this hour."
    if budget.remaining < budget.limit * _LOW_BUDGET:
        return [Finding(Level.WARN, "budget", text, "Other programs use the same key; wait, or give them another.")]
    return [Finding(Level.OK, "budget", text)]
