"""Running builds: looked at politely, told of once; and the program that hears of it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from tui.config import load_config
from tui.errors import ConfigError, NotFound, Unreachable
from tui.models import AccountName, AppId, Build, BuildId, BuildRef, Status
from tui.services.following import BLURRED_PERIOD_S, MAX_WATCHED, PERIOD_S, Following, run_hook
from tui.terminal.cells import Cells
from tui.terminal.notice import notice


def build(number: int, status: Status = Status.RUNNING) -> Build:
    ref = BuildRef(AccountName("acme"), AppId("app"), BuildId(f"b{number}"))
    return Build(ref, number, status, str(status), workflow="primary")


@dataclass
class Watched:
    """A provider and a clock."""

    now: float = 0.0
    ends: bool = False
    error: Exception | None = None
    calls: list[BuildRef] = field(default_factory=list)

    async def build(self, ref: BuildRef) -> Build:
        self.calls.append(ref)
        if self.error is not None:
            raise self.error
        return build(int(ref.build[1:]), Status.SUCCEEDED if self.ends else Status.RUNNING)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def following(watched: Watched) -> Following:
    return Following(lambda _: cast("Any", watched), clock=lambda: watched.now)


async def spend(following: Following, watched: Watched, seconds: int) -> list[Build]:
    """Lets time go by, with a look whenever one is due; gives the ends that were told."""
    told = []
    for _ in range(seconds // 5):
        watched.now += 5
        for due in following.due:
            now, is_told = await following.look(due)
            told += [now] if is_told else []
    return told


async def test_at_most_sixty_calls_an_hour_for_each_build(following: Following, watched: Watched) -> None:
    following.show([build(1), build(2), build(3, Status.SUCCEEDED)])
    following.follow(build(1))
    await spend(following, watched, 3600)
    assert {ref.build for ref in watched.calls} == {"b1", "b2"}
    assert len(watched.calls) == 120


async def test_fewer_while_nobody_looks_and_at_once_when_somebody_does(following: Following, watched: Watched) -> None:
    following.show([build(1)])
    following.focus(has_focus=False)
    await spend(following, watched, 3600)
    blurred = len(watched.calls)
    assert blurred <= 3600 / BLURRED_PERIOD_S + 4
    following.focus(has_focus=True)
    await spend(following, watched, int(PERIOD_S))
    assert len(watched.calls) == blurred + 1


async def test_the_end_of_a_followed_build_is_told_once(following: Following, watched: Watched) -> None:
    following.follow(build(1))
    following.show([build(2)])
    assert following.is_followed(build(1).ref)
    assert await spend(following, watched, 120) == []
    watched.ends = True
    assert [one.number for one in await spend(following, watched, 600)] == [1]
    assert following.due == []


async def test_what_is_gone_is_dropped_and_what_fails_is_tried_again(following: Following, watched: Watched) -> None:
    following.follow(build(1))
    watched.error = Unreachable("no")
    await spend(following, watched, 180)
    assert len(watched.calls) == 3
    watched.error = NotFound("gone")
    await spend(following, watched, 600)
    assert len(watched.calls) == 4


async def test_many_running_builds_have_a_limit(following: Following, watched: Watched) -> None:
    following.show([build(n) for n in range(MAX_WATCHED * 3)])
    await spend(following, watched, int(PERIOD_S))
    assert len(watched.calls) == MAX_WATCHED
    following.show([])
    await spend(following, watched, 3600)
    assert len(watched.calls) == MAX_WATCHED, "no longer shown"


# The hook -----------------------------------------------------------------------------------------------------

HOOK = """
import json, os, sys
told = json.load(sys.stdin)
open(sys.argv[1], "w").write(json.dumps([told, sys.argv[2], sorted(os.environ)]))
"""


async def test_the_hook_gets_json_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BITRISE_TOKEN", "ASC_PRIVATE_KEY", "DIGSITE_SECRET_ACME"):
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("KEPT", "yes")
    out = tmp_path / "told.json"
    ended = replace(build(7, Status.FAILED), branch="$(touch x); 日本\x1b]")
    assert await run_hook([sys.executable, "-c", HOOK, str(out), "$HOME `id`"], ended) is None
    told, argument, names = json.loads(out.read_text())
    assert (told["kind"], told["number"], told["status"], told["branch"]) == ("build-ended", 7, "failed", ended.branch)
    assert argument == "$HOME `id`", "no shell has seen it"
    assert "KEPT" in names
    assert not {"BITRISE_TOKEN", "ASC_PRIVATE_KEY", "DIGSITE_SECRET_ACME"} & set(names)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/no/such/program"], "cannot be started"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "exit code 3"),
    ],
)
async def test_a_hook_that_fails_is_named(command: list[str], words: str) -> None:
    problem = await run_hook(command, build(1))
    assert problem is not None
    assert words in problem


async def test_a_hook_that_hangs_is_ended(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pipe.open("r+b", buffering=0):  # nobody writes, and it is closed with the test
        problem = await run_hook(["cat", str(pipe)], build(1), timeout_s=0.2)
    assert problem is not None
    assert "did not end within" in problem


def test_the_hook_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[notify]\ncommand = ["notify-send", "digsite"]\n')
    assert load_config(path).notify_command == ("notify-send", "digsite")
    for wrong, words in (('[notify]\ncommand = "sh -c x"', "list of words"), ("[notify]\nshell = 1", "not a key"),
                         ("notify = 3", "must be a table")):  # fmt: skip
        path.write_text(wrong + "\n")
        with pytest.raises(ConfigError, match=words):
            load_config(path)


# The terminal's notice ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "start"),
    [
        ({"TERM": "xterm-256color"}, "\x1b]9;"),
        ({"TERM": "foot"}, "\x1b]777;notify;"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "\x1b]777;notify;"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux,1,0"}, "\x1bPtmux;\x1b\x1b]9;"),
    ],
)
def test_a_notice_is_one_sequence_whatever_the_names_hold(environ: dict[str, str], start: str) -> None:
    told = notice("Build\x07 #1; \x1b]52;c;eA==\x07", "main\x1b\\\n\x9c", environ)
    assert told.startswith(start)
    body = told.removeprefix(start).removesuffix("\x1b\\").removesuffix("\x07")
    assert all(character.isprintable() for character in body), "nothing ends or starts a sequence"
    assert Cells(20, 2).feed(f"ab{told}cd") == told, "it is no text for the screen"
