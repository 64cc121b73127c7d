"""Retention, groups, growth, health and the page: numbers in, numbers out."""

from __future__ import annotations

from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from tui.models import AccountName, AppId, AppRef, ArtifactKind, Status
from tui.models.rules import RetentionRule
from tui.models.totals import DayTotal, LabelTotal, RunTotal
from tui.stats import grouping
from tui.stats.grouping import By
from tui.stats.growth import AHEAD_DAYS, growth
from tui.stats.health import by_day, health
from tui.stats.overview import Overview
from tui.stats.page import page
from tui.stats.retention import BUILT_IN, effective_rules, expiring, expiry

APP = AppRef(AccountName("acme"), AppId("a1"))
TODAY = date(2026, 11, 20)
CHANGE = date(2026, 3, 31)


def total(day: date | None, size: int, kind: ArtifactKind = ArtifactKind.APK, **more: object) -> DayTotal:
    values: dict[str, object] = {"provider": "bitrise", "is_intermediate": False, "count": 1, **more}
    return DayTotal(day=day, kind=kind, size_bytes=size, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("provider", "kind", "day", "days"),
    [
        ("bitrise", ArtifactKind.APK, CHANGE + timedelta(days=1), 150),
        ("bitrise", ArtifactKind.LOGS, CHANGE + timedelta(days=1), 90),
        ("bitrise", ArtifactKind.APK, CHANGE - timedelta(days=1), 365),
        ("bitrise", ArtifactKind.APK, CHANGE, 150),
        ("bitrise", ArtifactKind.FILE, CHANGE, 90),
        ("xcode-cloud", ArtifactKind.IPA, TODAY, 30),
    ],
)
def test_the_vendors_rules_and_the_earlier_day_on_the_border(
    provider: str, kind: ArtifactKind, day: date, days: int
) -> None:
    end = expiry(provider, kind, day, BUILT_IN)
    assert end is not None
    assert (end.last_day, end.rule.days) == (day + timedelta(days=days), days)


def test_intermediates_last_a_week_since_the_change() -> None:
    for day, days in ((CHANGE - timedelta(days=1), 365), (CHANGE, 7), (CHANGE + timedelta(days=1), 7)):
        end = expiry("bitrise", ArtifactKind.FILE, day, BUILT_IN, is_intermediate=True)
        assert end is not None
        assert end.last_day == day + timedelta(days=days)


def test_a_rule_of_the_user_stands_in_for_all_of_that_provider() -> None:
    rules = effective_rules([RetentionRule("bitrise", 400, "config.toml")])
    ours, theirs = (
        expiry("bitrise", ArtifactKind.APK, TODAY, rules),
        expiry("xcode-cloud", ArtifactKind.IPA, TODAY, rules),
    )
    assert ours is not None
    assert theirs is not None
    assert (ours.rule.days, theirs.rule.days) == (400, 30)
    assert expiry("elsewhere", ArtifactKind.IPA, TODAY, rules) is None


def test_what_expires_comes_soonest_first_and_both_ends_count() -> None:
    days = [total(TODAY - timedelta(days=150 - left), left) for left in (15, 0, 14, -1, 3)] + [total(None, 99)]
    found = expiring(days, BUILT_IN, first=TODAY, last=TODAY + timedelta(days=14))
    assert [each.total.size_bytes for each in found] == [0, 3, 14]


def test_groups_by_kind_month_and_age() -> None:
    days = [
        total(TODAY, 5),
        total(TODAY - timedelta(days=7), 7, ArtifactKind.LOGS, count=3),
        total(TODAY - timedelta(days=200), 1),
        total(None, 2),
    ]
    assert [(g.label, g.count, g.size_bytes) for g in grouping.by_kind(days)] == [("apk", 3, 8), ("logs", 3, 7)]
    assert [g.label for g in grouping.by_month(days)] == ["2026-05", "2026-11", "unknown"]
    assert [(g.label, g.size_bytes) for g in grouping.by_age(days, TODAY)] == [
        ("under 7 days", 5),
        ("7 to 29 days", 7),
        ("180 days and older", 1),
        ("unknown", 2),
    ]
    labels = [LabelTotal(APP, "main", 1, 5), LabelTotal(APP, "", 2, 9)]
    assert [g.label for g in grouping.by_label(labels, lambda each: each.label or "none")] == ["none", "main"]


