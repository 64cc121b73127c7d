"""The secret from a program: `token_command = ["op", "read", "op://ci/digsite/key"]`, as git and aws have it.

So a key need never be on the machine: the program may as well print a token (JWT) that ends in twenty minutes.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from tui.errors import CredentialError
from tui.safe_text import clean
from tui.secret import Secret

TIMEOUT_S: Final = 30.0
"""A password manager may ask for a finger first."""
MAX_BYTES: Final = 64 * 1024

_SECRET_VARIABLES: Final = frozenset(
    {"ASC_PRIVATE_KEY", "ASC_PRIVATE_KEY_PATH", "BITRISE_TOKEN", "DIGSITE_VAULT_PASSPHRASE"}
)


def scrubbed_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a program that digsite starts: without digsite's own secrets."""
    source = os.environ if environ is None else environ
    return {
        name: value
        for name, value in source.items()
        if name not in _SECRET_VARIABLES and not name.startswith("DIGSITE_SECRET_")
    }


async def secret_of_command(command: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> Secret:
    """Runs a program, without a shell, and takes what it prints for the secret.

    Its stderr is thrown away: it could hold the secret as well as an explanation.

    Raises:
        CredentialError: It cannot be started, fails, prints nothing or too much, or does not end in time.
    """
    program = clean(command[0], 80)
    by_hand = "Run it by hand to see what it says."
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=scrubbed_environment(),
            start_new_session=True,  # it cannot write over the explorer, and ends with all its children
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be used"
        raise CredentialError(f"The token_command {program} cannot be started: {reason}.") from None
    try:
        async with asyncio.timeout(timeout_s):
            printed = await _read_all(process)
            code = await process.wait()
    except TimeoutError:
        raise CredentialError(
            f"The token_command {program} did not end within {timeout_s:.0f} seconds.", hint=by_hand
        ) from None
    finally:
        await end_with_children(process)
    if code != 0:
        raise CredentialError(f"The token_command {program} failed with exit code {code}.", hint=by_hand)
    if len(printed) > MAX_BYTES:
        raise CredentialError(f"The token_command {program} printed more than any secret has.", hint=by_hand)
    try:
        text = printed.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise CredentialError(f"The token_command {program} printed something that is not text.") from None
    if not text.strip():
        raise CredentialError(f"The token_command {program} printed nothing.", hint=by_hand)
    return Secret(text)


async def _read_all(process: asyncio.subprocess.Process) -> bytes:
    """All it prints, but never much more than `MAX_BYTES`."""
    printed = b""
    while process.stdout is not None and len(printed) <= MAX_BYTES:
        chunk = await process.stdout.read(MAX_BYTES)
        if not chunk:
            break
        printed += chunk
    return printed


async def end_with_children(process: asyncio.subprocess.Process) -> None:
    """Kills a program that was started in a session of its own, and all that it has started; it may have ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        await process.wait()
