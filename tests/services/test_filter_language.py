"""What can be typed into a filter: quotes, letters in order, regular expressions, and what is refused in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.models import BuildQuery
from tui.models.filter import Fields, FilterError, build_query, parse_filter
from tui.models.patterns import READ_CHARS, regular

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass
class Row:
    text: str
    branch: str


FIELDS: Fields[Row] = Fields(
    haystack=lambda row: f"{row.text} {row.branch}".lower(),
    texts={"branch": lambda row: row.branch.lower()},
)
ROWS = [
    Row("Acme-Android release.apk", "main"),
    Row("Fix the crash", "feature/main menu"),
    Row("Build 1.20.3", "release/1.20"),
]


def shown(text: str) -> list[int]:
    row_filter = parse_filter(text, FIELDS, now=NOW)
    return [n for n, row in enumerate(ROWS) if row_filter.matches(row)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"the crash"', [1]),
        ('"the crash', [1]),
        ('"crash the"', []),
        ('"!release"', []),
        ('"~rls"', []),
        ('!"the crash"', [0, 2]),
        ('branch:"main menu"', [1]),
        ('branch:"main menu" crash', [1]),
        ('""', [0, 1, 2]),
        ("~acand", [0]),
        ("~ACAND", [0]),
        ("~dnaca", []),
        ("~thecrash", []),
        ("!~acand", [1, 2]),
        ("~", [0, 1, 2]),
        ("branch:~fmn", [1]),
        (r"~1.3", [2]),
        ("~]^", []),
        ("branch:!main", [2]),
        ("!branch:!main", [0, 1]),
        (r"re:\d+\.\d+\.\d+", [2]),
        ("re:^acme.*apk", [0]),
        ("RE:^ACME", [0]),
        (r"re:^\S+\sthe\b", [1]),
        (r"re:\Abuild", [2]),
        ("re:(apk|1.20.3)", [0, 2]),
        ("re:[A-C]cme", [0]),
        ('re:"fix the"', [1]),
        ("!re:^acme", [1, 2]),
        ("branch:re:^release/", [2]),
        ("re:", [0, 1, 2]),
        ("re:a{2}", []),
    ],
)
def test_what_is_shown(text: str, expected: list[int]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("re:(a+)+b", "repeats no group"),
        ("re:(a|aa)*b", "repeats no group"),
        ("re:(ab){9}", "repeats no group"),
        (r"re:(a)\1", "no reference back"),
        ("re:(?=a)b", "no look around"),
        ("re:(?P<x>a)", "no look around"),
        ("re:a?a?a?a?aaaa", "at most 3"),
        ("re:(a|a)(a|a)(a|a)(a|a)", "3 groups"),
        ("re:" + "a" * 101, "100 characters"),
        ("re:[", "cannot read this"),
        ("re:(", "cannot read this"),
        ("re:*", "cannot read this"),
        ("re:a{99999999999}", "cannot read this"),
    ],
)
def test_what_is_refused_says_why(text: str, why: str) -> None:
    with pytest.raises(FilterError, match=why):
        parse_filter(text, FIELDS, now=NOW)


def test_the_slowest_pattern_reads_the_beginning_of_a_hostile_text_only() -> None:
    assert not regular(".*a.*b")("a" * 50_000_000)
    assert regular("^a")("a" * 50_000_000)
    assert not regular("b")("a" * READ_CHARS + "b")


@pytest.mark.parametrize(
    ("text", "needle"),
    [("~abc Release", "release"), ('"The crash" x', "the crash"), ("branch:main re:x !no", "")],
)
def test_the_first_word_is_highlighted(text: str, needle: str) -> None:
    assert parse_filter(text, FIELDS, now=NOW).needle == needle


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ('branch:"main menu"', BuildQuery(branch="main menu")),
        ("branch:~main", None),
        ("branch:!main", None),
        ("!branch:main", None),
        ("branch:re:^main", None),
        ('"branch:main"', None),
    ],
)
def test_a_provider_is_asked_for_whole_values_only(text: str, query: BuildQuery | None) -> None:
    assert build_query(text, now=NOW) == query


@given(st.text(st.sampled_from('re:~!"()[]{}\\|*+?.^$-&1,ab '), max_size=30))
def test_any_signs_are_a_filter_or_a_clear_error(text: str) -> None:
    for typed in (text, f"re:{text}", f"~{text}", f"branch:{text}"):
        try:
            row_filter = parse_filter(typed, FIELDS, now=NOW)
        except FilterError:
            continue
        for row in ROWS:
            row_filter.matches(row)
