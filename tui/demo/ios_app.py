"""The files of an iOS app: bundles, archives and debug symbols, with headers and property lists that tools can read."""

from __future__ import annotations

import plistlib
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tui.demo import seeds
from tui.demo.archives import Filler
from tui.demo.icon import icon

KIB: Final = 1024
TEAM: Final = "A1B2C3D4E5"

_EXECUTABLE: Final = 2
_DYLIB: Final = 6
_DSYM: Final = 10
"""File types (Apple, mach-o/loader.h: MH_EXECUTE, MH_DYLIB, MH_DSYM)."""


@dataclass(frozen=True)
class IosApp:
    """One app as one build made it."""

    module: str
    identifier: str
    version: str
    number: int
    built_at: datetime
    seed: str

    @property
    def generation(self) -> int:
        """Changes every few builds, and with it what the app contains."""
        return self.number // 7

    def uuid(self, name: str) -> bytes:
        """What a binary and its debug symbols have in common: 16 bytes."""
        return seeds.octets(16, "mach-o", self.identifier, self.number, name)


def mach_o(app: IosApp, name: str, file_type: int) -> bytes:
    """The beginning of a Mach-O file for arm64: its header, its UUID and its platform (Apple, mach-o/loader.h)."""
    uuid = struct.pack("<II", 0x1B, 24) + app.uuid(name)
    platform = struct.pack("<IIIIII", 0x32, 24, 2, 16 << 16, 26 << 16 | 1 << 8, 0)
    commands = uuid + platform
    return struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, file_type, 2, len(commands), 0x85, 0) + commands


def _binary(app: IosApp, name: str, file_type: int, size: int) -> bytes:
    return mach_o(app, name, file_type) + Filler(f"{app.seed} {name}", size).read(0, size)


def _info(app: IosApp) -> bytes:
    return plistlib.dumps(
        {
            "CFBundleDisplayName": app.module,
            "CFBundleExecutable": app.module,
            "CFBundleIdentifier": app.identifier,
            "CFBundleName": app.module,
            "CFBundlePackageType": "APPL",
            "CFBundleShortVersionString": app.version,
            "CFBundleVersion": str(app.number),
            "DTPlatformName": "iphoneos",
            "DTXcode": "2610",
            "LSRequiresIPhoneOS": True,
            "MinimumOSVersion": "16.0",
            "NSCameraUsageDescription": "Scan a receipt.",
            "UIDeviceFamily": [1, 2],
        },
        fmt=plistlib.FMT_BINARY,
    )


def _profile(app: IosApp) -> bytes:
    """A provisioning profile: a property list in a CMS envelope (RFC 5652, section 5.1) that nobody signed."""
    made = app.built_at.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    plist = plistlib.dumps(
        {
            "AppIDName": app.module,
            "Name": f"{app.module} Ad Hoc",
            "TeamName": "Acme Mobile",
            "TeamIdentifier": [TEAM],
            "UUID": seeds.hexadecimal(32, "profile", app.identifier),
            # Property lists have no time zone: these are UTC.
            "CreationDate": made - timedelta(days=65),
            "ExpirationDate": made + timedelta(days=300),
            "ProvisionedDevices": [f"00008130-{seeds.hexadecimal(16, 'device', n).upper()}" for n in range(3)],
            "Entitlements": {
                "application-identifier": f"{TEAM}.{app.identifier}",
                "get-task-allow": False,
                "aps-environment": "production",
            },
        }
    )
    data = _der(0x30, bytes.fromhex("06092a864886f70d010701") + _der(0xA0, _der(0x04, plist)))
    digests = _der(0x31, _der(0x30, bytes.fromhex("0609608648016503040201") + b"\x05\x00"))
    signed = _der(0x30, b"\x02\x01\x01" + digests + data + _der(0x31, b""))
    return _der(0x30, bytes.fromhex("06092a864886f70d010702") + _der(0xA0, signed))


