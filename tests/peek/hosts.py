"""What a storage host of the tests serves."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.demo.archives import Body


class Computed:
    """A body too large to hold, where tests want bytes."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def __len__(self) -> int:
        return self._body.size

    def __getitem__(self, part: slice) -> bytes:
        return self._body.read(part.start, part.stop - part.start)


@dataclass
class Host:
    """A storage host with one object, and what it was asked."""

    url: str
    content: bytes | Computed = b""
    ranges: list[str | None] = field(default_factory=list)
    expired_for: int = 0
    ignores_ranges: bool = False
    software: str = "Test"
    etag: str | None = None
    headers: list[dict[str, str]] = field(default_factory=list)
