"""Programs that are run on a row: an editor, a pager, the installers of devices, and the user's own commands.

None goes through a shell, and none is given digsite's secrets. What a server named (paths, ids) reaches a program as
whole words, as environment and as JSON; never as text that something reads again.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

from tui import folders
from tui.credentials.command import end_with_children, scrubbed_environment
from tui.errors import DigsiteError
from tui.habits import Command
from tui.models import App, Artifact, ArtifactKind, Build
from tui.safe_text import clean
from tui.services.documents import app_document, artifact_document, build_document
from tui.threads import in_daemon_thread
from tui.transfers.history import History
from tui.transfers.snapshot import TransferSnapshot, TransferState

TIMEOUT_S: Final = 600.0
"""Of a program in the background: a large app over a slow cable takes minutes."""
LEAVE_S: Final = 5.0
"""How long a program that has the terminal may take to leave when digsite ends."""
_DEVICES_TIMEOUT_S: Final = 60.0
_TAIL_BYTES: Final = 4096
"""Of what a program printed; the last line of it is told."""
_WORD: Final = re.compile(r"\{(path|id|file)\}")


class ProgramError(DigsiteError):
    """A program cannot be started, failed, or did not end in time."""


@dataclass(frozen=True, slots=True)
class Target:
    """A row that programs are run on."""

    row: App | Build | Artifact
    path: str
    """As the command line takes it."""
    file: Path | None = None
    """Where it has been downloaded to."""

    @property
    def id(self) -> str:
        """Of the row itself."""
        match self.row:
            case App():
                return str(self.row.ref.app)
            case Build():
                return str(self.row.ref.build)
            case Artifact():
                return str(self.row.ref.artifact)


@dataclass(frozen=True, slots=True)
class Program:
    """Something that can be run on a row."""

    name: str
    argv: tuple[str, ...]
    is_interactive: bool = False
    """Whether it has the terminal while it runs."""
    is_dangerous: bool = False
    """Whether it is run only after a question."""
    wants_device: bool = False
    """Whether a device must be chosen first (`with_device`)."""
    refusal: str | None = None
    """Why it cannot be run on this row, in a sentence."""


@dataclass(frozen=True, slots=True)
class Device:
    """One that devicectl knows."""

    id: str
    name: str


# What can be run ----------------------------------------------------------------------------------------------


async def downloaded_file(artifact: Artifact, transfers: Iterable[TransferSnapshot]) -> Path | None:
    """Where this run, or an earlier one, has put an artifact; None where the file is not there or no longer the same.

    Args:
        artifact: One without a size is only found among the transfers.
        transfers: Of this run.
    """
    done = [t.target for t in transfers if t.state is TransferState.DONE and t.artifact.ref == artifact.ref]
    size = artifact.size_bytes

    def find() -> Path | None:
        with closing(History(folders.state_dir() / "transfers.sqlite")) as history:
            earlier = [] if size is None else [f.target for f in history.of_size(size) if f.artifact == artifact.ref]
            known = (target for target in earlier if history.knows(target, artifact.ref))
            return next((target for target in reversed(done) if target.is_file()), None) or next(known, None)

    return await in_daemon_thread(find, name="downloaded-file")


def programs_for(target: Target, commands: Sequence[Command], environ: Mapping[str, str]) -> list[Program]:
    """What can be run on a row: what is built in, then the user's own commands.

    Args:
        target: The row.
        commands: Of config.toml, for all kinds of rows.
        environ: `EDITOR`, `PAGER` and `PATH` are read.
    """
    kind = type(target.row).__name__.lower()
    own = [_own(command, target) for command in commands if command.on == kind]
    return [*_built_in(target, environ), *own]


def _built_in(target: Target, environ: Mapping[str, str]) -> Iterator[Program]:
    if target.file is None or not isinstance(target.row, Artifact):
        return
    file, path = str(target.file), environ.get("PATH")
    if editor := _words(environ.get("EDITOR", "")):
        yield Program("Open in $EDITOR", (*editor, file), is_interactive=True)
    if pager := _words(environ.get("PAGER", "")) or (["less"] if shutil.which("less", path=path) else []):
        yield Program("Open in $PAGER", (*pager, file), is_interactive=True)
    if target.row.kind is ArtifactKind.APK and shutil.which("adb", path=path):
        yield Program("Install with adb", ("adb", "install", "-r", file))
    if target.row.kind is ArtifactKind.IPA and sys.platform == "darwin" and shutil.which("xcrun", path=path):
        yield Program(
            "Install with devicectl", ("xcrun", "devicectl", "device", "install", "app", file), wants_device=True
        )


def _words(command: str) -> list[str]:
    """`EDITOR` may have arguments, as in `code --wait`."""
    try:
        return shlex.split(command)
    except ValueError:  # a quote is open
        return [command]


def _own(command: Command, target: Target) -> Program:
    texts = {"path": target.path, "id": target.id, "file": str(target.file or "")}
    # In one pass: a file may be called {id}.
    argv = tuple(_WORD.sub(lambda found: texts[found[1]], word) for word in command.argv)
    refusal = None
    if target.file is None and any("{file}" in word for word in command.argv):
        refusal = "Download it first."
    elif any(new.startswith("-") and not old.startswith("-") for old, new in zip(command.argv, argv, strict=True)):
        refusal = "Its id looks like an option, so it is handed to no program."
    return Program(command.name, argv, command.is_interactive, command.is_dangerous, refusal=refusal)


def with_device(program: Program, device: Device) -> Program:
    """The program for one device: `--device` stands before the file."""
    return replace(program, argv=(*program.argv[:-1], "--device", device.id, program.argv[-1]), wants_device=False)


async def devices() -> list[Device]:
    """The devices that this Mac is paired with, in reach or not.

    The JSON file is what Apple supports for scripts (`xcrun devicectl --help`); what is printed is for people.

    Raises:
        ProgramError: devicectl fails, or writes something else.
    """
    with tempfile.TemporaryDirectory(prefix="digsite-") as folder:
        file = Path(folder) / "devices.json"
        argv = ("xcrun", "devicectl", "list", "devices", "--json-output", str(file))
        await run_in_background(Program("devicectl", argv), b"", scrubbed_environment(), timeout_s=_DEVICES_TIMEOUT_S)
        try:
            answer = json.loads(file.read_bytes())
            found = [
                Device(str(each["identifier"]), str(each["deviceProperties"]["name"]))
                for each in answer["result"]["devices"]
            ]
        except (OSError, ValueError, KeyError, TypeError):
            raise ProgramError("devicectl has written no list of devices.") from None
    return [device for device in found if device.id and not device.id.startswith("-")]


# What they are told -------------------------------------------------------------------------------------------


def environment_for(target: Target, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without digsite's secrets, with the row as `DIGSITE_PATH`, `DIGSITE_ID` and `DIGSITE_FILE`.

    The last is empty where nothing has been downloaded.
    """
    row = {"DIGSITE_PATH": target.path, "DIGSITE_ID": target.id, "DIGSITE_FILE": str(target.file or "")}
    return scrubbed_environment(environ) | row


