"""What the explorer remembers of its last run: the theme and where it was. Losing it loses nothing."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Final

from tui.folders import state_dir, write_private

_log = logging.getLogger(__name__)
_MAX_BYTES: Final = 64 << 10


class Remembered:
    """Texts by name, in one small file that may be missing, half-written or somebody else's.

    Args:
        path: By default `explorer.json` in the state folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or state_dir() / "explorer.json"

    def get(self, name: str) -> str | None:
        """What was kept under a name."""
        value = self._read().get(name)
        return value if isinstance(value, str) else None

    def set(self, name: str, value: str) -> None:
        """Keeps a text; where that fails the log says so and nothing else happens."""
        kept = self._read()
        if kept.get(name) == value:
            return
        try:
            write_private(self._path, json.dumps({**kept, name: value}))
        except OSError as error:
            _log.warning("%s cannot be written: %s", self._path.name, error.strerror)

    def _read(self) -> dict[str, object]:
        try:
            with self._path.open("rb") as file:
                data = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}
