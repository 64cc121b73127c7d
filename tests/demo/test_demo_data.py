"""The data is a function of ids and of the day: the same for the same day, and free until it is asked for."""

from __future__ import annotations

import io
import itertools
import tracemalloc
import zipfile
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tui.demo.archives import Archive, Filler, blocks, sha256
from tui.demo.bitrise_apps import APPS, BitriseStatus
from tui.demo.bitrise_builds import BuildFilter, build_slug
from tui.demo.data import DemoData
from tui.demo.log_failures import Failure
from tui.demo.seeds import IdCodec
from tui.demo.xcode_cloud_products import PRODUCTS

MORNING = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 21, 23, 30, tzinfo=timezone(timedelta(hours=2)))


def _finished(data: DemoData) -> list[object]:
    """What is told of finished builds and runs, without the demo's own clock in it."""
    facts: list[object] = []
    for app in APPS:
        for number in range(app.newest, app.newest - 20, -1):
            build = data.bitrise.histories[app.index].build(number)
            if build is not None:
                facts.append((build, [(each.slug, each.size) for each in data.bitrise.artifacts(build)]))
    return facts


def test_the_same_day_gives_the_same_data() -> None:
    assert _finished(DemoData(MORNING)) == _finished(DemoData(MORNING))
    morning, evening = DemoData(MORNING), DemoData(EVENING)
    app = APPS[0]
    numbers = range(app.newest, app.newest - 50, -1)
    history, other = morning.bitrise.histories[app.index], evening.bitrise.histories[app.index]
    assert [history.build(number) for number in numbers] == [other.build(number) for number in numbers]
    for product in PRODUCTS:
        finished = [run for run in morning.xcode_cloud.runs(product) if run.number <= product.newest]
        assert finished == [run for run in evening.xcode_cloud.runs(product) if run.number <= product.newest]


def test_the_bytes_are_the_same_in_every_run() -> None:
    data = DemoData(MORNING)
    build = data.bitrise.histories[APPS[0].index].build(2341)
    assert build is not None
    apk = data.bitrise.artifacts(build)[0]
    assert (apk.recipe.title, data.sha256(apk.slug)) == ("app-release.apk", DemoData(EVENING).sha256(apk.slug))
    with pytest.raises(KeyError):
        data.sha256("none")


def test_finished_builds_are_in_the_past_and_in_order() -> None:
    midnight = MORNING.replace(hour=0)
    data = DemoData(midnight)
    for app in APPS:
        builds = data.bitrise.select(app, BuildFilter()).page(0, 400)
        finished = [build for build in builds if build.number <= app.newest]
        for newer, older in itertools.pairwise(finished):
            assert newer.triggered_at > older.triggered_at
        for build in finished:
            assert build.finished_at is None or build.finished_at <= midnight
    for product in PRODUCTS:
        runs = [run for run in data.xcode_cloud.runs(product) if run.number <= product.newest]
        assert [run.created_at for run in runs] == sorted(run.created_at for run in runs)
        assert all(run.finished_at is None or run.finished_at <= midnight for run in runs)


def test_every_status_and_every_failure_is_near_the_top() -> None:
    builds = DemoData(MORNING).bitrise.select(APPS[0], BuildFilter()).page(0, 14)
    assert {build.status for build in builds} == set(BitriseStatus)
    assert {build.outcome.failure for build in builds if build.outcome.failure} == set(Failure)


def test_a_hundred_thousand_builds_cost_nothing_until_asked_for() -> None:
    tracemalloc.start()
    try:
        data = DemoData(MORNING)
        mono = next(app for app in APPS if app.count == 100_000)
        everything = data.bitrise.select(mono, BuildFilter())
        assert len(everything) == 100_000
        assert len(everything.page(70_000, 50)) == 50
        held, peak = tracemalloc.get_traced_memory()
        assert peak < 2 << 20
        greens = data.bitrise.select(mono, BuildFilter(status=int(BitriseStatus.SUCCESS), branch="main"))
        assert 20_000 < len(greens) < 60_000
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
        del greens
        assert tracemalloc.get_traced_memory()[0] < held + (1 << 20)
    finally:
        tracemalloc.stop()


