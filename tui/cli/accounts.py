"""`digsite accounts`: list, add, remove, check."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from tui.cli import exit_codes
from tui.cli.documents import checked_document
from tui.cli.output import document, is_interactive, report, table, warn
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import CredentialError, DigsiteError, NotFound
from tui.providers import ProviderPlugin, plugin, plugin_names
from tui.safe_text import clean
from tui.secret import Secret
from tui.services import Session, configured_sessions
from tui.services.accounts import Checked, add_account, check_account, drop_account
from tui.widgets.format import count


@click.group(name="accounts", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the accounts; add, remove or check them."""
    if ctx.invoked_subcommand is not None:
        return
    sessions, problems = configured_sessions(load_config())
    for problem in problems:
        report(problem)
    if as_json:
        listed = [
            {
                "account": s.account.name,
                "provider": s.account.provider,
                "url": s.account.url,
                "read_only": s.account.read_only,
                "from_environment": s.account.from_environment,
            }
            for s in sessions
        ]
        document("accounts", accounts=listed)
    elif sessions:
        table([(s.account.name, s.account.provider, s.account.url or "", _source(s)) for s in sessions])
    else:
        warn("There is no account. Run: digsite accounts add, or look at: digsite demo")


def _source(session: Session) -> str:
    notes = ["environment" if session.account.from_environment else "config.toml"]
    if session.account.read_only:
        notes.append("read-only")
    return ", ".join(notes)


@command.command(name="add")
@click.argument("name", required=False)
@click.option("--provider", help="bitrise, xcode-cloud, or a plug-in's.")
@click.option("--with-token", is_flag=True, help="Read the secret from stdin instead of asking.")
@click.option("--key-file", type=click.Path(path_type=Path), help="Read the secret from a file, such as a .p8 key.")
@click.option("--option", "pairs", multiple=True, metavar="KEY=VALUE", help="What the provider needs beside it.")
@click.option("--url", help="Another address of the API.")
@click.option("--read-only", is_flag=True, help="Refuse every change with this account.")
def add(
    name: str | None, provider: str | None, with_token: bool, key_file: Path | None,
    pairs: tuple[str, ...], url: str | None, read_only: bool,
) -> None:  # fmt: skip
    """Add an account: the secret is checked with the provider, then kept in the OS keyring.

    \b
    digsite accounts add work --provider bitrise
    digsite accounts add ci --provider bitrise --with-token < token.txt
    digsite accounts add store --provider xcode-cloud --key-file AuthKey_2X9R4HXF34.p8 \\
        --option key_id=2X9R4HXF34 --option issuer_id=57246542-96fe-1a63-e053-0824d011072a
    """
    asks = is_interactive() and not with_token
    if provider is None:
        provider = _ask_provider() if asks else _missing("--provider")
    chosen = plugin(provider)
    if name is None:
        name = click.prompt("Name of the account", default=chosen.name, err=True) if asks else _missing("NAME")
    options = _options(chosen, pairs, asks=asks, key_file=key_file)
    secret = _secret(chosen, key_file, asks=asks)
    added = run(add_account(provider, str(name), secret, options=options, url=url, read_only=read_only))
    click.echo(f"{added.account.name}: {clean(added.identity.label)}")
    click.echo(f"The secret is in: {added.stored_in}")
    if added.identity.expires_at is not None:
        click.echo(f"It expires on {added.identity.expires_at:%Y-%m-%d}.")
    click.echo(f"Next: digsite ls {added.account.name}")


def _missing(what: str) -> str:
    raise click.UsageError(f"{what} is needed where there is no terminal to ask on.")


def _ask_provider() -> str:
    return str(click.prompt("Provider", type=click.Choice(list(plugin_names())), err=True))


def _options(chosen: ProviderPlugin, pairs: tuple[str, ...], *, asks: bool, key_file: Path | None) -> dict[str, str]:
    options: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--option wants KEY=VALUE, not {pair!r}.")
        options[key] = value
    guessed = key_file.stem.removeprefix("AuthKey_") if key_file and key_file.stem.startswith("AuthKey_") else ""
    for field in chosen.fields:
        if field.name in options:
            continue
        default = guessed if field.name == "key_id" else ""
        if asks:
            value = click.prompt(f"{field.label} ({field.help})", default=default, show_default=bool(default), err=True)
        else:
            value = default
        if value:
            options[field.name] = str(value).strip()
        elif field.required:
            raise click.UsageError(f"{chosen.title} needs --option {field.name}=…: {field.help}")
    return options


def _secret(chosen: ProviderPlugin, key_file: Path | None, *, asks: bool) -> Secret:
    """From a file, from a prompt without echo, or from stdin; never from an argument, which every user can see."""
    if key_file is not None:
        return _secret_from(key_file)
    if not asks:
        return Secret(sys.stdin.read(65536).strip("\r\n"))
    typed = click.prompt(f"{chosen.secret_label} (not shown; @FILE reads a file)", hide_input=True, err=True)
    return _secret_from(Path(typed[1:])) if typed.startswith("@") else Secret(typed)


def _secret_from(path: Path) -> Secret:
    try:
        return Secret(path.expanduser().read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialError(f"The file {path} cannot be read.", hint="Check the path and its permissions.") from error


@command.command(name="remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove an account from config.toml, and its secret from the OS keyring."""
    had_secret = run(drop_account(name))
    click.echo(f"Removed {name}{' and its secret' if had_secret else '; the keyring had no secret of it'}.")


@command.command(name="check")
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def check(names: tuple[str, ...], as_json: bool) -> int:
    """Ask each provider whether it accepts the account's secret."""
    sessions, problems = configured_sessions(load_config())
    chosen = [s for s in sessions if not names or s.account.name in names]
    unknown = set(names) - {str(s.account.name) for s in sessions}
    if unknown:
        raise NotFound(f"There is no account {min(unknown)!r}.", hint="digsite accounts lists them.")
    results = run(_check(chosen))
    failures: list[DigsiteError] = [*problems, *(c.error for c in results if c.error is not None)]
    if as_json:
        document("accounts-check", accounts=[checked_document(checked) for checked in results])
    else:
        for checked in results:
            click.echo(_line(checked))
        for problem in failures:
            report(problem)
        if not chosen:
            warn("There is no account. Run: digsite accounts add")
    return exit_codes.code_of_batch(failures, len(results) + len(problems))


async def _check(sessions: list[Session]) -> list[Checked]:
    try:
        return await asyncio.gather(*(check_account(session) for session in sessions))
    finally:
        for session in sessions:
            await session.aclose()


def _line(checked: Checked) -> str:
    if checked.error is not None:
        return f"fail  {checked.account}  {checked.provider}"
    parts = [clean(checked.identity.label) if checked.identity else "", f"secret from {checked.origin}"]
    if checked.budget is not None:
        parts.append(f"{checked.budget.remaining:,} of {checked.budget.limit:,} calls left")
    if checked.identity and checked.identity.expires_at:
        days = (checked.identity.expires_at - datetime.now(UTC)).days
        parts.append(f"expires in {count(days, 'day')}")
    return f"ok    {checked.account}  {checked.provider}  " + ", ".join(parts)
