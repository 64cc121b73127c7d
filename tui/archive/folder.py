"""An archive in a folder, which may be shared over a network."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from tui.archive.store import OWN_FOLDER, ArchiveError, NotStored, Piece, Store, Stored, StoreDown, nobody
from tui.errors import Mismatch
from tui.secret import Secret
from tui.storage import LocalFile

_READ_BYTES: Final = 256 << 10
_HELD_BYTES: Final = 8 << 20
"""What is no larger stays in memory until it is read back: comparing takes a tenth of the time of hashing it again."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FolderStore(Store):
    """Implements `Store` in a folder, which is made when first written to.

    An object is written beside the others, synced, read back and compared, and only then gets its name.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unfinished = root / OWN_FOLDER / "unfinished"

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._root)

    def read(self, key: str) -> bytes:
        """A small object."""
        with self._errors(key):
            return self._path(key).read_bytes()

    def stream(self, key: str) -> Iterator[bytes]:
        """An object in pieces."""
        with self._errors(key), self._path(key).open("rb") as file:
            while piece := file.read(_READ_BYTES):
                yield piece

    def size(self, key: str) -> int | None:
        """Bytes of an object; None when there is none."""
        try:
            with self._errors(key):
                return self._path(key).stat().st_size
        except NotStored:
            return None

    def create(self, key: str, data: bytes, *, durable: bool = True) -> bool:
        """Writes a small object unless there is one."""
        with self._errors(key), self._writing(key) as (file, temporary):
            file.write(data)
            if durable:
                _sync(file)
            is_new = self._publish(temporary, self._path(key))
            if durable:
                _sync_folder(self._path(key).parent)
            return is_new

    def write(self, key: str, data: bytes) -> None:
        """Writes a small object over what is there."""
        with self._errors(key), self._writing(key) as (file, temporary):
            file.write(data)
            _sync(file)
            temporary.replace(self._path(key))
            _sync_folder(self._path(key).parent)

    def upload(self, key: str, pieces: Iterator[Piece], announce: Callable[[Stored], None] = nobody) -> Stored:
        """Writes, syncs, reads back, compares, then names it; the manifest's folder is synced with the manifest."""
        digest, size, held = hashlib.sha256(), 0, bytearray()
        with self._errors(key), self._writing(key) as (file, temporary):
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
                if size <= _HELD_BYTES:
                    held += piece
                else:
                    held.clear()
            _sync(file)
            is_same = _is_content(temporary, held) if size == len(held) else _sha256(temporary) == digest.hexdigest()
            if not is_same:
                raise Mismatch(f"{self.name} does not hold what was written to it.", hint="Check that disk.")
            stored = Stored(size, digest.hexdigest())
            announce(stored)
            if not self._publish(temporary, self._path(key)):
                raise ArchiveError(f"{self.name} got another {key} meanwhile; nothing was overwritten.")
        return stored

    def folders(self, key: str) -> list[str]:
        """Names of the folders directly in a folder."""
        try:
            with self._errors(key), os.scandir(self._path(key)) as found:
                return [each.name for each in found if each.is_dir(follow_symlinks=False) and each.name != OWN_FOLDER]
        except NotStored:
            return []

    def objects(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Key and size of every object in a folder and below."""
        with self._errors(prefix):
            if not self._path(prefix).exists():
                return
            for folder, names, files in os.walk(self._path(prefix), onerror=_raise):
                names[:] = [name for name in names if name != OWN_FOLDER]
                for name in files:
                    path = Path(folder, name)
                    yield path.relative_to(self._root).as_posix(), path.lstat().st_size

    def delete(self, key: str) -> None:
        """Removes an object, if it is there."""
        with suppress(NotStored), self._errors(key):
            self._path(key).unlink()

    def source(self, key: str) -> Secret:
        """The file."""
        return LocalFile(self._path(key))

    def clear(self) -> None:
        """Removes what killed runs of this machine left unfinished."""
        host = _host()
        with suppress(NotStored), self._errors(""):
            for path in self._unfinished.iterdir():
                owner, _, pid = path.name.rpartition("~")[0].rpartition("-")
                if owner == host and pid.isdecimal() and not is_running(int(pid)):
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        parts = key.split("/") if key else []
        if any(part in {"", ".", ".."} for part in parts):
            raise ArchiveError("The archive was asked for a path that leads out of it.")
        return self._root.joinpath(*parts)

    @contextmanager
    def _writing(self, key: str) -> Iterator[tuple[IO[bytes], Path]]:
        """A file of no name yet, in the same file system; gone at the end unless it got one."""
        self._path(key).parent.mkdir(parents=True, exist_ok=True)
        self._unfinished.mkdir(parents=True, exist_ok=True)
        temporary = self._unfinished / f"{_host()}-{os.getpid()}~{secrets.token_hex(8)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file, temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _publish(self, temporary: Path, target: Path) -> bool:
        """Gives the file its name, unless that is taken."""
        try:
            os.link(temporary, target)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}:
                raise
            if not _reserve(target):  # a file system without hard links: the name is taken first, then filled
                return False
            temporary.replace(target)
        return True

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotStored(f"{self.name} has no {key}.") from error
        except OSError as error:
            if error.errno in _FULL:
                raise StoreDown(f"{self.name} has no room left.", hint="Free space; the next run goes on.") from error
            raise StoreDown(f"{self.name} cannot be used ({error.strerror}).") from error


def is_running(pid: int) -> bool:
    """Whether a process of this machine still runs; where that cannot be asked, it does."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _raise(error: OSError) -> None:
    raise error


def _reserve(target: Path) -> bool:
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # not every file system syncs folders
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_content(path: Path, content: bytearray) -> bool:
    """Whether a file holds exactly this."""
    block, at = memoryview(bytearray(_READ_BYTES)), 0
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            if not content.startswith(block[:count], at):
                return False
            at += count
    return at == len(content)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _host() -> str:
    return "".join(itertools.islice((c if c.isalnum() or c in "-." else "_" for c in socket.gethostname()), 60))
