"""What the files inside an archive tell of the app in it: who it is, how it is signed, which symbols belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tui.peek.android import MAX_MANIFEST_BYTES, Manifest, ManifestError, binary_manifest, bundle_manifest
from tui.peek.archive import Archive, PeekError
from tui.peek.macho import slices

FACTS_BYTES: Final = 800_000
"""Moved at most for the facts of one archive, its directory apart; what is left then is counted, not read."""

_APK: Final = "AndroidManifest.xml"
_AAB: Final = "base/manifest/AndroidManifest.xml"
_SYMBOLS: Final = re.compile(r"(?:.*/)?[^/]+\.dSYM/Contents/Resources/DWARF/[^/]+")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that may sign the app."""

    name: str
    expires_at: datetime
    """Aware UTC."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A provisioning profile."""

    name: str | None
    team: str | None
    expires_at: datetime | None
    """Aware UTC."""
    devices: int | None
    """How many devices it names; None when it is not bound to devices."""
    export_method: str
    certificates: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """One architecture of a binary or of its debug symbols."""

    name: str
    cpu: str
    uuid: str
    """In capitals, as crash reports write it."""
    is_symbols: bool


@dataclass(frozen=True, slots=True)
class InsideFacts:
    """What is known of the app inside an archive. Text is as the files spell it."""

    title: str | None = None
    identifier: str | None = None
    """Bundle id or package."""
    version: str | None = None
    build_number: str | None = None
    """Or Android's version code."""
    minimum_os: str | None = None
    target_os: str | None = None
    profile: Profile | None = None
    entitlements: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    binaries: tuple[Binary, ...] = ()
    unread: int = 0
    """Debug symbols that were not read because it would have moved too much."""
    note: str | None = None
    """What could not be read, and why."""


def inside_facts(archive: Archive) -> InsideFacts | None:
    """The facts of the app in an ipa, xcarchive, apk, aab or of a bundle of debug symbols; None when there is none.

    Raises:
        TransferError: The archive cannot be read.
    """
    limit = archive.remote.moved_bytes + FACTS_BYTES
    if archive.has(_APK) or archive.has(_AAB):
        return _android_facts(archive)
    from tui.peek.ios import executable, ios_facts  # cryptography, only where it is wanted

    facts = ios_facts(archive)
    program = executable(archive)
    wanted = ([(program, False)] if program else []) + [(name, True) for name in symbol_files(archive)]
    if facts is None and not wanted:
        return None
    binaries: list[Binary] = []
    for done, (name, is_symbols) in enumerate(wanted):
        if archive.remote.moved_bytes > limit:
            return replace(facts or InsideFacts(), binaries=tuple(binaries), unread=len(wanted) - done)
        binaries += binaries_of(archive, name, is_symbols=is_symbols)
    return replace(facts or InsideFacts(), binaries=tuple(binaries))


def symbol_files(archive: Archive) -> Iterator[str]:
    """The members that hold debug symbols."""
    return (entry.name for entry in archive.entries if not entry.is_folder and _SYMBOLS.fullmatch(entry.name))


def binaries_of(archive: Archive, name: str, *, is_symbols: bool) -> list[Binary]:
    """The architectures of one member that can be read; none where it is no binary.

    Raises:
        TransferError: The archive cannot be read.
    """
    title = name.rpartition("/")[2]
    found: list[Binary] = []
    with suppress(PeekError):  # encrypted, broken, or too far in: what was found before stays
        found.extend(
            Binary(title, part.cpu, str(part.uuid).upper(), is_symbols)
            for part in slices(lambda start, length: archive.slice(name, start, length))
        )
    return found


def _android_facts(archive: Archive) -> InsideFacts:
    name, read = (_APK, binary_manifest) if archive.has(_APK) else (_AAB, bundle_manifest)
    try:
        return _of_manifest(read(archive.read(name, MAX_MANIFEST_BYTES)))
    except ManifestError as error:
        return InsideFacts(note=f"{name} cannot be read: {error}.")
    except PeekError as error:
        return InsideFacts(note=f"{name} cannot be read: {error.message}")


def _of_manifest(manifest: Manifest) -> InsideFacts:
    return InsideFacts(
        title=manifest.label,
        identifier=manifest.package,
        version=manifest.version_name,
        build_number=manifest.version_code,
        minimum_os=f"SDK {manifest.minimum_sdk}" if manifest.minimum_sdk else None,
        target_os=f"SDK {manifest.target_sdk}" if manifest.target_sdk else None,
        permissions=manifest.permissions,
    )
