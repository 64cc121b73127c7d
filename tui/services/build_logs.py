"""The log of a build, whatever form the provider has it in, handed on as bytes while it arrives.

A finished Bitrise build has one text behind a signed URL, a running one pieces; an Xcode Cloud build has zip files
whose members are the logs.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from tui.errors import DigsiteError, Incomplete, LinkExpired, NotFound
from tui.models import Artifact, Build, Cursor, Source, Status
from tui.models.inspection import LogPart
from tui.peek.loglines import ChunkOrder, LogLine, LogSpool, line_text, without_escapes
from tui.providers import Provider
from tui.services.inside import Inside
from tui.storage import Body, Storage
from tui.threads import in_daemon_thread

Write = Callable[[bytes], object]
"""Takes the next bytes of a log; may be called in a thread."""

FIRST_WAIT_S: Final = 30.0
"""So long a build that has just started may have no log yet (bitrise-io/bitrise-cli, internal/build/service.go)."""
POLL_S: Final = 3.0
"""Between two looks at a log that grows; what Bitrise's own command line takes."""
QUIET_POLL_S: Final = 30.0
"""The longest pause while nothing comes."""
HEAD_BYTES: Final = 1 << 20
TAIL_BYTES: Final = 4 << 20
"""What of a long log is read to say why a build is red: its start, and its end."""
HEAD_LINES: Final = 40_000
TAIL_LINES: Final = 160_000
"""The same in lines, where those are so short that the bytes hold millions of them."""
_PIECE_BYTES: Final = 256 << 10
_TRIES: Final = 4
_LOG_NAMES: Final = (".log", ".txt")
_RED: Final = frozenset({Status.FAILED, Status.ERRORED})


@dataclass(frozen=True, slots=True)
class LogMember:
    """One log inside a bundle."""

    bundle: Artifact
    name: str
    """As the archive spells it: hostile text."""
    size_bytes: int
    inside: Inside

    @property
    def path(self) -> str:
        """What `digsite log --member` takes."""
        return f"{self.bundle.title}//{self.name}"


