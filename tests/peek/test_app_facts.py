"""What an app tells of itself: property lists, signed profiles, manifests, binaries; at what cost, and with lies."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.peek import made
from tests.peek.hosts import Computed, Host
from tui.demo import android_xml, archives
from tui.errors import DigsiteError, LinkExpired
from tui.peek import Archive, InsideFacts, PeekError, RemoteFile, inside_facts
from tui.peek.android import ManifestError, binary_manifest, bundle_manifest
from tui.peek.facts import FACTS_BYTES
from tui.peek.ios import _certificate
from tui.peek.macho import Slice, slices

Remote = Callable[..., RemoteFile]
MANIFEST = android_xml.manifest(
    package="com.acme.android", version_name="5.1", version_code=2341, minimum_sdk=26, target_sdk=36, label="Acme"
)


def facts_of(host: Host, remote: Remote, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> InsideFacts:
    host.content = made.zipped(files, method)
    found = inside_facts(Archive(remote()))
    assert found is not None
    return found


def test_an_app_for_devices_tells_who_signed_it_and_until_when(host: Host, remote: Remote) -> None:
    facts = facts_of(host, remote, made.ipa_files())
    assert (facts.identifier, facts.version, facts.build_number) == ("com.acme.ios", "4.0", "1204")
    profile = facts.profile
    assert profile is not None
    assert (profile.team, profile.devices, profile.export_method) == ("Acme Inc.", 2, "ad-hoc")
    assert profile.expires_at == datetime(2027, 3, 1, tzinfo=UTC)
    (certificate,) = profile.certificates
    assert certificate.name == "Apple Distribution: Acme Inc. (A1B2C3D4E5)"
    assert certificate.expires_at == made.ENDS
    (binary,) = facts.binaries
    assert (binary.name, binary.cpu, binary.uuid) == ("Acme", "arm64", str(made.PROGRAM_UUID).upper())
    assert not binary.is_symbols


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_debug_symbols_of_all_architectures(host: Host, remote: Remote, method: int) -> None:
    both = made.fat(made.mach_o(), made.mach_o(made.INTEL_UUID, 7 | 1 << 24), gap=600_000)
    facts = facts_of(host, remote, {"Acme.app.dSYM/Contents/Resources/DWARF/Acme": both, "x.txt": b"x"}, method)
    assert {(b.cpu, UUID(b.uuid)) for b in facts.binaries} == {
        ("arm64", made.PROGRAM_UUID),
        ("x86_64", made.INTEL_UUID),
    }
    assert all(b.is_symbols for b in facts.binaries)


def test_an_xcarchive_tells_of_its_app_and_of_its_symbols(host: Host, remote: Remote) -> None:
    root = "Acme.xcarchive"
    app = {name.replace("Payload", f"{root}/Products/Applications"): data for name, data in made.ipa_files().items()}
    symbols = {f"{root}/dSYMs/Acme.app.dSYM/Contents/Resources/DWARF/Acme": made.mach_o()}
    facts = facts_of(host, remote, app | symbols)
    assert facts.identifier == "com.acme.ios"
    assert [binary.is_symbols for binary in facts.binaries] == [False, True]


def test_many_symbols_are_read_up_to_a_limit_and_the_rest_is_counted(host: Host, remote: Remote) -> None:
    files = {
        f"A{n}.framework.dSYM/Contents/Resources/DWARF/A{n}": made.mach_o(UUID(int=n)) + bytes(200_000)
        for n in range(80)
    }
    facts = facts_of(host, remote, files, zipfile.ZIP_STORED)
    assert 0 < len(facts.binaries) < 80
    assert len(facts.binaries) + facts.unread == 80


def test_an_app_for_android(host: Host, remote: Remote) -> None:
    facts = facts_of(host, remote, {"AndroidManifest.xml": MANIFEST, "classes.dex": b"dex"})
    assert (facts.title, facts.identifier) == ("Acme", "com.acme.android")
    assert (facts.version, facts.build_number) == ("5.1", "2341")
    assert (facts.minimum_os, facts.target_os) == ("SDK 26", "SDK 36")
    assert facts.permissions == ("android.permission.INTERNET", "android.permission.CAMERA")


def test_strings_in_utf_8_and_of_any_length() -> None:
    long = "p" * 300
    texts = ["manifest", "package", long]
    data, offsets = b"", []
    for text in texts:
        offsets.append(len(data))
        size = len(text)
        length = bytes([size]) if size < 128 else bytes([0x80 | size >> 8, size & 255])
        data += length + length + text.encode() + b"\0"
    data += bytes(-len(data) % 4)
    body = struct.pack("<5I", len(texts), 0, 1 << 8, 28 + 4 * len(texts), 0) + struct.pack("<3I", *offsets) + data
    pool = struct.pack("<HHI", 1, 28, 8 + len(body)) + body
    attribute = struct.pack("<IIIHBBI", 0xFFFFFFFF, 1, 2, 8, 0, 3, 2)
    start = struct.pack("<IIIIHHHHHH", 1, 0xFFFFFFFF, 0xFFFFFFFF, 0, 20, 20, 1, 0, 0, 0) + attribute
    element = struct.pack("<HHI", 0x0102, 16, 8 + len(start)) + start
    whole = struct.pack("<HHI", 3, 8, 8 + len(pool) + len(element)) + pool + element
    assert binary_manifest(whole).package == long


def message(number: int, data: bytes) -> bytes:
    """One field of a protocol buffer."""
    length = len(data)
    return bytes([number << 3 | 2, 0x80 | length & 0x7F, length >> 7]) + data


def test_an_app_bundle(host: Host, remote: Remote) -> None:
    def attribute(name: str, value: str) -> bytes:
        return message(4, message(2, name.encode()) + message(3, value.encode()))

    def node(name: str, *parts: bytes) -> bytes:
        return message(1, message(3, name.encode()) + b"".join(parts))

    sdk = node("uses-sdk", attribute("minSdkVersion", "26"))
    permission = node("uses-permission", attribute("name", "android.permission.CAMERA"))
    top = node(
        "manifest",
        attribute("package", "com.acme.android"),
        attribute("versionName", "5.1"),
        message(5, sdk),
        message(5, permission),
    )
    facts = facts_of(host, remote, {"base/manifest/AndroidManifest.xml": top})
    assert (facts.identifier, facts.version, facts.minimum_os) == ("com.acme.android", "5.1", "SDK 26")
    assert facts.permissions == ("android.permission.CAMERA",)


def test_a_manifest_that_cannot_be_read_is_told(host: Host, remote: Remote) -> None:
    facts = facts_of(host, remote, {"AndroidManifest.xml": b"<manifest/>"})
    assert facts.note is not None
    assert "AndroidManifest.xml cannot be read" in facts.note


def test_an_archive_without_an_app_has_no_facts(host: Host, remote: Remote) -> None:
    host.content = made.zipped({"junit/report.xml": b"<x/>"})
    assert inside_facts(Archive(remote())) is None


def test_facts_of_300_mb_with_20000_entries(host: Host, remote: Remote) -> None:
    files = made.ipa_files() | {f"Payload/Acme.app/res/{n:06}.png": b"" for n in range(20_000)}
    body = archives.Archive(files.items(), filler_name="Payload/Acme.app/Assets.car", size=300_000_000, seed="x")
    end = body.read(body.size - 22, 22)
    directory = int.from_bytes(end[12:16], "little")
    assert directory < 2_000_000
    host.content = Computed(body)
    file = remote(body.size)
    tracemalloc.start()
    try:
        facts = inside_facts(Archive(file))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert facts is not None
    assert facts.profile is not None
    assert facts.profile.certificates
    assert facts.binaries
    assert file.moved_bytes - directory < 1_000_000
    assert len(host.ranges) < 10
    assert peak < 16 * 1024 * 1024


def test_zip64(host: Host, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 100)
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
        host.content = made.zipped(made.ipa_files(), zipfile.ZIP_STORED)
    assert b"PK\x06\x06" in host.content
    facts = inside_facts(Archive(remote()))
    assert facts is not None
    assert (facts.identifier, len(facts.binaries)) == ("com.acme.ios", 1)


def test_encrypted_members_are_told_and_the_rest_is_readable(host: Host, remote: Remote) -> None:
    content = bytearray(made.zipped(made.ipa_files() | {"b.txt": b"b"}))
    at = content.index(b"PK\x01\x02")
    while content[at : at + 4] == b"PK\x01\x02":
        name = content[at + 46 : at + 46 + int.from_bytes(content[at + 28 : at + 30], "little")]
        if name.endswith(b"Info.plist"):
            content[at + 8] |= 1
        at += 46 + len(name)
    host.content = bytes(content)
    archive = Archive(remote())
    with pytest.raises(PeekError, match="encrypted"):
        archive.read("Payload/Acme.app/Info.plist")
    assert archive.read("b.txt") == b"b"
    facts = inside_facts(archive)
    assert facts is not None
    assert facts.profile is not None
    assert "encrypted" in (facts.note or "")


def test_a_member_that_unpacks_to_gigabytes_costs_what_is_asked_for(host: Host, remote: Remote) -> None:
    host.content = made.zipped({"bomb": bytes(60_000_000)})
    archive = Archive(remote())
    tracemalloc.start()
    try:
        assert len(archive.read("bomb", 1000)) == 1000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    with pytest.raises(PeekError, match="too far"):
        archive.slice("bomb", 50_000_000, 10)


def test_a_packing_that_wants_any_memory_is_refused(host: Host, remote: Remote) -> None:
    host.content = made.zipped({"a.txt": b"a" * 100}, zipfile.ZIP_LZMA)
    with pytest.raises(PeekError, match="packed in a way"):
        Archive(remote()).read("a.txt")


def test_a_link_that_expires_between_reads_is_renewed_once(host: Host, remote: Remote) -> None:
    host.content = made.zipped(made.ipa_files() | {"big": bytes(3_000_000)}, zipfile.ZIP_STORED)
    archive = Archive(remote())
    host.expired_for = 1
    assert inside_facts(archive) is not None
    asked = len(host.ranges)
    host.expired_for = 100
    archive.remote._blocks.clear()
    with pytest.raises(LinkExpired):
        archive.read("big")
    assert len(host.ranges) == asked + 2, "the old link, then a fresh one, then no more"


def test_the_facts_stop_before_they_cost_too_much(host: Host, remote: Remote) -> None:
    files = {f"{n}.dSYM/Contents/Resources/DWARF/{n}": made.mach_o() + bytes(100_000) for n in range(60)}
    host.content = made.zipped(files, zipfile.ZIP_STORED)
    file = remote()
    archive = Archive(file)
    before = file.moved_bytes
    inside_facts(archive)
    assert FACTS_BYTES < file.moved_bytes - before < 1_000_000


def test_the_md5_that_a_storage_tells_costs_one_block(host: Host, remote: Remote) -> None:
    host.content, host.software, host.etag = bytes(1_000_000), "AmazonS3", f'"{"ab" * 16}"'
    file = remote()
    assert file.read_at(0, 1) == b"\0"
    assert file.md5 == "ab" * 16
    assert file.moved_bytes < 100_000
    host.software = "nginx"
    unknown = remote()
    unknown.read_at(0, 1)
    assert unknown.md5 is None


# Whatever the bytes are ---------------------------------------------------------------------------------------


@given(st.data())
def test_a_damaged_manifest_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(MANIFEST)
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ManifestError):
        binary_manifest(bytes(content[: data.draw(st.integers(0, len(content)))]))


@given(st.binary(max_size=400))
def test_any_bytes_are_a_manifest_or_refused(content: bytes) -> None:
    for read in (binary_manifest, bundle_manifest):
        for head in (b"", struct.pack("<HHI", 3, 8, 400), b"\x0a"):
            with suppress(ManifestError):
                read(head + content)


@given(
    st.binary(max_size=300), st.sampled_from([b"", *map(bytes, [b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0\x02"])])
)
def test_any_bytes_have_slices_or_none(content: bytes, head: bytes) -> None:
    whole = head + content
    assert all(isinstance(one, Slice) for one in slices(lambda start, length: whole[start : start + length]))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_certificate_or_none(content: bytes) -> None:
    assert _certificate(content) is None
    assert _certificate(b"\x30\x82" + content) is None


@given(st.data())
def test_a_damaged_certificate_is_read_or_left_out(data: st.DataObject) -> None:
    content = bytearray(CERTIFICATE)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _certificate(bytes(content))


CERTIFICATE = made.certificate()[0].public_bytes(made.DER)


def test_a_broken_directory_is_no_crash(host: Host, remote: Remote) -> None:
    good = made.zipped(made.ipa_files())
    for cut in range(1, 80, 7):
        host.content = good[:-cut]
        with pytest.raises(DigsiteError):
            Archive(remote(len(host.content)))
