"""No secret gets into the log file, whoever logs it and however."""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.log import redact, start_logging

SECRETS = [
    "bitpat_SENTINEL", "bitwat_SENTINEL-1", "eyJSENTINEL.eyJSENTINEL.SENTINEL",
    "-----BEGIN PRIVATE KEY-----\nSENTINEL\nSENTINEL\n-----END PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----\\nSENTINEL", "Authorization: token SENTINEL", "authorization: SENTINEL",
    "{'Authorization': 'Bearer SENTINEL', 'Accept': 'x'}", "[(b'Authorization', b'SENTINEL'), (b'a', b'b')]",
    'Proxy-Authorization: Basic SENTINEL', "https://host/a/b.apk?X-Amz-Date=1&X-Amz-Signature=SENTINEL",
    '"GET /a/b.apk?X-Amz-Signature=SENTINEL HTTP/1.1" 200', "https://user:SENTINEL@proxy.example:3128",
    "HTTP Request: GET https://host/x?token=SENTINEL 200", "X-Amz-Signature=SENTINEL",
]  # fmt: skip


@pytest.fixture
def log_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path))
    monkeypatch.setenv("DIGSITE_LOG", "debug")
    root = logging.getLogger()
    before, level, excepthook = list(root.handlers), root.level, threading.excepthook
    started = start_logging()
    assert started is not None
    yield started
    for handler in root.handlers[:]:
        if handler not in before:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(level)
    threading.excepthook = excepthook
    logging.raiseExceptions = True


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_redacted(secret: str) -> None:
    shown = redact(f"before {secret} after")
    assert "SENTINEL" not in shown
    assert shown.startswith("before ")


@pytest.mark.parametrize(
    "text", ["why? because", "build 12/34 failed?", "GET https://host/a/b.apk", "jobs=4, authorised"]
)
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("name", ["tui", "httpx", "httpcore.http11", "urllib3.connectionpool", "keyring"])
def test_the_file_holds_no_secret_of_any_logger(log_file: Path, name: str) -> None:
    logger = logging.getLogger(name)
    for secret in SECRETS:
        logger.warning("value %s", secret)
        try:
            int(secret)
        except ValueError:
            logger.exception("failed")
    text = log_file.read_text()
    assert text.count("Traceback") == len(SECRETS)
    assert "SENTINEL" not in text


def test_hostile_text_cannot_drive_the_terminal_that_shows_the_log(log_file: Path) -> None:
    logging.getLogger("tui").error("title \x1b]52;c;x\x07 \x9b31m \u202e end")
    text = log_file.read_text()
    assert "end" in text
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


def test_an_error_that_ends_a_thread_is_logged_and_not_printed(
    log_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ValueError("bitpat_SENTINEL")

    thread = threading.Thread(target=fail, name="transfer-1")
    thread.start()
    thread.join()
    text = log_file.read_text()
    assert "transfer-1" in text
    assert "ValueError" in text
    assert "SENTINEL" not in text
    assert capfd.readouterr().err == ""


def test_the_file_is_private(log_file: Path) -> None:
    assert stat.S_IMODE(log_file.stat().st_mode) == 0o600


@pytest.mark.usefixtures("log_file")
def test_without_debug_the_level_is_info(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGSITE_LOG")
    start_logging()
    assert logging.getLogger().level == logging.INFO


def test_a_folder_that_cannot_be_made_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_file: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setitem(os.environ, "DIGSITE_HOME", str(tmp_path / "file"))
    assert start_logging() is None
    assert log_file.exists()
