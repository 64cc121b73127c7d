"""An unfinished download on disk: `NAME.part` with the bytes, `NAME.part.json` with what is known of them.

The sidecar is written after the bytes it speaks of are on disk, and carries their SHA-256: so a crash at any
moment leaves a sidecar that claims less than there is, and bytes that somebody changed meanwhile are noticed.
Between two syncs a note, `NAME.part.json~`, claims what was merely written: that survives the death of the
process, and after a power failure its SHA-256 does not match and the sidecar's claim counts. The lock is on the
`.part` itself, which stays the same file from the first byte to the last.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tui.errors import Destination
from tui.models import ArtifactRef
from tui.transfers.claim import Claim, holder, part_path, read_claims, remove_claims, write_claim, write_note
from tui.transfers.lock import try_lock

SYNC_BYTES: Final = 8 << 20
"""After a power failure at most this much is fetched twice."""
NOTE_BYTES: Final = 1 << 20
"""After the death of the process at most this much, and what was on its way, is fetched twice."""
OVERLAP_BYTES: Final = 64 << 10
"""How much is compared before an object without a validator is continued."""

_READ_BYTES: Final = 1 << 20
_OPEN_FLAGS: Final = (
    os.O_RDWR
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


class Held(Destination):
    """Another transfer, of this process or of another one, works on the file."""


class PartFile:
    """The `.part` of one target, open and locked by this process; close it in the thread that uses it.

    Raises:
        Held: Another transfer has it.
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
        self.done_bytes = 0
        self._path = part_path(target)
        self._synced_bytes = self._noted_bytes = 0
        self._sha256 = hashlib.sha256()
        self._descriptor = self._open()

    @property
    def sha256(self) -> str:
        """Of the bytes written so far, in hex."""
        return self._sha256.hexdigest()

    def restore(self, check_stop: Callable[[], None]) -> str | None:
        """Takes over the bytes of an earlier run as far as they are proved.

        Args:
            check_stop: Called between blocks; may raise to give up.

        Returns:
            Why earlier bytes could not be used; None when there was nothing to give up.
        """
        claims = [claim for claim in read_claims(self.target) if claim.artifact == self.artifact]
        there = os.fstat(self._descriptor).st_size
        if not claims or there == 0:
            self.restart()
            return "an unfinished file of something else was there" if there else None
        proved = self._prove(claims, there, check_stop)
        if proved is None:
            self.restart()
            return "the unfinished file was changed on disk"
        os.ftruncate(self._descriptor, proved.held_bytes)
        self.size_bytes, self.validator, self.md5 = proved.size_bytes, proved.validator, proved.md5
        self.done_bytes = proved.held_bytes
        self.sync()
        return None

    def write(self, data: bytes) -> None:
        """Appends; notes the bytes every `NOTE_BYTES`, and makes them durable every `SYNC_BYTES`."""
        view = memoryview(data)
        while view:
            count = os.pwrite(self._descriptor, view, self.done_bytes)
            self._sha256.update(view[:count])
            self.done_bytes += count
            view = view[count:]
        if self.done_bytes - self._synced_bytes >= SYNC_BYTES:
            self.sync()
        elif self.done_bytes - self._noted_bytes >= NOTE_BYTES:
            self._noted_bytes = self.done_bytes
            write_note(self.target, self._claim())

    def sync(self) -> None:
        """Makes all bytes durable, then claims them."""
        os.fsync(self._descriptor)
        self._synced_bytes = self._noted_bytes = self.done_bytes
        write_claim(self.target, self._claim())

    def restart(self) -> None:
        """Forgets all bytes and what was known of the object."""
        os.ftruncate(self._descriptor, 0)
        self.done_bytes = self._synced_bytes = self._noted_bytes = 0
        self.size_bytes = self.validator = self.md5 = None
        self._sha256 = hashlib.sha256()
        write_claim(self.target, self._claim())

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
            _rename_without_clobbering(self._path, final)
        _sync_folder(final.parent)
        remove_claims(self.target)
        self._release()

    def discard(self) -> None:
        """Deletes the unfinished file, unless another one has taken its place, and closes it."""
        if _is_same_file(self._descriptor, self._path):
            remove_claims(self.target)
            self._path.unlink(missing_ok=True)
        self._release()

    def close(self) -> None:
        """Claims what was written, as far as the disk lets us, and releases the lock; keeps no empty part."""
        if self._descriptor < 0:
            return
        if self.done_bytes == 0:
            self.discard()
            return
        with suppress(OSError):
            if self._synced_bytes < self.done_bytes:
                self.sync()
        self._release()

    def _release(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> int:
        while True:
            descriptor = self._open_plain_file()
            try:
                locked = try_lock(descriptor)
                if locked and _is_same_file(descriptor, self._path):
                    return descriptor
            except OSError as error:
                os.close(descriptor)
                raise Destination(
                    f"The file system of {self.target.parent} has no file locks ({error.strerror}).",
                    hint="Download to a local folder.",
                ) from error
            os.close(descriptor)
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

    def _prove(self, claims: Sequence[Claim], there: int, check_stop: Callable[[], None]) -> Claim | None:
        """The longest claim that the bytes on disk bear out; its SHA-256 is then the one we go on with."""
        proved = None
        digest, offset = hashlib.sha256(), 0
        for claim in sorted(claims, key=lambda claim: claim.held_bytes):
            if claim.held_bytes > there:
                break
            while offset < claim.held_bytes:
                check_stop()
                block = self.read(offset, min(_READ_BYTES, claim.held_bytes - offset))
                digest.update(block)
                offset += len(block)
            if digest.hexdigest() != claim.sha256:
                break
            proved, self._sha256 = claim, digest.copy()
        return proved

    def _claim(self) -> Claim:
        return Claim(
            artifact=self.artifact,
            size_bytes=self.size_bytes,
            validator=self.validator,
            md5=self.md5,
            held_bytes=self.done_bytes,
            sha256=self.sha256,
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
        if try_lock(descriptor) and _is_same_file(descriptor, path):
            remove_claims(target)
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _rename_without_clobbering(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        # No hard links here (FAT, some network folders). The lock keeps other digsites out between the two.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.rename(target)
    else:
        source.unlink()


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems and Windows cannot; the rename is then as durable as they make it
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
