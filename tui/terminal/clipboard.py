"""Text for the user's clipboard: by the terminal, which may be on another machine, or by a program of this one."""

from __future__ import annotations

import asyncio
import base64
import shutil
import sys
from collections.abc import Mapping
from typing import Final

MAX_BYTES: Final = 74_994
"""Of the encoded text: what xterm takes and most terminals with it; a longer one is cut or dropped without a word."""
_PROGRAM_LIMIT_S: Final = 2.0
_SCREEN_CHUNK: Final = 254
"""GNU screen hands on strings of up to 256 bytes."""


def sequence(text: str, environ: Mapping[str, str]) -> str | None:
    """What makes a terminal take a text into its clipboard (OSC 52); None where the text is too long.

    No terminal answers, so nobody can know whether it did. Inside tmux the sequence is sent wrapped and as it is: the
    one works with `allow-passthrough`, the other with `set-clipboard on`.

    Args:
        text: Any text.
        environ: Tells what the terminal is wrapped in.
    """
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if len(encoded) > MAX_BYTES:
        return None
    plain = f"\x1b]52;c;{encoded}\x07"
    if environ.get("TMUX"):
        return "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\" + plain
    if environ.get("TERM", "").startswith("screen"):
        chunks = (plain[at : at + _SCREEN_CHUNK] for at in range(0, len(plain), _SCREEN_CHUNK))
        return "".join(f"\x1bP{chunk}\x1b\\" for chunk in chunks)
    return plain


def program(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """The command that fills the clipboard of the desktop we run on; None over SSH or without one."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return None
    candidates: list[tuple[str, ...]] = []
    if sys.platform == "darwin":
        candidates.append(("pbcopy",))
    if environ.get("WAYLAND_DISPLAY"):
        candidates.append(("wl-copy",))
    if environ.get("DISPLAY"):
        candidates += [("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input")]
    if environ.get("WSL_DISTRO_NAME"):
        candidates.append(("clip.exe",))
    return next((command for command in candidates if shutil.which(command[0])), None)


async def fill(command: tuple[str, ...], text: str) -> bool:
    """Gives a text to a clipboard program; False when it does not take it in time."""
    try:
        running = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(_PROGRAM_LIMIT_S):
            await running.communicate(text.encode("utf-8", "replace"))
    except (TimeoutError, ConnectionError):
        return False
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    return running.returncode == 0
