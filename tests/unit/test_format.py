"""Figures, times and states in words: whatever a provider, a plug-in or a certificate claims, they read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tui.peek import Certificate, InsideFacts, Profile
from tui.widgets.format import age, duration, exact_size, remaining, size, timestamp
from tui.widgets.inside_facts import inside_lines

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.fixture(params=["America/New_York", "Asia/Tokyo"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_a_moment_at_an_end_of_the_calendar_reads(zone: str) -> None:
    is_west = zone == "America/New_York"  # where it is still the year before, which there is not
    assert timestamp(FIRST).endswith("1-01-01 00:00" if is_west else "1-01-01 09:18")
    assert timestamp(LAST) == ("9999-12-31 18:59" if is_west else "9999-12-31 23:59")
    assert age(FIRST, NOW) == "2025y"
    assert age(LAST, NOW) == "now"


def test_a_moment_is_in_the_zone_of_the_user(zone: str) -> None:
    assert timestamp(NOW) == {"America/New_York": "2026-11-21 05:00", "Asia/Tokyo": "2026-11-21 19:00"}[zone]


@pytest.mark.usefixtures("zone")
def test_a_certificate_that_never_expires_is_shown() -> None:
    profile = Profile("Acme", None, FIRST, None, "ad-hoc", (Certificate("Acme", LAST),))
    shown = dict(inside_lines(InsideFacts(profile=profile), NOW))
    assert "expired" in shown["Expires"]
    assert "9999-12-31" in shown["Certificate"]


@pytest.mark.parametrize("digits", [30, 400, 5000])
def test_a_size_that_nothing_has_is_unknown(digits: int) -> None:
    assert size(10**digits) == size(-(10**digits)) == "?"
    assert exact_size(10**digits) == "unknown"


def test_lengths_of_time_that_cannot_be() -> None:
    assert duration(-63930765600.0) == "0s"
    assert [duration(float(word)) for word in ("nan", "inf", "-inf")] == ["", "", ""]
    assert remaining(float("inf")) == "--"