def _der(tag: int, content: bytes) -> bytes:
    """One element in the distinguished encoding rules (ITU-T X.690)."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def bundle(app: IosApp, folder: str) -> dict[str, bytes]:
    """An app's bundle inside a folder; its binary grows a little with every build, its model changes every few."""
    root = f"{folder}{app.module}.app/"
    model = 160 * KIB + 48 * KIB * (app.generation % 5)
    return {
        f"{root}Info.plist": _info(app),
        f"{root}embedded.mobileprovision": _profile(app),
        f"{root}{app.module}": _binary(app, app.module, _EXECUTABLE, 96 * KIB + 2 * KIB * (app.number % 32)),
        f"{root}PkgInfo": b"APPL????",
        f"{root}AppIcon60x60@2x.png": icon(),
        f"{root}Frameworks/AcmeKit.framework/AcmeKit": _binary(app, "AcmeKit", _DYLIB, 48 * KIB),
        f"{root}Frameworks/AcmeKit.framework/Info.plist": plistlib.dumps(
            {"CFBundleIdentifier": "com.acme.kit", "CFBundleShortVersionString": "3.2.1"}
        ),
        f"{root}Models/Ranking{app.generation}.mlmodelc/weights.bin": Filler(f"{app.generation}", model).read(0, model),
        f"{root}en.lproj/Localizable.strings": '"cart.total" = "Total";\n"cart.pay" = "Pay";\n'.encode("utf-16"),
        f"{root}ja.lproj/Localizable.strings": '"cart.total" = "合計";\n"cart.pay" = "支払う";\n'.encode("utf-16"),
        f"{root}PrivacyInfo.xcprivacy": plistlib.dumps({"NSPrivacyTracking": False}),
    }


def xcarchive(app: IosApp) -> dict[str, bytes]:
    """An Xcode archive: the app, and the debug symbols of its framework; those of the app are for the caller."""
    root = f"{app.module}.xcarchive/"
    files = bundle(app, f"{root}Products/Applications/")
    properties = {
        "ApplicationPath": f"Applications/{app.module}.app",
        "CFBundleIdentifier": app.identifier,
        "CFBundleShortVersionString": app.version,
        "CFBundleVersion": str(app.number),
        "SigningIdentity": f"Apple Distribution: Acme Mobile ({TEAM})",
        "Team": TEAM,
    }
    files[f"{root}Info.plist"] = plistlib.dumps(
        {
            "ApplicationProperties": properties,
            "ArchiveVersion": 2,
            "CreationDate": app.built_at.replace(tzinfo=None, microsecond=0),
            "Name": app.module,
            "SchemeName": app.module,
        }
    )
    return (
        files
        | _symbols(app, f"{root}dSYMs/", "AcmeKit.framework", "com.acme.kit")
        | {
            f"{root}dSYMs/AcmeKit.framework.dSYM/Contents/Resources/DWARF/AcmeKit": _binary(
                app, "AcmeKit", _DSYM, 64 * KIB
            )
        }
        | _symbols(app, f"{root}dSYMs/", f"{app.module}.app", app.identifier)
    )


def dsym(app: IosApp) -> dict[str, bytes]:
    """A bundle of debug symbols, without the symbols."""
    return _symbols(app, "", f"{app.module}.app", app.identifier)


def _symbols(app: IosApp, folder: str, name: str, identifier: str) -> dict[str, bytes]:
    info = {
        "CFBundleIdentifier": f"com.apple.xcode.dsym.{identifier}",
        "CFBundlePackageType": "dSYM",
        "CFBundleShortVersionString": app.version,
        "CFBundleVersion": str(app.number),
    }
    return {f"{folder}{name}.dSYM/Contents/Info.plist": plistlib.dumps(info)}


def symbols_head(app: IosApp) -> bytes:
    """How the file with the app's debug symbols begins."""
    return mach_o(app, app.module, _DSYM)
