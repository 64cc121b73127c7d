"""`digsite token`: a long-lived, read-only token for a machine that must not have the key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from tui.cli import exit_codes
from tui.cli.output import document, warn
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.cli.unlock import ask_passphrase
from tui.config import load_config
from tui.credentials import probe_store
from tui.errors import PathError
from tui.models import Account, Store
from tui.paths import DigPath
from tui.providers.xcode_cloud.ready_token import read_claims
from tui.providers.xcode_cloud.token import MAX_LIFETIME
from tui.safe_text import clean
from tui.services import open_services
from tui.services.accounts import add_account, new_account
from tui.services.minting import Minted, mint_token
from tui.services.resolve import build_part
from tui.widgets.format import count


@click.command(name="token")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--days", type=click.IntRange(1, MAX_LIFETIME.days), default=90, show_default=True, help="How long it lives."
)
@click.option("--save-as", metavar="NAME", help="Keep it as the secret of a new, read-only account; it is not printed.")
@click.option(
    "--store",
    type=click.Choice([str(store) for store in Store]),
    default=str(Store.KEYRING),
    show_default=True,
    help="Where --save-as keeps it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(paths: tuple[str, ...], days: int, save_as: str | None, store: str, as_json: bool) -> int:
    """Mint a long-lived, read-only Xcode Cloud token.

    PATH is an account (the builds of all its apps), an app, or a build (its artifacts, too). The token opens the views
    of what exists now, since Apple wants every address in it spelled out: builds to come will be listed, but their
    artifacts stay closed.

    \b
    digsite token store/Acme --days 180
    digsite token store/Acme/latest-green --save-as box --store vault
    """  # fmt: skip
    parsed = [parse_path(text) for text in paths]
    if any(path.artifact is not None for path in parsed):
        raise PathError("A token is minted for accounts, apps and builds.", hint="Leave the artifact out of the path.")
    minted = run(_mint(parsed, timedelta(days=days)))
    _explain(minted)
    if save_as is not None:
        source = minted.session.account
        account = new_account(source.provider, save_as, options={}, url=source.url, read_only=True, store=Store(store))
        stored_in = _keep(account, minted)
        warn(f"It is the secret of the account {save_as}, in: {stored_in}")
    if as_json:
        ends_at = read_claims(minted.token).expires_at.isoformat()
        token = None if save_as is not None else minted.token.reveal()
        document("token", token=token, expires_at=ends_at, scope=minted.scope, account=save_as)
    elif save_as is None:
        click.echo(minted.token.reveal())
    return exit_codes.DONE


async def _mint(paths: list[DigPath], lifetime: timedelta) -> Minted:
    async with open_services(load_config()) as services:
        return await mint_token(services, paths, lifetime)


def _keep(account: Account, minted: Minted) -> str:
    if account.store is Store.VAULT:
        ask_passphrase(is_new=True)
    run(probe_store(account), asks=False)
    return run(add_account(account, minted.token), asks=False).stored_in


def _explain(minted: Minted) -> None:
    """On stderr: what it opens and what not, until when, and how to take it back."""
    ends_at = read_claims(minted.token).expires_at
    days = (ends_at - datetime.now(UTC)).days + 1
    warn(f"A token until {ends_at:%Y-%m-%d %H:%M} UTC ({count(days, 'day')}). It opens:")
    warn("  the list of apps")
    for app in minted.apps:
        warn(f"  builds of {clean(app.title, 80)}")
    for build in minted.builds:
        warn(f"  artifacts of build {build_part(build)}, if Apple allows that to such tokens")
    warn("It does not open apps added later, nor the artifacts of other builds: Apple wants each address spelled out.")
    warn("Whoever has it may read these until then; only revoking the key takes it back.")
