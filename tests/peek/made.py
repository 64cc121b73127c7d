"""Real files for the tests: signed profiles, apps, debug symbols, pictures."""

from __future__ import annotations

import io
import plistlib
import struct
import zipfile
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

PROGRAM_UUID = UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")
INTEL_UUID = UUID("00000000-8b86-d011-b42d-00c04fc964ff")
DER = serialization.Encoding.DER
ENDS = datetime(2028, 5, 1, tzinfo=UTC)


def certificate() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A throwaway certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Apple Distribution: Acme Inc. (A1B2C3D4E5)")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ENDS - timedelta(days=365))
        .not_valid_after(ENDS)
        .sign(key, hashes.SHA256())
    )
    return made, key


def profile(**more: Any) -> bytes:
    """An embedded.mobileprovision: a property list signed as CMS by a throwaway certificate that it names."""
    signer, key = certificate()
    plist = {
        "Name": "Acme Ad Hoc",
        "TeamName": "Acme Inc.",
        "ExpirationDate": datetime(2027, 3, 1),  # noqa: DTZ001  # plists have naive UTC
        "ProvisionedDevices": ["a", "b"],
        "DeveloperCertificates": [signer.public_bytes(DER), b"no certificate"],
        "Entitlements": {"get-task-allow": False, "aps-environment": "production"},
        **more,
    }
    builder = pkcs7.PKCS7SignatureBuilder().set_data(plistlib.dumps(plist))
    signed = builder.add_signer(signer, key, hashes.SHA256())
    return signed.sign(DER, [pkcs7.PKCS7Options.Binary])


def info(**more: Any) -> bytes:
    """A binary Info.plist."""
    return plistlib.dumps(
        {
            "CFBundleIdentifier": "com.acme.ios",
            "CFBundleDisplayName": "Acme",
            "CFBundleExecutable": "Acme",
            "CFBundleShortVersionString": "4.0",
            "CFBundleVersion": "1204",
            "MinimumOSVersion": "16.0",
            **more,
        },
        fmt=plistlib.FMT_BINARY,
    )


def mach_o(uuid: UUID = PROGRAM_UUID, cpu: int = 12 | 1 << 24, order: str = "<") -> bytes:
    """A 64-bit Mach-O header with a segment-like command before its LC_UUID."""
    commands = struct.pack(f"{order}II", 0x19, 72) + bytes(64) + struct.pack(f"{order}II", 0x1B, 24) + uuid.bytes
    return struct.pack(f"{order}IiiIIIII", 0xFEEDFACF, cpu, 0, 2, 2, len(commands), 0, 0) + commands


def fat(*thin: bytes, gap: int = 4096) -> bytes:
    """A fat binary of these."""
    head, body, at = struct.pack(">II", 0xCAFEBABE, len(thin)), b"", gap
    for one in thin:
        cpu = struct.unpack_from("<i", one, 4)[0]
        head += struct.pack(">iiIII", cpu, 0, at + len(body), len(one), 12)
        body += one.ljust(gap, b"\0")
    return head.ljust(gap, b"\0") + body


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return memory.getvalue()


def ipa_files() -> dict[str, bytes]:
    """The files of an app for a device."""
    return {
        "Payload/Acme.app/Info.plist": info(),
        "Payload/Acme.app/embedded.mobileprovision": profile(),
        "Payload/Acme.app/Acme": mach_o() + bytes(5000),
    }


def png(width: int, height: int, rows: bytes, color: int = 6, *, extra: bytes = b"", head: bytes = b"") -> bytes:
    """A picture of 8 bits a channel; `rows` has a filter byte before each row."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0))
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a picture."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
