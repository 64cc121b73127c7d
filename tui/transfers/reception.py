"""Brings the bytes of one object into its part, over one connection or several, through breaks and expired links."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tui.errors import DigsiteError, Incomplete, LinkExpired, Mismatch, RateLimited, Unreachable
from tui.models import Artifact, ArtifactKind
from tui.storage import Body, Call, Head, SpeedCheck, Storage
from tui.transfers.destination import check_room
from tui.transfers.follower import Follower
from tui.transfers.links import Link, Links
from tui.transfers.part import OVERLAP_BYTES, PartFile
from tui.transfers.pieces import RANGED_BYTES, Piece, Pieces
from tui.transfers.retry import RetryPolicy, Stopped
from tui.transfers.snapshot import RateMeter
from tui.transfers.throttle import Throttle
from tui.transfers.writer import Writer

_log = logging.getLogger(__name__)

_MAX_REFUSALS: Final = 2
"""Fresh URLs in a row that the storage may refuse before that is the answer."""
_HELPER_TRIES: Final = 3
"""Failures in a row after which a further connection leaves its work to the others."""


@dataclass(frozen=True, slots=True)
class Means:
    """What all downloads of a queue share."""

    storage: Storage
    policy: RetryPolicy
    throttle: Throttle
    connections: int = 1
    """At most, for one download."""


class Reception:
    """One download's connections. `receive` blocks; `stop` and the attributes are for other threads meanwhile.

    Args:
        artifact: What is fetched.
        part: Where the bytes go; open.
        follower: Is told when there are more.
        links: Gives the URL.
        means: Storage, limits and rules.
        accept_size: Take the storage's word for the size when the provider says another.
        stop: Set to make `receive` end; then call `abort` too.
    """

    def __init__(
        self,
        artifact: Artifact,
        part: PartFile,
        follower: Follower,
        links: Links,
        means: Means,
        *,
        accept_size: bool,
        stop: threading.Event,
    ) -> None:
        self.note: str | None = None
        self.size_bytes = part.size_bytes if part.size_bytes is not None else artifact.size_bytes
        self.meter = RateMeter()
        self.meter.start(part.done_bytes)
        self._artifact = artifact
        self._part = part
        self._follower = follower
        self._links = links
        self._means = means
        self._accept_size = accept_size
        self._stop = stop
        self._pieces = Pieces(part.spans, means.connections)
        self._ignores_ranges = False
        self._link_was_fresh = False
        self._calls: list[Call] = []
        self._helper_calls: list[Call] = []
        self._helpers: list[threading.Thread] = []
        self._helpers_end = threading.Event()
        self._most_bytes = 0

    @property
    def done_bytes(self) -> int:
        """How much is there."""
        return self._part.done_bytes

    def receive(self) -> None:
        """Continues until all bytes are there; every attempt keeps what it got."""
        try:
            self._receive()
        finally:
            self._end_helpers()

    def abort(self) -> None:
        """Makes connections that wait end."""
        for call in [*self._calls, *self._helper_calls]:
            call.abort()
        self._pieces.wake()

    def check_stop(self) -> None:
        """Raises `Stopped` when that was asked for."""
        if self._stop.is_set():
            raise Stopped

    # The first connection, which decides what is done, and its helpers --------------------------------------

    def _receive(self) -> None:
        tries = refusals = 0
        while not self._is_complete:
            before = self._most_bytes
            failure: DigsiteError
            try:
                self._fetch_next()
                continue
            except LinkExpired as error:
                refusals += self._link_was_fresh
                if refusals >= _MAX_REFUSALS:
                    raise
                failure = error
            except (Incomplete, Unreachable) as error:
                failure = error
            except RateLimited as error:
                self._wait(error.retry_after_s, error)
                failure = error
            self.check_stop()
            if self._most_bytes > before:
                tries = refusals = 0
                continue
            tries += 1
            if tries >= self._means.policy.tries:
                raise failure
            if not isinstance(failure, LinkExpired):
                self._wait(self._means.policy.delay_s(tries), failure)

    @property
    def _is_complete(self) -> bool:
        return self._part.size_bytes is not None and self._part.done_bytes == self._part.size_bytes

    def _fetch_next(self) -> None:
        size = self._part.size_bytes if self._part.size_bytes is not None else self._promised
        piece = self._pieces.take(size, ranged=self._is_ranged, wait=True)
        self.check_stop()
        if piece is None and self._part.size_bytes is None:  # all that was promised; the storage may have more
            piece = self._pieces.take(None, ranged=False, wait=True)
        if piece is None:
            if self._is_complete:
                return
            self._start_over("more bytes were here than the file has")  # nothing is missing, so some are there twice
            raise Incomplete("More bytes were here than the file has.")
        try:
            self._attempt(piece)
        finally:
            self._pieces.give_back(piece)

    def _attempt(self, piece: Piece) -> None:
        """One answer: opens it where the piece begins, and reads to the end of the piece."""
        link = self._links.current()
        self._link_was_fresh = link.is_fresh
        self.check_stop()
        missing = max(0, (self.size_bytes or 0) - self._part.done_bytes)
        check_room(self._part.target.parent, missing)
        held = self._part.spans.held_before(piece.start)
        overlap = 0 if self._part.validator else min(OVERLAP_BYTES, held)
        with self._calling(self._calls, self._stop) as call:
            try:
                body = self._open(call, link, piece, piece.start - overlap)
            except Mismatch as error:
                self._start_over("the storage did not say which part it sent")
                raise Incomplete(error.message) from error
            with body:
                if self._accept(body.head, piece, piece.start - overlap, link):
                    overlap = overlap if self._part.done_bytes else 0
                    self._help()
                    self._copy(body, piece, overlap, self._stop)

    def _open(self, call: Call, link: Link, piece: Piece, start: int) -> Body:
        try:
            return self._means.storage.open(
                link.source.url,
                start=start,
                end=piece.end - 1 if piece.is_bounded and piece.end is not None else None,
                if_range=self._part.validator,
                headers=link.source.headers,
                call=call,
            )
        except LinkExpired:
            self._links.drop(link)
            raise

    @contextmanager
    def _calling(self, calls: list[Call], stop: threading.Event) -> Iterator[Call]:
        calls.append(call := Call())
        try:
            if stop.is_set():  # before the line above: that did not reach the call
                raise Stopped
            yield call
        finally:
            calls.remove(call)

    def _help(self) -> None:
        """Further connections, once the server has proved that it honours ranges."""
        if self._helpers or not self._is_ranged or not self._part.validator or self._part.size_bytes is None:
            return
        self._helpers_end.clear()
        for number in range(1, self._means.connections):
            name = f"{threading.current_thread().name}-{number}"
            thread = threading.Thread(target=self._run_helper, name=name, daemon=True)
            self._helpers.append(thread)
            thread.start()

    def _end_helpers(self) -> None:
        self._helpers_end.set()
        for call in list(self._helper_calls):
            call.abort()
        for thread in self._helpers:
            thread.join()
        self._helpers.clear()

    def _run_helper(self) -> None:
        """In the thread of a further connection: what it cannot fetch is left to the first one."""
        failures = 0
        while failures < _HELPER_TRIES and not (self._helpers_end.is_set() or self._stop.is_set()):
            piece = self._pieces.take(self._part.size_bytes, ranged=True, wait=False)
            if piece is None:
                return
            try:
                self._help_with(piece)
                failures = 0
            except Stopped:
                return
            except (DigsiteError, OSError) as error:
                failures = 1 if piece.got_bytes else failures + 1
                _log.info("a further connection for %s broke: %s", self._part.target.name, error)
                self._helpers_end.wait(self._means.policy.delay_s(failures))
            finally:
                self._pieces.give_back(piece)

    def _help_with(self, piece: Piece) -> None:
        link = self._links.current()
        with (
            self._calling(self._helper_calls, self._helpers_end) as call,
            self._open(call, link, piece, piece.start) as body,
        ):
            head = body.head
            if head.status != 206 or head.start != piece.start or self._has_changed(head):
                self._helpers_end.set()
                raise Incomplete("The storage did not send the part that was asked for.")
            self._copy(body, piece, 0, self._helpers_end)

    # What an answer is good for -----------------------------------------------------------------------------

    @property
    def _is_ranged(self) -> bool:
        part, size = self._part, self._part.size_bytes or self._promised or 0
        can = part.validator is not None or part.done_bytes == 0
        return self._means.connections > 1 and size > RANGED_BYTES and can and not self._ignores_ranges

    def _has_changed(self, head: Head) -> bool:
        part = self._part
        return (None not in {part.validator, head.validator} and head.validator != part.validator) or (
            part.size_bytes is not None and head.total is not None and head.total != part.size_bytes
        )

    def _accept(self, head: Head, piece: Piece, start: int, link: Link) -> bool:
        """Decides what the answer is good for; False when the part is complete as it is.

        Raises:
            Incomplete: Another attempt is needed, from the start or with a new URL.
            Mismatch: The storage has something else than the provider promised.
        """
        part = self._part
        if head.status == 416:
            if head.total == part.done_bytes and part.done_bytes and not self._has_changed(head):
                self._check_size(head.total, link)
                part.size_bytes = part.done_bytes
                return False
            self._start_over("the storage has fewer bytes than were here")
            raise Incomplete("The storage could not continue the file where it was left.")
        is_same = not self._has_changed(head)
        if not is_same:
            self._end_helpers()  # what they are being sent is of the former object
        size, md5 = (part.size_bytes, part.md5) if is_same else (None, None)
        changed = part.done_bytes > 0 and not is_same
        if head.status == 206 and (changed or head.start != start):
            self._start_over("it changed on the server" if changed else "the storage sent another part")
            raise Incomplete("The storage could not continue the file where it was left.")
        if head.status == 200:
            self._end_helpers()
            self._ignores_ranges = self._ignores_ranges or piece.is_bounded
            if part.done_bytes:
                self._start_over("it changed on the server" if changed else "the storage cannot continue")
            part.validator = None
        self._check_size(head.total, link)
        self._check_kind(head.content_type)
        # An answer that does not tell the size takes nothing back of what an earlier one told of the same object.
        part.size_bytes = head.total if head.total is not None else size
        part.md5 = head.md5 or md5
        part.validator = head.validator or part.validator  # a 206 to an If-Range need not repeat Last-Modified
        if head.status == 200:
            piece.start, piece.end, piece.is_bounded = 0, part.size_bytes, False
        self.size_bytes = part.size_bytes if part.size_bytes is not None else self.size_bytes
        if not head.is_delimited and part.size_bytes is None and self._promised is None:
            self.note = "length unverified: the storage does not tell it"
        return True

    @property
    def _promised(self) -> int | None:
        """The provider's word for the size, the newest it gave."""
        if self._accept_size:
            return None
        told = self._links.size_bytes
        return told if told is not None else self._artifact.size_bytes

    def _check_size(self, total: int | None, link: Link) -> None:
        promised = self._promised
        if promised is None or total is None or promised == total:
            return
        if not link.is_fresh:  # it may have been replaced since the provider was asked
            self._links.drop(link)
            raise Incomplete("The size of the file changed.")
        raise Mismatch(
            f"The provider says {promised:,} bytes, the storage has {total:,}.",
            hint="Nothing was published. Refresh the list, or accept the storage's size.",
        )

    def _check_kind(self, content_type: str) -> None:
        """A login or error page with status 200 must not become an app: its size tells, else its type."""
        is_page = content_type in {"text/html", "application/xhtml+xml", "application/xml", "text/xml"}
        if is_page and self._promised is None and self._artifact.kind is not ArtifactKind.FILE:
            raise Mismatch(f"The storage sent a page ({content_type}) instead of the file.")

    # Bytes --------------------------------------------------------------------------------------------------

    def _copy(self, body: Body, piece: Piece, overlap: int, stop: threading.Event) -> None:
        span = self._part.spans.open(piece.start)
        try:
            with Writer(self._part, span) as writer:
                self._copy_to(writer, body, piece, overlap, stop)
        finally:
            self._part.spans.close(span)
            self._progress()

    def _copy_to(self, writer: Writer, body: Body, piece: Piece, overlap: int, stop: threading.Event) -> None:
        part, throttle = self._part, self._means.throttle
        limit = part.size_bytes if part.size_bytes is not None else self._promised
        speed = SpeedCheck(self._means.policy.slow_window_s, self._means.policy.slow_bytes, writer.end)
        while count := body.read_into(room := writer.room(throttle.block_bytes)):
            if stop.is_set():
                raise Stopped
            data = room[:count]
            if overlap:
                data, overlap = self._compare(writer.end, data, overlap), max(0, overlap - count)
            if piece.is_bounded and piece.end is not None:
                data = data[: piece.end - writer.end]
            if limit is not None and writer.end + len(data) > limit:
                raise Mismatch(f"The storage sent more than the {limit:,} bytes that were promised.")
            length = len(data)
            writer.write(data)
            self._follower.poke()
            piece.got_bytes += length
            self._progress()
            if piece.is_bounded and writer.end == piece.end:
                body.skip_rest()
                return
            speed.check(writer.end, throttle.take(length, stop.wait))
        writer.flush()
        if piece.is_bounded or (limit is not None and writer.end < limit):
            raise Incomplete(f"The storage sent {part.done_bytes:,} of {limit or 0:,} bytes.")
        if part.size_bytes is None and body.head.status == 206 and writer.end != limit:
            raise Incomplete("The storage sent a part of the file, but not how large the file is.")  # there may be more
        if part.size_bytes is None:
            part.size_bytes = writer.end

    def _compare(self, end: int, data: memoryview, overlap: int) -> memoryview:
        """Checks bytes that came again against those on disk before `end`, and gives the new ones that follow them."""
        again = data[:overlap]
        if again != self._part.read(end - overlap, len(again)):
            self._start_over("it changed on the server")
            raise Incomplete("The file changed on the server.")
        return data[overlap:]

    def _start_over(self, reason: str) -> None:
        self._end_helpers()
        if self._part.done_bytes:
            self._part.restart()
            self.note = f"started over: {reason}"
            _log.info("transfer of %s %s", self._part.target.name, self.note)
        self._progress()

    def _progress(self) -> None:
        done = self._part.done_bytes
        self._most_bytes = max(self._most_bytes, done)
        self.meter.add(done)

    def _wait(self, delay_s: float, reason: DigsiteError) -> None:
        _log.info("transfer of %s waits %.1f s: %s", self._part.target.name, delay_s, reason)
        before, self.note = self.note, f"waiting {delay_s:.0f} s: {reason.message}"
        self._stop.wait(delay_s)
        self.note = before
        self.check_stop()
