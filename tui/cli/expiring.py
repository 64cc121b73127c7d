"""`digsite expiring`: what providers will drop, soonest first."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import click

from tui.cli import exit_codes
from tui.cli.output import document, table, warn
from tui.cli.paths import parse_path
from tui.config import load_config
from tui.models.filter import FilterError, parse_span
from tui.services.expiring import Expiring, find_expiring
from tui.services.statistics import Statistics, artifact_path, open_catalog, today_utc
from tui.widgets.format import count, size


@click.command(name="expiring")
@click.argument("path", default="")
@click.option("--within", default="14d", show_default=True, help="A span such as 14d or 8w.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="Artifacts at most.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(path: str, within: str, limit: int, as_json: bool) -> int:
    """List what providers will drop soon, with the estimated last day (UTC) and the rule it comes from.

    No API tells the day: it follows from the providers' rules of today, or from [[retention.rules]] in config.toml.
    Counts what was listed; digsite index lists the rest.
    """
    try:
        span = parse_span(within)
    except FilterError as error:
        raise click.BadParameter(str(error), param_hint="--within") from error
    rules = load_config().retention_rules
    with closing(open_catalog()) as catalog:
        statistics = Statistics(catalog.figures, parse_path(path))
        for gap in statistics.gaps():
            warn(f"Partial: {gap} digsite index lists them.")
        found = find_expiring(statistics, rules, today=today_utc(), within=span, limit=limit)
        _print(statistics, found, span, as_json=as_json)
    return exit_codes.DONE


def _print(statistics: Statistics, found: Expiring, within: timedelta, *, as_json: bool) -> None:
    names = statistics.names()
    rows = [(artifact_path(a, names[a.ref.build_ref.app_ref]), a, end) for a, end in found.items]
    if as_json:
        artifacts = [
            {
                "path": path,
                "id": a.ref.artifact,
                "size_bytes": a.size_bytes,
                "last_day": end.last_day.isoformat(),
                "days": end.rule.days,
                "rule": end.rule.source,
            }
            for path, a, end in rows
        ]
        document(
            "expiring",
            count=found.count,
            size_bytes=found.size_bytes,
            within_days=within.days,
            more=found.count > len(rows),
            artifacts=artifacts,
            partial=statistics.gaps(),
        )
        return
    table([(end.last_day.isoformat(), size(a.size_bytes).rjust(9), path, end.rule.source) for path, a, end in rows])
    warn(f"{count(found.count, 'artifact')}, {size(found.size_bytes)}, within {count(within.days, 'day')}; estimated.")
    if found.count > len(rows):
        warn(f"There are more; --limit shows more than {len(rows)}.")
