"""`digsite index`: walk accounts into the catalog."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime

import click

from tui.cli import exit_codes
from tui.cli.output import document, report, warn
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import DigsiteError, NotFound, PathError
from tui.models.filter import FilterError, parse_moment
from tui.paths import DigPath
from tui.services import Services, open_services
from tui.services.indexing import Indexer, Plan, Walked, is_passing
from tui.widgets.format import count


@click.command(name="index")
@click.argument("path", default="")
@click.option("--since", default="30d", show_default=True, help="Builds from here on: 12h, 30d, 8w or 2026-10-01.")
@click.option("--dry-run", is_flag=True, help="Only tell what it will cost.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@click.option("--quiet", is_flag=True, help="Print only what failed.")
def command(path: str, since: str, dry_run: bool, as_json: bool, quiet: bool) -> int:
    """List the builds and artifacts of all accounts, or of an account or app at PATH, into the catalog.

    What stats, expiring and the views of the explorer show comes from there. What is known already is not asked for
    again. A walk stops when a fifth of the hour's calls is left; run again, it goes on.
    """
    try:
        moment = parse_moment(since, now=datetime.now(UTC))
    except FilterError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error
    _step_back()
    return run(_index(parse_path(path), moment, dry_run=dry_run, as_json=as_json, quiet=quiet))


def _step_back() -> None:
    """Leaves the processor to what people wait for: keys of an explorer beside it took half as long again without."""
    with suppress(AttributeError):  # Windows has no such thing
        os.nice(10)


async def _index(path: DigPath, since: datetime, *, dry_run: bool, as_json: bool, quiet: bool) -> int:
    if path.build is not None:
        raise PathError("index walks accounts and apps.", hint="Name ACCOUNT or ACCOUNT/APP.")
    async with open_services(load_config(), with_catalog=True) as services:
        for problem in services.problems:
            report(problem)
        indexer = _indexer(services, quiet=quiet)
        if path.account is None:
            sessions, app = list(services.sessions.values()), None
        else:
            found = await services.resolver.find(path)
            sessions, app = [found.session], found.app
        if not sessions:
            raise NotFound("There is no account.", hint="Run: digsite accounts add, or look at: digsite demo")
        plan = await indexer.plan(sessions, app=app, since=since)
        _end_line()
        if not quiet:
            _tell_cost(plan)
        walked = Walked() if dry_run else await indexer.walk(plan)
        _end_line()
    failures = [*plan.failures, *walked.failures]
    for account, error in failures:
        warn(f"digsite: {account}:")
        report(error)
    if as_json:
        _print_document(plan, walked, dry_run=dry_run)
    elif not dry_run and not quiet:
        click.echo(f"{count(walked.builds, 'build')} and {count(walked.artifacts, 'artifact')} listed.")
    return _exit_code(plan, walked, len(sessions))


def _exit_code(plan: Plan, walked: Walked, accounts: int) -> int:
    failures = [*plan.failures, *walked.failures]
    errors: list[DigsiteError] = [error for _, error in failures]
    if errors and (walked.builds or any(is_passing(error) for error in errors)):
        return exit_codes.PARTLY
    return exit_codes.code_of_batch(errors, done=accounts - len({account for account, _ in failures}))


def _indexer(services: Services, *, quiet: bool) -> Indexer:
    if services.catalog is None or services.catalog.message is not None:
        message = services.catalog.message if services.catalog else None
        raise DigsiteError(message or "There is no catalog.", hint="Run it again: the catalog starts empty now.")
    return Indexer(services.catalog, _show if sys.stderr.isatty() and not quiet else _ignore)


def _show(line: str) -> None:
    click.echo(f"\r{line}\x1b[K", err=True, nl=False)


def _ignore(line: str) -> None:
    """Nobody watches."""


def _end_line() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)


def _tell_cost(plan: Plan) -> None:
    left = plan.calls_left()
    known = f", {left:,} left this hour" if left is not None else ""
    warn(f"{count(plan.wanted, 'build')} to list of {plan.builds:,}: about {count(plan.calls, 'call')}{known}.")


def _print_document(plan: Plan, walked: Walked, *, dry_run: bool) -> None:
    document(
        "index-plan" if dry_run else "index",
        apps=plan.apps,
        builds=plan.builds,
        builds_to_list=plan.wanted,
        calls=plan.calls,
        calls_left=plan.calls_left(),
        builds_listed=walked.builds,
        artifacts_listed=walked.artifacts,
        failed=[{"account": account, "error": error.message} for account, error in (*plan.failures, *walked.failures)],
    )
