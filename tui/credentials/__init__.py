"""Secrets of accounts: from the environment, from a program, or from the store that the user chose for each."""

from tui.credentials.command import scrubbed_environment
from tui.credentials.files import PASSPHRASE_VARIABLE, passphrase, remember_passphrase, secret_file
from tui.credentials.keyring import Keyring
from tui.credentials.secrets import delete_secret, probe_store, read_secret, secret_variable, store_secret

__all__ = [
    "PASSPHRASE_VARIABLE",
    "Keyring",
    "delete_secret",
    "passphrase",
    "probe_store",
    "read_secret",
    "remember_passphrase",
    "scrubbed_environment",
    "secret_file",
    "secret_variable",
    "store_secret",
]
