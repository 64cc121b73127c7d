"""Secrets: where they are read from, where they are kept, and that a bad keyring costs seconds at most."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest

from tests.credentials.conftest import FakeBackend
from tui.credentials import Keyring, delete_secret, read_secret, secret_variable, store_secret
from tui.errors import CredentialError
from tui.models import Account, AccountName
from tui.secret import Secret

ACME = AccountName("acme")
ACCOUNT = Account(ACME, "bitrise")


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGSITE_SECRET_ACME", raising=False)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("acme", "ACME"), ("my-team", "MY_TEAM"), ("a.b c", "A_B_C"), ("Ünï1", "_N_1")],
)
def test_the_variable_is_named_after_the_account(name: str, variable: str) -> None:
    assert secret_variable(AccountName(name)) == f"DIGSITE_SECRET_{variable}"


async def test_store_read_delete(keyring: Keyring, backend: FakeBackend) -> None:
    assert await store_secret(ACCOUNT, Secret("s3cret"), keyring=keyring) == "OS keyring (fake)"
    assert backend.entries == {("digsite", "acme"): "s3cret"}
    secret, place = await read_secret(ACCOUNT, keyring=keyring)
    assert (secret.reveal(), place) == ("s3cret", "OS keyring (fake)")
    assert await delete_secret(ACCOUNT, keyring=keyring) is True
    assert backend.entries == {}
    assert await delete_secret(ACCOUNT, keyring=keyring) is False


async def test_the_environment_wins_and_the_keyring_is_not_asked(
    keyring: Keyring, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.gate = threading.Event()
    monkeypatch.setenv("DIGSITE_SECRET_ACME", "from-env")
    secret, place = await read_secret(ACCOUNT, keyring=keyring)
    assert (secret.reveal(), place) == ("from-env", "DIGSITE_SECRET_ACME")
    assert backend.threads == set()


async def test_a_missing_secret_says_both_ways_to_give_one(keyring: Keyring) -> None:
    with pytest.raises(CredentialError) as caught:
        await read_secret(ACCOUNT, keyring=keyring)
    assert "digsite accounts add acme" in str(caught.value)
    assert "DIGSITE_SECRET_ACME" in str(caught.value)


async def test_a_keyring_that_forgets_is_not_believed(keyring: Keyring, backend: FakeBackend) -> None:
    backend.forgets = True
    with pytest.raises(CredentialError, match="did not keep"):
        await store_secret(ACCOUNT, Secret("s3cret"), keyring=keyring)


async def test_a_keyring_that_keeps_what_it_should_delete_is_not_believed(
    keyring: Keyring, backend: FakeBackend
) -> None:
    backend.entries["digsite", "acme"] = "s3cret"
    backend.keeps = True
    with pytest.raises(CredentialError, match="still has"):
        await delete_secret(ACCOUNT, keyring=keyring)


async def test_the_keyring_is_never_called_on_the_event_loop(keyring: Keyring, backend: FakeBackend) -> None:
    await store_secret(ACCOUNT, Secret("s3cret"), keyring=keyring)
    assert backend.threads == {"keyring"}


async def test_a_silent_keyring_is_given_up_and_says_how_to_go_on(backend: FakeBackend) -> None:
    backend.gate = threading.Event()
    with pytest.raises(CredentialError) as caught:
        await read_secret(ACCOUNT, keyring=Keyring(backend, timeout_s=0.05))
    backend.gate.set()
    assert "did not answer" in str(caught.value)
    assert "Unlock" in str(caught.value)
    assert "DIGSITE_SECRET_ACME" in str(caught.value)


async def test_a_cancelled_call_does_not_disturb_later_ones(keyring: Keyring, backend: FakeBackend) -> None:
    backend.gate = threading.Event()
    task = asyncio.create_task(store_secret(ACCOUNT, Secret("s3cret"), keyring=keyring))
    assert await asyncio.to_thread(backend.asked.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    backend.gate.set()
    assert await asyncio.to_thread(backend.stored.wait, 10)  # it still runs to its end, and its answer is dropped
    await store_secret(ACCOUNT, Secret("other"), keyring=keyring)
    assert backend.entries == {("digsite", "acme"): "other"}


@pytest.mark.parametrize("error", [RuntimeError("dbus: SENTINEL"), OSError(5, "SENTINEL"), KeyError("SENTINEL")])
async def test_any_error_of_a_backend_becomes_one_clear_sentence_without_the_secret(
    keyring: Keyring, backend: FakeBackend, error: Exception
) -> None:
    backend.error = error
    with pytest.raises(CredentialError) as caught:
        await store_secret(ACCOUNT, Secret("SENTINEL"), keyring=keyring)
    shown = "".join(traceback.format_exception(caught.value))
    assert "SENTINEL" not in shown.replace('Secret("SENTINEL")', "")
    assert "DIGSITE_SECRET_ACME" in str(caught.value)


async def test_a_locked_macos_keychain_says_how_to_unlock_it(keyring: Keyring, backend: FakeBackend) -> None:
    backend.error = RuntimeError("Can't store password on keychain: (-25308, 'Unknown Error')")
    with pytest.raises(CredentialError, match="security unlock-keychain"):
        await store_secret(ACCOUNT, Secret("x"), keyring=keyring)


PROBE = """
import asyncio, sys
from tui.credentials import store_secret
from tui.errors import CredentialError
from tui.models import Account, AccountName
from tui.secret import Secret
try:
    print(asyncio.run(store_secret(Account(AccountName("acme"), "bitrise"), Secret("SENTINEL"))))
