"""Numbers, choices and ids that are pure functions of their arguments: the demo keeps no list of its things."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

T = TypeVar("T")

_PAYLOAD_BITS: Final = 48
_MASK: Final = (1 << _PAYLOAD_BITS) - 1


def octets(length: int, *parts: object) -> bytes:
    """Pseudo-random bytes."""
    return hashlib.shake_128("\x1f".join(map(str, parts)).encode()).digest(length)


def number(*parts: object) -> int:
    """A pseudo-random 64-bit number."""
    return int.from_bytes(octets(8, *parts), "big")


def between(low: int, high: int, *parts: object) -> int:
    """A pseudo-random number, both ends included."""
    return low + number(*parts) % (high - low + 1)


def growing(low: int, high: int, distance: int, *parts: object) -> int:
    """A number that grows with a history, with a little noise and a jump at its end.

    Args:
        low: What it was 400 steps ago and before.
        high: What it will not exceed.
        distance: Steps back from the newest; negative for what came later.
        parts: What the noise depends on.
    """
    share = 0.8 * max(0.0, 1 - max(distance, 0) / 400) + (0.12 if distance <= 0 else 0.0)
    return low + int((high - low) * (share + 0.08 * (number(*parts) % 1000) / 1000))


def pick(options: Sequence[T], *parts: object) -> T:
    """One of the options."""
    return options[number(*parts) % len(options)]


def hexadecimal(length: int, *parts: object) -> str:
    """Pseudo-random hexadecimal digits."""
    return octets((length + 1) // 2, *parts).hex()[:length]


@dataclass(frozen=True)
class IdCodec:
    """Ids that look random and still say what they name, so that a lookup needs no index.

    A payload of up to 48 bits is scrambled; the remaining digits are a check, so a made-up id names nothing.
    """

    kind: str

    @cached_property
    def _factor(self) -> int:
        return (number("factor", self.kind) & _MASK) | 1

    @cached_property
    def _inverse(self) -> int:
        return pow(self._factor, -1, 1 << _PAYLOAD_BITS)

    def short(self, payload: int) -> str:
        """16 hexadecimal digits, the older form of a Bitrise slug."""
        return self._check(payload, 4) + f"{payload * self._factor & _MASK:012x}"

    def uuid(self, payload: int) -> str:
        """A UUID, the newer form of a Bitrise slug and Apple's only one."""
        check = self._check(payload, 18)
        tail = f"{payload * self._factor & _MASK:012x}"
        return f"{check[:8]}-{check[8:12]}-4{check[12:15]}-a{check[15:18]}-{tail}"

    def decode(self, text: str) -> int | None:
        """The payload of an id of either form; None when it was not made here."""
        try:
            payload = int(text[-12:], 16) * self._inverse & _MASK
        except ValueError:
            return None
        return payload if text in {self.short(payload), self.uuid(payload)} else None

    def _check(self, payload: int, digits: int) -> str:
        return hexadecimal(digits, "check", self.kind, payload)
