"""`digsite accounts`: list, add, remove, check."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from tui.cli import exit_codes
from tui.cli.output import document, is_interactive, report, table, warn
from tui.cli.runner import run
from tui.cli.unlock import ask_passphrase
from tui.config import Config, load_config
from tui.credentials import probe_store
from tui.errors import DigsiteError, NotFound
from tui.models import Store
from tui.providers import ProviderPlugin, plugin, plugin_names
from tui.safe_text import clean
from tui.secret import Secret
from tui.services import configured_sessions
from tui.services.accounts import (
    Added,
    add_account,
    drop_account,
    found_key_files,
    guessed_key_id,
    new_account,
    read_secret_file,
)
from tui.services.doctor import Checked, Finding, Level, check_account, check_machine, credential_findings
from tui.services.documents import checked_document, finding_document
from tui.services.session import Session


@click.group(name="accounts", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the accounts; add, remove or check them."""
    if ctx.invoked_subcommand is None:
        _list(as_json=as_json)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def list_accounts(as_json: bool) -> None:
    """List the accounts, and where the secret of each is."""
    _list(as_json=as_json)


def _list(*, as_json: bool) -> None:
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
                "store": _store(s),
            }
            for s in sessions
        ]
        document("accounts", accounts=listed)
    elif sessions:
        table([(s.account.name, s.account.provider, s.account.url or "", _source(s)) for s in sessions])
    else:
        warn("There is no account. Run: digsite accounts add, or look at: digsite demo")


def _store(session: Session) -> str:
    account = session.account
    if account.from_environment:
        return Store.ENVIRONMENT
    return "token_command" if account.token_command else account.store


def _source(session: Session) -> str:
    notes = ["environment" if session.account.from_environment else f"config.toml, secret: {_store(session)}"]
    if session.account.read_only:
        notes.append("read-only")
    return ", ".join(notes)


@command.command(name="add")
@click.argument("name", required=False)
@click.option("--provider", help="bitrise, xcode-cloud, or a plug-in's.")
@click.option("--with-token", is_flag=True, help="Read the secret from stdin instead of asking.")
@click.option("--key-file", type=click.Path(path_type=Path), help="Read the secret from a file, such as a .p8 key.")
@click.option("--option", "pairs", multiple=True, metavar="KEY=VALUE", help="What the provider needs beside it.")
@click.option(
    "--store",
    type=click.Choice([str(store) for store in Store]),
    default=str(Store.KEYRING),
    show_default=True,
    help="Where the secret is kept; plain-file is not encrypted.",
)
@click.option("--token-command", metavar="COMMAND", help="A program that prints the secret; run without a shell.")
@click.option("--url", help="Another address of the API.")
@click.option("--read-only", is_flag=True, help="Refuse every change with this account.")
def add(
    name: str | None, provider: str | None, with_token: bool, key_file: Path | None, pairs: tuple[str, ...],
    store: str, token_command: str | None, url: str | None, read_only: bool,
) -> None:  # fmt: skip
    """Add an account: the secret is checked with the provider, then kept in the OS keyring or in --store.

    \b
    digsite accounts add work --provider bitrise
    digsite accounts add ci --provider bitrise --with-token --store vault < token.txt
    digsite accounts add box --provider bitrise --token-command "op read op://ci/bitrise/token"
    digsite accounts add store --provider xcode-cloud --key-file AuthKey_2X9R4HXF34.p8 \\
        --option issuer_id=57246542-96fe-1a63-e053-0824d011072a
    """
    if token_command and (with_token or key_file or store != Store.KEYRING):
        raise click.UsageError("--token-command stands in for --with-token, --key-file and --store.")
    asks = is_interactive() and not with_token
    if provider is None:
        provider = _ask_provider() if asks else _missing("--provider")
    chosen = plugin(provider)
    if name is None:
        name = str(click.prompt("Name of the account", default=chosen.name, err=True)) if asks else _missing("NAME")
    if key_file is None and not token_command and asks:
        key_file = _ask_key_file(chosen)
    account = new_account(
        provider, name, options=_options(chosen, pairs, asks=asks, key_file=key_file), url=url, read_only=read_only,
        store=Store(store), token_command=_words(token_command or ""),
    )  # fmt: skip
    secret = None
    if chosen.secret_label:
        if account.store is Store.VAULT:
            ask_passphrase(is_new=True)
        run(probe_store(account), asks=False)
        secret = None if account.token_command else _secret(chosen, key_file, asks=asks)
    _tell(run(add_account(account, secret), asks=False))