except CredentialError as error:
    print(error)
    sys.exit(1)
"""


@pytest.mark.parametrize(
    ("backend_name", "words"),
    [
        ("keyring.backends.null.Keyring", "no OS keyring"),
        ("keyring.backends.fail.Keyring", "no OS keyring"),
        ("plaintext.PlaintextKeyring", "not one that is known to keep secrets encrypted"),
        ("no_such_module.Keyring", "failed"),
        ("", "no OS keyring"),
    ],
)
def test_backends_that_do_not_encrypt_are_refused(tmp_path: Path, backend_name: str, words: str) -> None:
    (tmp_path / "plaintext.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class PlaintextKeyring(KeyringBackend):\n"
        "    priority = 9\n"
        "    def get_password(self, service, username): return None\n"
        "    def set_password(self, service, username, password): open('stored', 'w').write(password)\n"
        "    def delete_password(self, service, username): pass\n"
    )
    env = {key: value for key, value in os.environ.items() if key != "DBUS_SESSION_BUS_ADDRESS"}
    env |= {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    if backend_name:
        env["PYTHON_KEYRING_BACKEND"] = backend_name
    elif sys.platform != "linux":
        pytest.skip("this system always has a keyring")
    result = subprocess.run(
        [sys.executable, "-c", PROBE], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 1
    assert words in result.stdout
    assert "Set DIGSITE_SECRET_ACME" in result.stdout
    assert "BITRISE_TOKEN" in result.stdout
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "stored").exists()


HANGING = """
import asyncio, sys, threading
sys.path.insert(0, {folder!r})
from keyring.backend import KeyringBackend
from tui.credentials import Keyring, read_secret
from tui.errors import CredentialError
from tui.models import Account, AccountName

class Hanging(KeyringBackend):
    priority = 0
    def get_password(self, service, username): threading.Event().wait()
    set_password = delete_password = get_password

try:
    asyncio.run(read_secret(Account(AccountName("acme"), "bitrise"), keyring=Keyring(Hanging(), timeout_s=0.1)))
except CredentialError as error:
    print("ended:", error)
"""


def test_the_program_ends_although_the_keyring_hangs(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", HANGING.format(folder=str(tmp_path))],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert "ended: The OS keyring did not answer" in result.stdout


def test_importing_credentials_does_not_import_keyring() -> None:
    code = "import sys, tui.credentials, tui.config, tui.transfers, tui.storage, tui.log; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert not loaded & {"keyring", "urllib3", "tomlkit", "httpx", "textual", "jwt"}
