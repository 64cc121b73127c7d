"""The log file, and what never gets into it.

Redaction happens in the formatter, so that tracebacks and the messages of httpx, httpcore and urllib3 are
covered too: httpx logs whole signed URLs at INFO, and httpcore logs request headers at DEBUG.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from tui import folders
from tui.safe_text import clean_lines
from tui.secret import mask_secrets

_MAX_BYTES: Final = 2_000_000
_OLD_FILES: Final = 2

_REDACTIONS: Final = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL), "[PEM removed]"),
    # Header dumps (b'Authorization', b'x'), mappings 'authorization': 'x' and plain lines alike.
    (
        re.compile(r"""((?:proxy-)?authorization)\b['"]?\s*[:=,]\s*b?(['"]?)[^'"\r\n]*\2""", re.IGNORECASE),
        r"\1: [removed]",
    ),
    (re.compile(r"bit[pw]at_[\w.~+/=-]+", re.IGNORECASE), "[token removed]"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "[JWT removed]"),
    (re.compile(r"(://)[^\s/@'\"]+@"), r"\1[removed]@"),
    # Whole URLs, and urllib3's `"GET /path?query HTTP/1.1"`.
    (re.compile(r"""((?:\b[a-z][a-z0-9+.-]*:/)?/[^\s?'"<>]*)\?[^\s'"<>]+""", re.IGNORECASE), r"\1?[removed]"),
    (
        re.compile(r"(X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token))[^\s&]+", re.IGNORECASE),
        r"\1 [removed]",
    ),
)


def redact(text: str) -> str:
    """The text without credentials: tokens, JWTs, keys, Authorization values, the query of every URL.

    Beside these forms, every `Secret` in use is masked: an older Bitrise token has no form of its own.
    """
    text = mask_secrets(text)
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Redacts the finished record, its traceback included, and neutralises control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as text that is safe to keep and to `cat`."""
        return clean_lines(redact(super().format(record)), limit=50_000)


def start_logging() -> Path | None:
    """Sends all logging to `digsite.log` in the state folder, at INFO or, with `DIGSITE_LOG=debug`, at DEBUG.

    Returns:
        The file; None when the folder cannot be written: then nothing is logged, and nothing fails.
    """
    root = logging.getLogger()
    level = logging.DEBUG if os.environ.get("DIGSITE_LOG", "").lower() == "debug" else logging.INFO
    path = folders.state_dir() / "digsite.log"
    handler: logging.Handler
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        handler = RotatingFileHandler(
            path, maxBytes=_MAX_BYTES, backupCount=_OLD_FILES, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(
        RedactingFormatter("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")
    )
    root.addHandler(handler)
    root.setLevel(level)
    logging.raiseExceptions = False  # neither a full disk nor a dying thread prints over the explorer
    threading.excepthook = _log_thread_error
    return path if isinstance(handler, RotatingFileHandler) else None


def _log_thread_error(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else "a thread"
    error = args.exc_value
    logging.getLogger(__name__).critical("%s ended by an error", name, exc_info=error)
