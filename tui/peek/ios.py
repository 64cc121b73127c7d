"""What the files inside an iOS app tell of it: Info.plist and the provisioning profile."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from tui.peek.archive import Archive, PeekError
from tui.peek.facts import Certificate, InsideFacts, Profile
from tui.peek.plists import PlistError, parsed_plist

_INFO: Final = re.compile(r"(?:Payload|(?:[^/]+\.xcarchive/)?Products/Applications)/[^/]+\.app/Info\.plist")
_MAX_PLIST_BYTES: Final = 4 * 1024 * 1024
_MAX_CERTIFICATES: Final = 20


def ios_facts(archive: Archive) -> InsideFacts | None:
    """The facts of the app in an ipa or xcarchive, its binaries apart; None when there is none.

    Raises:
        TransferError: The archive cannot be read.
    """
    name = _info_name(archive)
    if name is None:
        return None
    notes: list[str] = []
    info = _plist(archive, name, notes)
    signed = _profile_plist(archive, name.removesuffix("Info.plist") + "embedded.mobileprovision", notes)
    return InsideFacts(
        title=_text(info, "CFBundleDisplayName") or _text(info, "CFBundleName"),
        identifier=_text(info, "CFBundleIdentifier"),
        version=_text(info, "CFBundleShortVersionString"),
        build_number=_text(info, "CFBundleVersion"),
        minimum_os=_text(info, "MinimumOSVersion") or _text(info, "LSMinimumSystemVersion"),
        profile=_profile(signed) if signed else None,
        entitlements=tuple(sorted(map(str, _mapping(signed, "Entitlements")))),
        note=" ".join(notes) or None,
    )


def executable(archive: Archive) -> str | None:
    """The member that is the app's program; None when there is none."""
    name = _info_name(archive)
    if name is None:
        return None
    program = _text(_plist(archive, name, []), "CFBundleExecutable")
    path = f"{name.removesuffix('Info.plist')}{program}"
    return path if program and archive.has(path) else None


def _info_name(archive: Archive) -> str | None:
    return next((entry.name for entry in archive.entries if _INFO.fullmatch(entry.name)), None)


def _plist(archive: Archive, name: str, notes: list[str]) -> dict[str, Any]:
    try:
        found = parsed_plist(archive.read(name, _MAX_PLIST_BYTES))
    except (PeekError, PlistError) as error:
        notes.append(f"Info.plist cannot be read: {error}.")
        return {}
    return found if isinstance(found, dict) else {}


def _profile_plist(archive: Archive, name: str, notes: list[str]) -> dict[str, Any]:
    """The property list inside the profile's CMS envelope, whose signature is Apple's affair."""
    if not archive.has(name):
        return {}
    try:
        data = archive.read(name, _MAX_PLIST_BYTES)
        start, end = data.index(b"<?xml"), data.index(b"</plist>")
        found = parsed_plist(data[start : end + len(b"</plist>")])
    except (PeekError, ValueError):
        notes.append("The provisioning profile cannot be read.")
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
        certificates=_certificates(signed.get("DeveloperCertificates")),
    )


def _certificates(found: object) -> tuple[Certificate, ...]:
    """Those of the profile's certificates that can be read (X.509 in DER)."""
    listed = found if isinstance(found, list) else []
    return tuple(c for data in listed[:_MAX_CERTIFICATES] if isinstance(data, bytes) and (c := _certificate(data)))


def _certificate(data: bytes) -> Certificate | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # what others made is not ours to mend
            certificate = x509.load_der_x509_certificate(data)
            names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            return Certificate(str(names[0].value) if names else "unnamed", certificate.not_valid_after_utc)
    except (ValueError, x509.UnsupportedGeneralNameType, x509.InvalidVersion):
        return None


def _text(mapping: dict[str, Any], key: str) -> str | None:
    value = mapping.get(key)
    return value if isinstance(value, str) and value else None


def _mapping(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    value = mapping.get(key)
    return value if isinstance(value, dict) else {}
