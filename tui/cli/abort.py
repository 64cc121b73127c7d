"""`digsite abort`: end a build that is under way."""

from __future__ import annotations

import click

from tui.cli.output import document
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import PathError
from tui.paths import DigPath
from tui.services import open_services
from tui.services.builds import DEFAULT_REASON
from tui.services.documents import build_document
from tui.widgets.format import status


@click.command(name="abort")
@click.argument("path")
@click.option("--reason", default=DEFAULT_REASON, show_default=True, help="What others read as the reason.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(path: str, reason: str, as_json: bool) -> None:
    """End the build at PATH, named by its number or id. Xcode Cloud has no such call in its API."""
    run(_abort(parse_path(path), reason, as_json=as_json))


async def _abort(path: DigPath, reason: str, *, as_json: bool) -> None:
    if path.build is None or path.artifact is not None:
        raise PathError("abort wants a build.", hint="digsite ls shows what there is.")
    if path.build.is_newest:
        raise PathError("abort wants the number or id of a build.", hint="latest names one that has ended.")
    async with open_services(load_config()) as services:
        found = await services.resolver.find(path)
        found.refuse_gaps()
        if found.build is None:
            raise PathError("abort wants a build.")
        build = await services.builds.abort(found.provider, found.build, reason)
        if as_json:
            document("abort", build=build_document(build, found.path))
        else:
            click.echo(f"{status(build)}  {found.path}")
