"""Archives behind signed URLs: what is inside, at what cost, and what happens when they lie."""

from __future__ import annotations

import errno
import io
import plistlib
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.peek.hosts import Host
from tui.errors import DigsiteError, Incomplete, LinkExpired, NotFound
from tui.models import AccountName, AppId, Artifact, ArtifactId, ArtifactKind, ArtifactRef, BuildId, Source
from tui.peek import Archive, PeekError, RemoteFile, as_text
from tui.peek import archive as archives
from tui.peek.ios import ios_facts
from tui.peek.plists import fits, readable_plist
from tui.peek.remote import NoRanges
from tui.peek.view import MAX_SHOWN_LINES
from tui.secret import Secret
from tui.services.inside import open_inside
from tui.storage import Storage


def ipa(filler: int = 0, entries: int = 0) -> bytes:
    info = {
        "CFBundleIdentifier": "com.acme.ios",
        "CFBundleDisplayName": "Acme",
        "CFBundleShortVersionString": "4.0",
        "CFBundleVersion": "1204",
        "MinimumOSVersion": "16.0",
    }
    profile = {
        "Name": "Acme Ad Hoc",
        "TeamName": "Acme Inc.",
        "ExpirationDate": datetime(2027, 3, 1),  # noqa: DTZ001  # plists have naive UTC
        "ProvisionedDevices": ["a", "b"],
        "Entitlements": {"get-task-allow": False, "aps-environment": "production"},
    }
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Payload/Acme.app/Info.plist", plistlib.dumps(info, fmt=plistlib.FMT_BINARY))
        archive.writestr(
            "Payload/Acme.app/embedded.mobileprovision", b"\x30\x82cms" + plistlib.dumps(profile) + b"\x00sig"
        )
        for number in range(entries):
            archive.writestr(f"Payload/Acme.app/res/{number:06}.png", b"")
        if filler:
            archive.writestr(zipfile.ZipInfo("Payload/Acme.app/Acme"), b"\x00" * filler)
    return memory.getvalue()


def test_the_facts_of_a_large_ipa_cost_less_than_a_megabyte(host: Host, remote: Callable[..., RemoteFile]) -> None:
    host.content = ipa(filler=40_000_000)
    file = remote(len(host.content))
    facts = ios_facts(Archive(file))
    assert facts is not None
    assert (facts.identifier, facts.version, facts.build_number) == ("com.acme.ios", "4.0", "1204")
    assert facts.profile is not None
    assert facts.profile.expires_at == datetime(2027, 3, 1, tzinfo=UTC)
    assert (facts.profile.team, facts.profile.devices, facts.profile.export_method) == ("Acme Inc.", 2, "ad-hoc")
    assert "aps-environment" in facts.entitlements
    assert file.moved_bytes < 1_000_000
    assert all("Authorization" not in headers for headers in host.headers)


def test_a_directory_of_20000_entries(host: Host, remote: Callable[..., RemoteFile]) -> None:
    host.content = ipa(entries=20_000)
    archive = Archive(remote(None))
    assert len(archive.entries) == 20_002
    assert len(host.ranges) < 20


def test_members_and_their_bytes(host: Host, remote: Callable[..., RemoteFile]) -> None:
    host.content = ipa(filler=1000)
    archive = Archive(remote())
    assert archive.read("Payload/Acme.app/Acme") == b"\x00" * 1000
    assert archive.read("Payload/Acme.app/Acme", limit=10) == b"\x00" * 10
    plist = readable_plist(archive.read("Payload/Acme.app/Info.plist"), 10_000)
    assert plist is not None
    assert "<string>com.acme.ios</string>" in plist
    with pytest.raises(NotFound):
        archive.read("none")


def test_an_expired_link_in_the_middle_is_renewed(host: Host, remote: Callable[..., RemoteFile]) -> None:
    host.content = ipa(filler=2_000_000)
    archive = Archive(remote())
    host.expired_for = 1
    assert len(archive.read("Payload/Acme.app/Acme")) == 2_000_000
    host.expired_for = 100
    archive.remote._blocks.clear()
    with pytest.raises(LinkExpired):
        archive.read("Payload/Acme.app/Acme")


def test_a_storage_without_ranges_is_refused_and_not_downloaded(host: Host, remote: Callable[..., RemoteFile]) -> None:
    host.content, host.ignores_ranges = ipa(filler=5_000_000), True
    file = remote(len(host.content))
    with pytest.raises(NoRanges):
        Archive(file)
    assert file.moved_bytes == 0


def test_a_file_that_changed_meanwhile_is_not_mixed(host: Host, remote: Callable[..., RemoteFile]) -> None:
    host.content = ipa(filler=2_000_000)
    archive = Archive(remote())
    host.content = bytes(reversed(host.content))
    with pytest.raises(DigsiteError, match="changed"):
        archive.read("Payload/Acme.app/Acme")


