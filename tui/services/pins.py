"""What must never be pruned: pinned builds and artifacts, kept by id on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tui.errors import DigsiteError
from tui.folders import state_dir, write_private
from tui.models import AccountName, AppId, ArtifactId, ArtifactRef, BuildId, BuildRef
from tui.transfers.lock import try_lock

PinRef = BuildRef | ArtifactRef


class PinsUnreadable(DigsiteError):
    """The file of pins cannot be read; so nothing may be pruned."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned thing."""

    ref: PinRef
    path: str
    """As it was typed or shown then."""


class Pins:
    """All pins of this user.

    Args:
        path: Their file; by default the one in the state folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or state_dir() / "pins.json"

    def all(self) -> list[Pin]:
        """Every pin, in the order they were set.

        Raises:
            PinsUnreadable: The file is damaged.
        """
        try:
            listed = json.loads(self._path.read_text(encoding="utf-8"))["pins"]
            return [Pin(_ref(each), each["path"]) for each in listed]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PinsUnreadable(
                f"The pins in {self._path} cannot be read.", hint="Repair or remove the file, then pin again."
            ) from error

    def holds(self, artifact: ArtifactRef) -> bool:
        """Whether an artifact is pinned, by itself or with its build."""
        return bool({artifact, artifact.build_ref} & {pin.ref for pin in self.all()})

    def add(self, pins: Iterable[Pin]) -> None:
        """Pins things; those that are pinned stay so."""
        with self._changing() as kept:
            known = {pin.ref for pin in kept}
            kept.extend(pin for pin in pins if pin.ref not in known)

    def remove(self, refs: Iterable[PinRef]) -> None:
        """Takes pins away."""
        gone = set(refs)
        with self._changing() as kept:
            kept[:] = [pin for pin in kept if pin.ref not in gone]

    @contextmanager
    def _changing(self) -> Iterator[list[Pin]]:
        """The pins, to be changed while no other program changes them."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if not try_lock(descriptor):
                    raise DigsiteError("Another digsite is changing the pins.", hint="Try again.")
                pins = self.all()
                yield pins
                content = {"version": 1, "pins": [{**_document(pin.ref), "path": pin.path} for pin in pins]}
                write_private(self._path, json.dumps(content, indent=1) + "\n")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DigsiteError(f"The pins in {self._path} cannot be written ({error.strerror}).") from error


def _document(ref: PinRef) -> dict[str, str | None]:
    artifact = ref.artifact if isinstance(ref, ArtifactRef) else None
    return {"account": ref.account, "app": ref.app, "build": ref.build, "artifact": artifact}


def _ref(each: dict[str, str | None]) -> PinRef:
    account, app, build = (str(each[name]) for name in ("account", "app", "build"))
    if each["artifact"] is None:
        return BuildRef(AccountName(account), AppId(app), BuildId(build))
    return ArtifactRef(AccountName(account), AppId(app), BuildId(build), ArtifactId(each["artifact"]))
