"""An unfinished download on disk: `NAME.part` with the bytes, `NAME.part.json` with what is known of them.

The sidecar is written after the bytes it speaks of are on disk, and carries the SHA-256 of those from the start, as
far as they were hashed, and the CRC-32 of further spans: so a crash at any moment leaves a sidecar that claims less
than there is, and bytes that somebody changed meanwhile are noticed. Between two syncs a note, `NAME.part.json~`,
claims what was merely written: that survives the death of the process, and after a power failure it is not borne
out and the sidecar's claim counts. The lock is on the `.part` itself, which stays the same file from the first byte
to the last.

The hash is that of what was written, in order, whichever connection wrote it and in whichever run: blocks that
continue it come with theirs (`tui.transfers.writer`), all else is read back while the system still has it in memory.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.errors import Destination
from tui.models import ArtifactRef
from tui.threads import processor_turn
from tui.transfers.claim import (
    Claim,
    Prefix,
    claim_text,
    holder,
    is_claimed,
    open_note,
    part_path,
    read_claims,
    remove_claims,
    sidecar_path,
    write_claim,
)
from tui.transfers.destination import rename_without_clobbering
from tui.transfers.lock import try_lock
from tui.transfers.proving import prove
from tui.transfers.spans import Span, Spans

if TYPE_CHECKING:
    from hashlib import _Hash

SYNC_BYTES: Final = 8 << 20
"""Less than this is not made durable by itself; after a power failure it is fetched twice."""
NOTE_BYTES: Final = 1 << 20
"""After the death of the process at most this much, and what was on its way, is fetched twice."""
OVERLAP_BYTES: Final = 64 << 10
"""How much is compared before an object without a validator is continued."""
BLOCK_BYTES: Final = 512 << 10
"""What is written past the system's memory at once, from a multiple of it on."""

