"""The rules in config.toml: `[[archive.rules]]` and `[[retention.rules]]`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, NoReturn, TypeVar

from tui.models import ArtifactKind, Status
from tui.models.rules import ArchiveRule, RetentionRule

Fail = Callable[[tuple[str, ...], str], NoReturn]
"""Refuses a key, given its path and what is wrong with it."""
E = TypeVar("E", bound=StrEnum)

DESTINATION_SCHEMES: Final = ("s3", "gs", "az")

ARCHIVE_KEYS: Final = frozenset(
    {"destination", "account", "app", "workflow", "branch", "status", "types", "newest", "min_age"}
)
RETENTION_KEYS: Final = frozenset({"provider", "days", "types", "intermediate", "since", "until"})
_SPAN: Final = re.compile(r"(\d{1,4})([hdw])")
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


def archive_rules(section: object, fail: Fail) -> tuple[ArchiveRule, ...]:
    """The rules of the section `archive`; `fail` is called with the first thing that is wrong."""
    return tuple(_ArchiveTable(table, fail).rule() for table in _tables(section, "archive", ARCHIVE_KEYS, fail))


def retention_rules(section: object, fail: Fail) -> tuple[RetentionRule, ...]:
    """The rules of the section `retention`; `fail` is called with the first thing that is wrong."""
    return tuple(_RetentionTable(table, fail).rule() for table in _tables(section, "retention", RETENTION_KEYS, fail))


def check_destination(text: str) -> str:
    """Gives the place of an archive back: an absolute folder, with `~` resolved, or a bucket's URL.

    Raises:
        ValueError: It is neither; the text says what is wrong.
    """
    scheme, separator, rest = text.partition("://")
    if separator:
        if scheme not in DESTINATION_SCHEMES:
            raise ValueError("must be a folder, or a URL that begins with s3://, gs:// or az://")
        bucket = rest.partition("/")[0]
        if not bucket or set("@?#:") & set(rest):
            raise ValueError("must be BUCKET or BUCKET/PREFIX after the ://, without credentials or a query")
        return text.rstrip("/")
    try:
        folder = Path(text).expanduser()
    except RuntimeError:  # `~somebody` who does not exist
        folder = Path(text)
    if not folder.is_absolute():
        raise ValueError("must be an absolute folder, one that starts with ~, or a URL such as s3://bucket")
    return str(folder)


def _tables(section: object, name: str, known: frozenset[str], fail: Fail) -> list[Mapping[str, object]]:
    if section is None:
        return []
    if not isinstance(section, dict):
        fail((name,), f"must be written as [[{name}.rules]]")
    for key in section:
        if key != "rules":
            fail((name, key), "is not a key digsite knows")
    tables = section.get("rules", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        fail((name, "rules"), f"must be written as [[{name}.rules]]")
    for table in tables:
        for key in table:
            if key not in known:
                fail((name, "rules", key), "is not a key digsite knows")
    return tables


class _Table:
    """One rule's keys, read strictly."""

    section = ""

    def __init__(self, table: Mapping[str, object], fail: Fail) -> None:
        self._table = table
        self._fail = fail

    def refuse(self, key: str, problem: str) -> NoReturn:
        self._fail((self.section, "rules", key), problem)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._table.get(key, default)
        if not isinstance(value, str) or not value:
            self.refuse(key, "must be text in quotes")
        return value

    def number(self, key: str) -> int | None:
        value = self._table.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100_000):
            self.refuse(key, "must be a whole number from 1 on")
        return value

    def words(self, key: str, words: type[E], default: frozenset[E]) -> frozenset[E]:
        value = self._table.get(key)
        if value is None:
            return default
        listed = value if isinstance(value, list) else [value]
        for word in listed:
            if word not in set(words):
                self.refuse(key, f"must be of: {', '.join(words)}")
        return frozenset(words(str(word)) for word in listed)

    def day(self, key: str) -> date | None:
        value = self._table.get(key)
        if value is not None and type(value) is not date:
            self.refuse(key, "must be a date without quotes, such as 2026-03-31")
        return value


class _ArchiveTable(_Table):
    section = "archive"

    def rule(self) -> ArchiveRule:
        try:
            destination = check_destination(self.text("destination"))
        except ValueError as error:
            self.refuse("destination", str(error))
        return ArchiveRule(
            destination=destination,
            account=self.text("account", "*"),
            app=self.text("app", "*"),
            workflow=self.text("workflow", "*"),
            branch=self.text("branch", "*"),
            statuses=self._statuses(),
            kinds=self.words("types", ArtifactKind, frozenset()),
            newest=self.number("newest"),
            min_age=self._span("min_age"),
        )

    def _statuses(self) -> frozenset[Status]:
        if self._table.get("status") == "any":
            return frozenset()
        statuses = self.words("status", Status, frozenset({Status.SUCCEEDED}))
        for status in statuses:
            if not status.is_finished:
                self.refuse("status", f"cannot be {status}: only builds that are over are archived")
        return statuses

    def _span(self, key: str) -> timedelta:
        found = _SPAN.fullmatch(self.text(key, "0h"))
        if found is None:
            self.refuse(key, 'must be a span such as "12h", "3d" or "2w"')
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


class _RetentionTable(_Table):
    section = "retention"

    def rule(self) -> RetentionRule:
        days = self.number("days")
        if days is None:
            self.refuse("days", "must say how many days artifacts are kept")
        intermediate = self._table.get("intermediate")
        if intermediate is not None and not isinstance(intermediate, bool):
            self.refuse("intermediate", "must be true or false")
        return RetentionRule(
            provider=self.text("provider"),
            days=days,
            source="config.toml",
            kinds=self.words("types", ArtifactKind, frozenset()),
            is_intermediate=intermediate,
            since=self.day("since"),
            until=self.day("until"),
        )