class BuildLog:
    """Reads the log of one build.

    Args:
        build: Whose.
        provider: Opens the account.
        storage: The bare client, for signed URLs.
        look_inside: Opens a bundle.
        sleep: Waits for seconds.
    """

    def __init__(
        self,
        build: Build,
        provider: Callable[[], Awaitable[Provider]],
        storage: Storage,
        look_inside: Callable[[Artifact], Awaitable[Inside]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.build = build
        self.members: tuple[LogMember, ...] = ()
        """The logs there are to choose from; empty where there is only one."""
        self.member: LogMember | None = None
        """The one that was read."""
        self.is_complete = False
        """Whether nothing will be added any more."""
        self.has_gaps = False
        """Whether pieces of a running log were given up, so that only a new reading is whole."""
        self._provider, self._storage, self._look_inside, self._sleep = provider, storage, look_inside, sleep
        self._cursor: Cursor | None = None
        self._order = ChunkOrder()

    async def read(self, write: Write, *, member: str | None = None, skip: int = 0) -> None:
        """Hands on all there is now.

        Args:
            write: Takes it.
            member: Which log of a bundle, as `LogMember.path` or a part of it; None takes the main one.
            skip: Bytes at the start that are not wanted.

        Raises:
            NotFound: There is no log, or no such member.
            DigsiteError: The provider or the storage cannot be asked.
        """
        part = await self._first_part()
        if part.bundles:
            await self._read_bundles(part.bundles, write, member)
        elif member is not None:
            raise NotFound("This build has one log, without members.")
        elif part.source is not None:
            self.is_complete, self.has_gaps = True, False
            await self._read_source(part.source, write, skip)
        else:
            self._take(part, write)

    async def more(self, write: Write) -> bool:
        """Asks once for what came since; gives whether something did.

        Once `is_complete` is set, the whole log may have a source that is better than its pieces: `read` it again.
        """
        part = await (await self._provider()).log(self.build, self._cursor)
        if part.bundles or part.source is not None:
            self.is_complete = True
            return False
        return self._take(part, write)

    def _take(self, part: LogPart, write: Write) -> bool:
        data = self._order.take(part.chunks, final=part.is_complete)
        self._cursor = part.next_cursor or self._cursor
        self.is_complete, self.has_gaps = part.is_complete, self._order.missing > 0
        if data:
            write(data)
        return bool(data)

    async def _first_part(self) -> LogPart:
        """What there is of the log; waits for the first of a build that has just started."""
        waited = 0.0
        while True:
            try:
                return await (await self._provider()).log(self.build)
            except NotFound:
                if self.build.status.is_finished or waited >= FIRST_WAIT_S:
                    raise
            await self._sleep(POLL_S)
            waited += POLL_S

    # A text behind a signed URL ---------------------------------------------------------------------------

    async def _read_source(self, source: Source, write: Write, skip: int) -> None:
        copy = _Copy(self._storage, write, skip)
        for attempt in range(_TRIES):
            try:
                await copy.run(source)
            except (LinkExpired, Incomplete) as error:
                if attempt == _TRIES - 1:
                    raise
                if isinstance(error, LinkExpired):
                    source = (await self._first_part()).source or source
            else:
                return

    # Members of bundles -----------------------------------------------------------------------------------

    async def _read_bundles(self, bundles: tuple[Artifact, ...], write: Write, wanted: str | None) -> None:
        self.is_complete = self.build.status.is_finished
        if not self.members:
            self.members = await self._find_members(bundles)
        self.member = _chosen(self.members, wanted)
        stopped = threading.Event()

        def take(piece: bytes) -> None:
            if stopped.is_set():  # nobody waits any more: what is raised ends the thread
                raise Incomplete("The log is not wanted any more.")
            write(piece)

        try:
            await self.member.inside.copy(self.member.name, take)
        finally:
            stopped.set()

    async def _find_members(self, bundles: tuple[Artifact, ...]) -> tuple[LogMember, ...]:
        opened = await asyncio.gather(*(self._look_inside(bundle) for bundle in bundles), return_exceptions=True)
        members: list[LogMember] = []
        failures: list[BaseException] = []
        for bundle, inside in zip(bundles, opened, strict=True):
            if isinstance(inside, BaseException):
                if not isinstance(inside, DigsiteError):
                    raise inside
                failures.append(inside)
                continue
            members += [
                LogMember(bundle, entry.name, entry.size_bytes, inside)
                for entry in inside.entries
                if not entry.is_folder and entry.name.lower().endswith(_LOG_NAMES)
            ]
        if not members:
            raise failures[0] if failures else NotFound("The log bundle holds no log that is text.")
        return tuple(sorted(members, key=_rank))

    # The start and the end --------------------------------------------------------------------------------

    async def excerpt(self, folder: Path | None = None) -> tuple[LogLine, ...]:
        """The lines of the log without escapes; of a long one its first and last megabytes.

        Args:
            folder: Where it is kept meanwhile.
        """
        part = await self._first_part()
        spool = LogSpool(folder)
        try:
            if part.source is not None:
                source = part.source
                cut_at = await in_daemon_thread(lambda: _read_ends(self._storage, source, spool), name="log")
            else:
                keep = _Limited(spool, HEAD_BYTES + TAIL_BYTES * 4)
                with suppress(_Full):
                    if part.bundles:
                        await self._read_bundles(part.bundles, keep.write, None)
                    else:
                        self._take(part, keep.write)
                cut_at = None
            return await in_daemon_thread(lambda: _lines(spool, cut_at), name="log")
        finally:
            spool.close()


class _Copy:
    """Hands on a text behind a signed URL, and goes on where a broken connection left it."""

    def __init__(self, storage: Storage, write: Write, start: int) -> None:
        self._storage, self._write, self._at = storage, write, start
        self._validator: str | None = None
        self._body: Body | None = None
        self._stopped = threading.Event()

    async def run(self, source: Source) -> None:
        """Until the end.

        Raises:
            LinkExpired: The URL has ended; go on with a fresh one.
            Incomplete: The connection broke; go on.
        """
        try:
            await in_daemon_thread(lambda: self._run(source), name="log")
        finally:  # also when the caller gave up: the thread must not go on writing
            self._stopped.set()
            if self._body is not None:
                self._body.abort()
            self._stopped = threading.Event()

    def _run(self, source: Source) -> None:
        stopped = self._stopped
        with self._storage.open(
            source.url, start=self._at, if_range=self._validator, headers=source.headers
        ) as self._body:
            head = self._body.head
            if head.status == 416:  # nothing is left
                return
            skip = self._at - head.start  # the whole again, where parts are not served
            self._validator = head.validator
            while not stopped.is_set() and (piece := self._body.read()):
                dropped = min(skip, len(piece))
                skip -= dropped
                if dropped < len(piece):
                    self._write(piece[dropped:])
                    self._at += len(piece) - dropped


class _Full(Exception):
    """Ends a copy of which there is enough."""


class _Limited:
    """Keeps the first bytes of a log whose end cannot be reached without reading it all."""

    def __init__(self, spool: LogSpool, limit: int) -> None:
        self._spool, self._left = spool, limit

    def write(self, data: bytes) -> None:
        """Takes bytes as long as there is room.

        Raises:
            _Full: There is none: what is left need not be unpacked.
        """
        self._spool.append(data[: self._left])
        self._left -= min(self._left, len(data))
        if not self._left:
            raise _Full


def _read_ends(storage: Storage, source: Source, spool: LogSpool) -> int | None:
    """Reads a whole text, of a long one the start and the end; gives the offset at which the end begins."""
    with storage.open(source.url, headers=source.headers) as body:
        total = body.head.total
        limit = HEAD_BYTES if total is not None and total > HEAD_BYTES + TAIL_BYTES else HEAD_BYTES + TAIL_BYTES
        while not spool.is_closed and (piece := body.read(min(_PIECE_BYTES, limit - spool.size_bytes))):
            spool.append(piece)
    if total is None or total <= limit:
        return None
    with storage.open(source.url, start=total - TAIL_BYTES, headers=source.headers) as body:
        if body.head.start != total - TAIL_BYTES:
            return None  # parts are not served: the start must do
        spool.append(b"\n")
        cut_at = spool.size_bytes
        while not spool.is_closed and (piece := body.read()):
            spool.append(piece)
    return cut_at


def _lines(spool: LogSpool, cut_at: int | None) -> tuple[LogLine, ...]:
    """The lines, of too many the first and the last; those from `cut_at` on have no known number."""
    data = spool.read(0, spool.size_bytes)
    count = data.count(b"\n") + 1
    known = count if cut_at is None else data.count(b"\n", 0, cut_at)
    numbered: Iterable[tuple[int, bytes]]
    if count <= HEAD_LINES + TAIL_LINES:
        numbered = enumerate(data.split(b"\n"), 1)
    else:
        head, tail = data.split(b"\n", HEAD_LINES)[:-1], data.rsplit(b"\n", TAIL_LINES)[1:]
        numbered = chain(enumerate(head, 1), enumerate(tail, count - TAIL_LINES + 1))
    return tuple(
        LogLine(number if number <= known else None, without_escapes(line_text(raw[:4096]))) for number, raw in numbered
    )


def _rank(member: LogMember) -> tuple[bool, bool, int]:
    """The log that tells most comes first: of a red action, of xcodebuild, the largest."""
    action = member.bundle.action
    is_red = action is not None and action.status in _RED
    return not is_red, "xcodebuild" not in member.name.lower(), -member.size_bytes


def _chosen(members: tuple[LogMember, ...], wanted: str | None) -> LogMember:
    if wanted is None:
        return members[0]
    for matches in (
        [member for member in members if wanted in {member.path, member.name}],
        [member for member in members if wanted.lower() in member.path.lower()],
    ):
        if matches:
            return matches[0]
    names = ", ".join(member.path for member in members[:5])
    raise NotFound("There is no such log in the bundles of this build.", hint=f"There are: {names}.")
