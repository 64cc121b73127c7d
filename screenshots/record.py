"""Records a session of the demo as `session.cast`, for asciinema: `python screenshots/record.py`.

The keys are typed by this script into a real terminal, with pauses in which a person would read.
"""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

COLUMNS, LINES = 100, 30
KEYS = (
    (4.0, "/acme-android\r"), (1.0, "\r"), (2.0, "j"), (0.5, "j"), (0.5, "j"),
    (1.0, "e"), (4.0, "\x1b"), (1.0, "k"), (0.5, "\r"), (2.0, "C"), (4.0, "\x1b"),
    (1.0, "x"), (4.0, "\x1b"), (1.0, "d"), (3.0, "Q"), (4.0, "\x1b"), (1.0, "q"),
)  # fmt: skip
"""Seconds to wait, then what is typed: why red, what changed, look inside, download, the code for a phone."""
LAST_S = 3.0


def main() -> None:
    """Runs the demo and writes the recording."""
    with tempfile.TemporaryDirectory() as home:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        env = {
            **kept, "HOME": home, "DIGSITE_HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor",
            "LANG": "C.UTF-8", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }  # fmt: skip
        events = _record([str(Path(sys.executable).with_name("digsite")), "demo"], env)
    head = {"version": 2, "width": COLUMNS, "height": LINES, "title": "digsite demo", "env": {"TERM": env["TERM"]}}
    lines = [json.dumps(head), *(json.dumps([round(at, 3), "o", text]) for at, text in events)]
    Path(__file__).with_name("session.cast").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _record(argv: list[str], env: dict[str, str]) -> list[tuple[float, str]]:
    """What the program wrote, and when, in seconds from its start."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    program = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True)
    os.close(slave)
    events: list[tuple[float, str]] = []
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    began = time.monotonic()

    def read_for(seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and select.select([master], [], [], left)[0]:
            try:
                text = decoder.decode(os.read(master, 65536))
            except OSError:  # the program has ended
                return
            events.append((time.monotonic() - began, text))

    for pause_s, keys in KEYS:
        read_for(pause_s)
        os.write(master, keys.encode())
    read_for(LAST_S)
    program.terminate()
    program.wait()
    os.close(master)
    return events


if __name__ == "__main__":
    main()
