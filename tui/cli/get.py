"""`digsite get`: download."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tui.cli import exit_codes
from tui.cli.output import document, report, table, warn
from tui.cli.runner import run
from tui.cli.selection import Selected, select
from tui.config import load_config
from tui.errors import DigsiteError
from tui.models import ArtifactRef
from tui.services import Services, open_services
from tui.services.destinations import plain_targets, tidy_targets
from tui.transfers import QueueSnapshot, TransferSnapshot
from tui.widgets.format import count, remaining, size

_PERIOD_S = 0.5


@click.command(name="get")
@click.argument("paths", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Put the files straight into this folder.")
@click.option("--dry-run", is_flag=True, help="Print what would be downloaded, and where to.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(paths: tuple[str, ...], output: Path | None, dry_run: bool, as_json: bool) -> int:
    """Download the artifacts at PATHS; the path of a build stands for all its artifacts.

    \b
    digsite get acme/acme-android/2341/app-release.apk
    digsite get 'acme/acme-android/latest-green@main/*.apk' -o .
    """
    return run(_get(paths, output, dry_run=dry_run, as_json=as_json))


async def _get(paths: Sequence[str], output: Path | None, *, dry_run: bool, as_json: bool) -> int:
    async with open_services(load_config()) as services:
        chosen = await select(services, paths, whole_builds=True)
        targets = _targets(services, chosen, output)
        if dry_run:
            _print_plan(chosen, targets, as_json=as_json)
            return exit_codes.DONE
        ids = {services.transfers.add(s.artifact, targets[s.artifact.ref], label=s.artifact.title): s for s in chosen}
        progress = asyncio.create_task(_progress(services)) if sys.stderr.isatty() else None
        try:
            await services.transfers.wait(list(ids))
        finally:
            if progress is not None:
                progress.cancel()
                click.echo("\r\x1b[K", err=True, nl=False)
        results = [t for t in services.transfers.snapshot().transfers if t.id in ids]
    failures = [t.error or DigsiteError(f"{t.state}") for t in results if t.sha256 is None]
    _print_results([(ids[t.id], t) for t in results], as_json=as_json)
    return exit_codes.code_of_batch(failures, len(results))


def _targets(services: Services, chosen: Sequence[Selected], output: Path | None) -> Mapping[ArtifactRef, Path]:
    if output is not None:
        return plain_targets(output.expanduser().absolute(), [selected.artifact for selected in chosen])
    targets: dict[ArtifactRef, Path] = {}
    for selected in chosen:
        app, build = selected.found.app, selected.found.build
        if app is not None and build is not None:
            together = [s.artifact for s in chosen if s.found.build == build]
            targets |= tidy_targets(services.download_dir, app, build, together)
    return targets


async def _progress(services: Services) -> None:
    """One line on the terminal, rewritten twice a second."""
    while True:
        click.echo(f"\r{_progress_line(services.transfers.snapshot())}\x1b[K", err=True, nl=False)
        await asyncio.sleep(_PERIOD_S)


def _progress_line(snapshot: QueueSnapshot) -> str:
    done = sum(t.done_bytes for t in snapshot.transfers)
    sizes = [t.size_bytes for t in snapshot.transfers]
    total = f" of {size(sum(s for s in sizes if s is not None))}" if None not in sizes else ""
    left = f", {remaining(snapshot.eta_s)} left" if snapshot.eta_s is not None else ""
    finished = sum(t.state.is_final for t in snapshot.transfers)
    line = f"{finished}/{len(snapshot.transfers)} files  {size(done)}{total}  {size(int(snapshot.rate))}/s{left}"
    columns = os.get_terminal_size(sys.stderr.fileno()).columns
    return line[: max(10, columns - 1)]


def _print_plan(chosen: Sequence[Selected], targets: Mapping[ArtifactRef, Path], *, as_json: bool) -> None:
    if as_json:
        document(
            "get-plan",
            files=[
                {"path": s.path, "target": str(targets[s.artifact.ref]), "size_bytes": s.artifact.size_bytes}
                for s in chosen
            ],
        )
        return
    table([(s.path, size(s.artifact.size_bytes), str(targets[s.artifact.ref])) for s in chosen])
    known = sum(s.artifact.size_bytes or 0 for s in chosen)
    warn(f"Would download {count(len(chosen), 'file')}, {size(known)}.")


def _print_results(results: Sequence[tuple[Selected, TransferSnapshot]], *, as_json: bool) -> None:
    for selected, transfer in results:
        if transfer.error is not None:
            warn(f"digsite: {selected.path}:")
            report(transfer.error)
    if as_json:
        document("get", files=[_result(selected, transfer) for selected, transfer in results])
        return
    table([(str(t.target), size(t.size_bytes), t.sha256, t.note or "") for _, t in results if t.sha256 is not None])


def _result(selected: Selected, transfer: TransferSnapshot) -> dict[str, Any]:
    return {
        "path": selected.path,
        "target": str(transfer.target),
        "state": transfer.state,
        "size_bytes": transfer.size_bytes,
        "sha256": transfer.sha256,
        "note": transfer.note,
        "error": transfer.error.message if transfer.error else None,
    }