_READ_BYTES: Final = 1 << 20
_WRITE_BYTES: Final = 128 << 10
"""At once. Measured on ext4 of Linux 6.18 in a virtual machine: blocks of 512 KiB took up to four times as long."""
_RELEASE_BYTES: Final = 8 << 20
_SETTLING_BYTES: Final = 64 << 20
"""So far back bytes may still be on their way to the disk. A file that is no larger stays in the system's memory."""
_OPEN_FLAGS: Final = (
    os.O_RDWR
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_O_DIRECT: Final = getattr(os, "O_DIRECT", 0)
"""0 where the system has none (macOS, Windows)."""


class Held(Destination):
    """Another transfer, of this process or of another one, works on the file."""


class Foreign(Destination):
    """The file of that name belongs to another program: browsers, too, name what they are loading so."""


class PartFile:
    """The `.part` of one target, open and locked by this process; close it in the thread that uses it.

    Raises:
        Held: Another transfer has it.
        Foreign: Another program has made it.
        Destination: Something that is no plain file is in its place.
        OSError: The folder cannot be written.
    """

    def __init__(self, target: Path, artifact: ArtifactRef) -> None:
        self.target = target
        self.artifact = artifact
        self.size_bytes: int | None = None
        """Of the whole object, as the storage told."""
        self.validator: str | None = None
        self.md5: str | None = None
        self.spans = Spans()
        self._hashing = threading.Lock()
        self._digest = hashlib.sha256()
        self._hashed_bytes = 0
        self._released_bytes = _SETTLING_BYTES
        self._buffer = memoryview(b"")
        self._path = part_path(target)
        self._synced_bytes = self._noted_bytes = 0
        self._claiming = threading.Lock()
        self._note = -1
        self._note_length = 0
        self._descriptor = self._open()
        self._direct: int | None = None
        """A second descriptor that writes past the system's memory; -1 where the file system has no such thing."""

    @property
    def is_large(self) -> bool:
        """Whether the system need not keep it in memory."""
        return self.size_bytes is not None and self.size_bytes > _SETTLING_BYTES

    @property
    def done_bytes(self) -> int:
        """How many bytes are there, wherever in the file."""
        return self.spans.total

    @property
    def unsynced_bytes(self) -> int:
        """How many of them a power failure could take."""
        return self.done_bytes - self._synced_bytes

    @property
    def unnoted_bytes(self) -> int:
        """How many of them the death of the process could take."""
        return self.done_bytes - self._noted_bytes

    def restore(self, check_stop: Callable[[], None]) -> str | None:
        """Takes over the bytes of an earlier run as far as they are proved.

        Args:
            check_stop: Called between blocks; may raise to give up.

        Returns:
            Why earlier bytes could not be used; None when there was nothing to give up.
        """
        claims = [claim for claim in read_claims(self.target) if claim.artifact == self.artifact]
        claims.sort(key=lambda claim: claim.held_bytes, reverse=True)
        there = os.fstat(self._descriptor).st_size
        if not claims or there == 0:
            self.restart()
            return "an unfinished file of something else was there" if there else None
        is_loss = any(claim.held_bytes for claim in claims)
        for best in claims:
            alike = [c for c in claims if (c.validator, c.size_bytes) == (best.validator, best.size_bytes)]
            found = prove(alike, self.read, there, check_stop)
            if found.hashed_bytes or found.spans:
                break
        else:
            self.restart()
            return "the unfinished file was changed on disk" if is_loss else None
        self.size_bytes, self.validator, self.md5 = best.size_bytes, best.validator, best.md5
        self.spans = Spans(found.hashed_bytes, found.spans)
        self._digest, self._hashed_bytes = found.digest, found.hashed_bytes
        os.ftruncate(self._descriptor, self.spans.end)
        self.write_note()
        return None

    def write(self, span: Span, data: bytes | memoryview) -> None:
        """Adds to a span. Any thread may."""
        view = memoryview(data)
        with processor_turn():
            while view:
                count = self._write_some(view, span.end)
                self.spans.grow(span, view[:count])
                view = view[count:]

    def hash_before(self, offset: int) -> _Hash | None:
        """The SHA-256 of everything before an offset, to go on with. Any thread may ask.

        Returns:
            None while bytes are missing there, or not hashed yet.
        """
        if self._hashed_bytes != offset:  # as a rule where others hash; a look at it need not wait for them
            return None
        with self._hashing:
            return self._digest.copy() if self._hashed_bytes == offset else None

    def write_hashed(self, span: Span, data: memoryview, digest: _Hash) -> None:
        """Adds to the span that all hashed bytes end with; a whole block of a large file past the system's memory.

        Any thread may.

        Args:
            span: `hash_before` gave the hash of everything before its end, and nobody has added to it since.
            data: In memory that begins at a page.
            digest: That hash with the data; this object keeps it.
        """
        count = 0
        if self.is_large and len(data) == BLOCK_BYTES and span.end % BLOCK_BYTES == 0:
            count = self._write_direct(data, span.end)
        if count < len(data):
            with processor_turn():
                try:
                    while count < len(data):
                        count += self._write_some(data[count:], span.end + count)
                except OSError:
                    self.spans.grow(span, data[:count])  # to be read back
                    raise
        with self._hashing:
            self.spans.grow(span, data)
            self._digest, self._hashed_bytes = digest, span.end
            self._release_memory()

    def hash_next(self) -> bool:
        """Hashes some of what is there in order and was not hashed yet; False when there is no more. Any thread may."""
        with processor_turn(), self._hashing:
            count = min(self.spans.prefix - self._hashed_bytes, _READ_BYTES)
            if count <= 0:
                return False
            if not self._buffer:  # not before there is something to read
                self._buffer = memoryview(bytearray(_READ_BYTES))
            count = os.preadv(self._descriptor, [self._buffer[:count]], self._hashed_bytes)
            self._digest.update(self._buffer[:count])
            self._hashed_bytes += count
            self._release_memory()
            return count > 0  # else it was cut off by another program; publishing will notice

    def sha256(self) -> str:
        """Of what was hashed, in hex."""
        return self._prefix().sha256

    def sync(self) -> None:
        """Makes all bytes durable, then claims those that are hashed or have a checksum. Any thread may."""
        with self._claiming:
            claim = self._claim()
            _sync_data(self._descriptor)
            write_claim(self.target, claim)
            self._synced_bytes = claim.held_bytes

    def write_note(self) -> None:
        """Claims what is written, whether or not it is durable. Any thread may."""
        with self._claiming:
            claim = self._claim()
            if self._note < 0:
                self._note = open_note(self.target, claim)
            text = claim_text(claim).ljust(self._note_length)  # blanks over what was longer
            os.pwrite(self._note, text, 0)
            self._note_length, self._noted_bytes = len(text), claim.held_bytes

    def sync_data(self) -> None:
        """Makes all bytes durable, without a claim: they are about to be published."""
        _sync_data(self._descriptor)

    def restart(self) -> None:
        """Forgets all bytes and what was known of the object; nobody may be writing."""
        with self._claiming:
            os.ftruncate(self._descriptor, 0)
            with self._hashing:
                self.spans.clear()
                self._digest, self._hashed_bytes = hashlib.sha256(), 0
                self._released_bytes = _SETTLING_BYTES
            self._synced_bytes = 0
            self.size_bytes = self.validator = self.md5 = None
            if sidecar_path(self.target).exists():
                write_claim(self.target, self._claim())
        self.write_note()

    def read(self, offset: int, length: int) -> bytes:
        """Bytes that are there already."""
        return os.pread(self._descriptor, length, offset)

    def file_md5(self, check_stop: Callable[[], None]) -> str:
        """Of all bytes, in hex, read from disk."""
        digest = hashlib.md5(usedforsecurity=False)
        for offset in range(0, self.done_bytes, _READ_BYTES):
            check_stop()
            digest.update(self.read(offset, min(_READ_BYTES, self.done_bytes - offset)))
        return digest.hexdigest()

    def modified_ns(self) -> int:
        """The modification time that the published file will have."""
        return os.fstat(self._descriptor).st_mtime_ns

    def publish(self, final: Path, *, overwrite: bool) -> None:
        """Gives the finished file its final name, all or nothing; then the part is gone.

        Args:
            final: The name, in the folder of the part.
            overwrite: Replace what has that name.

        Raises:
            FileExistsError: The name was taken meanwhile, and `overwrite` is False.
            Destination: The part is not the file that was written.
        """
        self._check_still_ours()
        if overwrite:
            self._path.replace(final)
        else:
            rename_without_clobbering(self._path, final)
        _sync_folder(final.parent)
        remove_claims(self.target)
        self._release()

    def discard(self) -> None:
        """Deletes the unfinished file, unless another one has taken its place, and closes it."""
        if _is_same_file(self._descriptor, self._path):
            _remove(self._descriptor, self.target)
        self._release()

    def close(self) -> None:
        """Claims what was written, as far as the disk lets us, and releases the lock; keeps no empty part."""
        if self._descriptor < 0:
            return
        if os.fstat(self._descriptor).st_size == 0:  # else they are bytes of an earlier run, if none came in this one
            self.discard()
            return
        with suppress(OSError):
            if self.unsynced_bytes:
                while self.hash_next():
                    pass
                self.sync()
        self._release()

    def _release_memory(self) -> None:
        """Has the system write what is hashed to the disk from now on, and forget it once it is there.

        So the last sync has little left to do, and a large file does not push out of memory what the builds on this
        machine need. Measured for 2 GiB beside curl: 1.3 times its rate instead of 0.9 times.
        """
        end = self._hashed_bytes
        if end < self._released_bytes + _RELEASE_BYTES or not hasattr(os, "posix_fadvise"):
            return
        start = self._released_bytes - _SETTLING_BYTES  # only what is on disk is forgotten, so it is told again
        with suppress(OSError):  # it is advice
            os.posix_fadvise(self._descriptor, start, end - start, os.POSIX_FADV_DONTNEED)
        self._released_bytes = end

    def _write_some(self, data: memoryview, offset: int) -> int:
        return os.pwrite(self._descriptor, data[:_WRITE_BYTES], offset)

    def _write_direct(self, block: memoryview, offset: int) -> int:
        """Writes past the system's memory as far as that goes, and tells how far."""
        if self._direct is None:
            self._direct = self._open_direct()
        if self._direct < 0:
            return 0
        try:
            return os.pwrite(self._direct, block, offset)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        os.close(self._direct)  # blocks of this file system are larger
        self._direct = -1
        return 0

    def _open_direct(self) -> int:
        if not _O_DIRECT:
            return -1
        try:
            descriptor = os.open(self._path, _OPEN_FLAGS | _O_DIRECT)
        except OSError:  # it has no such thing, or the file is gone, which publishing tells
            return -1
        if os.path.sameopenfile(descriptor, self._descriptor):
            return descriptor
        os.close(descriptor)
        return -1

    def _release(self) -> None:
        if self._note >= 0:
            os.close(self._note)
            self._note = -1
        if self._direct is not None and self._direct >= 0:
            os.close(self._direct)
        self._direct = -1
        os.close(self._descriptor)
        self._descriptor = -1
        self._buffer = memoryview(b"")

    def _open(self) -> int:
        while True:
            descriptor = self._open_plain_file()
            try:
                locked = try_lock(descriptor)
                is_same = locked and _is_same_file(descriptor, self._path)
            except OSError as error:
                os.close(descriptor)
                raise Destination(
                    f"The file system of {self.target.parent} has no file locks ({error.strerror}).",
                    hint="Download to a local folder.",
                ) from error
            is_foreign = is_same and _is_foreign(descriptor, self.target)
            if is_same and not is_foreign:
                return descriptor
            os.close(descriptor)
            if is_foreign:
                raise Foreign(
                    f"{self._path} is a file of another program, and is not touched.",
                    hint="Download to another folder, or remove it.",
                )
            if not locked:
                raise Held(f"{self.target.name} is being downloaded already by {holder(self.target)}.")
            # Else its holder finished and removed it between our opening and locking it.

    def _open_plain_file(self) -> int:
        for _ in range(2):
            try:
                descriptor = os.open(self._path, _OPEN_FLAGS | os.O_CREAT, 0o666)
            except OSError as error:
                if error.errno in {errno.ELOOP, errno.EISDIR, errno.ENXIO}:
                    raise self._not_a_file() from error
                raise
            facts = os.fstat(descriptor)
            if stat.S_ISREG(facts.st_mode) and facts.st_nlink <= 1:
                return descriptor
            os.close(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise self._not_a_file()
            # A second name: published but not cleaned up, or planted. Only this name is ours to remove.
            self._path.unlink(missing_ok=True)
        raise self._not_a_file()

    def _not_a_file(self) -> Destination:
        return Destination(
            f"{self._path} is a link or not a plain file, and is not written to.",
            hint="Remove it and try again.",
        )

    def _check_still_ours(self) -> None:
        if not _is_same_file(self._descriptor, self._path):
            raise Destination(f"{self._path} was moved or replaced during the download.")
        if os.fstat(self._descriptor).st_size != self.done_bytes:
            raise Destination(f"{self._path} was changed by another program during the download.")

    def _prefix(self) -> Prefix:
        with self._hashing:
            return Prefix(self._hashed_bytes, self._digest.copy().hexdigest())

    def _claim(self) -> Claim:
        prefix = self._prefix()
        return Claim(
            artifact=self.artifact,
            size_bytes=self.size_bytes,
            validator=self.validator,
            md5=self.md5,
            prefix=prefix,
            spans=tuple(self.spans.proofs(beyond=prefix.end)),
        )


def discard_part(target: Path) -> None:
    """Deletes an unfinished download that nobody works on; leaves it when somebody does."""
    path = part_path(target)
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError:
        remove_claims(target)
        return
    try:
        if try_lock(descriptor) and _is_same_file(descriptor, path) and not _is_foreign(descriptor, target):
            _remove(descriptor, target)
    finally:
        os.close(descriptor)


def _remove(descriptor: int, target: Path) -> None:
    """Deletes the part that is open and locked.

    It is emptied first: an end in the middle of this would else leave bytes that nobody claims. But not where it is a
    second name, that of the published file.
    """
    if os.fstat(descriptor).st_nlink <= 1:
        os.ftruncate(descriptor, 0)
    remove_claims(target)
    part_path(target).unlink(missing_ok=True)


def _is_foreign(descriptor: int, target: Path) -> bool:
    """Whether nothing tells that digsite made the part: it claims one before it writes the first byte."""
    return os.fstat(descriptor).st_size > 0 and not is_claimed(target)


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _sync_data(descriptor: int) -> None:
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems and Windows cannot; the rename is then as durable as they make it
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
