"""The database that stays open: shared with other programs, and none the worse for an error."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tui.transfers.database import Database

SCHEMA = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER)"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "state" / "numbers.sqlite", SCHEMA)) as made:
        yield made


def numbers(database: Database) -> list[int]:
    with database.connected() as connection:
        return [number for (number,) in connection.execute("SELECT number FROM numbers ORDER BY number")]


def add(database: Database, number: int) -> None:
    with database.connected() as connection:
        connection.execute("INSERT INTO numbers VALUES (?)", (number,))


def test_another_program_sees_every_change_while_the_first_one_stays(database: Database, tmp_path: Path) -> None:
    add(database, 1)
    with closing(Database(tmp_path / "state" / "numbers.sqlite", SCHEMA)) as other:
        assert numbers(other) == [1]
        add(other, 2)
        add(database, 3)
        assert numbers(other) == numbers(database) == [1, 2, 3]


def test_an_error_takes_its_transaction_with_it_and_no_more(database: Database) -> None:
    def fail() -> None:
        with database.connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO numbers VALUES (2)")
            connection.execute("INSERT INTO letters VALUES ('a')")

    add(database, 1)
    with pytest.raises(sqlite3.Error, match="letters"):
        fail()
    assert numbers(database) == [1]


def test_a_folder_that_can_be_made_later_is_used_then(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with closing(Database(tmp_path / "state" / "numbers.sqlite", SCHEMA)) as database:
        with pytest.raises(OSError, match="state"):
            add(database, 1)
        (tmp_path / "state").unlink()
        add(database, 1)
        assert numbers(database) == [1]


def test_threads_take_turns_and_a_closed_one_is_opened_again(database: Database) -> None:
    threads = [threading.Thread(target=add, args=(database, number)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert numbers(database) == list(range(20))
