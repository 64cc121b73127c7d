"""config.toml: read strictly, written without losing a comment.

A wrong file is refused as a whole, with its line and key, rather than half understood. Secrets never stand
in it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

from tui import folders, habits
from tui.errors import ConfigError
from tui.habits import Habits
from tui.hosts import is_loopback
from tui.models import Account, AccountName, Store

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from tui.models.rules import ArchiveRule, RetentionRule

DEFAULT_JOBS: Final = 4
"""Downloads at the same time."""
MAX_JOBS: Final = 16
DEFAULT_CONNECTIONS: Final = 4
"""For each large download."""
MAX_CONNECTIONS: Final = 8
DEFAULT_STALL_S: Final = 30.0
"""Seconds without a byte after which a download makes a new connection."""
RESERVED_NAMES: Final = frozenset(
    {
        "abort", "accounts", "api", "archive", "cat", "completion", "demo", "diff", "expiring", "get", "identify",
        "index", "log", "ls", "pin", "rm", "share", "show", "start", "stats", "token",
    }
)  # fmt: skip
"""Verbs of the command line: `digsite NAME` would run the verb instead of opening the account."""

_SECRET_KEYS: Final = frozenset({"api_key", "password", "private_key", "secret", "token"})
ACCOUNT_KEYS: Final = frozenset({"provider", "url", "read_only", "store", "token_command"})
KEYS: Final = habits.KEYS | {
    "accounts", "archive", "connections", "download_dir", "jobs", "limit_rate", "notify", "retention",
    "stall_timeout", "template",
}  # fmt: skip
_NO: Final = frozenset({"", "0", "false", "no", "off"})
_SYNTAX_LINE: Final = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Config:
    """What config.toml says; all defaults where there is none. What is said of a field stands in the documentation."""

    path: Path
    accounts: tuple[Account, ...] = ()
    download_dir: Path | None = None
    """Where downloads go: an absolute path, or one that starts with `~`; by default `digsite` in the user's folder for
    downloads. `DIGSITE_DOWNLOADS` in the environment wins."""
    jobs: int = DEFAULT_JOBS
    """Downloads at the same time, 1 to `MAX_JOBS`."""
    connections: int = DEFAULT_CONNECTIONS
    """For each large download, 1 to `MAX_CONNECTIONS`."""
    limit_rate: int | None = None
    """Bytes a second of all downloads together: a number, or text such as `"500K"` or `"2M"`; by default no limit."""
    stall_timeout_s: float = DEFAULT_STALL_S
    """Seconds without a byte after which a download makes a new connection, 1 to 3600."""
    template: str | None = None
    """How downloads are named below the download folder; may name `{account}`, `{app}`, `{branch}`, `{build}` and
    `{title}`, and by default names all of them, as folders."""
    notify_command: tuple[str, ...] = ()
    """Program and arguments that are run when a followed build ends; the build is JSON on their standard input."""
    archive_rules: tuple[ArchiveRule, ...] = ()
    retention_rules: tuple[RetentionRule, ...] = ()
    """Stand in for all built-in ones of the providers they name."""
    habits: Habits = field(default_factory=Habits)

    def with_limits(
        self, *, jobs: int | None = None, connections: int | None = None, limit_rate: int | None = None
    ) -> Config:
        """The same with other limits; None leaves one as it is."""
        return replace(
            self,
            jobs=jobs or self.jobs,
            connections=connections or self.connections,
            limit_rate=limit_rate or self.limit_rate,
        )


def config_path() -> Path:
    """Where config.toml is, or would be."""
    return folders.config_dir() / "config.toml"


def load_config(path: Path | None = None) -> Config:
    """Reads config.toml; a missing file is an empty one.

    Raises:
        ConfigError: It cannot be read or is wrong; names file, line and key, never a value.
    """
    path = path or config_path()
    text = _read_text(path)
    return _Reader(path, text).config() if text else Config(path)


def download_dir(config: Config) -> Path:
    """Where downloads go: `DIGSITE_DOWNLOADS`, else `download_dir` of config.toml, else the user's folder."""
    chosen = os.environ.get("DIGSITE_DOWNLOADS")
    if chosen:
        return folders.expanded(chosen, "DIGSITE_DOWNLOADS")
    return config.download_dir or folders.default_download_dir()


