"""`digsite diff`: what changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from tui.cli.output import document, table
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import PathError
from tui.models import Artifact
from tui.paths import DigPath, join
from tui.services import Services, open_services
from tui.services.documents import artifact_document, build_document
from tui.services.resolve import Found, artifact_part, build_part


@click.command(name="diff")
@click.argument("path")
@click.argument("other", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(path: str, other: str | None, as_json: bool) -> None:
    """Tell what was added, removed, grew and shrank from PATH to OTHER: two builds, or two artifacts.

    Without OTHER, from the green build of the same workflow and branch before PATH to PATH. Artifacts are compared
    file by file, from their tables of contents; nothing is downloaded.

    \b
    digsite diff acme/acme-ios/87 acme/acme-ios/88
    digsite diff acme/acme-ios/latest@main/Acme.ipa
    """
    run(_diff(parse_path(path, inside=True), parse_path(other, inside=True) if other else None, as_json=as_json))


async def _diff(path: DigPath, other: DigPath | None, *, as_json: bool) -> None:
    for given in (path, other):
        if given is not None and (given.build is None or given.member is not None):
            raise PathError("diff wants builds or artifacts.", hint="digsite ls shows what there is.")
    if other is not None and (path.artifact is None) is not (other.artifact is None):
        raise PathError("diff wants two builds or two artifacts.", hint="One of each cannot be compared.")
    async with open_services(load_config()) as services:
        first = await services.resolver.find(path)
        second = await services.resolver.find(other) if other is not None else None
        if path.artifact is None:
            await _diff_builds(services, first, second, as_json=as_json)
        else:
            await _diff_artifacts(services, first, second, as_json=as_json)


async def _diff_builds(services: Services, first: Found, second: Found | None, *, as_json: bool) -> None:
    from tui.services.comparing import Comparing

    comparing, newer = Comparing(services), second or first
    after = newer.build
    if after is None or first.build is None:
        raise PathError("diff wants builds or artifacts.")
    before = first.build if second is not None else await comparing.previous_green(after)
    found = await comparing.builds(before, after)
    paths = (first.path if second is not None else _sibling(newer, build_part(before)), newer.path)
    changes = [item.change for item in found.artifacts]
    if as_json:
        listed = []
        for item in found.artifacts:
            sides = (item.pair.before, item.pair.after)
            named = [
                f"{path}/{artifact_part(side)}" if side is not None else None
                for path, side in zip(paths, sides, strict=True)
            ]
            listed.append(_change_document(item.change) | {"before": named[0], "after": named[1]})
        sides_documents = {"before": build_document(before, paths[0]), "after": build_document(after, paths[1])}
        document("build-diff", **sides_documents, artifacts=listed, totals=_totals_document(changes))
    else:
        _print(f"{paths[0]} → {paths[1]}", changes)


async def _diff_artifacts(services: Services, first: Found, second: Found | None, *, as_json: bool) -> None:
    from tui.peek.diff import ChangeKind
    from tui.services.comparing import Comparing

    comparing, newer = Comparing(services), second or first
    after, after_path = _only(newer)
    if second is not None:
        before, before_path = _only(first)
    else:
        if newer.build is None:
            raise PathError("diff wants builds or artifacts.")
        previous = await comparing.previous_green(newer.build)
        before = await comparing.counterpart(after, newer.siblings, previous)
        before_path = f"{_sibling(newer, build_part(previous))}/{artifact_part(before)}"
    found = await comparing.files(before, after)
    changes = [change for change in found.files if change.kind is not ChangeKind.SAME]
    if as_json:
        document(
            "artifact-diff",
            before=artifact_document(before, before_path),
            after=artifact_document(after, after_path),
            files=[_change_document(change) for change in changes],
            totals=_totals_document(found.files),
            moved_bytes=found.moved_bytes,
        )
    else:
        _print(f"{before_path} → {after_path}", changes, found.files)


def _only(found: Found) -> tuple[Artifact, str]:
    if len(found.artifacts) != 1:
        raise PathError(
            f"{len(found.artifacts)} artifacts match.", hint="digsite ls shows the path of each; choose one."
        )
    return found.artifacts[0], found.path_of(found.artifacts[0], found.siblings)


def _sibling(found: Found, build: str) -> str:
    """The path of another build of the same app."""
    return join(found.session.account.name, found.app_part, build)


def _print(title: str, changes: list[Any], everything: Iterable[Any] | None = None) -> None:
    from tui.peek.diff import totals
    from tui.widgets.bars import signed_size
    from tui.widgets.format import size

    sums = totals(changes if everything is None else everything)
    table([(title,)])
    table(
        [
            (
                str(change.kind),
                signed_size(change.delta_bytes).rjust(10),
                "" if change.before_bytes is None else size(change.before_bytes).rjust(9),
                "" if change.after_bytes is None else size(change.after_bytes).rjust(9),
                change.name,
            )
            for change in changes
        ]
    )
    counts = ", ".join(f"{number:,} {kind}" for kind, number in sums.counts.items() if number)
    table([(f"{counts or 'nothing'}; {size(sums.before_bytes)} → {size(sums.after_bytes)},"
            f" {signed_size(sums.delta_bytes)}",)])  # fmt: skip


def _change_document(change: Any) -> dict[str, Any]:
    return {
        "name": change.name,
        "change": change.kind,
        "before_bytes": change.before_bytes,
        "after_bytes": change.after_bytes,
        "delta_bytes": change.delta_bytes,
    }


def _totals_document(changes: Iterable[Any]) -> dict[str, Any]:
    from tui.peek.diff import totals

    sums = totals(changes)
    return {
        "before_bytes": sums.before_bytes,
        "after_bytes": sums.after_bytes,
        "delta_bytes": sums.delta_bytes,
        "counts": {str(kind): number for kind, number in sums.counts.items()},
    }
