"""`digsite show`: everything known of one thing."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from tui.cli.output import document, table, warn
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import PathError
from tui.paths import DigPath
from tui.services import open_services
from tui.services.documents import app_document, artifact_document, build_document
from tui.widgets.facts import app_facts, artifact_facts, build_facts


@click.command(name="show")
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(path: str, as_json: bool) -> None:
    """Show everything known of the app, build or artifact at PATH."""
    run(_show(parse_path(path), as_json=as_json))


async def _show(path: DigPath, *, as_json: bool) -> None:
    if path.app is None:
        raise PathError("show wants an app, a build or an artifact.", hint="digsite ls shows what there is.")
    now = datetime.now(UTC)
    async with open_services(load_config()) as services:
        found = await services.resolver.find(path, partly=True)
        if found.gap is not None:
            warn(f"digsite: {found.gap.message}")
        if len(found.artifacts) > 1:
            raise PathError(
                f"{len(found.artifacts)} artifacts match.",
                hint="digsite ls shows the path of each; choose one.",
            )
        for artifact in found.artifacts:
            whole = await found.provider.artifact(artifact)
            if as_json:
                document("artifact", artifact=artifact_document(whole, found.path_of(whole, found.siblings)))
            else:
                table([("Path", found.path_of(whole, found.siblings)), *artifact_facts(whole, now)])
            return
        if found.build is not None:
            if as_json:
                document("build", build=build_document(found.build, found.path))
            else:
                table([("Path", found.path), *build_facts(found.build, now)])
        elif found.app is not None:
            if as_json:
                document("app", app=app_document(found.app, found.path))
            else:
                table([("Path", found.path), *app_facts(found.app)])
