"""Makes `configuration.md`: what config.toml may hold, out of what the code says of it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from unittest.mock import patch

from textual.widget import Widget

from tui import config, habits, rules
from tui.config import Config
from tui.habits import Command, Habits
from tui.models import Account, ArtifactKind, Status
from tui.models.rules import ArchiveRule, RetentionRule
from tui.providers import plugin, plugin_names
from tui.widgets import lists

_TYPES = {
    "bool": "true or false",
    "bool | None": "true or false",
    "date | None": "date",
    "float": "number",
    "int": "number",
    "int | None": "number",
    "Mapping[str, str]": "table",
    "Mapping[str, tuple[str, ...]]": "table",
    "Path | None": "text",
    "Store": "text",
    "str": "text",
    "str | None": "text",
    "timedelta": "text",
    "tuple[str, ...]": "list of texts",
}
_TABLES = {"accounts", "archive", "columns", "commands", "digs", "keys", "notify", "retention"}
"""Top-level keys that have sections of their own."""


class Option(NamedTuple):
    """One line of the page."""

    key: str
    type: str
    default: str
    about: str


class Section(NamedTuple):
    """One table of config.toml."""

    title: str
    example: str
    options: list[Option]
    after: str = ""


def _options(owner: type[Any], known: Iterable[str], names: Mapping[str, str]) -> list[Option]:
    """Keys of config.toml, each with the field that it fills.

    Args:
        owner: A dataclass.
        known: All keys that are accepted.
        names: The fields of those that are called otherwise.
    """
    texts, by_name = dict(_field_texts(owner)), {field.name: field for field in fields(owner)}
    found = []
    for key in sorted(known, key=lambda key: list(by_name).index(names.get(key, key))):
        field = by_name[names.get(key, key)]
        default = field.default if field.default_factory is MISSING else None
        type_ = "text or number" if key == "limit_rate" else _TYPES.get(str(field.type), "text, or list of texts")
        found.append(Option(key, type_, _literal(default), _values(texts[field.name])))
    return found


def _field_texts(owner: type[Any]) -> Iterator[tuple[str, str]]:
    """What stands below each field of a class."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            yield field.target.id, " ".join(str(ast.literal_eval(text.value)).split())


def _values(text: str) -> str:
    """`MAX_JOBS` is a number to readers."""
    return re.sub(r"`([A-Z_]{4,})`", lambda found: str(getattr(config, found[1], found[0])), text)


def _literal(default: object) -> str:
    """As config.toml would have it; nothing for a key that must be there, or that changes nothing where it is not."""
    match default:
        case bool():
            return f"`{str(default).lower()}`"
        case int() | float():
            return f"`{default:g}`"
        case StrEnum() | str():
            return f'`"{default}"`'
        case timedelta():
            return '`"0h"`'
        case frozenset() if default:
            return ", ".join(f'`"{each}"`' for each in sorted(default))
        case _ if default is MISSING:
            return "*must be there*"
        case _:
            return ""


def _columns() -> list[Option]:
    """Every column of each view, in their usual order."""
    with patch.object(lists, "choose", lambda columns, _: columns):
        views: Mapping[str, Any] = {
            "apps": lists.app_list(str),
            "builds": lists.build_list(lambda: datetime.now(UTC)),
            "artifacts": lists.artifact_list(lambda: datetime.now(UTC)),
        }
    return [Option(view, "list of texts", "", _column_names(views[view])) for view in habits.VIEWS]


def _column_names(rows: Widget) -> str:
    columns = rows._columns  # type: ignore[attr-defined]  # noqa: SLF001  # only their names are public, without order
    return "Columns in their order, of: " + ", ".join(f"`{column.key}`" for column in columns) + "."


def _account_options() -> list[Option]:
    found = _options(Account, config.ACCOUNT_KEYS, {})
    for name in plugin_names():
        for field in plugin(name).fields:
            default = "*must be there*" if field.required else ""
            found.append(Option(field.name, "text", default, f"{field.label}, of `{name}`. {field.help}"))
    return found


def sections() -> list[Section]:
    """All tables of config.toml."""
    top = config.KEYS - _TABLES
    kinds = f"Types are {', '.join(f'`{each}`' for each in ArtifactKind)}."
    statuses = f"Statuses are {', '.join(f'`{each}`' for each in Status if each.is_finished)}."
    return [
        Section(
            "At the top",
            'download_dir = "~/builds"\njobs = 2',
            [
                *_options(Config, top - habits.KEYS, {"stall_timeout": "stall_timeout_s"}),
                *_options(Habits, top & habits.KEYS, {}),
            ],
        ),
        Section(
            "[accounts.NAME]",
            '[accounts.acme]\nprovider = "bitrise"\nread_only = true',
            [option for option in _account_options() if option.key != "name"],
            "One table an account, written by `digsite accounts add`. Secrets never stand here.",
        ),
        Section(
            "[keys]",
            '[keys]\n"artifact.download" = "d,f"',
            [Option("*id*", "text", "", _field("keys") + " All ids are in [keys.md](keys.md).")],
        ),
        Section("[columns]", '[columns]\nbuilds = ["status", "number", "message"]', _columns()),
        Section(
            "[digs]",
            '[digs]\nred = "acme/acme-android?branch:main status:failed"',
            [Option("*name*", "text", "", _field("digs") + " `@name` on the command line and after `:`.")],
        ),
        Section(
            "[[commands]]",
            '[[commands]]\nname = "Summary of the APK"\nargv = ["apkanalyzer", "apk", "summary", "{file}"]\n'
            'on = "artifact"',
            _options(Command, habits.COMMAND_KEYS, {"dangerous": "is_dangerous", "interactive": "is_interactive"}),
        ),
        Section(
            "[notify]",
            '[notify]\ncommand = ["notify-send", "digsite"]',
            _options(Config, {"command"}, {"command": "notify_command"}),
        ),
        Section(
            "[[archive.rules]]",
            '[[archive.rules]]\ndestination = "s3://builds/acme"\nbranch = "release/*"\ntypes = ["ipa", "apk"]',
            _options(ArchiveRule, rules.ARCHIVE_KEYS, {"status": "statuses", "types": "kinds"}),
            f"{kinds} {statuses}",
        ),
        Section(
            "[[retention.rules]]",
            '[[retention.rules]]\nprovider = "bitrise"\ndays = 60\ntypes = "apk"',
            _options(RetentionRule, rules.RETENTION_KEYS, {"types": "kinds", "intermediate": "is_intermediate"}),
            f"They stand in for all that digsite knows of the providers they name. {kinds}",
        ),
    ]


def _field(name: str) -> str:
    return dict(_field_texts(Habits))[name]


def configuration_page() -> str:
    """Every key of config.toml: type, default, and what it does."""
    parts = [
        "# Configuration\n",
        "What may stand in `config.toml`; made from the code by `python docs/make.py`. The file is in "
        "`~/.config/digsite/` on Linux, in `~/Library/Application Support/digsite/` on macOS, and in "
        "`$DIGSITE_HOME/config/` where that is set.\n",
        "A key that digsite does not know, or a wrong value, is refused with its line, not skipped.\n",
    ]
    for title, example, options, after in sections():
        parts.append(f"## {title if title[0] != '[' else f'`{title}`'}\n\n```toml\n{example}\n```\n")
        if after:
            parts.append(f"{after}\n")
        lines = [f"| `{key}` | {type_} | {default} | {about} |" for key, type_, default, about in options]
        parts.append("\n".join(["| key | type | default | does |", "| --- | --- | --- | --- |", *lines]) + "\n")
    return "\n".join(parts).replace("`*", "*").replace("*` |", "* |")
