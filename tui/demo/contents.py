"""What is inside the demo's artifacts: small real files, and a filler that brings each to its listed size."""

from __future__ import annotations

import plistlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from tui.demo import android_xml, ios_app, seeds
from tui.demo.archives import Archive, Body, Filler, Plain
from tui.demo.icon import icon
from tui.demo.ios_app import KIB, IosApp
from tui.demo.log_failures import LogSubject
from tui.demo.logs import bitrise_log, repeated, xcodebuild_log
from tui.demo.reports import html, junit

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
    built_at: datetime
    """Aware UTC."""
    subject: LogSubject

    def body(self) -> Body:
        """Makes the bytes; for a large zip this takes the time of one checksum over it."""
        if self.kind is Kind.EMPTY:
            return Plain(b"")
        if self.kind in _TEXTS:
            return Plain(_TEXTS[self.kind](self))
        files, filler_name, filler_head = _ARCHIVES[self.kind](self)
        return Archive(files.items(), filler_name=filler_name, size=self.size, seed=self.seed, filler_head=filler_head)


class _Layout(NamedTuple):
    """The files of a zip, and the one that fills it up."""

    files: Mapping[str, bytes]
    filler_name: str
    filler_head: bytes = b""


def _app(content: Content) -> IosApp:
    subject = content.subject
    return IosApp(subject.module, content.identifier, content.version, subject.number, content.built_at, content.seed)


def _ipa(content: Content) -> _Layout:
    app = _app(content)
    return _Layout(ios_app.bundle(app, "Payload/"), f"Payload/{app.module}.app/Assets.car")


def _xcarchive(content: Content) -> _Layout:
    app = _app(content)
    symbols = f"{app.module}.xcarchive/dSYMs/{app.module}.app.dSYM/Contents/Resources/DWARF/{app.module}"
    return _Layout(ios_app.xcarchive(app), symbols, ios_app.symbols_head(app))


def _dsym(content: Content) -> _Layout:
    app = _app(content)
    symbols = f"{app.module}.app.dSYM/Contents/Resources/DWARF/{app.module}"
    return _Layout(ios_app.dsym(app), symbols, ios_app.symbols_head(app))


def _export(content: Content) -> _Layout:
    name = content.subject.module
    options = plistlib.dumps({"method": "ad-hoc", "teamID": "A1B2C3D4E5", "thinning": "<none>"})
    return _Layout({"ExportOptions.plist": options, "Packaging.log": b"Packaging succeeded\n"}, f"{name}.ipa")


def _products(content: Content) -> _Layout:
    app, folder = _app(content), "Build/Products/Debug-iphonesimulator/"
    return _Layout(ios_app.bundle(app, folder), f"{folder}{app.module}Tests.xctest/Assets.car")


def _apk(content: Content) -> _Layout:
    manifest = android_xml.manifest(
        package=content.identifier,
        version_name=content.version,
        version_code=content.subject.number,
        minimum_sdk=26,
        target_sdk=36,
        label=content.subject.module,
    )
    generation = content.subject.number // 13
    code = 120 * KIB + KIB * (content.subject.number % 32)
    model = 160 * KIB + 48 * KIB * (generation % 5)
    files = {
        "AndroidManifest.xml": manifest,
        "classes.dex": b"dex\n039\x00" + _random(f"{content.seed} dex", code),
        "lib/arm64-v8a/libacme.so": b"\x7fELF\x02\x01\x01" + _random(content.seed, 40 * KIB),
        f"assets/ranking-{generation}.tflite": _random(f"{generation}", model),
        "META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\nCreated-By: Android Gradle 9.0.0\r\n\r\n",
        "res/layout/activity_main.xml": manifest[:512],
        "res/mipmap-xhdpi/ic_launcher.png": icon(),
    }
    return _Layout(files, "resources.arsc")


def _aab(content: Content) -> _Layout:
    files = {
        "BundleConfig.pb": b"\x0a\x08\x12\x061.18.1",
        "base/manifest/AndroidManifest.xml": b"\x0a\x08manifest" + content.identifier.encode(),
        "base/dex/classes.dex": b"dex\n039\x00" + _random(f"{content.seed} dex", 120 * KIB),
        "BUNDLE-METADATA/com.android.tools.build.gradle/app-metadata.properties": b"appMetadataVersion=1.1\n",
    }
    return _Layout(files, "base/resources.pb")


def _random(seed: str, size: int) -> bytes:
    return Filler(seed, size).read(0, size)


def _logs(content: Content) -> _Layout:
    subject = content.subject
    name = subject.action.lower()
    files = {
        f"Logs/xcodebuild-{name}.log": "\n".join(xcodebuild_log(subject)).encode(),
        "Logs/environment.log": b"CI=true\nCI_XCODE_CLOUD=TRUE\nLANG=en_US.UTF-8\n",
        "Logs/ci_post_clone.log": b"+ brew install swiftlint\n==> Pouring swiftlint--0.61.0.arm64_sequoia\n",
    }
    return _Layout(files, "Logs/Diagnostics/system.logarchive")


def _results(content: Content) -> _Layout:
    subject = content.subject
    reports = junit(subject)
    if subject.is_android:
        return _Layout(
            {f"test-results/{name}": data for name, data in reports.items()}, "test-results/binary/output.bin"
        )
    root = f"{subject.module}.xcresult/"
    hashed = seeds.hexadecimal(64, content.seed)
    info = {
        "dateCreated": content.built_at.replace(tzinfo=None, microsecond=0),
        "externalLocations": [],
        "rootId": {"hash": hashed},
        "storage": {"backend": "fileBacked2", "compression": "standard"},
        "version": {"major": 3, "minor": 53},
    }
    files = {f"{root}Info.plist": plistlib.dumps(info), f"{root}Data/refs.0~{hashed}": hashed.encode()}
    files |= {f"junit/{name}": data for name, data in reports.items()}
    return _Layout(files, f"{root}Data/data.0~{hashed}")


def _recordings(content: Content) -> _Layout:
    files = {"README.txt": b"Recordings of the user interface tests, one for each device.\n"}
    return _Layout(files, "iPhone 17 Pro.mov")


def _html(content: Content) -> bytes:
    *head, row = html(content.subject)
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