def _words(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise click.UsageError(f"--token-command cannot be read: {error}.") from error


def _tell(added: Added) -> None:
    """Who it is, where the secret went, when it ends, and what to do next."""
    click.echo(f"{clean(added.account.name)}: {clean(added.identity.label)}")
    click.echo(f"The secret is in: {added.stored_in}")
    for finding in credential_findings(added.identity, datetime.now(UTC)):
        click.echo(_line(finding))
    click.echo(f"Next: digsite ls {shlex.quote(added.account.name)}")


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
    guessed = guessed_key_id(key_file) if key_file else ""
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


def _ask_key_file(chosen: ProviderPlugin) -> Path | None:
    """Offers the keys that lie where people keep them; None asks for the secret itself."""
    if not any(field.name == "key_id" for field in chosen.fields):
        return None
    found = found_key_files()
    for number, path in enumerate(found, start=1):
        warn(f"{number}  {path}")
    prompt = "Key file: a number, a path, or empty to paste the key"
    typed = str(click.prompt(prompt, default="", show_default=False, err=True)).strip()
    if typed.isdecimal() and 1 <= int(typed) <= len(found):
        return found[int(typed) - 1]
    return Path(typed) if typed else None


def _secret(chosen: ProviderPlugin, key_file: Path | None, *, asks: bool) -> Secret:
    """From a file, from a prompt without echo, or from stdin; never from an argument, which every user can see."""
    if key_file is not None:
        return read_secret_file(key_file)
    if not asks:
        return Secret(sys.stdin.read(65536).strip("\r\n"))
    typed = click.prompt(f"{chosen.secret_label} (not shown; @FILE reads a file)", hide_input=True, err=True)
    return read_secret_file(Path(typed[1:])) if typed.startswith("@") else Secret(typed)


@command.command(name="remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove an account from config.toml, and its secret from where it is kept."""
    had_secret = run(drop_account(name), asks=False)
    click.echo(f"Removed {name}{' and its secret' if had_secret else '; its store had no secret of it'}.")


@command.command(name="check")
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def check(names: tuple[str, ...], as_json: bool) -> int:
    """Look at this machine, and ask each provider whether it accepts the account's secret."""
    config = load_config()
    sessions, problems = configured_sessions(config)
    chosen = [s for s in sessions if not names or s.account.name in names]
    unknown = set(names) - {str(s.account.name) for s in sessions}
    if unknown:
        raise NotFound(f"There is no account {min(unknown)!r}.", hint="digsite accounts lists them.")
    machine, results = run(_check(config, chosen))
    failures: list[DigsiteError] = [*problems, *(c.error for c in results if c.error is not None)]
    if as_json:
        accounts = [checked_document(checked) for checked in results]
        document("accounts-check", machine=[finding_document(f) for f in machine], accounts=accounts)
    else:
        click.echo("this machine")
        _show(machine)
        for checked in results:
            click.echo(f"{clean(checked.account)} ({clean(checked.provider)})")
            _show(checked.findings)
        for problem in problems:
            report(problem)
        if not chosen:
            warn("There is no account. Run: digsite accounts add")
    if failures:
        return exit_codes.code_of_batch(failures, done=sum(checked.error is None for checked in results))
    is_broken = any(f.level is Level.FAIL for f in [*machine, *(f for c in results for f in c.findings)])
    return exit_codes.FAILED if is_broken else exit_codes.DONE


async def _check(config: Config, sessions: list[Session]) -> tuple[list[Finding], list[Checked]]:
    try:
        machine = await check_machine(config)
        return machine, list(await asyncio.gather(*(check_account(session) for session in sessions)))
    finally:
        for session in sessions:
            await session.aclose()


def _show(findings: Iterable[Finding]) -> None:
    for finding in findings:
        click.echo(_line(finding))
        if finding.hint:
            click.echo(f"        {clean(finding.hint)}")


def _line(finding: Finding) -> str:
    return f"  {finding.level:<4}  {clean(finding.topic)}: {clean(finding.text)}"
