"""config.toml: what is accepted, what is refused and how, and that writing loses nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tui.config import (
    DEFAULT_JOBS,
    RESERVED_NAMES,
    config_path,
    download_dir,
    load_config,
    remove_account,
    save_account,
    validate_account_name,
    validate_url,
)
from tui.errors import ConfigError
from tui.models import Account, AccountName

GOOD = """\
# My accounts
download_dir = "/srv/artifacts"   # the big disk
jobs = 2

[accounts.acme]   # the team
provider = "bitrise"
read_only = true

# for the store
[accounts.store]
provider = "xcode-cloud"
key_id = "2X9R4HXF34"
url = "http://127.0.0.1:8080"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_a_missing_file_is_an_empty_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path))
    monkeypatch.delenv("DIGSITE_DOWNLOADS", raising=False)
    config = load_config()
    assert config.path == config_path() == tmp_path / "config" / "config.toml"
    assert (config.accounts, config.jobs) == ((), DEFAULT_JOBS)
    assert download_dir(config) == tmp_path / "downloads"


def test_all_keys_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(GOOD)
    config = load_config(path)
    assert config.accounts == (
        Account(AccountName("acme"), "bitrise", read_only=True),
        Account(AccountName("store"), "xcode-cloud", url="http://127.0.0.1:8080", options={"key_id": "2X9R4HXF34"}),
    )
    assert config.jobs == 2
    monkeypatch.delenv("DIGSITE_DOWNLOADS", raising=False)
    assert download_dir(config) == Path("/srv/artifacts")
    monkeypatch.setenv("DIGSITE_DOWNLOADS", "/elsewhere")
    assert download_dir(config) == Path("/elsewhere")


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert len(load_config(path).accounts) == 2


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("jobs = 2\nx = \n", 2, "x"),
        ('jobs = 2\ndownload_dir = "/x', 2, "download_dir"),
        ("\njob = 2\n", 2, "job"),
        ("jobs = true\n", 1, "jobs"),
        ("jobs = 0\n", 1, "jobs"),
        ("jobs = 1000\n", 1, "jobs"),
        ("jobs = '4'\n", 1, "jobs"),
        ("download_dir = 5\n", 1, "download_dir"),
        ('download_dir = "relative"\n', 1, "download_dir"),
        ("accounts = 5\n", 1, "accounts"),
        ("[accounts]\nacme = 5\n", 2, "accounts.acme"),
        ("\n[accounts.acme]\n# nothing\n", 2, "accounts.acme.provider"),
        ("[accounts.acme]\nprovider = 5\n", 2, "accounts.acme.provider"),
        ('[accounts.acme]\nprovider = "bitrise"\nread_only = "yes"\n', 3, "accounts.acme.read_only"),
        ('[accounts.acme]\nprovider = "bitrise"\nkey_id = 5\n', 3, "accounts.acme.key_id"),
        ('[accounts.acme]\nprovider = "b"\nurl = "http://x.example"\n', 3, "accounts.acme.url"),
        ('[accounts."a b"]\nprovider = "b"\nurl = "nonsense"\n', 3, "accounts.a b.url"),
        ('[accounts.ls]\nprovider = "bitrise"\n', 1, "accounts.ls"),
        ('[accounts."a/b"]\nprovider = "bitrise"\n', 1, "accounts.a/b"),
        ('[accounts."a\\u001b"]\nprovider = "bitrise"\n', 1, "accounts.a"),
        ('accounts.acme.provider = "b"\naccounts.acme.url = 1\n', 2, "accounts.acme.url"),
        ('accounts = { acme = { provider = "b", url = 1 } }\n', 1, "accounts.acme.url"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_key(path: Path, text: str, line: int, key: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert f"{path}, line {line}, key '{key}" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_bytes_that_are_not_text_are_refused_with_their_line(path: Path) -> None:
    path.write_bytes(b"jobs = 2\n# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"config.toml, line 2: not UTF-8"):
        load_config(path)


def test_a_folder_in_the_place_of_the_file_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(path)


@pytest.mark.parametrize("key", ["token", "secret", "password", "private_key"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(path: Path, key: str) -> None:
    path.write_text(f'[accounts.acme]\nprovider = "bitrise"\n{key} = "bitpat_SENTINEL"\n')
    with pytest.raises(ConfigError, match=f"line 3, key 'accounts.acme.{key}'") as caught:
        load_config(path)
    assert "SENTINEL" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ['[accounts.acme]\nprovider = "b"\nx = "SENTINEL\n', "x = bitpat_SENTINEL\n", '"SENTINEL = 1\n']
)
def test_a_syntax_error_does_not_repeat_values(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert "SENTINEL" not in str(caught.value).partition("key")[0]
    assert "bitpat" not in str(caught.value)


@pytest.mark.parametrize("name", ["", " x", "x ", "a/b", "-x", "a\nb", "a\u202eb", *sorted(RESERVED_NAMES)])
def test_names_that_would_not_work_in_a_path_are_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        validate_account_name(name)


@pytest.mark.parametrize("name", ["acme", "my team", "日本", "a.b", "Get"])
def test_other_names_are_fine(name: str) -> None:
    assert validate_account_name(name) == name


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com", "ftp://x", "api.example.com", "https://", "https://user:pw@x.example",
        "https://x.example/?a=1", "https://x.example/#a", "https://x.example:99999", "http://127.0.0.1.example.com",
        "http://localhost.example.com", "https://[::1", "file:///etc/passwd", "",
    ],
)  # fmt: skip
def test_addresses_that_a_token_must_not_go_to_are_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        validate_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/v0.1", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1/v0.1"],
)
def test_https_and_loopback_are_fine(url: str) -> None:
    assert validate_url(f"{url}/") == url


def test_saving_keeps_comments_and_other_accounts(path: Path) -> None:
    path.write_text(GOOD)
    save_account(Account(AccountName("acme"), "bitrise", url="https://ci.example.com/"), path)
    save_account(Account(AccountName("my team"), "xcode-cloud", options={"key_id": "K"}), path)
    text = path.read_text()
    for comment in ("# My accounts", "# the big disk", "# the team", "# for the store"):
        assert comment in text
    assert load_config(path).accounts == (
        Account(AccountName("acme"), "bitrise", url="https://ci.example.com"),
        Account(AccountName("store"), "xcode-cloud", url="http://127.0.0.1:8080", options={"key_id": "2X9R4HXF34"}),
        Account(AccountName("my team"), "xcode-cloud", options={"key_id": "K"}),
    )


def test_saving_makes_a_private_file_in_a_new_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "config.toml"
    save_account(Account(AccountName("acme"), "bitrise"), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_saving_through_a_link_keeps_the_link(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text(GOOD)
    path.symlink_to(real)
    save_account(Account(AccountName("new"), "bitrise"), path)
    assert path.is_symlink()
    assert len(load_config(real).accounts) == 3


def test_a_wrong_file_is_not_rewritten(path: Path) -> None:
    path.write_text("jobs = \n")
    with pytest.raises(ConfigError, match="line 1"):
        save_account(Account(AccountName("new"), "bitrise"), path)
    assert path.read_text() == "jobs = \n"


def test_a_reserved_name_is_not_saved(path: Path) -> None:
    with pytest.raises(ConfigError):
        save_account(Account(AccountName("show"), "bitrise"), path)
    assert not path.exists()


def test_removing_takes_out_one_account_only(path: Path) -> None:
    path.write_text(GOOD)
    remove_account(AccountName("acme"), path)
    assert [account.name for account in load_config(path).accounts] == ["store"]
    assert "# My accounts" in path.read_text()
    with pytest.raises(ConfigError, match="no account 'acme'"):
        remove_account(AccountName("acme"), path)
