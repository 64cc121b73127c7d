"""`digsite archive`: copies in a folder or bucket of one's own."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

from tui.cli import exit_codes
from tui.cli.archive_prune import Prune
from tui.cli.output import document, report, table, warn
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.config import Config, load_config
from tui.errors import ConfigError, DigsiteError, NotFound, PathError
from tui.folders import expanded, state_dir
from tui.models.filter import FilterError, parse_span
from tui.rules import check_destination
from tui.services import Services, open_services
from tui.services.session import ARCHIVE
from tui.widgets.format import count, size


@click.group(name="archive")
def command() -> None:
    """Copy artifacts to a folder or bucket by the rules in config.toml, verify and restore them, prune the provider.

    \b
    [[archive.rules]]
    destination = "/srv/artifacts"      # or s3://bucket/prefix, gs://..., az://...
    app = "acme-*"                      # also account, workflow and branch: globs
    branch = "release/*"
    status = "succeeded"                # or a list, or "any"
    types = ["apk", "ipa"]
    newest = 5                          # builds of each branch
    min_age = "1h"
    """


_as_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
_dry_run = click.option("--dry-run", is_flag=True, help="Print the plan and change nothing.")
_destination = click.option("--from", "destination", metavar="PLACE", help="The archive, where the rules name several.")


@command.command(name="run")
@_dry_run
@_as_json
@click.option("--quiet", is_flag=True, help="Print only what failed.")
def run_command(dry_run: bool, as_json: bool, quiet: bool) -> int:
    """Archive everything new that the rules want.

    Exit codes: 0 all is archived, 5 some of it is not, 1 nothing could be.
    """
    with _alone(dry_run):
        return run(_run(dry_run=dry_run, as_json=as_json, quiet=quiet))


async def _run(*, dry_run: bool, as_json: bool, quiet: bool) -> int:
    from tui.archive.opening import open_store
    from tui.archive.state import State
    from tui.services.archive_jobs import Item
    from tui.services.archiving import Archiver

    config = load_config()
    if not config.archive_rules:
        raise ConfigError(
            f"{config.path} has no [[archive.rules]].", hint="digsite archive --help shows what a rule looks like."
        )

    def tell(item: Item) -> None:
        if item.error is not None:
            warn(f"digsite: {item.path}: {item.what}: {item.error}")
        elif not as_json and not quiet:
            table([(item.what, size(item.size_bytes).rjust(9), item.path)])

    stores = {rule.destination: open_store(rule.destination) for rule in config.archive_rules}
    state = State(state_dir() / "archive.sqlite")
    try:
        async with open_services(config) as services:
            unserved = _unserved(config, services)
            archiver = Archiver(
                services.sessions.values(),
                services.storage,
                state,
                retention=config.retention_rules,
                jobs=config.jobs,
                dry_run=dry_run,
                report=tell,
            )
            summary = await archiver.run([(rule, stores[rule.destination]) for rule in config.archive_rules])
        summary.failures[:0] = unserved
        content = _run_document(summary, dry_run=dry_run)
        if not dry_run:
            state.add_run(json.dumps(content["summary"]))
    finally:
        state.close()
    for path, error in summary.failures:
        warn(f"digsite: {path}:")
        report(error)
    if as_json:
        document("archive-plan" if dry_run else "archive", **content)
    elif not quiet:
        warn(_in_words(content["summary"], dry_run=dry_run))
    failed = len(summary.failures) + summary.count("failed") + summary.count("lost") + summary.busy
    if not failed:
        return exit_codes.DONE
    is_partly = summary.builds or summary.items or summary.busy
    return exit_codes.PARTLY if is_partly else exit_codes.code_of(summary.failures[0][1])


def _unserved(config: Config, services: Services) -> list[tuple[str, DigsiteError]]:
    """What keeps accounts out of a run, each with the place to mend it: wrong variables, rules that mean no account.

    Raises:
        NotFound: There is no account at all: nothing new would be no news.
    """
    names = [session.account.name for session in services.sessions.values() if session.account.provider != ARCHIVE]
    if not names:
        for problem in services.problems:
            report(problem)
        raise NotFound("There is no account to archive from.", hint="Run: digsite accounts add, or set BITRISE_TOKEN.")
    patterns = dict.fromkeys(rule.account for rule in config.archive_rules)
    hint = f"Accounts: {', '.join(names)}."
    return [
        *(("environment", problem) for problem in services.problems),
        *(
            (
                str(config.path),
                NotFound(f"A rule is for the account {pattern!r}, and there is none.", hint=hint),
            )
            for pattern in patterns
            if not any(fnmatchcase(name, pattern) for name in names)
        ),
    ]


def _run_document(summary: Any, *, dry_run: bool) -> dict[str, Any]:
    whats = ("wanted",) if dry_run else ("copied", "adopted", "lost", "failed")
    return {
        "summary": {
            "builds": summary.builds,
            "busy": summary.busy,
            **{what: summary.count(what) for what in whats},
            "moved_bytes": summary.moved_bytes,
            "errors": len(summary.failures),
        },
        "items": [
            {
                "path": item.path,
                "destination": item.destination,
                "size_bytes": item.size_bytes,
                "state": item.what,
                "error": item.error.message if item.error else None,
            }
            for item in summary.items
        ],
        "errors": [{"path": path, "error": error.message} for path, error in summary.failures],
    }


def _in_words(summary: dict[str, int], *, dry_run: bool) -> str:
    if dry_run:
        return f"Would copy {count(summary['wanted'], 'artifact')} of {count(summary['builds'], 'build')}."
    said = [f"{summary[what]:,} {what}" for what in ("copied", "adopted", "lost", "failed") if summary[what]]
    busy = f"; {count(summary['busy'], 'build')} left to another archiver" if summary["busy"] else ""
    return f"{', '.join(said) or 'Nothing new'}, {size(summary['moved_bytes'])} moved{busy}."


@command.command(name="status")
@_destination
@_as_json
def status_command(destination: str | None, as_json: bool) -> int:
    """Tell what is in the archives, and what the last run did."""
    from tui.archive.layout import APP, MANIFEST
    from tui.archive.opening import open_store
    from tui.archive.state import State

    found: list[dict[str, Any]] = []
    for place in _places(load_config(), destination):
        sizes = [(key.rpartition("/")[2], held) for key, held in open_store(place).objects("")]
        files = [held for name, held in sizes if name not in {MANIFEST, APP}]
        builds = sum(name == MANIFEST for name, _ in sizes)
        found.append({"destination": place, "builds": builds, "artifacts": len(files), "size_bytes": sum(files)})
    state = State(state_dir() / "archive.sqlite")
    last = state.last_run()
    state.close()
    run_of = {"at": last[0].isoformat(), **json.loads(last[1])} if last else None
    if as_json:
        document("archive-status", archives=found, last_run=run_of)
        return exit_codes.DONE
    table(
        [
            (
                str(each["destination"]),
                count(each["builds"], "build"),
                count(each["artifacts"], "artifact"),
                size(each["size_bytes"]),
            )
            for each in found
        ]
    )
    if last is None:
        warn("No run yet.")
    else:
        warn(f"Last run {last[0]:%Y-%m-%d %H:%M} UTC: {_in_words(json.loads(last[1]), dry_run=False)}")
    return exit_codes.DONE


@command.command(name="verify")
@click.argument("path", default="")
@_destination
@_as_json
def verify_command(path: str, destination: str | None, as_json: bool) -> int:
    """Read every copy back, or those of PATH, and compare it with its manifest.

    Exit code 6 when something is missing, changed, torn or not in a manifest.
    """
    from tui.archive.opening import open_store
    from tui.archive.reader import Reader
    from tui.archive.restoring import locate
    from tui.archive.state import State

    findings: list[tuple[str, str, str]] = []
    builds = checked = 0
    for place in _places(load_config(), destination):
        reader = Reader(open_store(place))
        prefixes = [""] if not path else locate(reader, parse_path(path)).folders
        if not path:
            state = State(state_dir() / "archive.sqlite")
            written = state.held(place)
            state.close()
            findings.extend((place, str(f.trouble), f.key) for f in reader.check_whole(written))
        for prefix in prefixes:
            for folder, manifest, names in reader.manifests(prefix):
                builds += 1
                checked += len(manifest.entries) if manifest else 0
                findings.extend((place, str(f.trouble), f.key) for f in reader.check(folder, manifest, names))
    if as_json:
        listed = [{"destination": place, "trouble": trouble, "key": key} for place, trouble, key in findings]
        document("archive-verify", builds=builds, artifacts=checked, findings=listed)
    else:
        table([(trouble, f"{place}/{key}") for place, trouble, key in findings])
        warn(f"{count(checked, 'artifact')} of {count(builds, 'build')} read back; {count(len(findings), 'problem')}.")
    return exit_codes.UNVERIFIED if findings else exit_codes.DONE


@command.command(name="restore")
@click.argument("path")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=".", help="The folder; else this one.")
@_destination
@_dry_run
@_as_json
def restore_command(path: str, output: Path, destination: str | None, dry_run: bool, as_json: bool) -> int:
    """Bring the copies of PATH back: ACCOUNT/APP/BUILD, or one artifact of it. Nothing is overwritten."""
    from tui.archive.opening import open_store
    from tui.archive.reader import Reader
    from tui.archive.restoring import locate, restore

    wanted = parse_path(path)
    if wanted.build is None:
        raise PathError("restore wants a build or an artifact.", hint="Name ACCOUNT/APP/BUILD/ARTIFACT.")
    error: DigsiteError | None = None
    for place in _places(load_config(), destination):
        reader = Reader(open_store(place))
        try:
            located = locate(reader, wanted)
        except NotFound as missing:
            error = missing
            continue
        root = expanded(output, "--output")
        targets = [(entry, root / entry.file) for _, entry in located.entries]
        if not dry_run:
            for (folder, entry), (_, target) in zip(located.entries, targets, strict=True):
                restore(reader, folder, entry, target)
        files = [{"target": str(t), "size_bytes": e.size_bytes, "sha256": e.sha256} for e, t in targets]
        if as_json:
            document("archive-restore-plan" if dry_run else "archive-restore", files=files)
        else:
            table([(str(target), size(entry.size_bytes), entry.sha256) for entry, target in targets])
        return exit_codes.DONE
    raise error or NotFound("There is no archive.")


@command.command(name="prune")
@click.argument("path")
@click.option("--older-than", required=True, metavar="SPAN", help="Of builds that ended longer ago: 30d, 8w.")
@click.option("--keep", type=click.IntRange(0), default=1, show_default=True, help="Newest builds kept of each branch.")
@_destination
@click.option("--yes", is_flag=True, help="Do not ask; wants --expect-count.")
@click.option("--expect-count", type=click.IntRange(0), help="Delete nothing unless exactly so many are planned.")
@_dry_run
@_as_json
def prune_command(
    path: str,
    older_than: str,
    keep: int,
    destination: str | None,
    yes: bool,
    expect_count: int | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Delete at the provider what is verified in an archive, of the app at PATH. Pinned artifacts always stay.

    Each copy is read back right before its original is deleted; any doubt keeps it.
    """
    try:
        span = parse_span(older_than)
    except FilterError as error:
        raise click.BadParameter(str(error), param_hint="--older-than") from error
    if yes and expect_count is None:
        raise click.UsageError("--yes wants --expect-count: how many artifacts --dry-run planned.")
    config = load_config()
    places = _places(config, destination)
    if len(places) > 1:
        raise ConfigError("The rules name several archives.", hint="Choose one with --from.")
    prune = Prune(places[0], span, keep=keep, yes=yes, expect_count=expect_count, dry_run=dry_run, as_json=as_json)
    with _alone(dry_run):
        return run(prune.run(config, parse_path(path)))


def _places(config: Config, chosen: str | None) -> list[str]:
    """The archives that are meant: the one that was named, else all of the rules."""
    if chosen is not None:
        try:
            return [check_destination(chosen)]
        except ValueError as error:
            raise click.BadParameter(f"{chosen} {error}.", param_hint="--from") from error
    places = list(dict.fromkeys(rule.destination for rule in config.archive_rules))
    if not places:
        raise ConfigError(f"{config.path} has no [[archive.rules]].", hint="Or name the archive with --from.")
    return places


def _alone(dry_run: bool) -> AbstractContextManager[None]:
    """At most one run changes archives on this machine at a time; a plan changes nothing."""
    from tui.services.archive_lock import archive_lock

    return nullcontext() if dry_run else archive_lock()