def test_growth_that_is_a_line_goes_on_as_that_line() -> None:
    days = [total(TODAY - timedelta(days=n), 100) for n in range(30)]
    found = growth(days, TODAY)
    assert found.points[0] == (TODAY - timedelta(days=29), 100)
    assert found.points[-1] == (TODAY, 3000)
    assert found.bytes_per_day == pytest.approx(100)
    assert found.forecast_bytes == 3000 + 100 * AHEAD_DAYS
    assert growth([], TODAY).points == ()
    assert growth([total(TODAY, 5)], TODAY).forecast_bytes is None


def run(days_ago: int, status: Status, count: int, seconds: int, workflow: str = "ci") -> RunTotal:
    return RunTotal(APP, workflow, TODAY - timedelta(days=days_ago), status, count, count, seconds)


def test_health_of_a_workflow_and_its_trend() -> None:
    runs = [
        run(1, Status.SUCCEEDED, 3, 360),
        run(2, Status.FAILED, 1, 5),
        run(3, Status.ABORTED, 7, 70),
        run(40, Status.SUCCEEDED, 1, 100),
        run(1, Status.FAILED, 1, 5, "new"),
    ]
    ci, new = health(runs, TODAY)
    assert (ci.runs, ci.success_rate, ci.mean_s) == (4, 0.75, 120)
    assert ci.trend == pytest.approx(0.2)
    assert (new.success_rate, new.mean_s, new.trend) == (0.0, None, None)


def test_health_of_a_workflow_day_by_day() -> None:
    runs = [
        run(1, Status.SUCCEEDED, 3, 360),
        run(1, Status.FAILED, 1, 5),
        run(2, Status.ABORTED, 7, 70),
        run(3, Status.FAILED, 2, 5),
        run(40, Status.SUCCEEDED, 1, 100),
    ]
    found = [(day, each.runs, each.success_rate, each.mean_s) for day, each in by_day(runs, TODAY)]
    assert found == [(TODAY - timedelta(days=1), 4, 0.75, 120), (TODAY - timedelta(days=3), 2, 0.0, None)]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in {"src", "href"} or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_holds_hostile_names_as_text_and_loads_nothing() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x1b[2J"
    days = [total(TODAY - timedelta(days=n), 100) for n in range(3)]
    overview = Overview(
        count=3,
        size_bytes=300,
        groups={By.BRANCH: [grouping.Group(evil, 3, 300)]},
        growth=growth(days, TODAY),
        health=health([run(1, Status.SUCCEEDED, 1, 60, evil)], TODAY),
    )
    text = page(evil, overview, {APP: evil}, [evil], TODAY)
    read = _Tags()
    read.feed(text)
    assert read.tags <= {"html", "meta", "title", "style", "h1", "h2", "p", "svg", "rect", "text", "polyline", "table",
                         "tr", "th", "td"}  # fmt: skip
    assert read.links == []
    assert "\x1b" not in text
    assert "<script>" in read.text
    assert "3 artifacts" in read.text


def test_the_page_has_a_treemap_of_apps_or_of_the_branches_of_one() -> None:
    def map_of(groups: dict[By, list[grouping.Group]]) -> str:
        overview = Overview(count=1, size_bytes=1, groups=groups, growth=growth([], TODAY), health=[])
        text = page("all", overview, {}, [], TODAY)
        return text[text.index("What takes the space") : text.index("<h2>By")]

    apps = [grouping.Group(f"app-{n}", 1, 1000 - n) for n in range(3)]
    branches = [grouping.Group("main", 2, 10**9), *(grouping.Group(f"fix/{n}", 1, 100) for n in range(90))]
    of_apps = map_of({By.APP: apps, By.BRANCH: branches})
    assert all(app.label in of_apps for app in apps)
    assert "main" not in of_apps
    of_branches = map_of({By.APP: apps[:1], By.BRANCH: branches})
    assert "main" in of_branches
    assert "90 others" in of_branches
    assert "<rect" not in map_of({By.APP: [grouping.Group("app", 1, 0)], By.BRANCH: []})
