"""Unpacking: all of a good archive, nothing of a bad one."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.errors import DiskFull
from tui.transfers.retry import Stopped
from tui.transfers.unpack import Refused, unpack

Make = Callable[..., Path]


@pytest.fixture
def make_zip(folder: Path) -> Make:
    def make(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
        path = folder / "logs.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in entries:
                archive.writestr(name, data)
        return path

    return make


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_good_archive(make_zip: Make, folder: Path) -> None:
    archive = make_zip(
        ("a.txt", b"a"),
        ("dir/", b""),
        ("dir/.foo", b"foo"),
        ("dir/foo..bar", b"bar"),
        ("日本/アプリ.txt", b"b" * 5000),
        (special("run.sh", stat.S_IFREG | 0o755), b"#!"),
    )
    made = unpack(archive, folder / "logs")
    assert made == folder / "logs"
    assert (made / "dir" / "foo..bar").read_bytes() == b"bar"
    assert (made / "日本" / "アプリ.txt").read_bytes() == b"b" * 5000
    assert os.access(made / "run.sh", os.X_OK)
    assert not os.access(made / "a.txt", os.X_OK)
    assert names(folder) == ["logs", "logs.zip"]


def test_an_existing_folder_is_not_touched(make_zip: Make, folder: Path) -> None:
    archive = make_zip(("a.txt", b"new"))
    (folder / "logs").mkdir()
    (folder / "logs" / "a.txt").write_text("old")
    assert unpack(archive, folder / "logs") == folder / "logs (2)"
    assert (folder / "logs" / "a.txt").read_text() == "old"


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "a/../../evil", "/etc/passwd", "a//b", "./a", "..", "a\\..\\b", "C:/x", "c:evil", "a\nb", "a\x1bb",
        "x/" * 101 + "x", "x" * 300,
    ],
)  # fmt: skip
def test_a_path_that_leaves_or_deceives_is_refused(make_zip: Make, folder: Path, name: str) -> None:
    archive = make_zip(("good.txt", b"x"), (name, b"evil"))
    with pytest.raises(Refused):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]
    assert names(folder.parent) == ["downloads"]


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFBLK | 0o644, stat.S_IFSOCK])
def test_links_and_devices_are_refused(make_zip: Make, folder: Path, mode: int) -> None:
    archive = make_zip((special("link", mode), b"/etc"), ("link/passwd", b"x"))
    with pytest.raises(Refused, match="link"):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "twins",
    [("a", "a"), ("a", "A"), ("é", "e\u0301"), ("a", "a/b"), ("a/b", "a"), ("a/", "a"), ("A/x", "a/y")],
)
def test_names_that_fall_together_are_refused(make_zip: Make, folder: Path, twins: tuple[str, str]) -> None:
    archive = make_zip(*((name, b"") for name in twins))
    with pytest.raises(Refused, match=r"same name|name of another"):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]


def test_a_bomb_is_refused_with_both_sizes(make_zip: Make, folder: Path) -> None:
    archive = make_zip(("zeros", bytes(101 << 20)))
    with pytest.raises(Refused, match=f"{101 << 20:,}"):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]


def test_entries_that_share_bytes_are_refused(make_zip: Make, folder: Path) -> None:
    archive = make_zip(("a", os.urandom(5000)), ("b", os.urandom(10)))
    data = bytearray(archive.read_bytes())
    second = data.rindex(b"PK\1\2")
    offset = second + 42
    assert struct.unpack_from("<L", data, offset)[0] > 5000
    struct.pack_into("<L", data, offset, 10)
    archive.write_bytes(data)
    with pytest.raises(Refused):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]


def test_a_table_of_contents_that_fills_the_memory_is_refused(make_zip: Make, folder: Path) -> None:
    archive = make_zip(("a", b"x"))
    data = bytearray(archive.read_bytes())
    struct.pack_into("<L", data, data.rindex(b"PK\5\6") + 12, 1 << 30)
    archive.write_bytes(data)
    with pytest.raises(Refused, match="table of contents"):
        unpack(archive, folder / "logs")


def test_an_encrypted_entry_is_refused(make_zip: Make, folder: Path) -> None:
    archive = make_zip(("a", b"x"))
    data = bytearray(archive.read_bytes())
    data[data.rindex(b"PK\1\2") + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(Refused, match="encrypted"):
        unpack(archive, folder / "logs")


@pytest.mark.parametrize("keep", [0, 10, 4000, -10])
def test_a_cut_archive_leaves_nothing(make_zip: Make, folder: Path, keep: int) -> None:
    archive = make_zip(("a", os.urandom(5000)))
    archive.write_bytes(archive.read_bytes()[:keep])
    with pytest.raises(Refused):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]


def test_a_damaged_entry_leaves_nothing(make_zip: Make, folder: Path) -> None:
    archive = make_zip(("good", b"x" * 5000), ("bad", os.urandom(5000)))
    data = bytearray(archive.read_bytes())
    data[3000] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(Refused, match="damaged"):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]


def test_no_room_is_said_before_anything_is_written(
    make_zip: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    from types import SimpleNamespace

    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=100, free=10))
    archive = make_zip(("a", bytes(5000)))
    with pytest.raises(DiskFull, match="5,000"):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]


def test_giving_up_leaves_nothing(make_zip: Make, folder: Path) -> None:
    archive = make_zip(*((str(number), b"x") for number in range(10)))
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls > 5:
            raise Stopped

    with pytest.raises(Stopped):
        unpack(archive, folder / "logs", stop)
    assert names(folder) == ["logs.zip"]


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")])
def test_a_packing_that_wants_any_memory_is_refused_by_name(folder: Path, method: int, name: str) -> None:
    archive = folder / "logs.zip"
    with zipfile.ZipFile(archive, "w", method) as opened:
        opened.writestr("a.txt", b"a")
    with pytest.raises(Refused, match=f"'a.txt' is packed with {name}"):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]


def test_an_entry_that_unpacks_to_more_than_it_says_leaves_nothing(make_zip: Make, folder: Path) -> None:
    archive = make_zip(("a", bytes(5 << 20)))
    data = bytearray(archive.read_bytes())
    struct.pack_into("<L", data, data.rindex(b"PK\1\2") + 24, 1000)
    archive.write_bytes(data)
    with pytest.raises(Refused):
        unpack(archive, folder / "logs")
    assert names(folder) == ["logs.zip"]
