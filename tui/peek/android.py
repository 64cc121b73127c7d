"""What AndroidManifest.xml tells of an app: in an apk as binary XML, in an aab as a protocol buffer.

A reader of our own: of the packages that read binary XML, pyaxmlparser was last released in March 2024 and pulls in
lxml and asn1crypto, AxmlParserPY in 2014, axml is at 0.0.2. It takes the first bytes of a file only, believes no count
and no offset, and gives up at the first thing that does not fit.

Sources of the formats: Android Open Source Project, `ResourceTypes.h` (ResChunk_header, ResStringPool_header,
ResXMLTree_node, ResXMLTree_attrExt, Res_value) and aapt2's `Resources.proto` (XmlNode, XmlElement, XmlAttribute);
Protocol Buffers documentation, Encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

MAX_MANIFEST_BYTES: Final = 4 * 1024 * 1024
_MAX_STRINGS: Final = 100_000
_MAX_PERMISSIONS: Final = 500
_MAX_DEPTH: Final = 4
"""Elements deeper than this tell nothing that is asked for."""

_POOL, _XML, _START = 0x0001, 0x0003, 0x0102
_UTF8: Final = 1 << 8
_STRING, _FIRST_INTEGER, _LAST_INTEGER = 0x03, 0x10, 0x11

Attributes = dict[str, str]
"""By local name; a reference to a resource, which only the resource table resolves, is left out."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of an AndroidManifest.xml; all text is as it came."""

    package: str | None
    version_name: str | None
    version_code: str | None
    minimum_sdk: str | None
    target_sdk: str | None
    permissions: tuple[str, ...]
    label: str | None


class ManifestError(ValueError):
    """The bytes are no manifest of the kind that was expected."""


def binary_manifest(data: bytes) -> Manifest:
    """Reads the manifest of an apk.

    Raises:
        ManifestError: It is no binary XML, or a broken one.
    """
    try:
        return _manifest(_binary_elements(data[:MAX_MANIFEST_BYTES]))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ManifestError("no binary XML") from error


def bundle_manifest(data: bytes) -> Manifest:
    """Reads the manifest of an aab.

    Raises:
        ManifestError: It is no protocol buffer of that shape.
    """
    try:
        return _manifest(_proto_elements(data[:MAX_MANIFEST_BYTES], 0))
    except (IndexError, UnicodeDecodeError) as error:
        raise ManifestError("no manifest of an app bundle") from error


def _manifest(elements: Iterable[tuple[str, Attributes]]) -> Manifest:
    found: dict[str, Attributes] = {}
    permissions: dict[str, None] = {}
    for name, attributes in elements:
        if name == "uses-permission" and len(permissions) < _MAX_PERMISSIONS and "name" in attributes:
            permissions[attributes["name"]] = None
        elif name in {"manifest", "uses-sdk", "application"}:
            found.setdefault(name, attributes)
    if "manifest" not in found:
        raise ManifestError("no manifest element")
    top, sdk = found["manifest"], found.get("uses-sdk", {})
    return Manifest(
        package=top.get("package"),
        version_name=top.get("versionName"),
        version_code=top.get("versionCode"),
        minimum_sdk=sdk.get("minSdkVersion"),
        target_sdk=sdk.get("targetSdkVersion"),
        permissions=tuple(permissions),
        label=found.get("application", {}).get("label"),
    )


# Binary XML ---------------------------------------------------------------------------------------------------


def _binary_elements(data: bytes) -> Iterator[tuple[str, Attributes]]:
    kind, header, size = struct.unpack_from("<HHI", data)
    if kind != _XML:
        raise ManifestError("no binary XML")
    strings: list[str] = []
    at, end = header, min(size, len(data))
    while at + 8 <= end:
        kind, header, size = struct.unpack_from("<HHI", data, at)
        if size < 8 or header < 8:
            raise ManifestError("a chunk without a length")
        chunk = data[at : min(at + size, end)]
        if kind == _POOL and not strings:
            strings = _strings(chunk, header)
        elif kind == _START:
            yield _start_element(chunk, header, strings)
        at += size


def _strings(chunk: bytes, header: int) -> list[str]:
    count, _, flags, start, _ = struct.unpack_from("<IIIII", chunk, 8)
    if count > min(_MAX_STRINGS, len(chunk) // 4):
        raise ManifestError("more strings than fit in")
    offsets = struct.unpack_from(f"<{count}I", chunk, header)
    one = _utf8_string if flags & _UTF8 else _utf16_string
    left = MAX_MANIFEST_BYTES  # offsets may all name the same long string
    strings = []
    for offset in offsets:
        strings.append(one(chunk, start + offset))
        left -= len(strings[-1])
        if left < 0:
            raise ManifestError("more text than fits in")
    return strings


def _utf16_string(chunk: bytes, at: int) -> str:
    (length,) = struct.unpack_from("<H", chunk, at)
    at += 2
    if length & 0x8000:
        length = (length & 0x7FFF) << 16 | struct.unpack_from("<H", chunk, at)[0]
        at += 2
    return chunk[at : at + 2 * length].decode("utf-16-le", "replace")


def _utf8_string(chunk: bytes, at: int) -> str:
    at += 2 if chunk[at] & 0x80 else 1  # its length in UTF-16, which nobody needs
    length = chunk[at]
    at += 1
    if length & 0x80:
        length = (length & 0x7F) << 8 | chunk[at]
        at += 1
    return chunk[at : at + length].decode("utf-8", "replace")


def _start_element(chunk: bytes, header: int, strings: list[str]) -> tuple[str, Attributes]:
    _, name, start, size, count = struct.unpack_from("<IIHHH", chunk, header)
    if size < 20:
        raise ManifestError("attributes without a length")
    attributes: Attributes = {}
    for n in range(count):
        at = header + start + n * size
        _, key, raw, _, _, kind, value = struct.unpack_from("<IIIHBBI", chunk, at)
        if raw < len(strings):
            attributes[strings[key]] = strings[raw]
        elif kind == _STRING:
            attributes[strings[key]] = strings[value]
        elif _FIRST_INTEGER <= kind <= _LAST_INTEGER:
            attributes[strings[key]] = str(value)
    return strings[name], attributes


# Protocol buffers ---------------------------------------------------------------------------------------------


def _proto_elements(node: bytes, depth: int) -> Iterator[tuple[str, Attributes]]:
    """The elements of an XmlNode: 1 is its element; of that 3 is the name, 4 an attribute, 5 a child."""
    for field, element in _fields(node):
        if field != 1:
            continue
        parts = list(_fields(element))
        name = next((value.decode() for field, value in parts if field == 3), "")
        yield name, dict(_attribute(value) for field, value in parts if field == 4)
        if depth < _MAX_DEPTH:
            for child in (value for field, value in parts if field == 5):
                yield from _proto_elements(child, depth + 1)


def _attribute(data: bytes) -> tuple[str, str]:
    """An XmlAttribute: 2 is its name, 3 its value as text."""
    texts = {field: value.decode() for field, value in _fields(data) if field in {2, 3}}
    return texts.get(2, ""), texts.get(3, "")


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that have a length; others are skipped."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                _, at = _varint(data, at)
            case 1:
                at += 8
            case 2:
                length, at = _varint(data, at)
                if at + length > len(data):
                    raise ManifestError("a field that is longer than its message")
                yield tag >> 3, data[at : at + length]
                at += length
            case 5:
                at += 4
            case _:
                raise ManifestError("an unknown kind of field")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
        if shift > 63:
            raise ManifestError("a number without an end")
