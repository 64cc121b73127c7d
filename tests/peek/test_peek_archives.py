"""Archives behind signed URLs: what is inside, at what cost, and what happens when they lie."""

from __future__ import annotations

import io
import plistlib
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.peek.hosts import Host
from tui.errors import DigsiteError, LinkExpired, NotFound
from tui.peek import Archive, PeekError, RemoteFile
from tui.peek.ios import ios_facts
from tui.peek.plists import readable_plist
from tui.peek.remote import NoRanges


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
    plist = readable_plist(archive.read("Payload/Acme.app/Info.plist"))
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
    readable_plist(data)
    readable_plist(b"bplist00" + data)
