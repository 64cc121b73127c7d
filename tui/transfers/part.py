"""An unfinished download on disk: `NAME.part` with the bytes, `NAME.part.json` with what is known of them.

The sidecar is written after the bytes it speaks of are on disk, and carries their SHA-256: so a crash at any
moment leaves a sidecar that claims less than there is, and bytes that somebody changed meanwhile are noticed.
The lock is on the `.part` itself, which stays the same file from the first byte to the last.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tui.errors import Destination
from tui.models import AccountName, AppId, ArtifactId, ArtifactRef, BuildId
from tui.transfers.lock import try_lock

SYNC_BYTES: Final = 8 << 20
"""After a crash at most this much is fetched twice."""
OVERLAP_BYTES: Final = 64 << 10
"""How much is compared before an object without a validator is continued."""

_VERSION: Final = 1
_SIDECAR_BYTES: Final = 64 << 10
_READ_BYTES: Final = 1 << 20
_OPEN_FLAGS: Final = (
    os.O_RDWR
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the sidecar says: these bytes of that object are on disk. No URL: that is a credential."""

    artifact: ArtifactRef
    size_bytes: int | None
    validator: str | None
    md5: str | None
    synced_bytes: int
    sha256: str
    """Of the synced bytes."""


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
        self._sidecar = sidecar_path(target)
        self._synced_bytes = 0
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
        claim = read_claim(self.target)
        there = os.fstat(self._descriptor).st_size
        if claim is None or claim.artifact != self.artifact or there == 0:
            self.restart()
            return "an unfinished file of something else was there" if there else None
        self._write_sidecar(claim)  # names us as the holder before the bytes are read
        if there < claim.synced_bytes or not self._rehash(claim, check_stop):
            self.restart()
            return "the unfinished file was changed on disk"
        os.ftruncate(self._descriptor, claim.synced_bytes)
        self.size_bytes, self.validator, self.md5 = claim.size_bytes, claim.validator, claim.md5
        self.done_bytes = self._synced_bytes = claim.synced_bytes
        return None

    def write(self, data: bytes) -> None:
        """Appends; every `SYNC_BYTES` the bytes are made durable and claimed."""
        view = memoryview(data)
        while view:
            count = os.pwrite(self._descriptor, view, self.done_bytes)
            self._sha256.update(view[:count])
            self.done_bytes += count
            view = view[count:]
        if self.done_bytes - self._synced_bytes >= SYNC_BYTES:
            self.sync()

    def sync(self) -> None:
        """Makes all bytes durable, then claims them."""
        os.fsync(self._descriptor)
        self._synced_bytes = self.done_bytes
        self._write_sidecar(self._claim())

    def restart(self) -> None:
        """Forgets all bytes and what was known of the object."""
        os.ftruncate(self._descriptor, 0)
        self.done_bytes = self._synced_bytes = 0
        self.size_bytes = self.validator = self.md5 = None
        self._sha256 = hashlib.sha256()
        self._write_sidecar(self._claim())

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
        _remove_sidecar(self.target)
        self._release()

    def discard(self) -> None:
        """Deletes the unfinished file and closes it."""
        _remove_sidecar(self.target)
        self._path.unlink(missing_ok=True)
        self._release()

    def close(self) -> None:
        """Claims what was written, as far as the disk still lets us, and releases the lock."""
        if self._descriptor < 0:
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
                raise Held(f"{self.target.name} is being downloaded already by {_holder(self.target)}.")
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

    def _rehash(self, claim: Claim, check_stop: Callable[[], None]) -> bool:
        digest = hashlib.sha256()
        for offset in range(0, claim.synced_bytes, _READ_BYTES):
            check_stop()
            digest.update(self.read(offset, min(_READ_BYTES, claim.synced_bytes - offset)))
        self._sha256 = digest
        return digest.hexdigest() == claim.sha256

    def _claim(self) -> Claim:
        return Claim(
            artifact=self.artifact,
            size_bytes=self.size_bytes,
            validator=self.validator,
            md5=self.md5,
            synced_bytes=self._synced_bytes,
            sha256=self.sha256,
        )

    def _write_sidecar(self, claim: Claim) -> None:
        holder = {"pid": os.getpid(), "host": socket.gethostname()}
        text = json.dumps({"version": _VERSION, **asdict(claim), "holder": holder})
        temporary = _temporary(self._sidecar)
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._sidecar)


def part_path(target: Path) -> Path:
    """Where the bytes of an unfinished download are."""
    return target.with_name(f"{target.name}.part")


def sidecar_path(target: Path) -> Path:
    """Where what is known of them is."""
    return target.with_name(f"{target.name}.part.json")


def read_claim(target: Path) -> Claim | None:
    """What the sidecar of a target says; None when there is none, or it makes no sense."""
    data = _read_sidecar(target)
    ref, synced, digest = data.get("artifact"), data.get("synced_bytes"), data.get("sha256")
    if data.get("version") != _VERSION or not isinstance(ref, dict):
        return None
    if not isinstance(synced, int) or synced < 0 or not isinstance(digest, str):
        return None
    names = [ref.get(key) for key in ("account", "app", "build", "artifact")]
    account, app, build, artifact = (name if isinstance(name, str) else "" for name in names)
    size, validator, md5 = data.get("size_bytes"), data.get("validator"), data.get("md5")
    return Claim(
        artifact=ArtifactRef(AccountName(account), AppId(app), BuildId(build), ArtifactId(artifact)),
        size_bytes=size if isinstance(size, int) else None,
        validator=validator if isinstance(validator, str) else None,
        md5=md5 if isinstance(md5, str) else None,
        synced_bytes=synced,
        sha256=digest,
    )


def discard_part(target: Path) -> None:
    """Deletes an unfinished download that nobody works on; leaves it when somebody does."""
    path = part_path(target)
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError:
        _remove_sidecar(target)
        return
    try:
        if try_lock(descriptor) and _is_same_file(descriptor, path):
            _remove_sidecar(target)
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _temporary(sidecar: Path) -> Path:
    return sidecar.with_name(f"{sidecar.name}~")


def _remove_sidecar(target: Path) -> None:
    sidecar = sidecar_path(target)
    _temporary(sidecar).unlink(missing_ok=True)
    sidecar.unlink(missing_ok=True)


def _read_sidecar(target: Path) -> dict[str, object]:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(sidecar_path(target), flags), "rb") as file:
            data = json.loads(file.read(_SIDECAR_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _holder(target: Path) -> str:
    holder = _read_sidecar(target).get("holder")
    pid, host = (holder.get("pid"), holder.get("host")) if isinstance(holder, dict) else (None, None)
    if not isinstance(pid, int) or not isinstance(host, str):
        return "another process"
    if pid == os.getpid() and host == socket.gethostname():
        return "another transfer of this program"
    return f"process {pid} on {host}"


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
    with suppress(
        OSError
    ):  # some file systems and Windows cannot; the rename is then as durable as they make it
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
