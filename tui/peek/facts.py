"""What the files inside an iOS app tell of it: Info.plist and the provisioning profile."""

from __future__ import annotations

import plistlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from xml.parsers.expat import ExpatError

from tui.errors import DigsiteError
from tui.peek.archive import Archive

_INFO: Final = re.compile(r"(?:Payload|[^/]+\.xcarchive/Products/Applications)/[^/]+\.app/Info\.plist")
_MAX_PLIST_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Profile:
    """A provisioning profile."""

    name: str | None
    team: str | None
    expires_at: datetime | None
    devices: int | None
    """How many devices it names; None when it is not bound to devices."""
    export_method: str


@dataclass(frozen=True, slots=True)
class InsideFacts:
    """What is known of the app inside an archive."""

    title: str | None = None
    identifier: str | None = None
    version: str | None = None
    build_number: str | None = None
    minimum_os: str | None = None
    profile: Profile | None = None
    entitlements: tuple[str, ...] = ()


def ios_facts(archive: Archive) -> InsideFacts | None:
    """The facts of the iOS app in an ipa or xcarchive; None when there is none.

    Raises:
        TransferError: The archive cannot be read.
    """
    name = next((entry.name for entry in archive.entries if _INFO.fullmatch(entry.name)), None)
    if name is None:
        return None
    info = _plist(archive, name)
    provision = name.removesuffix("Info.plist") + "embedded.mobileprovision"
    signed = _profile_plist(archive, provision)
    return InsideFacts(
        title=_text(info, "CFBundleDisplayName") or _text(info, "CFBundleName"),
        identifier=_text(info, "CFBundleIdentifier"),
        version=_text(info, "CFBundleShortVersionString"),
        build_number=_text(info, "CFBundleVersion"),
        minimum_os=_text(info, "MinimumOSVersion"),
        profile=_profile(signed) if signed else None,
        entitlements=tuple(sorted(map(str, _mapping(signed, "Entitlements")))),
    )


def readable_plist(data: bytes) -> str | None:
    """A property list, binary ones too, as XML text; None when it is none."""
    try:
        return plistlib.dumps(_parsed(data), sort_keys=False).decode()
    except (PlistError, TypeError, OverflowError, UnicodeEncodeError, RecursionError):
        return None


class PlistError(ValueError):
    """The bytes are no property list."""


def _parsed(data: bytes) -> Any:
    try:
        return plistlib.loads(data)
    except (
        plistlib.InvalidFileException,
        ExpatError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        OverflowError,
        AttributeError,
        RecursionError,
        MemoryError,
    ) as error:
        raise PlistError("no property list") from error


def _plist(archive: Archive, name: str) -> dict[str, Any]:
    try:
        found = _parsed(archive.read(name, _MAX_PLIST_BYTES))
    except (DigsiteError, PlistError):
        return {}
    return found if isinstance(found, dict) else {}


def _profile_plist(archive: Archive, name: str) -> dict[str, Any]:
    """The property list inside the profile's CMS envelope, whose signature is Apple's affair."""
    try:
        data = archive.read(name, _MAX_PLIST_BYTES)
        start, end = data.index(b"<?xml"), data.index(b"</plist>")
        found = _parsed(data[start : end + len(b"</plist>")])
    except (DigsiteError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _profile(signed: dict[str, Any]) -> Profile:
    devices = signed.get("ProvisionedDevices")
    ends = signed.get("ExpirationDate")
    debuggable = _mapping(signed, "Entitlements").get("get-task-allow") is True
    if signed.get("ProvisionsAllDevices") is True:
        method = "enterprise"
    elif isinstance(devices, list):
        method = "development" if debuggable else "ad-hoc"
    else:
        method = "app-store"
    return Profile(
        name=_text(signed, "Name"),
        team=_text(signed, "TeamName"),
        expires_at=ends.replace(tzinfo=UTC) if isinstance(ends, datetime) else None,
        devices=len(devices) if isinstance(devices, list) else None,
        export_method=method,
    )


def _text(mapping: dict[str, Any], key: str) -> str | None:
    value = mapping.get(key)
    return value if isinstance(value, str) and value else None


def _mapping(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    value = mapping.get(key)
    return value if isinstance(value, dict) else {}
