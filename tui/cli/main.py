"""`digsite`: a verb, or a path to open in the explorer."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from tui import __version__
from tui.cli import exit_codes
from tui.cli.output import report
from tui.cli.runner import EndedBySignal
from tui.errors import DigsiteError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: Final = {
    "abort": "End a build that is under way.",
    "api": "Make any call of a provider's API.",
    "accounts": "List, add, remove and check accounts.",
    "archive": "Copy artifacts to a folder or bucket, verify and restore them, prune the provider.",
    "completion": "Print what a shell needs to complete verbs and paths.",
    "cat": "Write a file inside a remote archive to stdout.",
    "demo": "Open the explorer on demo data, served on this machine.",
    "diff": "Tell what changed between two builds, or two artifacts.",
    "expiring": "List what providers will drop, soonest first.",
    "get": "Download artifacts.",
    "identify": "Find the build and artifact that a file, or a crash's UUID, comes from.",
    "index": "List builds and artifacts into the catalog.",
    "log": "Write the log of a build to stdout.",
    "ls": "List what is there: apps, builds or artifacts.",
    "pin": "Keep artifacts from being pruned.",
    "rm": "Delete artifacts.",
    "share": "Switch a public install page on or off.",
    "show": "Show everything known of one thing.",
    "start": "Start a build, or repeat one.",
    "stats": "Count artifacts and bytes; what eats the space.",
    "token": "Mint a long-lived, read-only Xcode Cloud token.",
}
"""The verbs; each is `tui.cli.VERB:command`, imported when it is called."""
_COMPLETING: Final = "_DIGSITE_COMPLETE"
"""Set by a shell that asks what could follow."""


class Verbs(click.Group):
    """Finds a verb in its module; anything that is no verb is a path for the explorer."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"tui.cli.{cmd_name}").command
        if _COMPLETING in os.environ:
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
        from tui.cli.explore import command

        return "explore", command, args


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
        from tui.cli.explore import explore

        sys.exit(explore(None, with_catalog=not no_cache))


def _complete_paths(command: click.Command) -> None:
    from tui.cli.completion import PathType

    for parameter in command.params:
        if parameter.name in {"path", "paths"}:
            parameter.type = PathType()


def main() -> None:
    """Runs the command line and exits with its code."""
    sys.excepthook = _report_crash
    gc.disable()  # what is imported and made now stays: to look through it again and again takes a fifth of the start
    code = run()
    for stream in (sys.stdout, sys.stderr):
        _flush_or_drop(stream)
    sys.exit(code)


def _report_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from tui.crash import excepthook

    excepthook(kind, error, trace)


def _flush_or_drop(stream: TextIO) -> None:
    """A terminal or pipe may be gone by now; Python would turn the exit code into 120 for it."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def run() -> int:
    """Runs the command line; every DigsiteError ends as one clear message and an exit code."""
    _no_core_dumps()
    try:
        result: Any = digsite.main(prog_name="digsite", standalone_mode=False)
    except DigsiteError as error:
        report(error)
        return exit_codes.code_of(error)
    except EndedBySignal as ended:
        return ended.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except click.ClickException as error:
        error.show()
        return exit_codes.USAGE if isinstance(error, click.UsageError) else exit_codes.FAILED
    except BrokenPipeError:
        return exit_codes.FAILED
    return result if isinstance(result, int) else exit_codes.DONE


def _no_core_dumps() -> None:
    """A core file would hold the secrets in memory."""
    try:
        import resource
    except ImportError:  # Windows has none
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
