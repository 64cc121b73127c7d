"""A keyring backend in memory, which can be made to hang, to fail, and to lie."""

from __future__ import annotations

import threading

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from tui.credentials import Keyring


class FakeBackend(KeyringBackend):
    """Never detected by itself: tests hand it to `Keyring`."""

    name = "fake"  # pyright: ignore[reportAssignmentType]
    priority = 0  # pyright: ignore[reportAssignmentType]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None
        self.gate: threading.Event | None = None
        self.forgets = False
        self.keeps = False
        self.threads: set[str] = set()
        self.asked = threading.Event()
        self.stored = threading.Event()

    def _answer(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.asked.set()
        if self.gate is not None:
            self.gate.wait(20)
        if self.error is not None:
            raise self.error

    def get_password(self, service: str, username: str) -> str | None:
        self._answer()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._answer()
        if not self.forgets:
            self.entries[service, username] = password
        self.stored.set()

    def delete_password(self, service: str, username: str) -> None:
        self._answer()
        if (service, username) not in self.entries:
            raise PasswordDeleteError("no such password")
        if not self.keeps:
            del self.entries[service, username]


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def keyring(backend: FakeBackend) -> Keyring:
    return Keyring(backend)
