"""`digsite identify`: where a file, or the UUID of a crash, comes from."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import UUID

import click

from tui.cli.output import document, table, warn
from tui.cli.paths import parse_path
from tui.cli.runner import run
from tui.config import load_config
from tui.errors import DigsiteError, NotFound
from tui.paths import DigPath
from tui.services import open_services
from tui.services.documents import build_document
from tui.services.identifying import Identified, Identifying, Spent
from tui.widgets.format import build_name, count, size, status


@click.command(name="identify")
@click.argument("thing", metavar="FILE|UUID")
@click.argument("path", default="")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Builds that are looked at.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(thing: str, path: str, limit: int, as_json: bool) -> None:
    """Find the build and artifact that FILE is a copy of, or whose debug symbols have the UUID of a crash.

    Searches at PATH (an account, an app or a build; else everywhere), newest builds first, without downloading: by
    what digsite has fetched before, then by size and title, the table of contents, or the storage's MD5. Exit code 3
    when it is not found; ctrl+c ends the search.

    \b
    digsite identify Acme.ipa acme
    digsite identify 6F9619FF-8B86-D011-B42D-00C04FC964FF acme/acme-ios --limit 200
    """
    file = Path(thing)
    wanted = file if file.is_file() else _uuid(thing)
    if wanted is None:
        raise NotFound("There is no such file, and it is no UUID.", hint="A UUID has 32 hexadecimal digits.")
    run(_identify(wanted, parse_path(path), limit, as_json=as_json))


async def _identify(wanted: Path | UUID, scope: DigPath, limit: int, *, as_json: bool) -> None:
    async with open_services(load_config()) as services:
        search = Identifying(services, _tell)
        try:
            if isinstance(wanted, UUID):
                found = await search.uuid(wanted, scope, limit)
            else:
                found = await search.file(wanted, scope, limit)
        except OSError as error:
            raise DigsiteError(f"The file cannot be read ({error.strerror}).") from error
        finally:
            if sys.stderr.isatty():
                click.echo("\r\x1b[K", nl=False, err=True)
            warn(f"Looked at {_cost(search.spent)}.")
    _print(found, search.spent, as_json=as_json)


def _print(found: Identified, spent: Spent, *, as_json: bool) -> None:
    build = found.build
    if as_json:
        document(
            "identified",
            path=found.path,
            how=found.how,
            is_proved=found.is_proved,
            artifact_id=found.artifact.artifact,
            build=build_document(build, found.path.rpartition("/")[0]) if build is not None else None,
            spent={"builds": spent.builds, "calls": spent.calls, "moved_bytes": spent.moved_bytes},
        )
        return
    rows = [("Path", found.path), ("Found by", found.how if found.is_proved else f"{found.how}; not proved")]
    if build is not None:
        where = f"{build.branch or build.tag or ''} {build.commit_sha[:12] if build.commit_sha else ''}".strip()
        rows += [("Build", f"{build_name(build)} {status(build)} {build.workflow or ''}"), ("Source", where)]
    table(rows)


def _tell(spent: Spent) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{_cost(spent)}", nl=False, err=True)


def _cost(spent: Spent) -> str:
    return f"{count(spent.builds, 'build')} with {count(spent.calls, 'call')}, {size(spent.moved_bytes)} read"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