def test_bytes_that_drip_are_given_up_after_some_tries(
    host: Host, remote: Callable[..., RemoteFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.peek.remote.SLOW_WINDOW_S", 0.0)
    monkeypatch.setattr("tui.peek.remote.SLOW_BYTES", 1 << 30)
    host.content = bytes(100_000)
    with pytest.raises(Incomplete, match="Fewer than"):
        remote(len(host.content)).read_at(0, 10)
    assert len(host.ranges) == 3


async def test_looking_inside_sends_the_headers_that_the_provider_wants(host: Host) -> None:
    host.content = ipa()
    storage = Storage(allow_loopback=True)

    async def source(artifact: Artifact) -> Source:
        return Source(Secret(host.url), len(host.content), headers={"X-Plugin": "1"})

    ref = ArtifactRef(AccountName("acme"), AppId("app"), BuildId("b1"), ArtifactId("A1"))
    artifact = Artifact(ref=ref, title="a.ipa", kind=ArtifactKind.FILE, kind_raw="x", size_bytes=None)
    inside = await open_inside(storage, source, artifact)
    assert "Payload/Acme.app/Info.plist" in [entry.name for entry in inside.entries]
    assert {headers.get("X-Plugin") for headers in host.headers} == {"1"}
    storage.close()


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x05\x06", b"<html>no</html>" * 1000])
def test_what_is_no_zip_is_refused_in_words(host: Host, remote: Callable[..., RemoteFile], content: bytes) -> None:
    host.content = content
    with pytest.raises(PeekError, match="not a zip"):
        Archive(remote(len(content)))


def test_a_directory_that_claims_gigabytes_is_refused(host: Host, remote: Callable[..., RemoteFile]) -> None:
    good = ipa(filler=40_000_000)
    end = good.rindex(b"PK\x05\x06")
    host.content = good[: end + 12] + (30_000_000).to_bytes(4, "little") + (0).to_bytes(4, "little") + good[end + 20 :]
    with pytest.raises(DigsiteError):
        Archive(remote(len(host.content)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_archive_is_an_error_of_ours_or_readable(
    host: Host, remote: Callable[..., RemoteFile], data: st.DataObject
) -> None:
    content = bytearray(ipa(filler=100))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    host.content = bytes(content)
    try:
        archive = Archive(remote(len(content)))
        ios_facts(archive)
        for entry in archive.entries:
            archive.read(entry.name)
    except DigsiteError:
        return


@given(st.binary(max_size=300))
def test_any_bytes_are_a_plist_or_none(data: bytes) -> None:
    readable_plist(data, 10_000)
    readable_plist(b"bplist00" + data, 10_000)


def shared_arrays(levels: int) -> bytes:
    """A binary property list whose arrays each name the next one twice: 2^levels texts of a few bytes."""
    objects = [bytes([0xA2, level + 1, level + 1]) for level in range(levels)] + [b"\x51a"]
    starts = [8 + 3 * level for level in range(levels + 1)]
    body = b"bplist00" + b"".join(objects)
    table = b"".join(start.to_bytes(2, "big") for start in starts)
    return body + table + bytes(6) + bytes([2, 1]) + struct.pack(">QQQ", len(objects), 0, len(body))


def test_what_would_grow_without_end_is_shown_as_it_is() -> None:
    assert as_text(shared_arrays(3)).count("<string>a</string>") == 8
    assert as_text(shared_arrays(20)).startswith("00000000  62 70 6c 69 73 74")
    text = plistlib.dumps([["x" * 100_000] * 100], fmt=plistlib.FMT_BINARY)
    assert as_text(text).startswith("00000000  62 70")
    data = plistlib.dumps([[b"x" * 100_000] * 100], fmt=plistlib.FMT_BINARY)
    assert as_text(data).startswith("00000000  62 70")
    deep = "[" * 300 + ",".join(["1"] * 60_000) + "]" * 300
    assert as_text(deep.encode()) == deep
    lines = as_text(b"\n" * 300_000).split("\n")
    assert len(lines) == MAX_SHOWN_LINES + 2
    assert lines[-1] == f"[digsite: {300_000 - MAX_SHOWN_LINES:,} more lines]"
    control = plistlib.dumps("\x01", fmt=plistlib.FMT_BINARY)
    assert as_text(control).startswith("00000000  62 70"), "XML has no such character"
    assert as_text(b'{"a":[1]}') == '{\n  "a": [\n    1\n  ]\n}'


@given(st.recursive(st.text("a<\n", max_size=5) | st.binary(max_size=40) | st.integers(0, 9), st.lists))
def test_what_fits_is_about_as_long_as_was_counted(value: Any) -> None:
    if fits(value, 200):
        assert len(plistlib.dumps(value)) < 200 * 5 + 400


def test_who_takes_a_member_raises_what_it_raises(host: Host, remote: Callable[..., RemoteFile]) -> None:
    host.content = ipa(filler=1000)
    archive = Archive(remote())

    def full(_: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        archive.copy("Payload/Acme.app/Acme", full)
    at = host.content.index(b"\x00" * 1000)  # stored as it is
    host.content = host.content[:at] + b"\x01" + host.content[at + 1 :]
    with pytest.raises(PeekError, match="data are broken"):
        Archive(remote()).copy("Payload/Acme.app/Acme", full)


def test_too_many_entries_are_counted_before_they_are_read(
    host: Host, remote: Callable[..., RemoteFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = ipa(entries=20)
    end = good.rindex(b"PK\x05\x06")
    host.content = good[: end + 8] + b"\x01\x00\x01\x00" + good[end + 12 :]  # it says that there is one
    monkeypatch.setattr(archives, "MAX_ENTRIES", 22)
    assert len(Archive(remote()).entries) == 22
    monkeypatch.setattr(archives, "MAX_ENTRIES", 21)
    monkeypatch.setattr(zipfile, "ZipInfo", None)
    with pytest.raises(PeekError, match="22 entries"):
        Archive(remote())