def document_for(target: Target) -> bytes:
    """The row as `digsite show --json` prints it, in ASCII, on one line."""
    content: dict[str, Any]
    match target.row:
        case App() as app:
            content = {"kind": "app", "app": app_document(app, target.path)}
        case Build() as build:
            content = {"kind": "build", "build": build_document(build, target.path)}
        case Artifact() as artifact:
            content = {"kind": "artifact", "artifact": artifact_document(artifact, target.path)}
    return json.dumps({"version": 1, **content}).encode("ascii") + b"\n"


# Running ------------------------------------------------------------------------------------------------------


async def run_in_background(
    program: Program, stdin: bytes, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S
) -> str:
    """Runs a program that has no terminal; gives the last line it printed.

    Its input and output are files, not pipes: it need not read what it is told, and a server that it leaves behind
    (`adb` starts one) holds nothing open that is waited for.

    Args:
        program: What to run.
        stdin: What it can read.
        environ: All of its environment.
        timeout_s: After so long it is ended with all its children.

    Raises:
        ProgramError: It cannot be started, failed, or did not end in time; with the last line it printed.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
        given.write(stdin)
        given.seek(0)
        process = await _start(program, environ, stdin=given, stdout=printed, stderr=printed, start_new_session=True)
        try:
            async with asyncio.timeout(timeout_s):
                code = await process.wait()
        except TimeoutError:
            raise ProgramError(f"{_named(program)} did not end within {timeout_s:.0f} seconds.") from None
        finally:
            await end_with_children(process)
        last = _last_line(printed)
    if code != 0:
        raise ProgramError(f"{_named(program)} failed with exit code {code}.", hint=last or None)
    return last


async def run_in_terminal(program: Program, environ: Mapping[str, str]) -> None:
    """Runs a program that has the terminal; it must be free. Takes as long as the user likes.

    Downloads go on meanwhile: the event loop is not held up.

    Raises:
        ProgramError: It cannot be started, or failed.
    """
    process = _open(program, environ)
    with _keys_that_interrupt_ignored():  # nothing is awaited before: ctrl+c may come as soon as it runs
        try:
            code = await in_daemon_thread(process.wait, name="program")
        finally:
            if process.poll() is None:  # digsite ends; an editor can still save what it has
                process.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(in_daemon_thread(process.wait, name="program"), LEAVE_S)
                process.kill()
    if code != 0:
        raise ProgramError(f"{_named(program)} failed with exit code {code}.")


def _open(program: Program, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(program.argv, env=environ)
    except (OSError, ValueError) as error:
        raise _not_started(program, error) from None


def _not_started(program: Program, error: OSError | ValueError) -> ProgramError:
    reason = error.strerror if isinstance(error, OSError) else "one of its words cannot be handed over"
    return ProgramError(f"{_named(program)} cannot be started: {reason}.")


async def _start(program: Program, environ: Mapping[str, str], **streams: Any) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(*program.argv, env=environ, **streams)
    except (OSError, ValueError) as error:
        raise _not_started(program, error) from None


@contextmanager
def _keys_that_interrupt_ignored() -> Iterator[None]:
    """ctrl+c and ctrl+\\ are for the program that has the terminal alone, as under system(3).

    Set once it runs: it would inherit that they are ignored.
    """
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _last_line(file: IO[bytes]) -> str:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TAIL_BYTES))
    lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return clean(lines[-1], 300) if lines else ""


def _named(program: Program) -> str:
    return clean(program.name, 80)
