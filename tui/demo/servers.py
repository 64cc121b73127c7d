"""Runs the demo: both APIs and the storage on loopback, in one thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Self

import uvicorn
from starlette.types import ASGIApp

from tui.demo.bitrise import PREFIX, BitriseApi
from tui.demo.data import DemoData
from tui.demo.faults import Faults, Gate, SeenRequest
from tui.demo.storage import InstallPages, Signer, storage_app
from tui.demo.tokens import ISSUER_ID, KEY_ID, TokenKey
from tui.demo.xcode_cloud import XcodeCloudApi
from tui.errors import ConfigError

__all__ = ["DemoServers", "SeenRequest"]

HOST: Final = "127.0.0.1"
_NAMES: Final = ("bitrise", "xcode-cloud", "storage")
_MAX_SEEN: Final = 20_000
"""Requests that are remembered; older ones are dropped."""


class DemoServers:
    """Context manager that serves the demo while it is entered.

    Args:
        port: The first of three ports in a row; 0 lets the system choose.
        now: Makes time stand still in the data, for snapshots; tokens and URLs always follow the real clock.
        faults: Switches that make the servers misbehave.

    Raises:
        ConfigError: On entering: a port is taken or out of range.
    """

    def __init__(self, *, port: int = 0, now: datetime | None = None, faults: Faults | None = None) -> None:
        self.faults: Final = faults or Faults()
        self.data: Final = (
            DemoData(datetime.now(UTC), clock=lambda: datetime.now(UTC)) if now is None else DemoData(now)
        )
        self.requests: Final[list[SeenRequest]] = []
        """What the servers were asked, oldest first; a test may clear it."""
        self._port = port
        self._key = TokenKey()
        self._token = f"bitpat_demo_{secrets.token_urlsafe(24)}"
        self._urls: tuple[str, ...] = ()
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def bitrise_url(self) -> str:
        """Where Bitrise's API answers, `/v0.1` included."""
        return self._urls[0] + PREFIX

    @property
    def xcode_cloud_url(self) -> str:
        """Where App Store Connect's API answers; its paths begin with `/v1`."""
        return self._urls[1]

    @property
    def storage_url(self) -> str:
        """Where signed URLs and install pages point."""
        return self._urls[2]

    def environment(self) -> dict[str, str]:
        """The variables that point a client at the demo."""
        return {
            "BITRISE_TOKEN": self._token,
            "DIGSITE_BITRISE_URL": self.bitrise_url,
            "ASC_KEY_ID": KEY_ID,
            "ASC_ISSUER_ID": ISSUER_ID,
            "ASC_PRIVATE_KEY": self._key.pem(),
            "DIGSITE_XCODE_CLOUD_URL": self.xcode_cloud_url,
        }

    def __enter__(self) -> Self:
        sockets = _listen(self._port)
        self._urls = tuple(f"http://{HOST}:{each.getsockname()[1]}" for each in sockets)
        servers = [
            _Server(Gate(app, name, self.faults, self._note), each, self._stop)
            for app, name, each in zip(self._apps(), _NAMES, sockets, strict=True)
        ]
        self._loop = asyncio.new_event_loop()
        # The sockets listen already: a client that is faster than the thread waits in their queues.
        self._thread = threading.Thread(target=_run, args=(self._loop, servers), name="digsite-demo", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _apps(self) -> tuple[ASGIApp, ASGIApp, ASGIApp]:
        signer = Signer(self.storage_url, self.faults)
        pages = InstallPages(self.storage_url)
        bitrise = BitriseApi(self.data.bitrise, self._token, signer, pages)
        xcode_cloud = XcodeCloudApi(self.data.xcode_cloud, self._key, signer, self.xcode_cloud_url, self.faults)
        return bitrise.app(), xcode_cloud.app(), storage_app(self.data, signer, pages, self.faults)

    def _note(self, request: SeenRequest) -> None:
        self.requests.append(request)
        del self.requests[:-_MAX_SEEN]


def _run(loop: asyncio.AbstractEventLoop, servers: Sequence[_Server]) -> None:
    async def serve() -> None:
        await asyncio.gather(*(server.serve(sockets=[server.socket]) for server in servers))

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(serve())


class _Server(uvicorn.Server):
    """One server that says nothing and leaves at once, whoever is still connected."""

    def __init__(self, app: ASGIApp, listening: socket.socket, stop: asyncio.Event) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,
            )
        )
        self.socket: Final = listening
        self._stop = stop

    async def main_loop(self) -> None:
        """Waits for the end without uvicorn's ten looks a second."""
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes the listener, breaks every connection and cancels what is being served."""
        for server in self.servers:
            server.close()
        for task in list(self.server_state.tasks):
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)


def _listen(port: int) -> list[socket.socket]:
    """Three listening sockets, on consecutive ports unless `port` is 0."""
    sockets: list[socket.socket] = []
    try:
        for offset in range(len(_NAMES)):
            # Named in full: asyncio sets TCP_NODELAY only where the protocol is not 0, and without it every
            # answer waits 40 ms for an acknowledgement.
            listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            sockets.append(listening)
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((HOST, port + offset if port else 0))
            listening.listen()
    except (OSError, OverflowError) as error:
        for each in sockets:
            each.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a port"
        raise ConfigError(
            f"The demo cannot listen on {HOST}, ports {port} to {port + len(_NAMES) - 1}: {reason}.",
            hint="Choose other ports with --port, or leave it out.",
        ) from error
    return sockets