def parse_rate(text: str) -> int | None:
    """Bytes a second from `500K`, `2M`, `1.5G` or a plain number (units of 1024, as curl's); None for `0` or nothing.

    Raises:
        ValueError: It is no rate.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmMgG]?)", text.strip() or "0")
    if not found:
        raise ValueError(text)
    return int(float(found[1]) * 1024 ** " kmg".index(found[2].lower() or " ")) or None


def is_read_only_run(environ: Mapping[str, str] | None = None) -> bool:
    """Whether `DIGSITE_READ_ONLY` (or `--read-only`, which sets it) refuses every change in this run.

    Any value but 0, false, no and off counts as yes: a typing error must not allow a deletion.
    """
    value = (os.environ if environ is None else environ).get("DIGSITE_READ_ONLY", "")
    return value.strip().lower() not in _NO


def validate_account_name(name: str) -> AccountName:
    """Gives the name back when it can be an account's.

    Raises:
        ConfigError: It is empty, a verb of the command line, or would not survive in a path.
    """
    if not name or name != name.strip():
        raise ConfigError("An account name is not empty and has no blanks at its ends.")
    if name in RESERVED_NAMES:
        raise ConfigError(
            f"An account cannot be called {name!r}: that is a command of digsite.",
            hint="Choose another name.",
        )
    if name.startswith("-") or "/" in name:
        raise ConfigError(f"The account name {name!r} has a '/' in it or starts with '-'.")
    if any(unicodedata.category(char)[0] == "C" for char in name):
        raise ConfigError("An account name has no control or invisible characters.")
    return AccountName(name)


def validate_url(url: str) -> str:
    """Gives an API address back, without a slash at its end, when a credential may be sent there.

    Raises:
        ConfigError: It is not https (http only on a loopback host), or carries more than host, port and path.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if not host or port == 0:
        raise ConfigError("The address is not a URL with a host, such as https://api.example.com.")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError("The address holds more than scheme, host, port and path.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigError("The address must start with https://.", hint="http:// is accepted for loopback hosts only.")
    return url.rstrip("/")


def save_account(account: Account, path: Path | None = None) -> None:
    """Adds an account to config.toml, or replaces the one of its name; comments stay.

    Raises:
        ConfigError: The account or the file is wrong, or the file cannot be written.
    """
    import tomlkit

    validate_account_name(account.name)
    path = path or config_path()
    before = load_config(path)
    document, accounts = _open_document(path)
    wanted = _to_table(account)
    table = accounts.get(account.name)
    if table is None:
        table = tomlkit.table()
        accounts[account.name] = table
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        if key not in table or table[key] != value:
            table[key] = value
    saved = replace(account, url=account.url and validate_url(account.url), from_environment=False)
    _write_document(path, document, expected=[*(a for a in before.accounts if a.name != account.name), saved])


def remove_account(name: AccountName, path: Path | None = None) -> None:
    """Takes an account out of config.toml; its secret is `credentials`' to delete.

    Raises:
        ConfigError: There is no such account, the file is wrong or cannot be written.
    """
    path = path or config_path()
    before = load_config(path)
    document, accounts = _open_document(path)
    if name not in accounts:
        raise ConfigError(f"There is no account {name!r} in {path}.")
    del accounts[name]
    _write_document(path, document, expected=[a for a in before.accounts if a.name != name])


class _Reader:
    """Turns the text of one config.toml into a `Config`; knows the file for its messages."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def config(self) -> Config:
        data = self._parse()
        for key in data:
            if key not in KEYS:
                self._fail((key,), "is not a key digsite knows")
        accounts = data.get("accounts", {})
        if not isinstance(accounts, dict):
            self._fail(("accounts",), "must be a table: [accounts.NAME]")
        to_archive, retention = self._rules(data)
        return Config(
            path=self._path,
            accounts=tuple(self._account(name, table) for name, table in accounts.items()),
            download_dir=self._download_dir(data.get("download_dir")),
            jobs=self._number(data, "jobs", DEFAULT_JOBS, MAX_JOBS),
            connections=self._number(data, "connections", DEFAULT_CONNECTIONS, MAX_CONNECTIONS),
            limit_rate=self._rate(data.get("limit_rate")),
            stall_timeout_s=self._number(data, "stall_timeout", int(DEFAULT_STALL_S), 3600),
            template=None if data.get("template") is None else self._text_value(("template",), data["template"]),
            notify_command=self._notify(data.get("notify", {})),
            archive_rules=to_archive,
            retention_rules=retention,
            habits=habits.habits(data, self._fail),
        )

    def _rules(self, data: Mapping[str, object]) -> tuple[tuple[ArchiveRule, ...], tuple[RetentionRule, ...]]:
        if not data.keys() & {"archive", "retention"}:
            return (), ()
        from tui.rules import archive_rules, retention_rules  # as tomllib not before it is wanted, for a quick start

        return archive_rules(data.get("archive"), self._fail), retention_rules(data.get("retention"), self._fail)

    def _parse(self) -> dict[str, object]:
        import tomllib

        try:
            return tomllib.loads(self._text)
        except ValueError as error:  # a number of thousands of digits is no TOMLDecodeError
            found = _SYNTAX_LINE.search(str(error))
            lines = self._text.splitlines()
            number = int(found[1]) if found and found[1] else len(lines)
            line = lines[number - 1] if 0 < number <= len(lines) else ""
            key = line.partition("=")[0].strip() if "=" in line else None
            what = _SYNTAX_LINE.sub("", str(error)).rstrip(".")
            where = f"{self._path}, line {number}" + (f", key {key!r}" if key else "")
            raise ConfigError(f"{where}: not valid TOML: {what}.") from error
        except RecursionError as error:
            raise ConfigError(f"{self._path}: not valid TOML: nested too deeply.") from error

    def _account(self, name: str, table: object) -> Account:
        where = ("accounts", name)
        try:
            validate_account_name(name)
        except ConfigError as error:
            self._fail(where, error.message, hint=error.hint)
        if not isinstance(table, dict):
            self._fail(where, f"must be a table: [accounts.{name}]")
        for key in table:
            if key in _SECRET_KEYS:
                self._fail(
                    (*where, key),
                    "does not belong in this file: secrets are kept in the OS keyring",
                    hint=f"Remove the line, revoke that secret, and run: digsite accounts add {name}",
                )
        provider = table.get("provider")
        if not isinstance(provider, str) or not provider:
            self._fail((*where, "provider"), 'must name a provider in quotes, such as "bitrise"')
        read_only = table.get("read_only", False)
        if not isinstance(read_only, bool):
            self._fail((*where, "read_only"), "must be true or false")
        return Account(
            name=AccountName(name),
            provider=provider,
            url=self._url((*where, "url"), table.get("url")),
            read_only=read_only,
            store=self._store(where, table),
            token_command=self._command((*where, "token_command"), table.get("token_command")),
            options={
                key: self._text_value((*where, key), value) for key, value in table.items() if key not in ACCOUNT_KEYS
            },
        )

    def _store(self, where: tuple[str, ...], table: Mapping[str, object]) -> Store:
        value = table.get("store")
        if value is None:
            return Store.KEYRING
        if "token_command" in table:
            self._fail((*where, "store"), "cannot stand beside token_command: a secret has one source")
        if value not in set(Store):
            self._fail((*where, "store"), f"must be one of {', '.join(Store)}, in quotes")
        return Store(str(value))

    def _notify(self, table: object) -> tuple[str, ...]:
        if not isinstance(table, dict):
            self._fail(("notify",), "must be a table: [notify]")
        for key in table:
            if key != "command":
                self._fail(("notify", key), "is not a key digsite knows")
        return self._command(("notify", "command"), table.get("command"))

    def _command(self, where: tuple[str, ...], value: object) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(part, str) and part for part in value):
            self._fail(where, 'must be a list of words, such as ["op", "read", "op://vault/item/token"]')
        return tuple(value)

    def _url(self, where: tuple[str, ...], value: object) -> str | None:
        if value is None:
            return None
        try:
            return validate_url(self._text_value(where, value))
        except ConfigError as error:
            if error.message.startswith(str(self._path)):
                raise
            self._fail(where, error.message, hint=error.hint)

    def _text_value(self, where: tuple[str, ...], value: object) -> str:
        if not isinstance(value, str) or not value:
            self._fail(where, "must be text in quotes")
        return value

    def _download_dir(self, value: object) -> Path | None:
        if value is None:
            return None
        folder = Path(self._text_value(("download_dir",), value))
        with suppress(RuntimeError):  # `~somebody` who does not exist: stays relative, refused below
            folder = folder.expanduser()
        if not folder.is_absolute():
            self._fail(("download_dir",), "must be an absolute path, or start with ~")
        return folder

    def _number(self, data: Mapping[str, object], key: str, default: int, most: int) -> int:
        value = data.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            self._fail((key,), f"must be a whole number from 1 to {most}")
        return value

    def _rate(self, value: object) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value or None
        try:
            return None if value is None else parse_rate(self._text_value(("limit_rate",), value))
        except ValueError:
            self._fail(("limit_rate",), 'must be bytes a second, such as "500K" or "2M"')

    def _fail(self, where: tuple[str, ...], problem: str, *, hint: str | None = None) -> NoReturn:
        line = _line_of(self._text, where)
        place = f"{self._path}, line {line}" if line else f"{self._path}"
        raise ConfigError(f"{place}, key {'.'.join(where)!r}: {problem.rstrip('.')}.", hint=hint)


def _line_of(text: str, where: tuple[str, ...]) -> int | None:
    """The line (from 1) that defines a key, or the nearest table around it; tomllib does not keep them."""
    best: tuple[int, int] | None = None
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            table = path = _key_path(stripped)
        elif "=" in stripped:
            path = (*table, *_key_path(stripped.partition("=")[0] + "= 0"))
        else:
            continue
        if path and path == where[: len(path)] and (best is None or len(path) > best[0]):
            best = (len(path), number)
    return best[1] if best else None


def _key_path(line: str) -> tuple[str, ...]:
    """`a."b c" = 0` and `[a."b c"]` both give ("a", "b c")."""
    import tomllib

    try:
        node: object = tomllib.loads(line)
    except ValueError:
        return ()
    path: list[str] = []
    while isinstance(node, dict) and node:
        key, node = next(iter(node.items()))
        path.append(key)
    return tuple(path)


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8 text.") from error


def _to_table(account: Account) -> Mapping[str, str | bool | list[str]]:
    table: dict[str, str | bool | list[str]] = {"provider": account.provider}
    if account.url is not None:
        table["url"] = validate_url(account.url)
    if account.read_only:
        table["read_only"] = True
    if account.token_command:
        table["token_command"] = list(account.token_command)
    elif account.store is not Store.KEYRING:
        table["store"] = str(account.store)
    return table | dict(account.options)


def _open_document(path: Path) -> tuple[TOMLDocument, Table]:
    import tomlkit
    from tomlkit.items import Table

    document = tomlkit.parse(_read_text(path))
    if "accounts" not in document:
        document["accounts"] = tomlkit.table(is_super_table=True)
    accounts = document["accounts"]
    if not isinstance(accounts, Table):
        raise ConfigError(
            f"{path}: the accounts are not written as [accounts.NAME] tables.", hint="Edit the file by hand."
        )
    return document, accounts


def _write_document(path: Path, document: TOMLDocument, *, expected: Sequence[Account]) -> None:
    text = document.as_string()
    written = _Reader(path, text).config().accounts
    if {account.name: account for account in written} != {account.name: account for account in expected}:
        raise ConfigError(f"{path} could not be changed safely.", hint="Edit the file by hand.")
    try:
        folders.write_private(path.resolve(), text)  # resolved: a link into a dotfiles folder stays a link
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
