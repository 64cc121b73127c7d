"""`digsite get`: download."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tui.cli import exit_codes
from tui.cli.asking import ask
from tui.cli.checksums import expected_sums
from tui.cli.output import document, is_interactive, report, table, warn
from tui.cli.runner import run
from tui.cli.selection import Selected, select
from tui.config import MAX_CONNECTIONS, MAX_JOBS, load_config, parse_rate
from tui.errors import DigsiteError, Mismatch
from tui.folders import expanded
from tui.models import ArtifactRef
from tui.services import Services, open_services
from tui.services.destinations import Origin, Template
from tui.transfers.destination import ConflictRule
from tui.transfers.snapshot import QueueSnapshot, TransferId, TransferSnapshot
from tui.widgets.format import count, remaining, size

_PERIOD_S = 0.5
_ASK = "ask"


class _Rate(click.ParamType[int | None]):
    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        try:
            return value if isinstance(value, int) else parse_rate(value)
        except ValueError:
            self.fail(f"{value!r} is not bytes a second, such as 500K or 2M.", param, ctx)


@dataclass(frozen=True, slots=True)
class _Options:
    """How the files are downloaded."""

    output: Path | None
    template: str | None
    on_conflict: str
    unpack: bool
    checksum: Path | None


@click.command(name="get")
@click.argument("paths", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Put the files straight into this folder.")
@click.option("--template", help="Names below the folder: {account}/{app}/{branch}/{build}/{title}.")
@click.option(
    "--on-conflict",
    type=click.Choice([*map(str, ConflictRule), _ASK]),
    default=_ASK,
    help="Where another file has the name; by default ask, and rename where nobody can be asked.",
)
@click.option("--unpack", is_flag=True, help="Unpack zip archives into a folder beside them.")
@click.option("--checksum", type=click.Path(path_type=Path), help="Check the files against this list of sha256sum.")
@click.option("--resume", is_flag=True, help="Go on with what an earlier run left; always done.")
@click.option("--limit-rate", type=_Rate(), metavar="RATE", help="Bytes a second of all together: 500K, 2M.")
@click.option("--jobs", type=click.IntRange(1, MAX_JOBS), help="Files at once.")
@click.option("--connections", type=click.IntRange(1, MAX_CONNECTIONS), help="For each large file.")
@click.option("--dry-run", is_flag=True, help="Print what would be downloaded, and where to.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(
    paths: tuple[str, ...],
    output: Path | None,
    template: str | None,
    on_conflict: str,
    unpack: bool,
    checksum: Path | None,
    resume: bool,
    dry_run: bool,
    as_json: bool,
    **limits: int | None,
) -> int:
    """Download the artifacts at PATHS; the path of a build stands for all its artifacts.

    \b
    digsite get acme/acme-android/2341/app-release.apk
    digsite get 'acme/acme-android/latest-green@main/*.apk' -o .
    """
    del resume  # the same with and without
    if output == Path("-"):
        raise click.UsageError("-o names a folder; artifacts are not written to stdout.")
    options = _Options(output, template, on_conflict, unpack, checksum)
    return run(_get(paths, options, limits, dry_run=dry_run, as_json=as_json))


async def _get(
    paths: Sequence[str], options: _Options, limits: Mapping[str, int | None], *, dry_run: bool, as_json: bool
) -> int:
    config = load_config().with_limits(**limits)
    async with open_services(config) as services:
        chosen = await select(services, paths, whole_builds=True)
        targets = _targets(services, chosen, options)
        sums = expected_sums(options.checksum, targets) if options.checksum is not None else {}
        if dry_run:
            _print_plan(chosen, targets, as_json=as_json)
            return exit_codes.DONE
        taken = set(await services.transfers.taken(targets))
        rule = await _rule(options.on_conflict, [targets[ref] for ref in targets if ref in taken])
        skipped = [s for s in chosen if rule is ConflictRule.SKIP and s.artifact.ref in taken]
        ids: dict[TransferId, Selected] = {}
        for selected in chosen:
            artifact = selected.artifact
            if selected not in skipped:
                transfer = services.transfers.add(
                    artifact,
                    targets[artifact.ref],
                    label=artifact.title,
                    rule=rule,
                    unpack=options.unpack,
                    sha256=sums.get(artifact.ref),
                )
                ids[transfer] = selected
        results = await _wait(services, ids)
    _print_results([(ids[t.id], t) for t in results], [(s, targets[s.artifact.ref]) for s in skipped], as_json=as_json)
    failures = [t.error or DigsiteError(f"{t.state}") for t in results if t.error is not None or t.sha256 is None]
    if sums and any(isinstance(failure, Mismatch) for failure in failures):
        return exit_codes.UNVERIFIED
    return exit_codes.code_of_batch(failures, done=len(results) - len(failures))


async def _wait(services: Services, ids: Mapping[TransferId, Selected]) -> list[TransferSnapshot]:
    progress = asyncio.create_task(_progress(services)) if sys.stderr.isatty() else None
    try:
        return list(await services.transfers.wait(list(ids)))
    finally:
        if progress is not None:
            progress.cancel()
            with suppress(OSError):  # the terminal may be gone
                click.echo("\r\x1b[K", err=True, nl=False)


def _targets(services: Services, chosen: Sequence[Selected], options: _Options) -> Mapping[ArtifactRef, Path]:
    """Straight into `--output`; else, or with `--template`, by the template below it or the download folder."""
    if options.template is not None:
        template = Template(options.template)
    else:
        template = Template("{title}") if options.output is not None else services.template
    root = services.download_dir if options.output is None else expanded(options.output, "--output")
    origins = [
        Origin(s.found.app, s.found.build, s.artifact)
        for s in chosen
        if s.found.app is not None and s.found.build is not None
    ]
    return template.targets(root, origins)


async def _rule(on_conflict: str, taken: Sequence[Path]) -> ConflictRule:
    """What to do with names that other files have; asked once for all of them, until the answer is one."""
    if on_conflict != _ASK:
        return ConflictRule(on_conflict)
    if not taken or not is_interactive():
        return ConflictRule.RENAME
    for path in taken:
        warn(f"{path} is another file.")
    rules = {str(rule): rule for rule in ConflictRule}
    question = f"What to do with them? ({', '.join(rules)}) [{ConflictRule.RENAME}]"
    while (rule := rules.get(await ask(question) or ConflictRule.RENAME)) is None:
        warn(f"Type one of them: {', '.join(rules)}.")
    return rule


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


def _print_results(
    results: Sequence[tuple[Selected, TransferSnapshot]], skipped: Sequence[tuple[Selected, Path]], *, as_json: bool
) -> None:
    for selected, transfer in results:
        if transfer.error is not None:
            warn(f"digsite: {selected.path}:")
            report(transfer.error)
    for selected, target in skipped:
        warn(f"digsite: {selected.path}: skipped, another file is at {target}.")
    if as_json:
        files = [_result(selected, transfer) for selected, transfer in results]
        document("get", files=[*files, *(_skipped(selected, target) for selected, target in skipped)])
        return
    table([(str(t.target), size(t.size_bytes), t.sha256, t.note or "") for _, t in results if t.sha256 is not None])


def _result(selected: Selected, transfer: TransferSnapshot) -> dict[str, Any]:
    return {
        "path": selected.path,
        "target": str(transfer.target),
        "state": transfer.state,
        "size_bytes": transfer.size_bytes,
        "sha256": transfer.sha256,
        "unpacked": str(transfer.unpacked) if transfer.unpacked is not None else None,
        "note": transfer.note,
        "error": transfer.error.message if transfer.error else None,
    }


def _skipped(selected: Selected, target: Path) -> dict[str, Any]:
    return {
        "path": selected.path,
        "target": str(target),
        "state": "skipped",
        "size_bytes": selected.artifact.size_bytes,
        "sha256": None,
        "unpacked": None,
        "note": "another file has the name",
        "error": None,
    }
