"""Secrets of accounts: from the environment or the OS keyring, stored in the OS keyring only."""

from tui.credentials.keyring import Keyring
from tui.credentials.secrets import delete_secret, read_secret, secret_variable, store_secret

__all__ = ["Keyring", "delete_secret", "read_secret", "secret_variable", "store_secret"]
