"""Where a file goes: its name when that is taken, room for it, and what the disk's errors mean."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

from tui.errors import Destination, DiskFull, TransferError

_MAX_NAMES: Final = 1000


class ConflictRule(StrEnum):
    """What to do when another file has the name; the very same file is never fetched again."""

    SKIP = "skip"
    OVERWRITE = "overwrite"
    RENAME = "rename"


def candidates(target: Path, rule: ConflictRule) -> Iterator[Path]:
    """The target itself and, where the rule is to rename, `name (2).ext` and so on."""
    yield target
    if rule is ConflictRule.RENAME:
        for number in range(2, _MAX_NAMES):
            yield target.with_name(f"{target.stem} ({number}){target.suffix}")


def make_folder(folder: Path) -> None:
    """Creates the folder and those above it.

    Raises:
        Destination: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, folder) from error


def check_room(folder: Path, needed_bytes: int) -> None:
    """Refuses what will not fit.

    Raises:
        DiskFull: With both numbers.
        Destination: The folder is gone.
    """
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        raise from_os_error(error, folder) from error
    if usage.total and needed_bytes > usage.free:  # some network folders tell nothing: total 0
        raise DiskFull(
            f"{folder} has {usage.free:,} bytes free, and {needed_bytes:,} more are needed.",
            hint="Make room or choose another folder, then retry.",
        )


def from_os_error(error: OSError, path: Path) -> TransferError:
    """What an error of the disk means to the user."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return DiskFull(f"The disk of {path} is full.", hint="What arrived is kept. Make room, then retry.")
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return Destination(f"{path} cannot be written: {error.strerror}.", hint="Choose another folder.")
        case errno.ENOENT | errno.ENOTDIR | errno.ESTALE:
            return Destination(f"The folder of {path} is missing or went away.", hint="Bring it back, then retry.")
        case errno.EFBIG:
            return Destination(f"The file system of {path} cannot hold a file of this size.")
        case _:
            return Destination(f"{path} cannot be written: {error.strerror or type(error).__name__}.")


def rename_without_clobbering(source: Path, target: Path) -> None:
    """Gives a file another name, unless that is taken.

    Raises:
        FileExistsError: It is.
        OSError: It cannot be renamed.
    """
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
