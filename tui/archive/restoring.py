"""From a path to the copies it names, and back into files."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tui.archive.layout import MANIFEST, safe_part
from tui.archive.manifest import Entry, Manifest, TornManifest
from tui.archive.reader import Reader
from tui.errors import Conflict, Destination, Mismatch, NotFound
from tui.paths import DigPath
from tui.safe_text import clean


@dataclass(frozen=True, slots=True)
class Located:
    """What a path names in an archive."""

    folders: tuple[str, ...]
    """Of apps, or of one build."""
    entries: tuple[tuple[str, Entry], ...] = ()
    """The copies of a build that are meant, each with its folder."""


def locate(reader: Reader, path: DigPath) -> Located:
    """Finds what a path names; account and app as they were when it was archived.

    Raises:
        NotFound: The archive has nothing of that.
        TornManifest: The manifest of the build is damaged, whose artifact is asked for.
        Conflict: Several apps of that title have it.
    """
    apps = [
        each
        for each in reader.apps()
        if path.account in {None, each.app.ref.account} and path.app in {None, each.app.title, each.app.ref.app}
    ]
    if not apps:
        raise NotFound(f"{reader.store.name} has nothing of that.", hint="digsite archive status tells what is there.")
    if path.build is None:
        return Located(tuple(each.folder for each in apps))
    found = [folder for each in apps if (folder := _build(reader, each.folder, path.build.text)) is not None]
    if not found:
        raise NotFound(f"{reader.store.name} has no build {clean(path.build.text)!r} of that app.")
    if len(found) > 1:
        ids = ", ".join(clean(each.app.ref.app) for each in apps)
        raise Conflict("Several apps of that title have such a build.", hint=f"Name the app by its id: {ids}.")
    (folder,) = found
    try:
        manifest = reader.manifest(folder)
    except TornManifest:
        if path.artifact is not None:
            raise
        return Located((folder,))
    entries = _entries(manifest, path.artifact) if manifest is not None else []
    return Located((folder,), tuple((folder, entry) for entry in entries))


def restore(reader: Reader, folder: str, entry: Entry, target: Path) -> None:
    """Writes one copy into a file, which appears when it is complete and proved.

    Raises:
        Destination: A file of that name is there, or the folder cannot be written.
        Mismatch: The copy is not what was archived.
        NotStored: The copy is gone.
    """
    part = target.with_name(f".{secrets.token_hex(6)}.part")
    try:
        if os.path.lexists(target):
            raise Destination(f"{target} is there already; nothing was overwritten.", hint="Choose another folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with part.open("xb") as file:
            for piece in reader.store.stream(f"{folder}/{entry.file}"):
                file.write(piece)
                digest.update(piece)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != entry.sha256:
            raise Mismatch(f"The copy of {clean(entry.artifact.title)!r} is not what was archived.")
        _publish(part, target)
    except OSError as error:
        raise Destination(f"{target} cannot be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)


def _publish(part: Path, target: Path) -> None:
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # no hard links here: the name is taken first
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        part.replace(target)


def _build(reader: Reader, app_folder: str, text: str) -> str | None:
    """By number, which is its folder; else by id, for which all are looked through."""
    direct = f"{app_folder}/{safe_part(text)}"
    if reader.store.size(f"{direct}/{MANIFEST}") is not None:
        return direct
    for folder in reader.builds(app_folder):
        with suppress(TornManifest):
            manifest = reader.manifest(folder)
            if manifest is not None and manifest.build.ref.build == text:
                return folder
    return None


def _entries(manifest: Manifest, pattern: str | None) -> list[Entry]:
    """By id, else by title and id, else by title, else as a glob; all without a pattern."""
    if pattern is None:
        return list(manifest.entries)
    named = [(e, e.artifact.ref.artifact, e.artifact.title) for e in manifest.entries]
    for chosen in (
        [e for e, ident, _ in named if ident == pattern],
        [e for e, ident, title in named if f"{title}~{ident}" == pattern],
        [e for e, _, title in named if title == pattern],
        [e for e, ident, title in named if fnmatchcase(title, pattern) or fnmatchcase(f"{title}~{ident}", pattern)],
    ):
        if chosen:
            return chosen
    raise NotFound(f"No copy of this build matches {clean(pattern)!r}.")
