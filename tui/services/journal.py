"""What was changed at a provider: one line before a change is sent, one when its outcome is known.

After a crash in the middle of many changes it tells which were sent, and which of those nobody knows the outcome of.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from tui.errors import DigsiteError
from tui.models import AppRef, Artifact, BuildRef


class JournalError(DigsiteError):
    """The journal cannot be written; so nothing is sent."""


class Journal:
    """Appends to a file that only its owner may read; never a URL or a secret.

    Args:
        path: Of the file, JSON lines; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, change: str, artifact: Artifact, state: str) -> None:
        """Adds one line, and has it on disk before it returns.

        Args:
            change: `delete`, `public on`, `public off`.
            artifact: What is changed.
            state: `sent`, `done`, `failed`, or `unknown`.

        Raises:
            JournalError: It cannot be written.
        """
        ref = artifact.ref
        self._append(
            change,
            state,
            account=ref.account,
            app=ref.app,
            build=ref.build,
            artifact=ref.artifact,
            title=artifact.title,
            size_bytes=artifact.size_bytes,
        )

    def write_build(self, change: str, app: AppRef, build: BuildRef | None, state: str) -> None:
        """The same for a build.

        Args:
            change: `start`, `rebuild`, `abort`.
            app: Where it is, or will be.
            build: What is repeated or aborted; None for a new one.
            state: As in `write`.

        Raises:
            JournalError: It cannot be written.
        """
        self._append(change, state, account=app.account, app=app.app, build=build.build if build else None)

    def _append(self, change: str, state: str, **subject: str | int | None) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps({"at": at, "change": change, "state": state, **subject})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise JournalError(
                f"The journal of changes, {self._path}, cannot be written ({error.strerror}).",
                hint="Nothing was sent. Free space, or set DIGSITE_HOME to a folder that can be written.",
            ) from error
