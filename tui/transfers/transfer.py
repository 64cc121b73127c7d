"""One download, from asking for its address to the finished file; runs in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tui.errors import Destination, DigsiteError, Mismatch
from tui.models import ArtifactRef, Source
from tui.transfers.claim import read_claims
from tui.transfers.destination import ConflictRule, candidates, from_os_error, make_folder
from tui.transfers.follower import Follower
from tui.transfers.history import Finished, History
from tui.transfers.links import Links
from tui.transfers.part import Foreign, Held, PartFile, discard_part
from tui.transfers.reception import Means, Reception
from tui.transfers.retry import Stopped
from tui.transfers.snapshot import TransferState
from tui.transfers.unpack import is_zip, unpack
from tui.transfers.wish import Wish

_log = logging.getLogger(__name__)

_MD5_MAX_BYTES: Final = 64 << 20
"""MD5 is compared where it is cheap."""


class Transfer:
    """One download. `run` blocks; everything else may be called and read from another thread meanwhile.

    Args:
        wish: What to fetch, where to, and what to do with it.
        fetch_source: Asks the provider for a URL; blocks.
        means: What it shares with other downloads.
        history: Knows which files are finished already.
        accept_size: Take the storage's word for the size when the provider says another.
    """

    def __init__(
        self,
        wish: Wish,
        fetch_source: Callable[..., Source],
        means: Means,
        history: History,
        *,
        accept_size: bool = False,
    ) -> None:
        self.target = wish.target
        self.error: DigsiteError | None = None
        self.sha256: str | None = None
        self.unpacked: Path | None = None
        self._wish = wish
        self._links = Links(wish.artifact, fetch_source)
        self._means = means
        self._history = history
        self._accept_size = accept_size
        self._stop = threading.Event()
        self._discard = False
        self._reception: Reception | None = None
        self._note: str | None = None
        self._done_bytes = 0

    def stop(self, *, discard: bool = False) -> None:
        """Makes `run` end soon with what arrived kept, or deleted."""
        self._discard = discard
        self._stop.set()
        reception = self._reception
        if reception is not None:
            reception.abort()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    @property
    def done_bytes(self) -> int:
        """How much is there."""
        return self._reception.done_bytes if self._reception is not None else self._done_bytes

    @property
    def size_bytes(self) -> int | None:
        """Of the whole file, as far as it is known."""
        if self._reception is not None:
            return self._reception.size_bytes
        return self._done_bytes if self.sha256 is not None else self._wish.artifact.size_bytes

    @property
    def rate(self) -> float:
        """Bytes a second over the last seconds."""
        return self._reception.meter.rate(self.done_bytes) if self._reception is not None else 0.0

    @property
    def note(self) -> str | None:
        """What is going on or what was unusual, in a few words."""
        told = self._reception.note if self._reception is not None else None
        return "; ".join(note for note in (told, self._note) if note) or None

    def run(self) -> TransferState:
        """Downloads; afterwards `error`, `sha256`, `target` and `note` tell the result.

        Returns:
            DONE, FAILED or, when `stop` was called, CANCELLED.
        """
        try:
            self._check_stop()
            make_folder(self.target.parent)
            part = self._claim()
            if part is not None:
                self._download(part)
            if self._wish.unpack:
                self._unpack(is_new=part is not None)
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

    def _download(self, part: PartFile) -> None:
        follower = Follower(part)
        try:
            lost = part.restore(self._check_stop)
            if lost:
                self._note = f"started over: {lost}"
            reception = Reception(
                self._wish.artifact, part, follower, self._links, self._means,
                accept_size=self._accept_size, stop=self._stop,
            )  # fmt: skip
            self._reception = reception
            self._check_stop()  # a stop that came before the line above did not reach it
            reception.receive()
            self._finish(part, follower)
        except Stopped:
            follower.stop()
            if self._discard:
                part.discard()
            raise
        finally:
            follower.stop()
            part.close()

    def _claim(self) -> PartFile | None:
        """The part to write to; None when the file is there already."""
        for path in candidates(self.target, self._wish.rule):
            if self._is_occupied(path):
                digest = self._history.sha256_if_same(
                    path, self._wish.artifact.ref, self._wish.artifact.size_bytes, self._check_stop
                )
                if digest is not None:
                    self._already_there(path, digest)
                    return None
                if self._wish.rule is ConflictRule.RENAME:
                    continue
                self._refuse_occupied(path)
            if self._wish.rule is ConflictRule.RENAME and self._owner(path) not in {None, self._wish.artifact.ref}:
                continue  # the unfinished download of something else
            try:
                part = PartFile(path, self._wish.artifact.ref)
            except Foreign:
                if self._wish.rule is ConflictRule.RENAME:
                    continue
                raise
            except Held:
                if self._wish.rule is ConflictRule.RENAME and self._owner(path) != self._wish.artifact.ref:
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
        if self._wish.rule is ConflictRule.SKIP:
            raise Destination(
                f"Another file is at {path} already; it was not touched.",
                hint="Choose to rename or to overwrite.",
            )

    def _already_there(self, path: Path, digest: str) -> None:
        if self._wish.sha256 not in {None, digest}:
            raise Mismatch(
                f"{path} was downloaded before and has the SHA-256 {digest}, but {self._wish.sha256} was expected."
            )
        self.target, self.sha256 = path, digest
        self._done_bytes = path.stat().st_size
        self._note = "already there"
        discard_part(path)

    def _finish(self, part: PartFile, follower: Follower) -> None:
        self._check_stop()
        digest = follower.sha256(self._check_stop)
        if part.md5 and part.done_bytes <= _MD5_MAX_BYTES and part.file_md5(self._check_stop) != part.md5:
            part.restart()
            raise Mismatch("The file arrived damaged: its MD5 is not the one the storage tells.", hint="Retry.")
        if self._wish.sha256 not in {None, digest}:
            part.restart()
            raise Mismatch(f"The SHA-256 is {digest}, but {self._wish.sha256} was expected.")
        for path in candidates(self.target, self._wish.rule):
            self._record(part, path, digest)
            try:
                part.publish(path, overwrite=self._wish.rule is ConflictRule.OVERWRITE)
            except FileExistsError:
                continue
            self.target, self.sha256 = path, digest
            return
        raise Destination(
            f"Another file took the name {self.target} meanwhile; it was not touched.",
            hint="The download is complete and kept: retry with another rule.",
        )

    def _record(self, part: PartFile, path: Path, digest: str) -> None:
        """Before publishing: after a crash between the two, the record finds its file or matches none."""
        ref = self._wish.artifact.ref
        self._history.add(Finished(path, ref, part.done_bytes, digest, part.modified_ns()))

    def _unpack(self, *, is_new: bool) -> None:
        folder = self.target.with_suffix("")
        if not is_zip(self.target):
            self._note = "not a zip archive, left as it is"
        elif not is_new and folder.is_dir() and not folder.is_symlink():
            self.unpacked, self._note = folder, "already there and unpacked"
        else:
            self._note = "unpacking"
            self.unpacked = unpack(self.target, folder, self._check_stop)
            self._note = f"unpacked to {self.unpacked}"

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise Stopped
