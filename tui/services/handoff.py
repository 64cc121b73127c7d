"""Lines that get an artifact from here to another machine. Every name in them is quoted for the shell."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
from collections.abc import Mapping
from pathlib import Path

from tui.models import App, Artifact, Build
from tui.safe_text import safe_filename


def curl_line(url: str, title: str, artifact_id: str) -> str:
    """Downloads a signed URL into a file of the artifact's name; resumes when it is run again.

    Args:
        url: Works for anyone until it expires.
        title: As the server spells it.
        artifact_id: Tells names apart that fall together.
    """
    return shlex.join(
        [
            "curl",
            "--fail",
            "--location",
            "--continue-at",
            "-",
            "--output",
            safe_filename(title, unique=artifact_id),
            url,
        ]
    )


def scp_line(path: Path, environ: Mapping[str, str] | None = None) -> str:
    """Run on another machine, fetches a file from this one.

    The address is the one that the SSH session came in by, where there is one: it is known to be reached from there.
    """
    connection = (os.environ if environ is None else environ).get("SSH_CONNECTION", "").split()
    host = connection[2] if len(connection) == 4 else socket.gethostname()  # client, port, server, port
    if ":" in host:
        host = f"[{host}]"
    return shlex.join(["scp", f"{getpass.getuser()}@{host}:{path}", "."])


def command_lines(row: App | Build | Artifact, path: str) -> list[str]:
    """What does on the command line what the explorer's keys do with a row.

    Args:
        row: An app, a build or an artifact.
        path: Its path.
    """
    verbs: tuple[str, ...]
    match row:
        case App():
            verbs = ("ls", "start", "stats", "expiring")
        case Build():
            verbs = ("ls", "show", "get", "log", "abort")
        case Artifact():
            verbs = ("show", "get", "share", "rm")
    return [shlex.join(["digsite", verb, path]) for verb in verbs]
