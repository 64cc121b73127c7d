"""The filter language of every list: `release branch:main status:failed since:7d !debug`.

Words are sought in all shown text, case-insensitively. `!` turns a term round, `"two words"` are one, with no other
meaning; `~acand` finds its letters in this order within one word; `re:PATTERN` is a regular expression; `field:value`
looks at one field, where value is any of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from tui.models import patterns
from tui.models.build import BuildQuery, Status

T = TypeVar("T")

_TERM: Final = re.compile(r'(?:"[^"]*"?|[^\s"])+')
"""Blanks part terms, but for those in quotes; a quote that is still open reaches to the end."""
_SPAN: Final = re.compile(r"(\d+)([hdw])")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class FilterError(ValueError):
    """A term cannot be read; the text says why, for the line under the input."""


@dataclass(frozen=True, slots=True)
class Fields(Generic[T]):
    """What a kind of row offers to a filter: its whole text, its text fields, and its date."""

    haystack: Callable[[T], str]
    """All text of a row, lower-case."""
    texts: Mapping[str, Callable[[T], str]] = field(default_factory=dict[str, Callable[[T], str]])
    """Lower-case text by field name."""
    date: Callable[[T], datetime | None] | None = None


@dataclass(frozen=True, slots=True)
class Term(Generic[T]):
    """One term: what it reads of a row, and which of that it accepts. A list may keep what was read."""

    read: Callable[[T], Any]
    accepts: Callable[[Any], object]
    """What it gives counts as yes or no."""


@dataclass(frozen=True, slots=True)
class RowFilter(Generic[T]):
    """A parsed filter. An empty one matches everything."""

    terms: tuple[Term[T], ...] = ()
    needle: str = ""
    """The first word, lower-case: what a list highlights."""

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, row: T) -> bool:
        """Whether a row is shown."""
        return all(term.accepts(term.read(row)) for term in self.terms)


def parse_filter(text: str, fields: Fields[T], *, now: datetime) -> RowFilter[T]:
    """Reads a filter.

    Args:
        text: What the user typed.
        fields: What the rows offer.
        now: Aware UTC; `since:7d` counts from here.

    Raises:
        FilterError: A field does not exist here, or a date cannot be read.
    """
    tests: list[Term[T]] = []
    needle = ""
    for term in _TERM.findall(text):
        negated = term.startswith("!")
        body = term[1:] if negated else term
        test = _field_test(body, fields, now) or _text_test(body, fields.haystack)
        if test is None:
            continue
        tests.append(_inverse(test) if negated else test)
        if not (needle or negated or _field_name(body) or body.startswith("~")):
            needle = _unquote(body).lower()
    return RowFilter(tuple(tests), needle)


def _text_test(value: str, read: Callable[[T], str]) -> Term[T] | None:
    """The test of a text: a word, `~fuzzy`, `re:PATTERN` or one of these after `!`; None where nothing is sought."""
    if value.startswith("!"):
        test = _text_test(value[1:], read)
        return test and _inverse(test)
    plain = _unquote(value)
    try:
        if value.startswith("~"):
            return Term(read, patterns.fuzzy(plain[1:])) if plain[1:] else None
        if value.lower().startswith("re:"):
            return Term(read, patterns.regular(plain[3:])) if plain[3:] else None
    except ValueError as error:
        raise FilterError(str(error)) from error
    word = plain.lower()
    return Term(read, lambda text: word in text) if word else None


def _unquote(value: str) -> str:
    return value.replace('"', "")


def _inverse(test: Term[T]) -> Term[T]:
    return Term(test.read, lambda value: not test.accepts(value))


def _field_name(body: str) -> str | None:
    """The field that a term looks at, `re` included."""
    name, colon, _ = body.partition(":")
    return name.lower() if colon and name.isalpha() else None


def _field_test(body: str, fields: Fields[T], now: datetime) -> Term[T] | None:
    name = _field_name(body)
    if name is None or name == "re":
        return None
    value = body.partition(":")[2]
    if name in {"since", "before"} and fields.date is not None:
        return _date_test(name, value.lower(), fields.date, now)
    if name not in fields.texts:
        known = [*fields.texts, *(("since", "before") if fields.date else ())]
        raise FilterError(f"no field {name}: here" + (f"; there are {', '.join(known)}" if known else ""))
    return _text_test(value, fields.texts[name]) or Term(fields.texts[name], lambda _: True)


def build_query(text: str, *, now: datetime) -> BuildQuery | None:
    """The part of a filter that a provider can look for among all builds, not only those that are loaded.

    Terms of `branch: workflow: status: number: since: before:` with a whole value; None where there is none, or one
    that no provider could look for.
    """
    query = BuildQuery()
    for term in _TERM.findall(text):
        name, _, value = term.partition(":")
        if not value or value.lower().startswith(("!", "~", "re:")):
            continue
        try:
            query = replace(query, **_query_part(name.lower(), _unquote(value), now))
        except ValueError:
            return None
    return query if query != BuildQuery() else None


def _query_part(name: str, value: str, now: datetime) -> dict[str, Any]:
    match name:
        case "branch" | "workflow":
            return {name: value}
        case "status":
            return {name: Status(value.lower())}
        case "number":
            return {name: int(value)}
        case "since":
            return {"after": parse_moment(value.lower(), now=now)}
        case "before":
            return {"before": parse_moment(value.lower(), now=now)}
        case _:
            return {}


def _date_test(name: str, value: str, read: Callable[[T], datetime | None], now: datetime) -> Term[T]:
    if not value:
        return Term(read, lambda _: True)
    moment = parse_moment(value, now=now)
    if name == "since":
        return Term(read, lambda date: date is not None and date >= moment)
    return Term(read, lambda date: date is not None and date < moment)


def parse_span(value: str) -> timedelta:
    """A span of time: `12h`, `7d`, `2w`.

    Raises:
        FilterError: It is none.
    """
    found = _SPAN.fullmatch(value)
    try:
        if found is not None:
            return int(found[1]) * _UNITS[found[2]]
    except OverflowError:
        pass
    raise FilterError(f"{value} is no span; write 12h, 7d or 2w")


def parse_moment(value: str, *, now: datetime) -> datetime:
    """A point in time: `7d`, `12h`, `2w` before now, or `2026-10-01`; aware UTC.

    Raises:
        FilterError: It is neither.
    """
    if match := _SPAN.fullmatch(value):
        try:
            return now - int(match[1]) * _UNITS[match[2]]
        except OverflowError as error:
            raise FilterError(f"{value} is too long ago") from error
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise FilterError(f"{value} is no date; write 7d, 12h, 2w or 2026-10-01") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
