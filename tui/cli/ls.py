"""`digsite ls`: what is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import click

from tui.cli import exit_codes
from tui.cli.output import document, report, table, warn
from tui.cli.paths import parse_list, parse_path
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import DigsiteError, NotFound, PathError
from tui.models import App, Build, BuildQuery, Cursor, Status
from tui.models.filter import FilterError, RowFilter, build_query, parse_filter
from tui.paths import DigPath, join
from tui.services import Services, open_services
from tui.services.documents import app_document, artifact_document, build_document
from tui.services.resolve import Found, Listed, app_part, build_part, gap_of, list_apps, list_artifacts
from tui.services.session import Session
from tui.widgets.format import age, kind, size, status

_STATUSES = [str(status) for status in Status if status is not Status.UNKNOWN]


@click.command(name="ls")
@click.argument("path", default="")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Builds at most.")
@click.option("--branch", help="Builds of this branch only.")
@click.option("--workflow", help="Builds of this workflow only.")
@click.option("--public", is_flag=True, help="What has a public install page, as it was listed last.")
@click.option("--status", "wanted", type=click.Choice(_STATUSES), help="Builds of this status only.")
def command(
    path: str,
    as_json: bool,
    limit: int,
    branch: str | None,
    workflow: str | None,
    wanted: str | None,
    public: bool,
) -> int:
    """List what is at PATH: apps of all accounts, apps of an account, builds of an app, artifacts of a build.

    \b
    digsite ls
    digsite ls acme/acme-android --branch main --status failed
    digsite ls acme/acme-android/latest-green@main
    digsite ls acme/acme-ios/88/Acme.ipa//
    """
    if public:
        return _list_public(parse_path(path), as_json=as_json)
    parsed, row_filter = parse_list(path)
    query, matches = _read_filter(row_filter)
    if row_filter and (parsed.app is None or parsed.build is not None):
        raise PathError(
            f"The filter of the dig {path} is not of builds.", hint="digsite ls filters the builds of an app."
        )
    query = replace(
        query,
        branch=branch or query.branch,
        workflow=workflow or query.workflow,
        status=Status(wanted) if wanted else query.status,
    )
    return run(_list(parsed, query, matches, limit, as_json=as_json))


def _read_filter(text: str) -> tuple[BuildQuery, RowFilter[Build]]:
    """What the provider is asked for, and what is looked for in its answer."""
    if not text:
        return BuildQuery(), RowFilter()
    from tui.widgets.lists import BUILD_FIELDS  # with Textual, which nothing else here needs

    now = datetime.now(UTC)
    try:
        return build_query(text, now=now) or BuildQuery(), parse_filter(text, BUILD_FIELDS, now=now)
    except FilterError as error:
        raise PathError(f"The filter {text!r} cannot be read: {error}.") from error


def _list_public(path: DigPath, *, as_json: bool) -> int:
    """From the catalog: no provider can be asked for what is public."""
    from contextlib import closing

    from tui.services.statistics import Statistics, artifact_path, open_catalog

    with closing(open_catalog()) as catalog:
        statistics = Statistics(catalog.figures, path)
        names = statistics.names()
        found = [(artifact_path(a, names[a.ref.build_ref.app_ref]), a) for a in catalog.figures.public(statistics.apps)]
        gaps = statistics.gaps()
    for gap in gaps:
        warn(f"Partial: {gap} digsite index lists them.")
    if as_json:
        artifacts = [
            {"path": p, "id": a.ref.artifact, "size_bytes": a.size_bytes, "seen_at": a.seen_at.isoformat()}
            for p, a in found
        ]
        document("public", artifacts=artifacts, partial=gaps)
    else:
        now = datetime.now(UTC)
        table([(p, size(a.size_bytes), f"seen {age(a.seen_at, now)}") for p, a in found])
    return exit_codes.DONE


async def _list(path: DigPath, query: BuildQuery, matches: RowFilter[Build], limit: int, *, as_json: bool) -> int:
    async with open_services(load_config()) as services:
        for problem in services.problems:
            report(problem)
        if path.account is None:
            return await _list_apps(services, list(services.sessions.values()), as_json=as_json)
        if path.app is None:
            return await _list_apps(services, [services.resolver.session(path.account)], as_json=as_json)
        found = await services.resolver.find(path, partly=True)
        if path.member is not None:
            await _list_members(services, found, path.member, as_json=as_json)
        elif found.build is None:
            await _list_builds(found, query, matches, limit, as_json=as_json)
        else:
            await _list_artifacts(found, as_json=as_json)
        return exit_codes.DONE


async def _list_apps(services: Services, sessions: list[Session], *, as_json: bool) -> int:
    if not sessions:
        raise NotFound(
            "There is no account.",
            hint="Run: digsite accounts add, or set BITRISE_TOKEN, or look at: digsite demo",
        )
    answers = await asyncio.gather(*(_apps_of(session) for session in sessions), return_exceptions=True)
    rows: list[tuple[App, str]] = []
    failures: list[DigsiteError] = []
    for session, answer in zip(sessions, answers, strict=True):
        if isinstance(answer, DigsiteError):
            warn(f"digsite: {session.account.name}:")
            report(answer)
            failures.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            if answer.gap is not None:
                warn(f"digsite: {session.account.name}: {answer.gap.message}")
            rows.extend((app, join(app.ref.account, app_part(app, answer.items))) for app in answer.items)
    if as_json:
        document("apps", apps=[app_document(app, path) for app, path in rows])
    else:
        table([(path, app.title, app.kind or "", app.bundle_id or "") for app, path in rows])
    return exit_codes.code_of_batch(failures, done=len(sessions) - len(failures))


async def _apps_of(session: Session) -> Listed[App]:
    return await list_apps(await session.provider())


async def _list_builds(
    found: Found, query: BuildQuery, matches: RowFilter[Build], limit: int, *, as_json: bool
) -> None:
    if found.app is None:
        return
    builds: list[Build] = []
    cursor: Cursor | None = None
    more = True
    while more and len(builds) < limit:
        page = await found.provider.builds(found.app.ref, query, cursor)
        builds.extend(build for build in page.items if matches.matches(build))
        if (gap := gap_of(page, "builds")) is not None:
            warn(f"digsite: {gap.message}")
        cursor = page.next_cursor
        more = cursor is not None
    more = more or len(builds) > limit
    del builds[limit:]
    paths = [f"{found.path}/{join(build_part(build))}" for build in builds]
    if as_json:
        document("builds", builds=[build_document(b, p) for b, p in zip(builds, paths, strict=True)], more=more)
        return
    now = datetime.now(UTC)
    table(
        [
            (path, status(b), b.branch or b.tag or "", b.workflow or "", age(b.created_at, now))
            for b, path in zip(builds, paths, strict=True)
        ]
    )
    if more:
        warn(f"There are more; --limit shows more than {limit}.")


async def _list_members(services: Services, found: Found, prefix: str, *, as_json: bool) -> None:
    if len(found.artifacts) != 1:
        raise PathError(f"{len(found.artifacts)} artifacts match.", hint="Name one to look inside.")
    inside = await services.look_inside(found.artifacts[0])
    entries = [entry for entry in inside.entries if entry.name.startswith(prefix) and not entry.is_folder]
    if as_json:
        members = [{"name": e.name, "size_bytes": e.size_bytes, "packed_bytes": e.packed_bytes} for e in entries]
        document("members", members=members)
    else:
        table([(size(entry.size_bytes).rjust(9), entry.name) for entry in entries])


async def _list_artifacts(found: Found, *, as_json: bool) -> None:
    if found.build is None:
        return
    whole = await list_artifacts(found.provider, found.build)
    if (gap := found.gap or whole.gap) is not None:
        warn(f"digsite: {gap.message}")
    everything = whole.items
    listed = found.artifacts or everything
    paths = [found.path_of(artifact, everything) for artifact in listed]
    if as_json:
        document("artifacts", artifacts=[artifact_document(a, p) for a, p in zip(listed, paths, strict=True)])
        return
    table(
        [
            (
                path,
                size(a.size_bytes),
                kind(a),
                "public" if a.is_public else "",
                a.action.name if a.action else "",
            )
            for a, path in zip(listed, paths, strict=True)
        ]
    )
