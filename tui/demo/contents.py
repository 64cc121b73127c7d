"""What is inside the demo's artifacts: small real files, and a filler that brings each to its listed size."""

from __future__ import annotations

import plistlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from tui.demo import android_xml, seeds
from tui.demo.archives import Archive, Body, Filler, Plain
from tui.demo.logs import LogSubject, bitrise_log, failure_lines, repeated, xcodebuild_log

KIB: Final = 1024
MIB: Final = 1024 * 1024


class Kind(StrEnum):
    """What an artifact is made of."""

    IPA = "ipa"
    APK = "apk"
    AAB = "aab"
    XCARCHIVE = "xcarchive"
    DSYM = "dsym"
    EXPORT = "export"
    PRODUCTS = "products"
    LOGS = "logs"
    RESULTS = "results"
    RECORDINGS = "recordings"
    HTML = "html"
    MAPPING = "mapping"
    TEXT = "text"
    EMPTY = "empty"


@dataclass(frozen=True)
class Content:
    """Everything the bytes of one artifact depend on. Its size is known without making them."""

    kind: Kind
    size: int
    seed: str
    identifier: str
    """Bundle id or package name."""
    version: str
    subject: LogSubject

    def body(self) -> Body:
        """Makes the bytes; for a large zip this takes the time of one checksum over it."""
        if self.kind is Kind.EMPTY:
            return Plain(b"")
        if self.kind in _TEXTS:
            return Plain(_TEXTS[self.kind](self))
        files, filler_name = _ARCHIVES[self.kind](self)
        return Archive(files.items(), filler_name=filler_name, size=self.size, seed=self.seed)


_Layout = tuple[Mapping[str, bytes], str]


def _binary(content: Content, name: str, size: int) -> bytes:
    """A Mach-O executable as far as its header goes, for arm64."""
    header = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 2, 0, 0, 0x00200085, 0)
    return header + Filler(f"{content.seed} {name}", size).read(0, size)


def _info(content: Content) -> bytes:
    module = content.subject.module
    return plistlib.dumps(
        {
            "CFBundleDisplayName": module,
            "CFBundleExecutable": module,
            "CFBundleIdentifier": content.identifier,
            "CFBundleName": module,
            "CFBundlePackageType": "APPL",
            "CFBundleShortVersionString": content.version,
            "CFBundleVersion": str(content.subject.number),
            "DTPlatformName": "iphoneos",
            "DTXcode": "2610",
            "LSRequiresIPhoneOS": True,
            "MinimumOSVersion": "16.0",
            "NSCameraUsageDescription": "Scan a receipt.",
            "UIDeviceFamily": [1, 2],
        },
        fmt=plistlib.FMT_BINARY,
    )


def _profile(content: Content) -> bytes:
    """A provisioning profile: a property list inside a signature's envelope."""
    plist = plistlib.dumps(
        {
            "AppIDName": content.subject.module,
            "Name": f"{content.subject.module} Ad Hoc",
            "TeamName": "Acme Mobile",
            "TeamIdentifier": ["A1B2C3D4E5"],
            "UUID": seeds.hexadecimal(32, "profile", content.identifier),
            "ExpirationDate": datetime(2027, 8, 31),  # noqa: DTZ001  # property lists have no time zone: UTC
            "ProvisionedDevices": [f"00008130-{seeds.hexadecimal(16, 'device', n).upper()}" for n in range(3)],
            "Entitlements": {
                "application-identifier": f"A1B2C3D4E5.{content.identifier}",
                "get-task-allow": False,
                "aps-environment": "production",
            },
        }
    )
    envelope = b"\x30\x82" + struct.pack(">H", len(plist) + 64) + seeds.octets(30, "envelope", content.seed)
    return envelope + plist + seeds.octets(32, "signature", content.seed)


def _bundle(content: Content, folder: str) -> dict[str, bytes]:
    module = content.subject.module
    app = f"{folder}{module}.app/"
    return {
        f"{app}Info.plist": _info(content),
        f"{app}embedded.mobileprovision": _profile(content),
        f"{app}{module}": _binary(content, "main", 96 * KIB),
        f"{app}PkgInfo": b"APPL????",
        f"{app}Frameworks/AcmeKit.framework/AcmeKit": _binary(content, "kit", 48 * KIB),
        f"{app}Frameworks/AcmeKit.framework/Info.plist": plistlib.dumps(
            {"CFBundleIdentifier": "com.acme.kit", "CFBundleShortVersionString": "3.2.1"}
        ),
        f"{app}en.lproj/Localizable.strings": '"cart.total" = "Total";\n"cart.pay" = "Pay";\n'.encode("utf-16"),
        f"{app}ja.lproj/Localizable.strings": '"cart.total" = "合計";\n"cart.pay" = "支払う";\n'.encode("utf-16"),
        f"{app}PrivacyInfo.xcprivacy": plistlib.dumps({"NSPrivacyTracking": False}),
    }


def _ipa(content: Content) -> _Layout:
    return _bundle(content, "Payload/"), f"Payload/{content.subject.module}.app/Assets.car"


def _xcarchive(content: Content) -> _Layout:
    root = f"{content.subject.module}.xcarchive/"
    files = _bundle(content, f"{root}Products/Applications/")
    files[f"{root}Info.plist"] = plistlib.dumps(
        {"ArchiveVersion": 2, "Name": content.subject.module, "SchemeName": content.subject.module}
    )
    name = content.subject.module
    return files, f"{root}dSYMs/{name}.app.dSYM/Contents/Resources/DWARF/{name}"


