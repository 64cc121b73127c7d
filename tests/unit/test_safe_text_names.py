"""File names made from hostile titles."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.safe_text import MAX_NAME_BYTES, safe_filename, unique_filenames

TITLES = st.text(max_size=300) | st.text(st.sampled_from("./\\:~- \0\n\u202e\ud800aA.é"), max_size=30)


@pytest.mark.parametrize(
    "title",
    [".foo", "foo..bar", "foo.bar.baz", "app-release.apk", "日本語 アプリ.ipa", "50%s.txt", "a~b", "a-b", "[x].apk",
     "consul.txt", "com10", "party"],
)  # fmt: skip
def test_harmless_names_stay(title: str) -> None:
    assert safe_filename(title, unique="1") == title


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("/etc/passwd", "_etc_passwd"),
        ("a\\b", "a_b"),
        ("C:\\x.apk", "C__x.apk"),
        ("\\\\server\\share", "__server_share"),
        ("nul\0byte", "nul_byte"),
        ("~root", "_root"),
        ("-rf", "_rf"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("LPT1 .log", "_LPT1 .log"),
        ("trailing.", "trailing_"),
        ("a\u202egpj.apk", "a_gpj.apk"),
        ("zero\u200bwidth", "zero_width"),
        ("new\nline", "new_line"),
        ("\ud800x", "_x"),
        ("x.part", "x.part_"),
        ("x.PART.json", "x.PART.json_"),
        ("e\u0301.apk", "é.apk"),
    ],
)
def test_dangerous_names_are_neutralised(title: str, name: str) -> None:
    assert safe_filename(title, unique="1") == name


@pytest.mark.parametrize("title", ["", ".", "..", "...", " ", "/", "\n", "\u200b"])
def test_a_title_of_nothing_is_named_by_its_id(title: str) -> None:
    first, again, other = (safe_filename(title, unique=unique) for unique in ("1", "1", "2"))
    assert first == again != other
    assert first.startswith("artifact-")


@pytest.mark.parametrize(
    ("title", "extension"), [("x" * 300 + ".apk", ".apk"), ("é" * 300 + ".ipa", ".ipa"), ("語" * 300, "語")]
)
def test_long_names_are_cut_before_their_extension(title: str, extension: str) -> None:
    name = safe_filename(title, unique="1")
    assert name.endswith(extension)
    assert MAX_NAME_BYTES - 5 <= len(name.encode()) <= MAX_NAME_BYTES
    assert "\ufffd" not in name


@given(TITLES)
def test_every_name_is_one_plain_component(title: str) -> None:
    name = safe_filename(title, unique="1")
    assert name not in {"", ".", ".."}
    assert not set(name) & set('/\\:*?"<>|')
    assert {unicodedata.category(char) for char in name}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert name[0] not in "-~ "
    assert name[-1] not in ". "
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert not name.lower().endswith((".part", ".part.json"))
    assert safe_filename(name, unique="1") == name


def folded(name: str) -> str:
    return unicodedata.normalize("NFD", name).casefold()


@given(st.lists(TITLES | st.sampled_from(["a.apk", "A.apk", "a~1.apk", "é", "e\u0301"]), max_size=12))
def test_all_names_differ_even_on_a_folding_disk_in_every_order(titles: list[str]) -> None:
    items = [(title, str(number)) for number, title in enumerate(titles)]
    names = unique_filenames(items)
    assert len({folded(name) for name in names.values()}) == len(items)
    assert all(len(name.encode()) <= MAX_NAME_BYTES for name in names.values())
    assert unique_filenames(reversed(items)) == names


def test_twins_carry_their_ids_and_others_do_not() -> None:
    names = unique_filenames([("A.apk", "11"), ("a.apk", "22"), ("b.apk", "33")])
    assert names == {"11": "A~11.apk", "22": "a~22.apk", "33": "b.apk"}
