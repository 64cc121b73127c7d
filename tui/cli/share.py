"""`digsite share`: the public install page."""

from __future__ import annotations

import click

from tui.cli import exit_codes
from tui.cli.changing import ENDS_A_BATCH, open_for_changes, tell_not_tried
from tui.cli.output import document, report, warn
from tui.cli.runner import run
from tui.cli.selection import select
from tui.config import load_config
from tui.errors import DigsiteError
from tui.models import Artifact
from tui.safe_text import clean


@click.command(name="share")
@click.argument("paths", nargs=-1, required=True)
@click.option("--off", is_flag=True, help="Switch the page off.")
@click.option("--dry-run", is_flag=True, help="Print what would be switched.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(paths: tuple[str, ...], off: bool, dry_run: bool, as_json: bool) -> int:
    """Switch the public install page of the artifacts at PATHS on, or off; prints the URL.

    Anyone with the URL can see the page and install the app.
    """
    return run(_share(paths, enabled=not off, dry_run=dry_run, as_json=as_json))


async def _share(paths: tuple[str, ...], *, enabled: bool, dry_run: bool, as_json: bool) -> int:
    failures: list[DigsiteError] = []
    done: list[tuple[str, Artifact]] = []
    not_tried: list[str] = []
    async with open_for_changes(load_config()) as services:
        chosen = await select(services, paths, to_change=True)
        for number, selected in enumerate(chosen, start=1):
            if dry_run:
                warn(f"Would switch the public page {'on' if enabled else 'off'}: {selected.path}")
                continue
            try:
                result = await services.changes.publish(selected.found.provider, selected.artifact, enabled=enabled)
            except DigsiteError as error:
                warn(f"digsite: {selected.path}:")
                report(error)
                failures.append(error)
                if isinstance(error, ENDS_A_BATCH):
                    not_tried = tell_not_tried([after.path for after in chosen[number:]])
                    break
            else:
                done.append((selected.path, result))
    if as_json:
        artifacts = [{"path": p, "is_public": a.is_public, "install_url": a.install_url} for p, a in done]
        document("share", artifacts=artifacts, failed=[error.message for error in failures], not_tried=not_tried)
    else:
        for path, artifact in done:
            click.echo(clean(artifact.install_url or path) if enabled else f"off: {path}")
    return exit_codes.code_of_batch(failures, done=len(done))
