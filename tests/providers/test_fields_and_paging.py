from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import ProviderError
from tui.models import Cursor
from tui.providers import presigned
from tui.providers.fields import (
    get_bool,
    get_id,
    get_int,
    get_list,
    get_mapping,
    get_seconds,
    get_size,
    get_str,
    get_time,
    get_word,
)
from tui.providers.paging import ENDLESS, INCOMPLETE, Trail

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "x", "\ud800", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


@given(JSON)
def test_reading_never_raises(data: object) -> None:
    for read in (get_str, get_id, get_word, get_int, get_size, get_bool, get_time, get_mapping, get_list, get_seconds):
        read(data, "a")
        read(data, "a", "b")
        read(data)


def test_each_reader_takes_its_type_only() -> None:
    data = {
        "t": True,
        "n": 3,
        "f": 3.0,
        "h": 3.5,
        "neg": -1,
        "s": "x",
        "e": "",
        "lone": "a\ud800",
        "o": {"s": "y"},
    }
    assert [get_int(data, k) for k in ("t", "n", "f", "h", "s")] == [None, 3, 3, None, None]
    assert [get_bool(data, k) for k in ("t", "n")] == [True, None]
    assert [get_size(data, k) for k in ("n", "neg")] == [3, None]
    assert [get_seconds(data, k) for k in ("n", "h", "neg", "t", "s")] == [3, 3.5, None, None, None]
    assert get_seconds({"long": 10**400}, "long") is None
    large = {"most": 2**63 - 1, "more": 2**63, "less": -(2**63), "float": 1e300, "huge": 10**400}
    assert [get_int(large, k) for k in large] == [2**63 - 1, None, None, None, None]
    assert [get_size(large, k) for k in large] == [2**63 - 1, None, None, None, None]
    assert [get_str(data, k) for k in ("s", "e", "n")] == ["x", None, None]
    assert [get_id(data, k) for k in ("s", "lone")] == ["x", None]
    assert [get_word(data, k) for k in ("n", "s", "t")] == ["3", "x", None]
    assert get_str(data, "o", "s") == "y"
    assert get_str(data, "s", "o") is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-08-17T17:48:11.806Z", datetime(2021, 8, 17, 17, 48, 11, 806000, UTC)),
        ("2021-08-17T19:48:11+02:00", datetime(2021, 8, 17, 17, 48, 11, tzinfo=UTC)),
        ("2021-08-17T17:48:11", datetime(2021, 8, 17, 17, 48, 11, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("yesterday", None),
    ],
)
def test_times_are_aware_utc(text: str, moment: datetime | None) -> None:
    found = get_time({"at": text}, "at")
    assert found == moment
    assert found is None or found.tzinfo is UTC


def walk(pages: dict[str, str | None], items: list[int] | None = None) -> tuple[int, str | None]:
    """Follows a server whose pages point at each other; gives the calls made and the last note."""
    cursor: Cursor | None = None
    received = [1] if items is None else items
    for calls in range(1, 200):
        trail = Trail.read(cursor)
        cursor, note = trail.follow(pages[trail.token], received)
        if cursor is None:
            return calls, note
    pytest.fail("the listing never ends")


def test_a_listing_ends_where_the_server_says() -> None:
    assert walk({"": "a", "a": "b", "b": None}) == (3, None)
    assert walk({"": ""}) == (1, None)


@pytest.mark.parametrize(
    "pages",
    [
        {"": "a", "a": "a"},
        {"": "a", "a": "b", "b": "a"},
        {"": "a", "a": "b", "b": "c", "c": "d", "d": "b"},
        {"": "0", **{str(n): str((n + 1) % 17) for n in range(17)}},
    ],
)
def test_a_circle_ends_with_a_note(pages: dict[str, str | None]) -> None:
    calls, note = walk(pages)
    assert note == INCOMPLETE
    assert calls < 4 * len(pages) + 4


def test_three_empty_pages_end_with_a_note() -> None:
    calls, note = walk({"": "0", **{str(n): str(n + 1) for n in range(99)}}, items=[])
    assert (calls, note) == (3, ENDLESS)


@pytest.mark.parametrize("cursor", ["", "x", "[]", "[1,2]", "null", '["a","b","c","d","e"]'])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ProviderError):
        Trail.read(Cursor(cursor))


def test_a_presigned_url_tells_its_end() -> None:
    url = "https://h/f.apk?X-Amz-Date=20190426T131627Z&X-Amz-Expires=600&X-Amz-Signature=0"
    assert presigned.expiry(url) == datetime(2019, 4, 26, 13, 26, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "url",
    [
        "https://h/f",
        "https://h/?X-Amz-Date=x&X-Amz-Expires=600",
        "https://[",
        "https://h/?X-Amz-Date=20190426T131627Z",
        "https://h/?X-Amz-Date=20190426T131627Z&X-Amz-Expires=" + "9" * 30,
    ],
)
def test_another_url_tells_no_end(url: str) -> None:
    assert presigned.expiry(url) is None
