"""The command lines that people copy from the pages are ones that digsite takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tui.cli.group import digsite

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MADE = {"commands.md", "keys.md"}
"""By `docs/make.py`, from the code."""
_BLOCK = re.compile(r"^```(?:sh|cron|ini)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:^|[\s/=(])digsite (.+)$")
_ENDS = {"&&", "||", "|", ";", "&", ">", ">>", ")"}


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of every `digsite` in blocks of commands, up to what the shell has for itself."""
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("#") or not _COMMAND.search(line):
                continue
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] | None = None
            for word in [*lexer, ";"]:
                if word in _ENDS and words is not None:
                    yield words
                    words = None
                elif words is not None:
                    words.append(word)
                elif word.endswith("digsite"):
                    words = []


DOCUMENTED = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)}")
    for page in PAGES
    if page.name not in MADE
    for words in commands(page.read_text(encoding="utf-8"))
]


def test_some_are_found() -> None:
    assert len(DOCUMENTED) > 25


@pytest.mark.parametrize("words", DOCUMENTED)
def test_a_documented_command_is_understood(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in (word for word in words if word.endswith((".p8", ".ipa"))):
        (tmp_path / Path(file).name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    group: click.Group = digsite
    context = click.Context(group, info_name="digsite")
    while True:
        name, command, rest = group.resolve_command(context, words)
        assert command is not None
        if not isinstance(command, click.Group) or not rest or rest[0] not in command.commands:
            break
        group, words = command, rest
    command.make_context(name, rest, parent=context)