def _dsym(content: Content) -> _Layout:
    name = content.subject.module
    root = f"{name}.app.dSYM/Contents/"
    info = plistlib.dumps({"CFBundleIdentifier": f"com.apple.xcode.dsym.{content.identifier}"})
    return {f"{root}Info.plist": info}, f"{root}Resources/DWARF/{name}"


def _export(content: Content) -> _Layout:
    name = content.subject.module
    options = plistlib.dumps({"method": "ad-hoc", "teamID": "A1B2C3D4E5", "thinning": "<none>"})
    return {"ExportOptions.plist": options, "Packaging.log": b"Packaging succeeded\n"}, f"{name}.ipa"


def _products(content: Content) -> _Layout:
    files = _bundle(content, "Build/Products/Debug-iphonesimulator/")
    return files, f"Build/Products/Debug-iphonesimulator/{content.subject.module}Tests.xctest/Assets.car"


def _apk(content: Content) -> _Layout:
    manifest = android_xml.manifest(
        package=content.identifier,
        version_name=content.version,
        version_code=content.subject.number,
        minimum_sdk=26,
        target_sdk=36,
        label=content.subject.module,
    )
    return {
        "AndroidManifest.xml": manifest,
        "classes.dex": b"dex\n039\x00" + Filler(f"{content.seed} dex", 120 * KIB).read(0, 120 * KIB),
        "lib/arm64-v8a/libacme.so": b"\x7fELF\x02\x01\x01" + Filler(content.seed, 40 * KIB).read(0, 40 * KIB),
        "META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\nCreated-By: Android Gradle 9.0.0\r\n\r\n",
        "res/layout/activity_main.xml": manifest[:512],
    }, "resources.arsc"


def _aab(content: Content) -> _Layout:
    return {
        "BundleConfig.pb": b"\x0a\x08\x12\x061.18.1",
        "base/manifest/AndroidManifest.xml": b"\x0a\x08manifest" + content.identifier.encode(),
        "base/dex/classes.dex": b"dex\n039\x00" + Filler(f"{content.seed} dex", 120 * KIB).read(0, 120 * KIB),
        "BUNDLE-METADATA/com.android.tools.build.gradle/app-metadata.properties": b"appMetadataVersion=1.1\n",
    }, "base/resources.pb"


def _logs(content: Content) -> _Layout:
    subject = content.subject
    log = bitrise_log(subject) if subject.is_android else xcodebuild_log(subject, "Build")
    return {
        "Logs/build.log": "\n".join(log).encode(),
        "Logs/environment.log": b"CI=true\nCI_XCODE_CLOUD=TRUE\nLANG=en_US.UTF-8\n",
        "Logs/ci_post_clone.log": b"+ brew install swiftlint\n==> Pouring swiftlint--0.61.0.arm64_sequoia\n",
    }, "Logs/Diagnostics/system.logarchive"


def _results(content: Content) -> _Layout:
    subject = content.subject
    root = f"{subject.module}.xcresult/" if not subject.is_android else "test-results/"
    failures = "\n".join(failure_lines(subject, subject.failure)) if subject.failure else ""
    suite = (
        f'<testsuite name="{subject.module}Tests" tests="318" failures="{int(bool(failures))}">'
        f'<testcase classname="CartTests" name="testTotalIncludesShipping" time="0.014"/></testsuite>\n'
    )
    return {
        f"{root}Info.plist": plistlib.dumps({"rootId": {"hash": seeds.hexadecimal(64, content.seed)}}),
        f"{root}junit.xml": f'<?xml version="1.0"?>\n{suite}'.encode(),
        f"{root}failures.txt": failures.encode(),
    }, f"{root}Data/data.0~{seeds.hexadecimal(12, content.seed)}"


def _recordings(content: Content) -> _Layout:
    return {"README.txt": b"Recordings of the user interface tests, one for each device.\n"}, "iPhone 17 Pro.mov"


def _html(content: Content) -> bytes:
    head = [f"<!doctype html><title>{content.subject.module} test report</title>", "<h1>318 tests</h1><table>"]
    row = "<tr><td>CartTests.testTotalIncludesShipping<td>passed<td>0.014 s"
    return repeated([*head, *[row] * 50], content.size)


def _mapping(content: Content) -> bytes:
    lines = ["# compiler: R8", "# compiler_version: 8.11.18"]
    for index in range(400):
        name = seeds.pick(("Cart", "Login", "Sync", "Feed", "Profile"), "mapping", index)
        lines.append(f"{content.identifier}.{name.lower()}.{name}ViewModel{index} -> a.{seeds.hexadecimal(3, index)}:")
        lines.append(f"    {index + 10}:{index + 14}:void refresh() -> a")
    return repeated(lines, content.size)


def _text(content: Content) -> bytes:
    return repeated(bitrise_log(content.subject), content.size)


_ARCHIVES: Final[Mapping[Kind, Callable[[Content], _Layout]]] = {
    Kind.IPA: _ipa,
    Kind.APK: _apk,
    Kind.AAB: _aab,
    Kind.XCARCHIVE: _xcarchive,
    Kind.DSYM: _dsym,
    Kind.EXPORT: _export,
    Kind.PRODUCTS: _products,
    Kind.LOGS: _logs,
    Kind.RESULTS: _results,
    Kind.RECORDINGS: _recordings,
}

_TEXTS: Final[Mapping[Kind, Callable[[Content], bytes]]] = {
    Kind.HTML: _html,
    Kind.MAPPING: _mapping,
    Kind.TEXT: _text,
}
