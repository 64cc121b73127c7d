"""`digsite rm`: delete."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tui.cli import exit_codes
from tui.cli.asking import ask
from tui.cli.changing import ENDS_A_BATCH, open_for_changes, tell_not_tried
from tui.cli.output import document, is_interactive, report, table, warn
from tui.cli.runner import run
from tui.cli.selection import Selected, select
from tui.config import load_config
from tui.errors import DigsiteError, NotSupported
from tui.models import Verb
from tui.services import Services
from tui.widgets.format import count, size
from tui.widgets.questions import total_size, typed_answer


@click.command(name="rm")
@click.argument("paths", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--expect-count", type=click.IntRange(0), help="Delete nothing unless exactly so many are named.")
@click.option("--dry-run", is_flag=True, help="Print the plan and delete nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(paths: tuple[str, ...], yes: bool, expect_count: int | None, dry_run: bool, as_json: bool) -> int:
    """Delete the artifacts at PATHS, for good. Asks first; without a terminal it wants --yes."""
    return run(_rm(paths, yes=yes, expect_count=expect_count, dry_run=dry_run, as_json=as_json))


async def _rm(paths: Sequence[str], *, yes: bool, expect_count: int | None, dry_run: bool, as_json: bool) -> int:
    async with open_for_changes(load_config()) as services:
        chosen = await select(services, paths, to_change=True)
        for selected in chosen:
            if reason := selected.found.provider.refusal(Verb.DELETE, selected.artifact):
                raise NotSupported(f"{selected.path}: {reason}")
        if expect_count is not None and len(chosen) != expect_count:
            raise click.UsageError(f"{len(chosen)} artifacts are named, not {expect_count}: nothing was deleted.")
        if dry_run:
            _print_plan(chosen, as_json=as_json)
            return exit_codes.DONE
        if not yes and not await _confirmed(chosen):
            warn("Nothing was deleted.")
            return exit_codes.FAILED
        return await _delete(services, chosen, as_json=as_json)


def _print_plan(chosen: Sequence[Selected], *, as_json: bool) -> None:
    if as_json:
        files = [{"path": s.path, "id": s.artifact.ref.artifact, "size_bytes": s.artifact.size_bytes} for s in chosen]
        document("rm-plan", artifacts=files)
        return
    table([(s.path, size(s.artifact.size_bytes), s.artifact.ref.artifact) for s in chosen])
    warn(f"Would delete {count(len(chosen), 'artifact')}, {total_size([s.artifact for s in chosen])}.")


async def _confirmed(chosen: Sequence[Selected]) -> bool:
    if not is_interactive():
        raise click.UsageError("rm asks before it deletes, and there is no terminal to ask on: add --yes.")
    artifacts = [selected.artifact for selected in chosen]
    for selected in chosen:
        warn(f"{size(selected.artifact.size_bytes):>9}  {selected.path}  (id {selected.artifact.ref.artifact})")
    wanted = typed_answer(artifacts)
    question = f"Delete {count(len(chosen), 'artifact')}, {total_size(artifacts)}, for good? Type {wanted}"
    return await ask(question) == wanted


async def _delete(services: Services, chosen: Sequence[Selected], *, as_json: bool) -> int:
    deleted: list[Selected] = []
    failures: list[DigsiteError] = []
    not_tried: list[str] = []
    for number, selected in enumerate(chosen, start=1):
        try:
            await services.changes.delete(selected.found.provider, selected.artifact)
        except DigsiteError as error:
            warn(f"digsite: {selected.path}:")
            report(error)
            failures.append(error)
            if isinstance(error, ENDS_A_BATCH):
                not_tried = tell_not_tried([after.path for after in chosen[number:]])
                break
        else:
            deleted.append(selected)
            if not as_json:
                click.echo(f"deleted {selected.path}")
    if as_json:
        failed = [error.message for error in failures]
        document("rm", deleted=[s.path for s in deleted], failed=failed, not_tried=not_tried)
    return exit_codes.code_of_batch(failures, done=len(deleted))
