"""Programs on a row: which there are, what reaches them, and what is told of their end."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tui import folders
from tui.config import load_config
from tui.errors import ConfigError
from tui.habits import Command
from tui.models import (
    AccountName,
    App,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    Status,
)
from tui.services.programs import (
    Device,
    Program,
    ProgramError,
    Target,
    devices,
    document_for,
    downloaded_file,
    environment_for,
    programs_for,
    run_in_background,
    run_in_terminal,
    with_device,
)
from tui.transfers.history import Finished, History

REF = ArtifactRef(AccountName("acme"), AppId("app"), BuildId("b1"), ArtifactId("a1"))
posix = pytest.mark.skipif(os.name == "nt", reason="scripts, groups of processes and FIFOs are those of POSIX")
TELLS = "import json, os, sys; open(sys.argv[1], 'w').write(json.dumps([sys.argv, dict(os.environ), sys.stdin.read()]))"


def artifact(kind: ArtifactKind = ArtifactKind.APK, *, ident: str = "a1", size: int | None = 4) -> Artifact:
    ref = ArtifactRef(REF.account, REF.app, REF.build, ArtifactId(ident))
    return Artifact(ref, "app.apk", kind, str(kind), size_bytes=size)


def target(file: Path | None = None, *, ident: str = "a1", kind: ArtifactKind = ArtifactKind.APK) -> Target:
    return Target(artifact(kind, ident=ident), "acme/app/1/$(touch x); app.apk", file)


def python(code: str, *words: str) -> Program:
    return Program("Mine", (sys.executable, "-c", code, *words))


@pytest.fixture
def tool(tmp_path: Path) -> Callable[[str, str], str]:
    """Makes a program; gives the PATH it is on."""

    def make(name: str, code: str) -> str:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        file = folder / name
        file.write_text(f"#!{sys.executable}\n{code}\n")
        file.chmod(0o755)
        return str(folder)

    return make


@posix
def test_what_is_built_in_is_offered_for_files_that_are_here_with_the_tools_that_are_there(
    tmp_path: Path, tool: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tool("adb", "")
    assert tool("xcrun", "") == tool("less", "") == path
    environ = {"PATH": path, "EDITOR": "code --wait"}
    file = tmp_path / "{id} app"
    assert programs_for(target(), [], environ) == []
    offered = {program.name: program for program in programs_for(target(file), [], environ)}
    assert offered["Open in $EDITOR"].argv == ("code", "--wait", str(file))
    assert offered["Open in $PAGER"].argv == ("less", str(file))
    assert offered["Install with adb"].argv == ("adb", "install", "-r", str(file))
    assert offered["Open in $EDITOR"].is_interactive
    assert not offered["Install with adb"].is_interactive
    assert "Install with devicectl" not in offered
    monkeypatch.setattr(sys, "platform", "darwin")
    ipa = target(file, kind=ArtifactKind.IPA)
    offered = {program.name: program for program in programs_for(ipa, [], environ)}
    assert "Install with adb" not in offered
    assert with_device(offered["Install with devicectl"], Device("D1", "Phone")).argv[-3:] == (
        "--device",
        "D1",
        str(file),
    )
    bare = {program.name for program in programs_for(target(file), [], {"PATH": str(tmp_path)})}
    assert bare == set()


def test_words_of_a_command_are_filled_in_once_and_stay_whole_words(tmp_path: Path) -> None:
    file = tmp_path / "{path} {id}.apk"
    command = Command("Mine", ("run", "--on={id}", "{path}", "{file}", "{other} {}"), "artifact")
    (program,) = programs_for(target(file), [command, Command("Other", ("x",), "build")], {"PATH": str(tmp_path)})
    assert program.argv == ("run", "--on=a1", "acme/app/1/$(touch x); app.apk", str(file), "{other} {}")
    assert program.refusal is None


def test_what_is_not_downloaded_or_looks_like_an_option_is_refused() -> None:
    wants_file = Command("Mine", ("run", "{file}"), "artifact")
    assert [program.refusal for program in programs_for(target(), [wants_file], {})] == ["Download it first."]
    wants_id = Command("Mine", ("rm", "{id}"), "artifact")
    (program,) = programs_for(target(ident="-rf"), [wants_id], {})
    assert "looks like an option" in str(program.refusal)


async def test_it_is_given_the_row_and_no_secret(tmp_path: Path) -> None:
    secret = {"BITRISE_TOKEN": "canary", "DIGSITE_SECRET_ACME": "canary", "ASC_PRIVATE_KEY": "canary"}
    environ = environment_for(target(tmp_path / "app.apk"), {**os.environ, **secret})
    out = tmp_path / "out"
    await run_in_background(python(TELLS, str(out), "two words"), document_for(target()), environ)
    argv, seen, stdin = json.loads(out.read_text())
    assert argv[2:] == ["two words"]
    assert seen["DIGSITE_PATH"] == target().path
    assert seen["DIGSITE_ID"] == "a1"
    assert seen["DIGSITE_FILE"] == str(tmp_path / "app.apk")
    assert "canary" not in json.dumps(seen)
    document = json.loads(stdin)
    assert (document["version"], document["kind"]) == (1, "artifact")
    assert document["artifact"]["path"] == target().path


def test_the_document_is_what_the_command_line_prints_for_each_kind() -> None:
    app = App(AppRef(REF.account, REF.app), "Äpp \x1b[31m", "bitrise")
    build = Build(REF.build_ref, 7, Status.RUNNING, "running")
    for row, kind in ((app, "app"), (build, "build")):
        raw = document_for(Target(row, "acme/app"))
        assert b"\x1b" not in raw
        assert raw.isascii()
        assert json.loads(raw)[kind]["path"] == "acme/app"


async def test_what_it_printed_last_is_told_and_cannot_drive_the_terminal() -> None:
    said = await run_in_background(python("print('much'); print('Suc\\x1b[2Jcess'); print()"), b"", dict(os.environ))
    assert said.startswith("Suc")
    assert "\x1b" not in said


async def test_a_failure_tells_the_code_and_why() -> None:
    with pytest.raises(ProgramError, match="Mine failed with exit code 3") as caught:
        await run_in_background(python("import sys; print('no device'); sys.exit(3)"), b"", dict(os.environ))
    assert caught.value.hint == "no device"
    with pytest.raises(ProgramError, match="cannot be started: No such file"):
        await run_in_background(Program("Mine", ("/nowhere/at-all",)), b"", {})
    with pytest.raises(ProgramError, match="cannot be started"):
        await run_in_background(Program("Mine", (sys.executable, "a\0b")), b"", {})


@posix
async def test_one_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    held = str(tmp_path / "held")
    os.mkfifo(held)
    reading = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    child = f"import signal; held = open({held!r}, 'w'); signal.pause()"
    code = f"import signal, subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); signal.pause()"
    try:
        with pytest.raises(ProgramError, match="did not end"):
            await run_in_background(python(code), b"", dict(os.environ), timeout_s=3)
        assert select.select([reading], [], [], 30)[0]  # nobody holds it open any more
        assert os.read(reading, 1) == b""
    finally:
        os.close(reading)


@posix
async def test_a_server_that_it_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import pathlib, subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True);"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid)); print('Success')"
    )
    try:
        assert await run_in_background(python(code), b"", dict(os.environ)) == "Success"
    finally:
        os.kill(int(note.read_text()), signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="which signals a process ignores is read from /proc")
async def test_in_the_terminal_ctrl_c_is_for_the_program_alone_and_afterwards_for_digsite() -> None:
    before = signal.getsignal(signal.SIGINT)
    # It waits until digsite ignores the signal; and who started these tests may have had it ignored in all programs.
    code = (
        "import os, re, signal\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "status = f'/proc/{os.getppid()}/status'\n"
        "while not int(re.search(r'SigIgn:\\s+(\\w+)', open(status).read())[1], 16) & 1 << signal.SIGINT - 1: pass\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )
    with pytest.raises(ProgramError, match="exit code"):  # it died of its own
        await run_in_terminal(python(code), dict(os.environ))
    assert signal.getsignal(signal.SIGINT) is before


async def test_a_file_of_an_earlier_run_is_known_as_long_as_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGSITE_HOME", str(tmp_path / "home"))
    file = tmp_path / "app.apk"
    file.write_bytes(b"1234")
    finished = Finished(file, REF, 4, "0" * 64, file.stat().st_mtime_ns)
    History(folders.state_dir() / "transfers.sqlite").add(finished)
    assert await downloaded_file(artifact(), ()) == file
    assert await downloaded_file(artifact(ident="other"), ()) is None
    assert await downloaded_file(artifact(size=None), ()) is None
    file.write_bytes(b"12345")
    assert await downloaded_file(artifact(), ()) is None


@posix
async def test_devices_are_read_from_the_file_that_devicectl_writes(
    tool: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"result": {"devices": [{"identifier": "D1", "deviceProperties": {"name": "Phone"}}]}}
    path = tool("xcrun", f"import sys\nopen(sys.argv[-1], 'w').write({json.dumps(found)!r})")
    monkeypatch.setenv("PATH", path, prepend=os.pathsep)
    assert await devices() == [Device("D1", "Phone")]
    tool("xcrun", "import sys\nopen(sys.argv[-1], 'w').write('[]')")
    with pytest.raises(ProgramError, match="no list of devices"):
        await devices()


COMMANDS = """\
[[commands]]
name = "Mine"
argv = ["run", "{file}"]
on = "artifact"
dangerous = true
"""


def test_commands_of_the_config_are_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMANDS)
    assert load_config(path).habits.commands == (Command("Mine", ("run", "{file}"), "artifact", is_dangerous=True),)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('"artifact"', '"row"'), "line 4, key 'commands.on': in command 1: must be one of app, build, artifact"),
        (('"artifact"', '"app"'), "line 3, key 'commands.argv': in command 1: can hold {file} only on an artifact"),
        (('["run", "{file}"]', '"run {file}"'), "line 3, key 'commands.argv': in command 1: must be a list of words"),
        (("true", '"yes"'), "line 5, key 'commands.dangerous': in command 1: must be true or false"),
        (("dangerous", "danger"), "line 5, key 'commands.danger': in command 1: is not a key digsite knows"),
        (('name = "Mine"\n', ""), "key 'commands.name': in command 1: must be text in quotes"),
        (("[[commands]]", "[commands]"), "line 1, key 'commands': must be tables"),
        (("", COMMANDS), "'Mine' is there twice"),
    ],
)
def test_a_wrong_command_is_refused_with_its_line(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMANDS.replace(*change, 1))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert says in str(caught.value)
