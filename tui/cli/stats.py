"""`digsite stats`: what is there, and what eats the space."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import click

from tui.cli import exit_codes
from tui.cli.output import document, table, warn
from tui.cli.paths import parse_path
from tui.errors import DigsiteError
from tui.folders import expanded, write_private
from tui.models.totals import CatalogedArtifact, Duplicates
from tui.safe_text import clean
from tui.services.statistics import Statistics, artifact_path, open_catalog, today_utc
from tui.stats.grouping import By, Group
from tui.stats.growth import AHEAD_DAYS, Growth
from tui.stats.health import Health
from tui.stats.overview import Overview
from tui.widgets.format import count, duration, size

_BAR_CELLS = 24
_SHOWN = 12


@click.command(name="stats")
@click.argument("path", default="")
@click.option("--by", type=click.Choice([*map(str, By)]), help="Count by this alone.")
@click.option("--largest", type=click.IntRange(1, 10_000), metavar="N", help="The N largest artifacts.")
@click.option("--oldest", type=click.IntRange(1, 10_000), metavar="N", help="The N oldest artifacts.")
@click.option("--duplicates", is_flag=True, help="Artifacts of the same title and size.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write one page with plots.")
def command(
    path: str,
    by: str | None,
    largest: int | None,
    oldest: int | None,
    duplicates: bool,
    as_json: bool,
    as_csv: bool,
    html: Path | None,
) -> int:
    """Count artifacts and bytes of all accounts, or of an account or app at PATH.

    The figures are of what was listed; digsite index lists the rest.
    """
    chosen = [by is not None, largest is not None, oldest is not None, duplicates, html is not None]
    if sum(chosen) > 1:
        raise click.UsageError("Choose one of --by, --largest, --oldest, --duplicates and --html.")
    if as_json and as_csv:
        raise click.UsageError("Choose one of --json and --csv.")
    with closing(open_catalog()) as catalog:
        statistics = Statistics(catalog.figures, parse_path(path))
        for gap in statistics.gaps():
            warn(f"Partial: {gap} digsite index lists them.")
        output = _Output(statistics, as_json=as_json, as_csv=as_csv)
        if largest is not None:
            output.artifacts("largest", statistics.figures.top(statistics.apps, "largest", largest))
        elif oldest is not None:
            output.artifacts("oldest", statistics.figures.top(statistics.apps, "oldest", oldest))
        elif duplicates:
            output.duplicates(statistics.figures.duplicates(statistics.apps, 100))
        elif html is not None:
            _write_page(statistics, html, path)
        elif by is not None:
            output.groups(By(by), statistics.groups(By(by), today_utc()))
        elif as_csv:
            output.groups(By.APP, statistics.groups(By.APP, today_utc()))
        else:
            output.overview(statistics.overview(today_utc()))
    return exit_codes.DONE


class _Output:
    """Figures in the form that was asked for."""

    def __init__(self, statistics: Statistics, *, as_json: bool, as_csv: bool) -> None:
        self._statistics = statistics
        self._names = statistics.names()
        self._as_json = as_json
        self._as_csv = as_csv

    def groups(self, by: By, groups: Sequence[Group]) -> None:
        if self._as_json:
            self._document("stats-groups", by=str(by), groups=_group_documents(groups))
        elif self._as_csv:
            _csv([str(by), "count", "size_bytes"], [[g.label, g.count, g.size_bytes] for g in groups])
        else:
            table(_bars(groups))

    def artifacts(self, order: str, artifacts: Sequence[CatalogedArtifact]) -> None:
        rows = [(artifact_path(a, self._names[a.ref.build_ref.app_ref]), a) for a in artifacts]
        if self._as_json:
            self._document("stats-artifacts", order=order, artifacts=[_artifact_document(a, p) for p, a in rows])
        elif self._as_csv:
            day = [a.created_at.isoformat() if a.created_at else "" for _, a in rows]
            values = [[p, a.kind, a.size_bytes, d] for (p, a), d in zip(rows, day, strict=True)]
            _csv(["path", "type", "size_bytes", "created_at"], values)
        else:
            table([(size(a.size_bytes).rjust(9), _day(a), p) for p, a in rows])

    def duplicates(self, groups: Sequence[Duplicates]) -> None:
        paths = [[artifact_path(a, self._names[a.ref.build_ref.app_ref]) for a in group.examples] for group in groups]
        if self._as_json:
            found = [
                {"title": g.title, "size_bytes": g.size_bytes, "count": g.count, "paths": p}
                for g, p in zip(groups, paths, strict=True)
            ]
            self._document("stats-duplicates", duplicates=found)
        elif self._as_csv:
            values = [[g.title, g.size_bytes, g.count, g.wasted_bytes] for g in groups]
            _csv(["title", "size_bytes", "count", "wasted_bytes"], values)
        else:
            table(
                [
                    (size(g.wasted_bytes).rjust(9), f"{g.count:,} x {size(g.size_bytes)}", p[0] if p else g.title)
                    for g, p in zip(groups, paths, strict=True)
                ]
            )
            warn("Same title and size; the content may still differ: neither API tells a checksum.")

    def overview(self, overview: Overview) -> None:
        if self._as_json:
            self._document(
                "stats",
                count=overview.count,
                size_bytes=overview.size_bytes,
                by={str(by): _group_documents(groups) for by, groups in overview.groups.items()},
                growth=_growth_document(overview.growth),
                health=[_health_document(each, self._names[each.app]) for each in overview.health],
            )
            return
        click.echo(f"{count(overview.count, 'artifact')}, {size(overview.size_bytes)}")
        for by, groups in overview.groups.items():
            click.echo(f"\nBy {by}")
            table(_bars(groups[:_SHOWN]))
            if len(groups) > _SHOWN:
                click.echo(f"  and {len(groups) - _SHOWN:,} more; --by {by} shows all")
        click.echo(f"\n{growth_line(overview.growth)}\n\nBuilds of the last 30 days")
        table([health_row(each, self._names[each.app]) for each in overview.health[:_SHOWN]])

    def _document(self, kind: str, **content: Any) -> None:
        document(kind, **content, partial=self._statistics.gaps())


def growth_line(growth: Growth) -> str:
    """The forecast in one sentence."""
    if growth.forecast_bytes is None or growth.bytes_per_day is None:
        return "Growth: too few days to tell."
    sign = "-" if growth.bytes_per_day < 0 else "+"
    per_day = size(abs(round(growth.bytes_per_day)))
    ahead = size(growth.forecast_bytes)
    return f"Growth: {sign}{per_day} a day; {ahead} in {AHEAD_DAYS} days, if nothing is deleted or expires."


def health_row(health: Health, app: str) -> tuple[str, ...]:
    """One workflow in words."""
    rate = "" if health.success_rate is None else f"{health.success_rate:.0%} green"
    trend = "" if health.trend is None else f"{health.trend:+.0%}"
    return app, health.workflow or "none", count(health.runs, "build"), rate, duration(health.mean_s), trend


def _bars(groups: Sequence[Group]) -> list[tuple[str, ...]]:
    most = max((group.size_bytes for group in groups), default=0)
    return [
        (
            size(g.size_bytes).rjust(9),
            f"{g.count:,}".rjust(7),
            "#" * round(_BAR_CELLS * g.size_bytes / most) if most else "",
            g.label,
        )
        for g in groups
    ]


def _write_page(statistics: Statistics, html: Path, path: str) -> None:
    from tui.stats.page import page

    today: date = today_utc()
    text = page(path or "all accounts", statistics.overview(today), statistics.names(), statistics.gaps(), today)
    try:
        write_private(expanded(html, "--html"), text)
    except OSError as error:
        raise DigsiteError(f"{clean(str(html))} cannot be written: {error.strerror}.") from error


def _day(artifact: CatalogedArtifact) -> str:
    return f"{artifact.created_at:%Y-%m-%d}" if artifact.created_at else ""


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Text from a server is made safe for a terminal, and for a spreadsheet that would take it for a formula."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _group_documents(groups: Sequence[Group]) -> list[dict[str, Any]]:
    return [{"label": g.label, "count": g.count, "size_bytes": g.size_bytes} for g in groups]


def _artifact_document(artifact: CatalogedArtifact, path: str) -> dict[str, Any]:
    return {
        "path": path,
        "id": artifact.ref.artifact,
        "title": artifact.title,
        "kind": artifact.kind,
        "size_bytes": artifact.size_bytes,
        "branch": artifact.branch,
        "workflow": artifact.workflow,
        "is_public": artifact.is_public,
        "created_at": artifact.created_at.isoformat() if artifact.created_at else None,
    }


def _growth_document(growth: Growth) -> dict[str, Any]:
    return {
        "points": [{"day": day.isoformat(), "size_bytes": held} for day, held in growth.points],
        "bytes_per_day": growth.bytes_per_day,
        "forecast_bytes": growth.forecast_bytes,
        "forecast_days": AHEAD_DAYS,
    }


def _health_document(health: Health, app: str) -> dict[str, Any]:
    return {
        "app": app,
        "workflow": health.workflow,
        "runs": health.runs,
        "success_rate": health.success_rate,
        "mean_seconds": health.mean_s,
        "trend": health.trend,
    }
