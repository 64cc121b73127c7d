"""The stores for machines without a keyring: each only by its name, none instead of another."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from pathlib import Path
from time import monotonic

import pytest

from tests.credentials.conftest import FakeBackend
from tui.credentials import (
    Keyring,
    delete_secret,
    files,
    probe_store,
    read_secret,
    remember_passphrase,
    scrubbed_environment,
    secret_file,
    store_secret,
)
from tui.credentials.command import MAX_BYTES, secret_of_command
from tui.errors import CredentialError
from tui.models import Account, AccountName, Store
from tui.secret import Secret

NAME = AccountName("acme")
ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path))
    monkeypatch.delenv("DIGSITE_SECRET_ACME", raising=False)
    monkeypatch.delenv("DIGSITE_VAULT_PASSPHRASE", raising=False)
    monkeypatch.setattr(files, "_asked_for", [])
    monkeypatch.setattr(files, "_SCRYPT_N", 2**10)  # the real cost is for attackers
    return tmp_path


def account(store: Store) -> Account:
    return Account(NAME, "bitrise", store=store)


@pytest.mark.parametrize("store", [Store.PLAIN_FILE, Store.VAULT, Store.MEMORY])
async def test_store_read_delete(store: Store) -> None:
    remember_passphrase(Secret("correct horse"))
    place = await store_secret(account(store), Secret("s3cret-value"))
    assert await read_secret(account(store)) == (Secret("s3cret-value"), place)
    assert await delete_secret(account(store)) is True
    assert await delete_secret(account(store)) is False
    with pytest.raises(CredentialError, match="has no secret"):
        await read_secret(account(store))


@ON_POSIX
@pytest.mark.parametrize("store", [Store.PLAIN_FILE, Store.VAULT])
async def test_only_the_owner_may_read_the_file(store: Store, home: Path) -> None:
    remember_passphrase(Secret("correct horse"))
    await store_secret(account(store), Secret("s3cret-value"))
    (path,) = (home / "config" / "secrets").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert ("s3cret-value" in path.read_text()) is (store is Store.PLAIN_FILE)


@ON_POSIX
async def test_a_file_that_others_may_read_is_refused() -> None:
    await store_secret(account(Store.PLAIN_FILE), Secret("s3cret-value"))
    path = secret_file(NAME, ".secret")
    path.chmod(0o640)
    with pytest.raises(CredentialError, match="may be read by others") as caught:
        await read_secret(account(Store.PLAIN_FILE))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("store", [Store.PLAIN_FILE, Store.VAULT])
async def test_a_planted_link_is_neither_read_nor_written_through(store: Store, home: Path) -> None:
    remember_passphrase(Secret("correct horse"))
    victim = home / "victim"
    victim.write_text("not a secret")
    victim.chmod(0o600)
    path = secret_file(NAME, files.PlainFile.suffix if store is Store.PLAIN_FILE else files.Vault.suffix)
    path.parent.mkdir(parents=True)
    path.symlink_to(victim)
    with pytest.raises(CredentialError, match="cannot be read"):
        await read_secret(account(store))
    await store_secret(account(store), Secret("s3cret-value"))
    assert victim.read_text() == "not a secret"


async def test_the_vault_opens_with_its_passphrase_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGSITE_VAULT_PASSPHRASE", "correct horse")
    await store_secret(account(Store.VAULT), Secret("s3cret-value"))
    monkeypatch.setenv("DIGSITE_VAULT_PASSPHRASE", "wrong")
    with pytest.raises(CredentialError, match="not the vault's"):
        await read_secret(account(Store.VAULT))
    monkeypatch.delenv("DIGSITE_VAULT_PASSPHRASE")
    with pytest.raises(CredentialError, match="DIGSITE_VAULT_PASSPHRASE"):
        await read_secret(account(Store.VAULT))
    assert await delete_secret(account(Store.VAULT)) is True


async def test_a_vault_file_of_another_account_does_not_open() -> None:
    remember_passphrase(Secret("correct horse"))
    await store_secret(account(Store.VAULT), Secret("s3cret-value"))
    other = AccountName("other")
    secret_file(NAME, ".vault").rename(secret_file(other, ".vault"))
    with pytest.raises(CredentialError, match="was changed"):
        await read_secret(Account(other, "bitrise", store=Store.VAULT))


@pytest.mark.parametrize("text", ["", "{}", "[]", "[" * 5000, '{"version": 1, "salt": 3}', "\x00", '{"version": 2}'])
async def test_a_damaged_vault_file_is_one_clear_error(text: str) -> None:
    remember_passphrase(Secret("correct horse"))
    await store_secret(account(Store.VAULT), Secret("s3cret-value"))
    secret_file(NAME, ".vault").write_text(text)
    with pytest.raises(CredentialError, match="damaged"):
        await read_secret(account(Store.VAULT))


@pytest.mark.parametrize("store", [Store.PLAIN_FILE, Store.VAULT])
async def test_a_probe_leaves_nothing(store: Store, home: Path) -> None:
    remember_passphrase(Secret("correct horse"))
    assert str(home) in await probe_store(account(store))
    assert list((home / "config" / "secrets").iterdir()) == []


async def test_the_keyring_is_probed_by_write_read_and_delete(backend: FakeBackend, keyring: Keyring) -> None:
    assert await probe_store(account(Store.KEYRING), keyring=keyring) == "OS keyring (fake)"
    assert backend.entries == {}
    backend.forgets = True
    with pytest.raises(CredentialError, match="did not keep") as caught:
        await probe_store(account(Store.KEYRING), keyring=keyring)
    assert all(way in str(caught.value) for way in ("--store vault", "token_command", "DIGSITE_SECRET_ACME"))
    backend.forgets, backend.keeps = False, True
    with pytest.raises(CredentialError, match="still has"):
        await probe_store(account(Store.KEYRING), keyring=keyring)


async def test_a_failing_store_is_not_replaced_by_another(backend: FakeBackend, keyring: Keyring, home: Path) -> None:
    backend.error = RuntimeError("no")
    with pytest.raises(CredentialError):
        await store_secret(account(Store.KEYRING), Secret("s3cret-value"), keyring=keyring)
    assert not (home / "config").exists()
    backend.error = None
    backend.entries["digsite", "acme"] = "s3cret-value"
    for store in (Store.PLAIN_FILE, Store.VAULT, Store.MEMORY, Store.ENVIRONMENT):
        with pytest.raises(CredentialError, match="has no secret"):
            await read_secret(account(store), keyring=keyring)
    assert backend.threads == {"keyring"}


async def test_environment_means_nothing_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "DIGSITE_SECRET_ACME" in await store_secret(account(Store.ENVIRONMENT), Secret("s3cret-value"))
    assert not (home / "config").exists()
    monkeypatch.setenv("DIGSITE_SECRET_ACME", "s3cret-value")
    assert (await read_secret(account(Store.ENVIRONMENT)))[1] == "DIGSITE_SECRET_ACME"


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


async def test_a_token_command_gives_the_secret_without_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITRISE_TOKEN", "other-secret")
    monkeypatch.setenv("DIGSITE_SECRET_OTHER", "other-secret")
    code = (
        "import os, sys; assert sys.stdin.read() == ''; print('noise', file=sys.stderr)\n"
        "assert 'other-secret' not in os.environ.values() and os.environ['PATH']\n"
        "print(sys.argv[1])"
    )
    configured = Account(NAME, "bitrise", token_command=(*python(code), "$HOME;`id`"))
    assert await read_secret(configured) == (Secret("$HOME;`id`"), "token_command")
    assert await delete_secret(configured) is False


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("/no/such/program",), "cannot be started"),
        (("no\0such",), "cannot be started"),
        (python("raise SystemExit('SENTINEL')"), "exit code 1"),
        (python("import sys; print('SENTINEL'); sys.exit(3)"), "exit code 3"),
        (python("print('\\n')"), "printed nothing"),
        (python("import sys; sys.stdout.buffer.write(b'\\xff\\xfeSENTINEL')"), "not text"),
        (python(f"print('x' * {MAX_BYTES + 10})"), "more than any secret"),
    ],
)
async def test_a_failing_token_command_is_one_clear_sentence(command: tuple[str, ...], says: str) -> None:
    with pytest.raises(CredentialError, match=says) as caught:
        await secret_of_command(command)
    assert "SENTINEL" not in str(caught.value)


@ON_POSIX
async def test_a_hanging_token_command_ends_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {shlex.quote(str(pid_file))}; wait"
    with pytest.raises(CredentialError, match="did not end"):
        await secret_of_command(("sh", "-c", script), timeout_s=1.0)
    deadline = monotonic() + 20
    while not _has_ended(pid_file):  # it was killed; on a busy machine it still has to be let to its end
        assert monotonic() < deadline
        os.sched_yield()


def _has_ended(pid_file: Path) -> bool:
    """Whether the process is gone, or a zombie that nobody has waited for."""
    status = Path(f"/proc/{int(pid_file.read_text())}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_environment_of_programs_has_none_of_our_secrets() -> None:
    environ = {"PATH": "/bin", "BITRISE_TOKEN": "x", "ASC_PRIVATE_KEY": "x", "DIGSITE_SECRET_A": "x", "OP_SESSION": "y"}
    assert scrubbed_environment(environ) == {"PATH": "/bin", "OP_SESSION": "y"}


@pytest.mark.parametrize(
    "twins", [("Acme", "acme"), ("..", "..."), ("a" * 300, "a" * 301), ("é", "e\N{COMBINING ACUTE ACCENT}")]
)
def test_files_of_different_accounts_are_different_on_every_disk(twins: tuple[str, str]) -> None:
    first, second = (secret_file(AccountName(name), ".secret") for name in twins)
    assert first.name.casefold() != second.name.casefold()
    assert first.parent == second.parent
    assert len(first.name) < 120
