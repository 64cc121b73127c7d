"""The inside of a remote artifact, for callers on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tui.errors import Unreachable
from tui.models import Artifact, Source
from tui.peek import Archive, Binary, Entry, InsideFacts, RemoteFile, inside_facts
from tui.peek.facts import binaries_of, symbol_files
from tui.storage import Storage
from tui.threads import in_daemon_thread

_SOURCE_TIMEOUT_S: Final = 60.0


@dataclass
class Inside:
    """An opened archive: its directory is there; everything else is read when asked for."""

    artifact: Artifact
    _archive: Archive

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All members, in the archive's order."""
        return self._archive.entries

    @property
    def moved_bytes(self) -> int:
        """What looking inside has cost so far over the network."""
        return self._archive.remote.moved_bytes

    async def read(self, name: str, limit: int) -> bytes:
        """A member's first bytes, unpacked.

        Raises:
            NotFound: There is no such member.
            PeekError: It is encrypted or broken.
            TransferError: It cannot be read.
        """
        return await in_daemon_thread(lambda: self._archive.read(name, limit), name="peek")

    async def copy(self, name: str, write: Callable[[bytes], object]) -> None:
        """Hands a whole member to `write`, which is called in a thread."""
        await in_daemon_thread(lambda: self._archive.copy(name, write), name="peek")

    async def facts(self) -> InsideFacts | None:
        """What the app inside tells of itself; None when there is none."""
        return await in_daemon_thread(lambda: inside_facts(self._archive), name="peek")

    async def symbols(self) -> list[Binary]:
        """The debug symbols inside, however many.

        Raises:
            TransferError: They cannot be read.
        """

        def read() -> list[Binary]:
            names = symbol_files(self._archive)
            return [binary for name in names for binary in binaries_of(self._archive, name, is_symbols=True)]

        return await in_daemon_thread(read, name="peek")


FetchSource = Callable[[Artifact], Awaitable[Source]]
"""Asks the provider for a fresh URL."""


async def open_inside(storage: Storage, fetch_source: FetchSource, artifact: Artifact) -> Inside:
    """Reads an archive's directory.

    Args:
        storage: The bare client.
        fetch_source: Called again when a URL has expired.
        artifact: The archive.

    Raises:
        PeekError: It is no archive that can be looked into.
        DigsiteError: The provider or the storage cannot be asked.
    """
    remote = remote_file(storage, fetch_source, artifact)
    return Inside(artifact, await in_daemon_thread(lambda: Archive(remote), name="peek"))


async def md5_of(storage: Storage, fetch_source: FetchSource, artifact: Artifact) -> str | None:
    """The MD5 of an artifact in hex, where its storage tells it in a header; moves one block at most.

    Raises:
        DigsiteError: The provider or the storage cannot be asked.
    """
    remote = remote_file(storage, fetch_source, artifact)
    await in_daemon_thread(lambda: remote.read_at(0, 1), name="peek")
    return remote.md5


def remote_file(storage: Storage, fetch_source: FetchSource, artifact: Artifact) -> RemoteFile:
    """An artifact to be read in threads, while this event loop runs; nothing is asked yet."""
    loop = asyncio.get_running_loop()

    async def fetch() -> Source:
        return await fetch_source(artifact)

    def fetch_url() -> Source:  # in the thread
        waiting = asyncio.run_coroutine_threadsafe(fetch(), loop)
        try:
            return waiting.result(_SOURCE_TIMEOUT_S)
        except TimeoutError as error:
            waiting.cancel()
            raise Unreachable("The provider gave no link in time.") from error

    return RemoteFile(storage, fetch_url, artifact.size_bytes)
