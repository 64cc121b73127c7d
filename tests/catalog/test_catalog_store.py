"""What was listed comes back, whatever happened to the file meanwhile."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tui.catalog import store
from tui.catalog.store import Catalog
from tui.models import (
    AccountName,
    Action,
    ActionId,
    App,
    AppFacts,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    BuildRef,
    Status,
)

ACME = AccountName("acme")
APP = App(AppRef(ACME, AppId("a1")), "Acme", "bitrise", kind="ios", web_url="https://secret.example/x?sig=1")
DAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def build(number: int) -> Build:
    ref = BuildRef(ACME, APP.ref.app, BuildId(f"b{number}"))
    return Build(
        ref,
        number,
        Status.SUCCEEDED,
        "1",
        branch="main",
        created_at=DAY.replace(minute=number % 60),
        web_url="https://secret.example/b",
    )


def artifact(number: int, action: Action | None = None) -> Artifact:
    ref = ArtifactRef(ACME, APP.ref.app, BuildId("b1"), ArtifactId(f"x{number}"))
    return Artifact(
        ref,
        f"日本 {number}.ipa",
        ArtifactKind.IPA,
        "ios-ipa",
        size_bytes=number,
        is_public=True,
        install_url="https://secret.example/p/1",
        created_at=DAY,
        action=action,
        facts=AppFacts(identifier="com.acme", version="1.0"),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "catalog.sqlite"


@pytest.fixture
def catalog(path: Path) -> Iterator[Catalog]:
    opened = Catalog(path)
    yield opened
    opened.close()


def fill(catalog: Catalog) -> None:
    action = Action(ActionId("t"), "Test - iOS", "TEST", Status.FAILED, "FAILED")
    catalog.keep_apps(ACME, [APP], complete=True)
    catalog.keep_builds(APP.ref, [build(2), build(1)])
    catalog.keep_artifacts(build(1), [artifact(2, action), artifact(1)])
    catalog.settle()


def test_what_was_listed_comes_back_without_any_url(catalog: Catalog, path: Path) -> None:
    assert catalog.apps(ACME) is None
    assert catalog.builds(APP.ref) is None
    fill(catalog)
    apps, builds = catalog.apps(ACME), catalog.builds(APP.ref)
    artifacts = catalog.artifacts(build(1).ref)
    assert apps is not None
    assert apps.items == (replace(APP, web_url=None),)
    assert builds is not None
    assert builds.items == (replace(build(2), web_url=None), replace(build(1), web_url=None))
    assert artifacts is not None
    assert [a.title for a in artifacts.items] == ["日本 2.ipa", "日本 1.ipa"]
    assert artifacts.items[0].action is not None
    assert artifacts.items[0].action.name == "Test - iOS"
    assert artifacts.items[1] == replace(artifact(1), install_url=None)
    assert abs((datetime.now(UTC) - apps.seen_at).total_seconds()) < 60
    catalog.close()
    assert b"secret.example" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_a_complete_listing_takes_away_what_it_does_not_have(catalog: Catalog) -> None:
    fill(catalog)
    catalog.keep_artifacts(build(1), [artifact(7)])
    other = replace(APP, ref=AppRef(ACME, AppId("a2")))
    catalog.keep_apps(ACME, [other], complete=False)
    catalog.settle()
    kept = catalog.artifacts(build(1).ref)
    assert kept is not None
    assert [a.ref.artifact for a in kept.items] == ["x7"]
    apps = catalog.apps(ACME)
    assert apps is not None
    assert len(apps.items) == 2
    catalog.keep_apps(ACME, [other], complete=True)
    catalog.settle()
    apps = catalog.apps(ACME)
    assert apps is not None
    assert [a.ref.app for a in apps.items] == ["a2"]


def test_no_artifacts_is_not_the_same_as_never_listed(catalog: Catalog) -> None:
    fill(catalog)
    assert catalog.artifacts(build(2).ref) is None
    catalog.keep_artifacts(build(2), [])
    catalog.settle()
    kept = catalog.artifacts(build(2).ref)
    assert kept is not None
    assert kept.items == ()


def test_two_programs_at_once(catalog: Catalog, path: Path) -> None:
    fill(catalog)
    program = (
        "import sys; from pathlib import Path; from tests.catalog.test_catalog_store import *\n"
        "c = Catalog(Path(sys.argv[1]))\n"
        "for n in range(50): c.keep_builds(APP.ref, [build(100 + n)])\n"
        "c.close()\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", program, str(path)], cwd=root) as other:
        for number in range(200, 250):
            catalog.keep_builds(APP.ref, [build(number)])
        assert other.wait(timeout=60) == 0
    catalog.settle()
    kept = catalog.builds(APP.ref, limit=1000)
    assert kept is not None
    assert len(kept.items) == 102


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_corrupt_catalog_is_set_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    catalog = Catalog(path)
    assert catalog.message is not None
    assert "starts empty" in catalog.message
    fill(catalog)
    assert catalog.apps(ACME) is not None
    catalog.close()
    (aside,) = path.parent.glob("catalog.sqlite.2*")
    assert aside.read_bytes() == content


def test_a_newer_catalog_is_set_aside_untouched(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    catalog = Catalog(path)
    catalog.close()
    assert catalog.message is not None
    assert "version 99" in catalog.message


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    catalog = Catalog(tmp_path / "file" / "catalog.sqlite")
    assert catalog.message is not None
    assert catalog.apps(ACME) is None
    catalog.keep_apps(ACME, [APP], complete=True)
    catalog.close()


def test_hostile_text_is_kept_as_text(catalog: Catalog) -> None:
    catalog.keep_apps(ACME, [replace(APP, title="a\ud800b\x00'; DROP TABLE apps; --")], complete=True)
    catalog.settle()
    apps = catalog.apps(ACME)
    assert apps is not None
    assert apps.items[0].title.startswith("a?b")
    assert "DROP TABLE" in apps.items[0].title


def test_of_a_very_long_message_the_start_is_kept(catalog: Catalog) -> None:
    long = replace(build(1), commit_message="Fix the login\n" * 10_000)
    catalog.keep_apps(ACME, [APP], complete=True)
    catalog.keep_builds(APP.ref, [long, replace(build(2), commit_message="Fix it")])
    catalog.settle()
    kept = catalog.builds(APP.ref)
    assert kept is not None
    messages = {found.number: found.commit_message or "" for found in kept.items}
    assert messages[2] == "Fix it"
    assert messages[1].startswith("Fix the login\n" * 100)
    assert len(messages[1]) < 5000


def test_a_value_that_no_column_takes_ends_nothing(catalog: Catalog) -> None:
    fill(catalog)
    catalog.keep_builds(APP.ref, [replace(build(3), number=2**63)])
    catalog.keep_artifacts(build(2), [replace(artifact(1), size_bytes=10**400)])
    catalog.keep_builds(APP.ref, [build(4)])
    catalog.settle()
    kept = catalog.builds(APP.ref)
    assert kept is not None
    assert {found.number for found in kept.items} == {1, 2, 4}


def test_nobody_waits_for_a_writer_that_has_ended(catalog: Catalog) -> None:
    catalog.close()
    waits = threading.Thread(target=catalog.settle, daemon=True)
    waits.start()
    waits.join(20)
    assert not waits.is_alive()


@pytest.mark.parametrize("end", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_a_moment_at_an_end_of_the_calendar_is_none(catalog: Catalog, path: Path, end: datetime) -> None:
    fill(catalog)
    catalog.keep_builds(APP.ref, [replace(build(2), created_at=end, finished_at=end)])
    catalog.settle()
    with closing(sqlite3.connect(path)) as connection, connection:  # as an older digsite kept it
        connection.execute("UPDATE builds SET started_at = ? WHERE build = 'b1'", (int(end.timestamp()),))
    kept = catalog.builds(APP.ref)
    assert kept is not None
    assert {(found.number, found.started_at) for found in kept.items} == {(1, None), (2, None)}
    assert all(found.finished_at is None for found in kept.items)


def test_a_locked_catalog_is_left_as_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.01)
    catalog = Catalog(path)
    fill(catalog)
    catalog.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        locked = Catalog(path)
        assert locked.message is not None
        assert "locked" in locked.message
        assert locked.apps(ACME) is None
        locked.close()
        assert not list(path.parent.glob("catalog.sqlite.2*"))
        other.execute("ROLLBACK")
    again = Catalog(path)
    assert again.message is None
    assert again.apps(ACME) is not None
    again.close()


def test_what_a_newer_program_has_just_written_is_set_aside_whole(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as newer:  # it is running
        newer.execute("PRAGMA journal_mode = WAL")
        newer.execute("PRAGMA user_version = 99")
        newer.execute("CREATE TABLE late (x)")
        Catalog(path).close()
        (aside,) = [file for file in path.parent.glob("catalog.sqlite.2*") if file.name[-4:] not in {"-wal", "-shm"}]
        with closing(sqlite3.connect(aside)) as kept:
            assert kept.execute("SELECT name FROM sqlite_master").fetchall() == [("late",)]
