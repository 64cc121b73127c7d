"""One download, from asking for its address to the finished file; runs in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from tui.errors import (
    Destination,
    DigsiteError,
    Incomplete,
    LinkExpired,
    Mismatch,
    RateLimited,
    Unreachable,
)
from tui.models import Artifact, ArtifactKind, ArtifactRef, Source
from tui.storage import Body, Storage
from tui.transfers.claim import read_claims
from tui.transfers.destination import ConflictRule, candidates, check_room, from_os_error, make_folder
from tui.transfers.history import Finished, History
from tui.transfers.part import OVERLAP_BYTES, Held, PartFile, discard_part
from tui.transfers.retry import RetryPolicy, Stopped
from tui.transfers.snapshot import RateMeter, TransferState

_log = logging.getLogger(__name__)

_MIN_LIFE: Final = timedelta(seconds=60)
"""A URL with less left is not started with, unless the provider gives no better one."""
_MAX_REFUSALS: Final = 2
"""Fresh URLs in a row that the storage may refuse before that is the answer."""
_MD5_MAX_BYTES: Final = 64 << 20
"""MD5 is compared where it is cheap."""


class Transfer:
    """One download. `run` blocks; everything else may be called and read from another thread meanwhile.

    Args:
        artifact: What to fetch.
        target: The name it should get.
        rule: What to do when that name is taken.
        fetch_source: Asks the provider for a URL; blocks.
        storage: Opens it.
        history: Knows which files are finished already.
        policy: How to retry.
        accept_size: Take the storage's word for the size when the provider says another.
    """

    def __init__(
        self,
        artifact: Artifact,
        target: Path,
        rule: ConflictRule,
        fetch_source: Callable[[Artifact], Source],
        storage: Storage,
        history: History,
        policy: RetryPolicy,
        *,
        accept_size: bool = False,
    ) -> None:
        self.target = target
        self.done_bytes = 0
        self.size_bytes = artifact.size_bytes
        self.meter = RateMeter()
        self.note: str | None = None
        self.error: DigsiteError | None = None
        self.sha256: str | None = None
        self._artifact = artifact
        self._rule = rule
        self._fetch_source = fetch_source
        self._storage = storage
        self._history = history
        self._policy = policy
        self._accept_size = accept_size
        self._stop = threading.Event()
        self._discard = False
        self._source: Source | None = None
        self._source_is_fresh = False
        self._body: Body | None = None
        self._most_bytes = 0

    def stop(self, *, discard: bool = False) -> None:
        """Makes `run` end soon with what arrived kept, or deleted."""
        self._discard = discard
        self._stop.set()
        body = self._body
        if body is not None:
            body.abort()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def run(self) -> TransferState:
        """Downloads; afterwards `error`, `sha256`, `target` and `note` tell the result.

        Returns:
            DONE, FAILED or, when `stop` was called, CANCELLED.
        """
        try:
            self._download()
        except Stopped:
            return TransferState.CANCELLED
        except DigsiteError as error:
            self.error = error
        except OSError as error:
            self.error = from_os_error(error, self.target)
        if self.error is None:
            return TransferState.DONE
        _log.warning("transfer of %s failed: %s", self.target.name, self.error)
        return TransferState.CANCELLED if self._stop.is_set() else TransferState.FAILED

    def _download(self) -> None:
        self._check_stop()
        make_folder(self.target.parent)
        part = self._claim()
        if part is None:
            return
        try:
            lost = part.restore(self._check_stop)
            if lost:
                self.note = f"started over: {lost}"
            self.meter.start(part.done_bytes)
            self._progress(part)
            self._receive(part)
            self._finish(part)
        except Stopped:
            if self._discard:
                part.discard()
            raise
        finally:
            part.close()

    def _claim(self) -> PartFile | None:
        """The part to write to; None when the file is there already."""
        for path in candidates(self.target, self._rule):
            if self._is_occupied(path):
                digest = self._history.sha256_if_same(
                    path, self._artifact.ref, self._artifact.size_bytes, self._check_stop
                )
                if digest is not None:
                    self._already_there(path, digest)
                    return None
                if self._rule is ConflictRule.RENAME:
                    continue
                self._refuse_occupied(path)
            if self._rule is ConflictRule.RENAME and self._owner(path) not in {None, self._artifact.ref}:
                continue  # the unfinished download of something else
            try:
                part = PartFile(path, self._artifact.ref)
            except Held:
                if self._rule is ConflictRule.RENAME and self._owner(path) != self._artifact.ref:
                    continue
                raise
            self.target = path
            return part
        raise Destination(f"{self.target} and all names like it are taken.")

    def _owner(self, path: Path) -> ArtifactRef | None:
        """Whose unfinished download is there; None also while its holder has only just opened it."""
        claims = read_claims(path)
        return claims[-1].artifact if claims else None

    def _is_occupied(self, path: Path) -> bool:
        return path.is_symlink() or path.exists()

    def _refuse_occupied(self, path: Path) -> None:
        if path.is_symlink() or not path.is_file():
            raise Destination(f"{path} is a link or not a plain file, and is not replaced.")
        if self._rule is ConflictRule.SKIP:
            raise Destination(
                f"Another file is at {path} already; it was not touched.",
                hint="Choose to rename or to overwrite.",
            )

    def _already_there(self, path: Path, digest: str) -> None:
        self.target, self.sha256 = path, digest
        self.done_bytes = self.size_bytes = path.stat().st_size
        self.note = "already there"
        discard_part(path)

    def _receive(self, part: PartFile) -> None:
        """Continues until all bytes are there; every attempt keeps what it got."""
        tries = refusals = 0
        while not self._is_complete(part):
            before = self._most_bytes
            failure: DigsiteError
            try:
                self._attempt(part)
                continue
            except LinkExpired as error:
                self._source = None
                refusals += self._source_is_fresh
                if refusals >= _MAX_REFUSALS:
                    raise
                failure = error
            except (Incomplete, Unreachable) as error:
                failure = error
            except RateLimited as error:
                self._wait(error.retry_after_s, error)
                failure = error
            self._check_stop()
            if self._most_bytes > before:
                tries = refusals = 0
                continue
            tries += 1
            if tries >= self._policy.tries:
                raise failure
            if not isinstance(failure, LinkExpired):
                self._wait(self._policy.delay_s(tries), failure)

    def _is_complete(self, part: PartFile) -> bool:
        return part.size_bytes is not None and part.done_bytes == part.size_bytes

    def _attempt(self, part: PartFile) -> None:
        """One connection: opens it where the part ends, and reads until it ends."""
        source = self._current_source()
        check_room(self.target.parent, max(0, (self.size_bytes or 0) - part.done_bytes))
        overlap = 0 if part.validator else min(OVERLAP_BYTES, part.done_bytes)
        start = part.done_bytes - overlap
        try:
            body = self._storage.open(source.url, start=start, if_range=part.validator, headers=source.headers)
        except Mismatch as error:
            self._start_over(part, "the storage did not say which part it sent")
            raise Incomplete(error.message) from error
        with body:
            self._body = body
            self._check_stop()  # a stop that came before the line above did not reach the body
            try:
                if self._accept(part, body, start):
                    self._copy(part, body, overlap if part.done_bytes else 0)
            finally:
                self._body = None

    def _accept(self, part: PartFile, body: Body, start: int) -> bool:
        """Decides what the answer is good for; False when the part is complete as it is.

        Raises:
            Incomplete: Another attempt is needed, from the start or with a new URL.
            Mismatch: The storage has something else than the provider promised.
        """
        head = body.head
        if head.status == 416:
            if head.total == part.done_bytes and part.done_bytes:
                self._check_size(head.total)
                part.size_bytes = part.done_bytes
                return False
            self._start_over(part, "the storage has fewer bytes than were here")
            raise Incomplete("The storage could not continue the file where it was left.")
        changed = part.done_bytes > 0 and (
            (None not in {part.validator, head.validator} and head.validator != part.validator)
            or (part.size_bytes is not None and head.total is not None and head.total != part.size_bytes)
        )
        if head.status == 206 and (changed or head.start != start):
            self._start_over(part, "it changed on the server" if changed else "the storage sent another part")
            raise Incomplete("The storage could not continue the file where it was left.")
        if head.status == 200 and part.done_bytes:
            self._start_over(part, "it changed on the server" if changed else "the storage cannot continue")
        self._check_size(head.total)
        self._check_kind(head.content_type)
        part.size_bytes, part.md5 = head.total, head.md5
        part.validator = head.validator or part.validator  # a 206 to an If-Range need not repeat Last-Modified
        self.size_bytes = head.total if head.total is not None else self.size_bytes
        check_room(self.target.parent, max(0, (self.size_bytes or 0) - part.done_bytes))
        if not head.is_delimited and self._promised() is None:
            self.note = "length unverified: the storage does not tell it"
        return True

    def _promised(self) -> int | None:
        """The provider's word for the size, the newest it gave."""
        if self._accept_size:
            return None
        if self._source is not None and self._source.size_bytes is not None:
            return self._source.size_bytes
        return self._artifact.size_bytes

    def _check_size(self, total: int | None) -> None:
        promised = self._promised()
        if promised is None or total is None or promised == total:
            return
        if not self._source_is_fresh:  # it may have been replaced since the provider was asked
            self._source = None
            raise Incomplete("The size of the file changed.")
        raise Mismatch(
            f"The provider says {promised:,} bytes, the storage has {total:,}.",
            hint="Nothing was published. Refresh the list, or accept the storage's size.",
        )

    def _check_kind(self, content_type: str) -> None:
        """A login or error page with status 200 must not become an app: its size tells, else its type."""
        is_page = content_type in {"text/html", "application/xhtml+xml", "application/xml", "text/xml"}
        if is_page and self._promised() is None and self._artifact.kind is not ArtifactKind.FILE:
            raise Mismatch(f"The storage sent a page ({content_type}) instead of the file.")

    def _copy(self, part: PartFile, body: Body, overlap: int) -> None:
        limit = part.size_bytes if part.size_bytes is not None else self._promised()
        mark = (monotonic(), part.done_bytes)
        while data := body.read():
            self._check_stop()
            if overlap:
                data, overlap = self._compare(part, data, overlap), max(0, overlap - len(data))
            if limit is not None and part.done_bytes + len(data) > limit:
                raise Mismatch(f"The storage sent more than the {limit:,} bytes that were promised.")
            part.write(data)
            self._progress(part)
            mark = self._check_speed(mark, part.done_bytes)
        if limit is not None and part.done_bytes < limit:
            raise Incomplete(f"The storage sent {part.done_bytes:,} of {limit:,} bytes.")
        part.size_bytes = part.done_bytes

    def _check_speed(self, mark: tuple[float, int], done_bytes: int) -> tuple[float, int]:
        """Gives up a connection that drips; `mark` is when, and at how many bytes, the window began."""
        now = monotonic()
        if now - mark[0] < self._policy.slow_window_s:
            return mark
        if done_bytes - mark[1] < self._policy.slow_bytes:
            raise Incomplete(f"Fewer than {self._policy.slow_bytes:,} bytes came in a minute.")
        return now, done_bytes

    def _compare(self, part: PartFile, data: bytes, overlap: int) -> bytes:
        """Checks bytes that came again against those on disk, and gives the new ones that follow them."""
        again = data[:overlap]
        if again != part.read(part.done_bytes - overlap, len(again)):
            self._start_over(part, "it changed on the server")
            raise Incomplete("The file changed on the server.")
        return data[overlap:]

    def _finish(self, part: PartFile) -> None:
        self._check_stop()
        part.sync()
        if part.md5 and part.done_bytes <= _MD5_MAX_BYTES and part.file_md5(self._check_stop) != part.md5:
            part.restart()
            raise Mismatch("The file arrived damaged: its MD5 is not the one the storage tells.", hint="Retry.")
        for path in candidates(self.target, self._rule):
            self._record(part, path)
            try:
                part.publish(path, overwrite=self._rule is ConflictRule.OVERWRITE)
            except FileExistsError:
                continue
            self.target, self.sha256 = path, part.sha256
            return
        raise Destination(
            f"Another file took the name {self.target} meanwhile; it was not touched.",
            hint="The download is complete and kept: retry with another rule.",
        )

    def _record(self, part: PartFile, path: Path) -> None:
        """Before publishing: after a crash between the two, the record finds its file or matches none."""
        self._history.add(Finished(path, self._artifact.ref, part.done_bytes, part.sha256, part.modified_ns()))

    def _current_source(self) -> Source:
        source = self._source
        self._source_is_fresh = source is None or (
            source.expires_at is not None and source.expires_at - datetime.now(UTC) < _MIN_LIFE
        )
        if source is None or self._source_is_fresh:
            self._check_stop()
            source = self._source = self._fetch_source(self._artifact)
        self._check_stop()
        return source

    def _start_over(self, part: PartFile, reason: str) -> None:
        if part.done_bytes:
            part.restart()
            self.note = f"started over: {reason}"
            _log.info("transfer of %s %s", self.target.name, self.note)
        self._progress(part)

    def _progress(self, part: PartFile) -> None:
        self.done_bytes = part.done_bytes
        self._most_bytes = max(self._most_bytes, part.done_bytes)
        self.meter.add(part.done_bytes)

    def _wait(self, delay_s: float, reason: DigsiteError) -> None:
        _log.info("transfer of %s waits %.1f s: %s", self.target.name, delay_s, reason)
        before, self.note = self.note, f"waiting {delay_s:.0f} s: {reason.message}"
        self._stop.wait(delay_s)
        self.note = before
        self._check_stop()

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise Stopped