def test_quick_and_slow_filters_agree() -> None:
    """The filter reads drawn attributes of builds that it never makes; making all of them gives the same."""
    data = DemoData(MORNING)
    app = next(app for app in APPS if app.title == "weather-kmp")
    history = data.bitrise.histories[app.index]
    builds = [build for build in map(history.build, history.numbers()) if build is not None]
    middle = builds[len(builds) // 2].triggered_at
    for query in (
        BuildFilter(branch="main", workflow="nightly"),
        BuildFilter(status=2),
        BuildFilter(commit_message="cart"),
        BuildFilter(trigger="pull-request"),
        BuildFilter(pull_request=next(build.pull_request for build in builds if build.pull_request)),
        BuildFilter(after=middle),
        BuildFilter(before=middle, status=1),
        BuildFilter(number=500),
        BuildFilter(number=1),
    ):
        expected = [build.number for build in builds if query.admits(build)]
        assert list(query.numbers(history)) == expected, query


def test_a_build_goes_on_and_the_next_one_starts() -> None:
    now = MORNING
    data = DemoData(MORNING, clock=lambda: now)
    app = APPS[0]

    def running() -> list[int]:
        builds = data.bitrise.select(app, BuildFilter(status=0)).page(0, 50)
        return [build.number for build in builds if build.started_at is not None]

    def queued() -> list[int]:
        builds = data.bitrise.select(app, BuildFilter(status=0)).page(0, 50)
        return [build.number for build in builds if build.started_at is None and not build.outcome.is_on_hold]

    assert (running(), queued()) == ([2342], [2343])
    now += timedelta(seconds=200)
    assert (running(), queued()) == ([2343], [])
    over = data.bitrise.build(app, build_slug(app, 2342))
    assert over is not None
    assert (over.status, len(data.bitrise.artifacts(over)) > 0) == (BitriseStatus.SUCCESS, True)
    now += timedelta(minutes=20)
    assert running() == [2348]


def test_a_run_goes_on_through_its_actions() -> None:
    now = MORNING
    data = DemoData(MORNING, clock=lambda: now)
    product = PRODUCTS[0]

    def progress() -> tuple[str, list[bool]]:
        run = next(run for run in data.xcode_cloud.runs(product) if run.number == 612)
        return run.progress, [action.completion is not None for action in run.actions(now)]

    assert progress() == ("RUNNING", [True, False, False])
    now += timedelta(seconds=90)
    assert progress() == ("RUNNING", [True, True, False])
    now += timedelta(seconds=90)
    assert progress() == ("COMPLETE", [True, True, True])


def test_time_stands_still_where_it_was_given() -> None:
    data = DemoData(MORNING)
    assert data.clock() == MORNING
    assert data.bitrise.select(APPS[0], BuildFilter()).page(0, 5) == DemoData(MORNING).bitrise.select(
        APPS[0], BuildFilter()
    ).page(0, 5)


def test_made_up_ids_name_nothing() -> None:
    codec = IdCodec("test")
    for payload in (0, 1, 255, 1 << 40, (1 << 48) - 1):
        assert codec.decode(codec.short(payload)) == payload
        assert codec.decode(codec.uuid(payload)) == payload
    other = IdCodec("other")
    for text in ("", "x", "é" * 16, "0" * 16, codec.uuid(5).upper(), other.uuid(5), codec.short(5) + "\n"):
        assert codec.decode(text) is None, text


def test_an_archive_reads_the_same_in_any_pieces() -> None:
    archive = Archive([("a.txt", b"a" * 999), ("ü/b", b"")], filler_name="filler", size=3_333_333, seed="s")
    whole = b"".join(blocks(archive))
    assert len(whole) == archive.size
    for start, length in ((0, 10), (40, 3_000_000), (1 << 20, 1 << 20), (3_333_300, 100), (3_333_333, 5)):
        assert archive.read(start, length) == whole[start : start + length]
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        assert opened.read("a.txt") == b"a" * 999
    with pytest.raises(ValueError, match="do not fit"):
        Archive([], filler_name="filler", size=50, seed="s")


def test_blocks_of_filler_differ() -> None:
    pieces = [bytes(block) for block in blocks(Filler("s", 4 << 20))]
    assert len(set(pieces)) == 4
    assert sha256(Filler("s", 10)) != sha256(Filler("t", 10))
