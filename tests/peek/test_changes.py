"""What two lists of files have in common, and what a folder takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.peek import Entry
from tui.peek.diff import ChangeKind, compare_entries, pair_titles, totals
from tui.peek.folders import shares


def entry(name: str, size: int, crc: int = 0) -> Entry:
    return Entry(name, size, size // 2, crc, name.endswith("/"), is_encrypted=False)


def test_files_by_size_and_crc() -> None:
    before = [entry("a/", 0), entry("same", 5, 1), entry("other", 5, 1), entry("big", 100), entry("old", 7)]
    after = [entry("same", 5, 1), entry("other", 5, 2), entry("big", 300), entry("new", 9), entry("b/", 0)]
    changes = compare_entries(before, after)
    assert [(c.name, c.kind, c.delta_bytes) for c in changes] == [
        ("big", ChangeKind.GREW, 200),
        ("new", ChangeKind.ADDED, 9),
        ("old", ChangeKind.REMOVED, -7),
        ("other", ChangeKind.CHANGED, 0),
        ("same", ChangeKind.SAME, 0),
    ]
    sums = totals(changes)
    assert (sums.before_bytes, sums.after_bytes, sums.delta_bytes) == (117, 319, 202)
    assert sums.counts[ChangeKind.SHRANK] == 0


def test_titles_pair_exactly_first_then_without_their_version() -> None:
    before = ["app-1.2.0.apk", "notes.txt", "gone.zip", "lib.zip", "lib.zip"]
    after = ["app-1.10.0.apk", "lib.zip", "lib.zip", "new.zip", "notes.txt"]
    pairs = pair_titles([(t, (n, t)) for n, t in enumerate(before)], [(t, (n, t)) for n, t in enumerate(after)])
    found = [(p.before and p.before[0], p.after and p.after[0]) for p in pairs]
    assert found == [(0, 0), (3, 1), (4, 2), (None, 3), (1, 4), (2, None)]


def test_an_exact_title_is_not_taken_by_a_likeness() -> None:
    pairs = pair_titles([("a-2.zip", "old 2")], [("a-1.zip", "new 1"), ("a-2.zip", "new 2")])
    assert [(p.before, p.after) for p in pairs] == [(None, "new 1"), ("old 2", "new 2")]


@given(st.lists(st.text("ab12.", max_size=4)), st.lists(st.text("ab12.", max_size=4)))
def test_nothing_is_lost_or_paired_twice(before: list[str], after: list[str]) -> None:
    pairs = pair_titles(list(zip(before, range(len(before)), strict=True)), list(zip(after, range(99), strict=False)))
    assert sorted(p.before for p in pairs if p.before is not None) == list(range(len(before)))
    assert [p.after for p in pairs if p.after is not None] == list(range(len(after)))


def test_folders_are_summed_up_and_the_largest_comes_first() -> None:
    entries = [entry("a/x/1", 10), entry("a/x/2", 20), entry("a/3", 5), entry("b", 40), entry("a/", 0), entry("/c", 1)]
    top = shares(entries)
    assert [(s.name, s.path, s.files, s.size_bytes, s.is_folder) for s in top] == [
        ("b", "b", 1, 40, False),
        ("a", "a/", 3, 35, True),
        ("", "/", 1, 1, True),
    ]
    assert [s.path for s in shares(entries, "a/")] == ["a/x/", "a/3"]
    assert [s.path for s in shares(entries, "/")] == ["/c"]
