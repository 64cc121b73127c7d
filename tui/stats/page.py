"""Statistics as one HTML page: no script, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from html import escape
from typing import Final

from tui.models import AppRef
from tui.safe_text import clean
from tui.stats.grouping import By, Group
from tui.stats.growth import AHEAD_DAYS, Growth
from tui.stats.health import Health
from tui.stats.overview import Overview
from tui.stats.treemap import Box, treemap

_WIDTH: Final = 760
_BAR: Final = 22
_ROWS: Final = 15
_PLOT: Final = 220
_MAP: Final = 320
_LEAST_AREA: Final = (1200, 600, 300)
"""Of a box of the treemap."""
_TONES: Final = 4
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:800px;margin:2rem auto;padding:0 1rem;"
    "color:#1c2330;background:#fff}h2{margin-top:2rem}table{border-collapse:collapse}"
    "td,th{padding:.15rem .8rem .15rem 0;text-align:left}td.n{text-align:right}svg{max-width:100%}"
    ".b{fill:#4477aa}.f{stroke:#cc6677;stroke-dasharray:5 4}.l{stroke:#4477aa}text{font:12px system-ui;fill:#1c2330}"
    ".t0{fill:#4477aa44}.t1{fill:#22883344}.t2{fill:#ccbb4455}.t3{fill:#aa337733}.o{fill:#88888833}"
    "rect[class^=t],rect.o{stroke:#888888}"
    ".w{color:#8a5a00}@media(prefers-color-scheme:dark){body{color:#dde3ee;background:#12161d}text{fill:#dde3ee}}"
)


def page(title: str, sums: Overview, names: Mapping[AppRef, str], gaps: Iterable[str], today: date) -> str:
    """The whole document.

    Args:
        title: What it is about.
        sums: The figures.
        names: The path of each app.
        gaps: What the figures do not cover.
        today: The UTC day they are of.
    """
    what = _text(title)
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>digsite: {what}</title><style>{_STYLE}</style><h1>{what}</h1>",
        f"<p>{sums.count:,} artifacts, {_size(sums.size_bytes)}, as of {today.isoformat()}.</p>",
        *(f'<p class="w">Partial: {_text(gap)}</p>' for gap in gaps),
        f"<h2>Growth</h2>{_growth(sums.growth)}",
        f"<h2>What takes the space</h2>{_map(_mapped(sums.groups))}",
        *(f"<h2>By {_text(by)}</h2>{_bars(groups)}" for by, groups in sums.groups.items()),
        f"<h2>Builds of the last 30 days</h2>{_health(sums.health, names)}",
        "</html>\n",
    ]
    return "\n".join(parts)


def _bars(groups: Sequence[Group]) -> str:
    shown = groups[:_ROWS]
    most = max((group.size_bytes for group in shown), default=0) or 1
    rows = []
    for number, group in enumerate(shown):
        y = number * _BAR
        width = max(1, round(300 * group.size_bytes / most))
        rows.append(
            f'<rect class="b" x="250" y="{y + 3}" width="{width}" height="{_BAR - 6}"/>'
            f'<text x="0" y="{y + 15}">{_text(group.label, 34)}</text>'
            f'<text x="{256 + width}" y="{y + 15}">{_size(group.size_bytes)}, {group.count:,}</text>'
        )
    more = f"<p>and {len(groups) - _ROWS:,} more</p>" if len(groups) > _ROWS else ""
    return _svg(len(shown) * _BAR, "".join(rows)) + more


def _mapped(groups: Mapping[By, Sequence[Group]]) -> Sequence[Group]:
    """The apps; the branches where there is only one app."""
    apps = groups.get(By.APP, ())
    return apps if len(apps) > 1 else groups.get(By.BRANCH, apps)


def _map(groups: Sequence[Group]) -> str:
    boxes = treemap([group.size_bytes for group in groups], _WIDTH, _MAP, tall=1.0, least=_LEAST_AREA)
    if not boxes:
        return "<p>Nothing of a known size.</p>"
    shown = list(groups[: len(boxes)])
    rest = groups[len(boxes) - 1 :]
    is_cut = sum(group.size_bytes > 0 for group in groups) > len(boxes)
    if is_cut:
        shown[-1] = Group(
            f"{len(rest):,} others", sum(each.count for each in rest), sum(each.size_bytes for each in rest)
        )
    tones = [f"t{number % _TONES}" for number in range(len(shown))]
    tones[-1] = "o" if is_cut else tones[-1]
    return _svg(_MAP, "".join(map(_tile, boxes, shown, tones)))


def _tile(box: Box, group: Group, tone: str) -> str:
    """A picture in the picture, so that a name ends where its box does."""
    words = f"{_size(group.size_bytes)}, {group.count:,}"
    return (
        f'<svg x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}">'
        f"<title>{_text(group.label)}: {words}</title>"
        f'<rect class="{tone}" width="100%" height="100%"/>'
        f'<text x="6" y="16">{_text(group.label, 60)}</text><text x="6" y="32">{words}</text></svg>'
    )


def _growth(growth: Growth) -> str:
    if len(growth.points) < 2:
        return "<p>Too few days to tell.</p>"
    first, last = growth.points[0][0], growth.points[-1][0]
    days = (last - first).days
    ahead = AHEAD_DAYS if growth.forecast_bytes is not None else 0
    most = max(*(held for _, held in growth.points), growth.forecast_bytes or 0) or 1
    place = _scale(days + ahead, most)
    line = " ".join(place((day - first).days, held) for day, held in growth.points)
    drawn = f'<polyline class="l" fill="none" stroke-width="2" points="{line}"/>'
    said = f"<p>{_size(growth.points[-1][1])} on {last.isoformat()}"
    if growth.forecast_bytes is not None:
        ends = f"{place(days, growth.points[-1][1])} {place(days + ahead, growth.forecast_bytes)}"
        drawn += f'<polyline class="f" fill="none" stroke-width="2" points="{ends}"/>'
        said += f"; {_size(growth.forecast_bytes)} in {AHEAD_DAYS} days, if nothing is deleted or expires"
    axis = f'<text x="0" y="{_PLOT + 16}">{first.isoformat()}</text><text x="0" y="12">{_size(most)}</text>'
    return _svg(_PLOT + 20, drawn + axis) + said + ".</p>"


def _scale(days: int, most: int) -> Callable[[int, int], str]:
    return lambda day, held: f"{day / max(days, 1) * _WIDTH:.1f},{_PLOT - held / most * (_PLOT - 20):.1f}"


def _health(health: Sequence[Health], names: Mapping[AppRef, str]) -> str:
    head = "<tr><th>App<th>Workflow<th>Builds<th>Green<th>Mean<th>Trend"
    rows = [
        f"<tr><td>{_text(names[each.app], 60)}<td>{_text(each.workflow or 'none', 40)}"
        f'<td class="n">{each.runs:,}<td class="n">{_percent(each.success_rate)}'
        f'<td class="n">{_minutes(each.mean_s)}<td class="n">{_percent(each.trend, sign="+")}'
        for each in health[:_ROWS]
    ]
    return f"<table>{head}{''.join(rows)}</table>"


def _svg(height: int, inside: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {max(height, 1)}" width="{_WIDTH}" role="img">{inside}</svg>'


def _text(text: str, limit: int = 120) -> str:
    return escape(clean(text, limit))


def _percent(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.0%}"


def _minutes(seconds: float | None) -> str:
    return "" if seconds is None else f"{int(seconds // 60)}:{int(seconds % 60):02d} min"


def _size(size_bytes: int) -> str:
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return ""
