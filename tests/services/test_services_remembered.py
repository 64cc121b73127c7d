"""What the explorer remembers survives the next start, and its loss harms nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.services.remembered import Remembered


def test_it_is_there_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "state" / "explorer.json"
    assert Remembered(path).get("theme") is None
    Remembered(path).set("theme", "digsite-light")
    Remembered(path).set("place", "acme/app/12")
    assert Remembered(path).get("theme") == "digsite-light"
    assert Remembered(path).get("place") == "acme/app/12"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\x00", b'{"theme": 3}', b"[" * 100_000])
def test_a_broken_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "explorer.json"
    path.write_bytes(content)
    assert Remembered(path).get("theme") is None
    Remembered(path).set("theme", "nord")
    assert Remembered(path).get("theme") == "nord"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in its place")
    Remembered(tmp_path / "state" / "explorer.json").set("theme", "nord")
