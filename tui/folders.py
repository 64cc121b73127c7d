"""The folders digsite keeps its files in, under the user's own or all under `DIGSITE_HOME`.

Functions, not constants: the environment decides at the moment of use, so tests and `digsite demo` can move them.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

from tui.errors import ConfigError

_APP = "digsite"


def expanded(path: str | Path, what: str) -> Path:
    """A path with the `~` of its start replaced.

    Args:
        path: As typed.
        what: Where it was typed, for the error.

    Raises:
        ConfigError: Nobody of that name has a home.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(f"{what}: {str(path)!r} begins with the home of nobody.", hint="Write it out.") from error


def _home() -> Path | None:
    home = os.environ.get("DIGSITE_HOME")
    return expanded(home, "DIGSITE_HOME") if home else None


def config_dir() -> Path:
    """Holds config.toml."""
    home = _home()
    return home / "config" if home else platformdirs.user_config_path(_APP, appauthor=False)


def cache_dir() -> Path:
    """Holds the catalog; may be deleted at any time."""
    home = _home()
    return home / "cache" if home else platformdirs.user_cache_path(_APP, appauthor=False)


def state_dir() -> Path:
    """Holds the log, crash reports and the transfer queue."""
    home = _home()
    return home / "state" if home else platformdirs.user_state_path(_APP, appauthor=False)


def default_download_dir() -> Path:
    """`digsite/` in the user's download folder; `DIGSITE_HOME` moves it too."""
    home = _home()
    return home / "downloads" if home else platformdirs.user_downloads_path() / _APP


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, whole or not at all, in a folder that is made when missing.

    Raises:
        OSError: It cannot be written; what was there before is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp opens with O_EXCL, O_NOFOLLOW and mode 0600: there is no moment in which others may read it.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-", suffix=path.suffix)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
