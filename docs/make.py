"""Makes the pages that the code itself knows best: `python docs/make.py`; `--check` says whether they are current."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from configuration import configuration_page
from textual.dom import DOMNode

from tui import __version__
from tui.app import DigsiteApp
from tui.cli.commands import COMMANDS
from tui.cli.group import digsite
from tui.screens.bindings import ROOMS, bindings_of
from tui.widgets.keymaps import KEYMAPS
from tui.widgets.logtext import LogText
from tui.widgets.pane import Pane
from tui.widgets.rowlist import RowList

HERE = Path(__file__).parent
WIDTH = 100
_KEY_NAMES = {
    "at": "@", "slash": "/", "question_mark": "?", "exclamation_mark": "!", "colon": ":", "equals_sign": "=",
    "semicolon": ";", "ampersand": "&", "less_than_sign": "<", "greater_than_sign": ">",
    "left_square_bracket": "[", "right_square_bracket": "]", "ctrl+backslash": "ctrl+\\", "ctrl+underscore": "ctrl+_",
}  # fmt: skip


# Commands -----------------------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """All commands with their whole names, those in groups after their group."""
    root = click.Context(digsite, info_name="digsite", max_content_width=WIDTH, terminal_width=WIDTH)
    yield "digsite", digsite, root
    for name in sorted(COMMANDS):
        command = digsite.get_command(root, name)
        if command is not None:
            yield from _with_children(f"digsite {name}", command, root)


def _with_children(
    name: str, command: click.Command, parent: click.Context
) -> Iterator[tuple[str, click.Command, click.Context]]:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=WIDTH)
    yield name, command, context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _with_children(f"{name} {child}", found, context)


def commands_page() -> str:
    """Every command's help, as `--help` prints it."""
    parts = ["# Commands\n", "What `--help` says of each, made by `python docs/make.py`.\n"]
    for name, command, context in commands():
        parts.append(f"## {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def man_page() -> str:
    """`digsite.1`, for `man`."""
    lines = [f'.TH DIGSITE 1 "" "digsite {__version__}" "User Commands"', ".SH NAME"]
    lines += ["digsite \\- explore the artifacts that mobile CI builds leave behind", ".SH SYNOPSIS"]
    lines += [
        ".B digsite",
        "[\\fIPATH\\fR]",
        ".br",
        ".B digsite",
        "\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIPATH\\fR...]",
    ]
    lines += [".SH DESCRIPTION", _roff(_prose(digsite)), ".SH COMMANDS"]
    for name, command, context in commands():
        if command is digsite:
            continue
        lines += [".SS " + _roff(name), ".nf", _roff(command.get_help(context)), ".fi"]
    lines += [".SH EXIT STATUS", _roff(digsite.epilog or "")]
    return "\n".join(lines) + "\n"


def _prose(command: click.Command) -> str:
    return " ".join((command.help or "").split())


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.split("\n"))


# Keys ---------------------------------------------------------------------------------------------------------


def keys_page() -> str:
    """Every key with the id that config.toml knows it by, and what other maps make of it; each id once."""
    parts = ["# Keys\n", "Made from the bindings by `python docs/make.py`. `?` shows them in the explorer.\n"]
    parts.append(
        "Any of them can be changed in `config.toml`, several keys with commas between; `keymap` chooses a whole map:\n"
    )
    parts.append('```toml\nkeymap = "vim"\n\n[keys]\n"artifact.download" = "d,f"\n```\n')
    parts.append(
        "Keys that would do two things on one screen are named at the start. "
        "`:keys vim` tries a map for one run, and `:` takes whatever a key does by its name.\n"
    )
    others = [name for name in KEYMAPS if name != "default"]
    shared: tuple[tuple[str, tuple[type[DOMNode], ...]], ...] = (
        ("Everywhere", (DigsiteApp,)),
        ("Lists", (RowList,)),
        ("Filters", (Pane,)),
        ("Text of a log", (LogText,)),
    )
    seen: set[str] = set()
    for title, owners in (*shared, *ROOMS):
        rows = []
        for binding in bindings_of(owners):
            if binding.id and binding.id not in seen:
                seen.add(binding.id)
                maps = (_keys(KEYMAPS[name].get(binding.id, "")) for name in others)
                told = binding.tooltip or binding.description
                rows.append(f"| {_keys(binding.key)} | {told} | `{binding.id}` | {' | '.join(maps)} |")
        if rows:
            parts.append(f"## {title}\n")
            parts.append(f"| key | does | id | {' | '.join(others)} |\n| --- | --- | --- |{' --- |' * len(others)}")
            parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _keys(text: str) -> str:
    names = (key.strip() for key in text.split(",") if key.strip())
    return " ".join(f"`{_KEY_NAMES.get(name, name)}`" for name in names)


# ------------------------------------------------------------------------------------------------------------------

PAGES = {
    "commands.md": commands_page,
    "configuration.md": configuration_page,
    "digsite.1": man_page,
    "keys.md": keys_page,
}


def main() -> int:
    """Writes the pages, or says which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    check = parser.parse_args().check
    stale = []
    for name, make in PAGES.items():
        path, text = HERE / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and stale:
        sys.stderr.write(f"stale: {', '.join(stale)}; run: python docs/make.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
