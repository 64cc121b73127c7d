"""`digsite start`: start a build, or repeat one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import click

from tui.cli.output import document, warn
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import PathError
from tui.models.inspection import StartRequest
from tui.paths import DigPath
from tui.services import open_services
from tui.services.documents import build_document
from tui.services.start_choices import parse_environment


@click.command(name="start")
@click.argument("path")
@click.option("--workflow", "-w", help="Its name or id.")
@click.option("--branch", "-b", help="Build this branch.")
@click.option("--tag", help="Build this tag.")
@click.option("--commit", help="Build this commit.")
@click.option("--pull-request", type=click.IntRange(1), help="Build this pull request.")
@click.option("--env", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable (Bitrise).")
@click.option("--clean", "is_clean", is_flag=True, help="Without caches (Xcode Cloud).")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(
    path: str,
    workflow: str | None,
    branch: str | None,
    tag: str | None,
    commit: str | None,
    pull_request: int | None,
    variables: tuple[str, ...],
    is_clean: bool,
    as_json: bool,
) -> None:
    """Start a build of the app at PATH; repeat one where PATH names a build. Prints the new build's path.

    \b
    digsite start acme/acme-android --workflow release --branch main --env CHANNEL=beta
    digsite start acme/acme-android/2341
    """
    chosen = {"branch": branch, "tag": tag, "commit": commit, "pull_request": pull_request}
    given = [name for name, value in chosen.items() if value is not None]
    parsed = parse_path(path)
    if parsed.app is None or parsed.artifact is not None:
        raise PathError("start wants an app, or a build to repeat.", hint="digsite ls shows what there is.")
    if parsed.build is not None and (given or workflow or variables or is_clean):
        raise click.UsageError("A build is repeated as it was: leave the other options out.")
    if parsed.build is None and (workflow is None or not given):
        raise click.UsageError("Name --workflow, and one of --branch, --tag, --commit and --pull-request.")
    request = partial(
        StartRequest,
        workflow=workflow or "",
        branch=branch,
        tag=tag,
        commit=commit,
        pull_request=pull_request,
        environment=parse_environment(variables),
        clean=is_clean,
    )
    run(_start(parsed, request, as_json=as_json))


async def _start(path: DigPath, request: Callable[..., StartRequest], *, as_json: bool) -> None:
    async with open_services(load_config()) as services:
        found = await services.resolver.find(path)
        if found.app is None:
            raise PathError("start wants an app.")
        wanted = request(app=found.app.ref, rebuild=found.build.ref if found.build else None)
        build = await services.builds.start(found.provider, wanted)
        started = replace(found, build=build, artifacts=())
        if as_json:
            document("start", build=build_document(build, started.path))
            return
        click.echo(started.path)
        if build.web_url:
            warn(build.web_url)
