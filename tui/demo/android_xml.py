"""A writer of Android's binary XML, as far as a manifest needs it.

Source of the format: Android Open Source Project, `ResourceTypes.h` (ResChunk_header, ResStringPool_header,
ResXMLTree_node, ResXMLTree_attrExt).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_ANDROID: Final = "http://schemas.android.com/apk/res/android"
_NONE: Final = 0xFFFFFFFF
_STRING: Final = 0x03
_INTEGER: Final = 0x10

_RESOURCE_IDS: Final = {
    "label": 0x01010001,
    "name": 0x01010003,
    "minSdkVersion": 0x0101020C,
    "versionCode": 0x0101021B,
    "versionName": 0x0101021C,
    "targetSdkVersion": 0x01010270,
}
"""The framework's ids of attributes; the string pool must begin with their names, in this order."""


@dataclass(frozen=True)
class _Element:
    name: str
    attributes: Sequence[tuple[str, str | int]]
    children: Sequence[_Element] = ()


def manifest(
    *, package: str, version_name: str, version_code: int, minimum_sdk: int, target_sdk: int, label: str
) -> bytes:
    """AndroidManifest.xml in its binary form."""
    activity = _Element("activity", [("name", f"{package}.MainActivity")])
    tree = _Element(
        "manifest",
        [("versionCode", version_code), ("versionName", version_name), ("package", package)],
        [
            _Element("uses-sdk", [("minSdkVersion", minimum_sdk), ("targetSdkVersion", target_sdk)]),
            _Element("uses-permission", [("name", "android.permission.INTERNET")]),
            _Element("uses-permission", [("name", "android.permission.CAMERA")]),
            _Element("application", [("label", label)], [activity]),
        ],
    )
    strings = [*_RESOURCE_IDS, "android", _ANDROID]
    _collect(tree, strings)
    index = {text: position for position, text in enumerate(strings)}
    namespace = struct.pack("<II", index["android"], index[_ANDROID])
    body = (
        _pool(strings)
        + _chunk(0x0180, b"", b"".join(struct.pack("<I", value) for value in _RESOURCE_IDS.values()))
        + _node(0x0100, namespace)
        + _element(tree, index)
        + _node(0x0101, namespace)
    )
    return _chunk(0x0003, b"", body)


def _collect(element: _Element, strings: list[str]) -> None:
    texts = [element.name]
    for name, value in element.attributes:
        texts += [name, value] if isinstance(value, str) else [name]
    strings += dict.fromkeys(text for text in texts if text not in strings)
    for child in element.children:
        _collect(child, strings)


def _chunk(kind: int, header: bytes, body: bytes) -> bytes:
    return struct.pack("<HHI", kind, 8 + len(header), 8 + len(header) + len(body)) + header + body


def _node(kind: int, body: bytes) -> bytes:
    return _chunk(kind, struct.pack("<II", 1, _NONE), body)


def _pool(strings: Sequence[str]) -> bytes:
    data = bytearray()
    offsets = []
    for text in strings:
        offsets.append(len(data))
        data += struct.pack("<H", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le") + b"\0\0"
    data += b"\0" * (-len(data) % 4)
    start = 28 + 4 * len(strings)
    header = struct.pack("<IIIII", len(strings), 0, 0, start, 0)
    return _chunk(0x0001, header, struct.pack(f"<{len(offsets)}I", *offsets) + bytes(data))


def _element(element: _Element, index: dict[str, int]) -> bytes:
    attributes = b""
    for name, value in element.attributes:
        space = index[_ANDROID] if name in _RESOURCE_IDS else _NONE
        raw, kind, data = (index[value], _STRING, index[value]) if isinstance(value, str) else (_NONE, _INTEGER, value)
        attributes += struct.pack("<IIIHBBI", space, index[name], raw, 8, 0, kind, data)
    extension = struct.pack("<IIHHHHHH", _NONE, index[element.name], 20, 20, len(element.attributes), 0, 0, 0)
    start = _node(0x0102, extension + attributes)
    end = _node(0x0103, struct.pack("<II", _NONE, index[element.name]))
    return start + b"".join(_element(child, index) for child in element.children) + end
