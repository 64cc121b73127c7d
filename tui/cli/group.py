"""The command line as click has it: verbs with their options, and a path for the explorer."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from tui import __version__
from tui.cli import exit_codes
from tui.cli.commands import COMMANDS, COMPLETING

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Verbs(click.Group):
    """Finds a verb in its module; anything that is no verb is a path for the explorer."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"tui.cli.{cmd_name}").command
        if COMPLETING in os.environ:
            _complete_paths(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from tui.cli.completion import children

        paths = [CompletionItem(path) for path in children(incomplete)]
        return [*super().shell_complete(ctx, incomplete), *paths]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in COMMANDS:
            return super().resolve_command(ctx, args)
        return "explore", explore_path, args


@click.command(name="explore", add_help_option=False)
@click.argument("path")
@click.pass_context
def explore_path(ctx: click.Context, path: str) -> int:
    """Open the explorer at PATH."""
    from tui.cli.explore import open_explorer

    return open_explorer(path, with_catalog=not (ctx.parent is not None and ctx.parent.params.get("no_cache")))


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="A path is ACCOUNT/APP/BUILD/ARTIFACT; BUILD may be latest or latest-green@BRANCH, ARTIFACT a glob. "
    "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not allowed, 5 partly done, 6 verification failed.",
)
@click.version_option(__version__, prog_name="digsite")
@click.option("--read-only", is_flag=True, help="Refuse every change in this run, as DIGSITE_READ_ONLY=1 does.")
@click.option("--no-cache", is_flag=True, help="Open the explorer without the catalog of what was listed before.")
@click.pass_context
def digsite(ctx: click.Context, read_only: bool, no_cache: bool) -> None:
    """Explore the artifacts that mobile CI builds leave behind, on Bitrise and Xcode Cloud.

    Without a command opens the explorer, at PATH where one is given.
    """
    from tui.log import start_logging

    start_logging()
    if read_only:
        os.environ["DIGSITE_READ_ONLY"] = "1"  # for programs that are started, too
    if ctx.invoked_subcommand is None:
        from tui.cli.explore import open_explorer

        sys.exit(open_explorer(None, with_catalog=not no_cache))


def _complete_paths(command: click.Command) -> None:
    from tui.cli.completion import PathType

    for parameter in command.params:
        if parameter.name in {"path", "paths"}:
            parameter.type = PathType()


def run() -> int:
    """Parses the command line and carries it out; what click refuses ends as its message and an exit code."""
    try:
        result: Any = digsite.main(prog_name="digsite", standalone_mode=False)
    except click.Abort:
        return exit_codes.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return exit_codes.USAGE if isinstance(error, click.UsageError) else exit_codes.FAILED
    return result if isinstance(result, int) else exit_codes.DONE
