"""`digsite api`: any call of a provider's API, with the account's authorisation."""

from __future__ import annotations

import json
import sys

import click

from tui.cli.output import warn
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import NotFound, PathError
from tui.services import open_services

_METHODS = ("GET", "POST", "PATCH", "DELETE")


@click.command(name="api")
@click.argument("method", type=click.Choice(_METHODS, case_sensitive=False))
@click.argument("call", metavar="PATH")
@click.option("--account", help="Which account, where there are several.")
@click.option("--body", help="JSON to send; - reads it from stdin.")
def command(method: str, call: str, account: str | None, body: str | None) -> None:
    """Make a call of a provider's API and print its answer: PATH below the API's address, with its query.

    The host, the limits and read-only accounts are as ever; a change is sent once. The answer may hold signed URLs,
    which work for anyone.

    \b
    digsite api GET '/apps?limit=1' --account work
    digsite api GET /v1/ciProducts --account store
    digsite api POST /apps/SLUG/builds --account work --body - < build.json
    """
    run(_call(method.upper(), call, account, body))


async def _call(method: str, path: str, account: str | None, body: str | None) -> None:
    content = _content(sys.stdin.read() if body == "-" else body)
    async with open_services(load_config()) as services:
        names = [str(name) for name in services.sessions]
        if not names:
            raise NotFound("There is no account.", hint="Run: digsite accounts add")
        if account is None and len(names) > 1:
            raise PathError("There are several accounts.", hint=f"Say which with --account: {', '.join(names)}.")
        provider = await services.resolver.session(account or names[0]).provider()
        answer = await provider.call(method, path, content)
    if answer is None:
        warn("The answer is empty.")
    else:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=True))


def _content(body: str | None) -> dict[str, object] | None:
    if body is None:
        return None
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--body is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise click.UsageError("--body must be a JSON object.")
    return content
