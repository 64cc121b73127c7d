"""The address that names a thing everywhere: `ACCOUNT/APP/BUILD/ARTIFACT//MEMBER`.

Parts are percent-encoded where they must be: a `/`, a `%` that would be read as an escape, and every character
that a terminal could take for a command. So what a path prints can be pasted back.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from tui.errors import PathError

_ESCAPE: Final = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def encode(part: str) -> str:
    """One part of a path, as digsite prints it."""
    escaped = _ESCAPE.sub("%25", part).replace("/", "%2F")
    if escaped.isascii() and escaped.isprintable():
        return escaped
    return "".join(_encode_char(char) if unicodedata.category(char) in _UNSAFE else char for char in escaped)


def _encode_char(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def decode(part: str) -> str:
    """The text that a printed part stands for.

    Raises:
        PathError: It is none.
    """
    if "%" not in part:
        return part
    try:
        return unquote_to_bytes(part).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise PathError(f"The part {part!r} of the path is not text.", hint="Write a % as %25.") from error


def join(*parts: str) -> str:
    """A path from the texts of its parts."""
    return "/".join(encode(part) for part in parts)


@dataclass(frozen=True, slots=True)
class BuildSelector:
    """Which build: a number or id, or the newest finished one, or the newest green one, of a branch or of all."""

    text: str
    """The number or id; `latest` or `latest-green` for the newest."""
    branch: str | None = None

    @property
    def is_newest(self) -> bool:
        """Whether it says `latest` or `latest-green` rather than a name."""
        return self.text in {"latest", "latest-green"}


@dataclass(frozen=True, slots=True)
class DigPath:
    """A parsed path; parts that were not given are None."""

    account: str | None = None
    app: str | None = None
    build: BuildSelector | None = None
    artifact: str | None = None
    member: str | None = None

    @classmethod
    def parse(cls, text: str) -> DigPath:
        """Reads a path as a person typed or pasted it.

        Raises:
            PathError: It has empty or too many parts.
        """
        head, separator, member = text.partition("//")
        raw = head.strip("/").split("/") if head.strip("/") else []
        if any(not part for part in raw):
            raise PathError(f"The path {text!r} has an empty part.", hint="Write ACCOUNT/APP/BUILD/ARTIFACT.")
        if len(raw) > 4:
            raise PathError(
                f"The path {text!r} has {len(raw)} parts; there are at most four.",
                hint="Write a / inside a title or branch as %2F.",
            )
        if separator and len(raw) < 4:
            raise PathError(
                f"The path {text!r} names a member of no artifact.", hint="ACCOUNT/APP/BUILD/ARTIFACT//MEMBER"
            )
        parts: list[str | None] = [decode(part) for part in raw]
        account, app, build, artifact = (parts + [None] * 4)[:4]
        selector = _selector(raw[2]) if build is not None else None
        return cls(account, app, selector, artifact, member if separator else None)


def _selector(raw: str) -> BuildSelector:
    name, at, branch = raw.partition("@")
    if name in {"latest", "latest-green"}:
        if at and not branch:
            raise PathError(f"{raw!r} has no branch after the @.", hint="For example latest-green@main.")
        return BuildSelector(name, decode(branch) if at else None)
    return BuildSelector(decode(raw))
