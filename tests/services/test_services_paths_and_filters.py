"""The address and the filter language."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import PathError
from tui.models.filter import Fields, FilterError, parse_filter
from tui.paths import DigPath, decode, encode
from tui.safe_text import clean

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(), max_size=40)


@given(ANY_TEXT)
def test_an_encoded_part_reads_back_and_cannot_drive_a_terminal(text: str) -> None:
    encoded = encode(text)
    assert decode(encoded) == text
    assert "/" not in encoded
    assert clean(encoded) == encoded


@given(ANY_TEXT)
def test_any_text_is_a_path_or_a_clear_error(text: str) -> None:
    with suppress(PathError):
        DigPath.parse(text)


@pytest.mark.parametrize("text", ["a/b/c/d/e", "a//b", "a/b/c//d", "a/b//"])
def test_a_path_of_the_wrong_form_says_what_to_write(text: str) -> None:
    with pytest.raises(PathError) as raised:
        DigPath.parse(text)
    assert raised.value.hint


def test_a_member_of_an_artifact() -> None:
    path = DigPath.parse("acme/ios/88/Acme.ipa//Payload/Acme.app/Info.plist")
    assert path.artifact == "Acme.ipa"
    assert path.member == "Payload/Acme.app/Info.plist"


@dataclass
class Row:
    text: str
    branch: str
    date: datetime


FIELDS: Fields[Row] = Fields(
    haystack=lambda row: f"{row.text} {row.branch}".lower(),
    texts={"branch": lambda row: row.branch.lower()},
    date=lambda row: row.date,
)
ROWS = [
    Row("Release", "main", NOW - timedelta(days=1)),
    Row("Debug", "main", NOW - timedelta(days=8)),
    Row("Debug", "feature/main-menu", NOW - timedelta(hours=2)),
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", [0, 1, 2]),
        ("debug", [1, 2]),
        ("DEBUG", [1, 2]),
        ("!debug", [0]),
        ("main", [0, 1, 2]),
        ("branch:feature", [2]),
        ("!branch:feature", [0, 1]),
        ("since:7d", [0, 2]),
        ("before:7d", [1]),
        ("since:2026-11-20 debug", [2]),
        ("since:3h", [2]),
        ("debug branch:main !branch:menu", [1]),
        ("!", [0, 1, 2]),
        ("branch:", [0, 1, 2]),
        ("12:30", []),
    ],
)
def test_filters(text: str, shown: list[int]) -> None:
    row_filter = parse_filter(text, FIELDS, now=NOW)
    assert [n for n, row in enumerate(ROWS) if row_filter.matches(row)] == shown


@pytest.mark.parametrize("text", ["colour:red", "since:yesterday", "since:99999999999w", "before:2026-13-40"])
def test_a_wrong_filter_says_why(text: str) -> None:
    with pytest.raises(FilterError, match=r"\w+ "):
        parse_filter(text, FIELDS, now=NOW)


@given(ANY_TEXT)
def test_any_text_is_a_filter_or_a_clear_error(text: str) -> None:
    try:
        row_filter = parse_filter(text, FIELDS, now=NOW)
    except FilterError:
        return
    for row in ROWS:
        row_filter.matches(row)
