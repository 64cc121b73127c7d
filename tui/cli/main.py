"""`digsite`: a verb, or a path to open in the explorer."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final, TextIO

from tui.cli import exit_codes
from tui.cli.commands import COMMANDS, COMPLETING
from tui.cli.output import report
from tui.errors import DigsiteError

_OUTPUT_FAILED: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def main() -> None:
    """Runs the command line and exits with its code."""
    sys.excepthook = _report_crash
    _open_what_is_closed()
    gc.disable()  # what is imported and made now stays: to look through it again and again takes a fifth of the start
    code = run()
    for stream in (sys.stdout, sys.stderr):
        _flush_or_drop(stream)
    sys.exit(code)


def _open_what_is_closed() -> None:
    """A daemon's child may have no standard streams; what is opened next would get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # as long as the program


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
        if _opens_explorer(sys.argv[1:]):
            return _explore(*sys.argv[1:])
        from tui.cli.group import run as run_command

        return run_command()
    except DigsiteError as error:
        report(error)
        return exit_codes.code_of(error)
    except exit_codes.EndedBySignal as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        return exit_codes.FAILED
    except OSError as error:
        if error.errno not in _OUTPUT_FAILED or error.filename is not None:
            raise
        report(DigsiteError(f"The output cannot be written ({error.strerror})."))
        return exit_codes.FAILED


def _opens_explorer(arguments: Sequence[str]) -> bool:
    """Whether there is nothing to parse, so that the first paint need not wait for click: nothing, or one path."""
    if COMPLETING in os.environ or len(arguments) > 1:
        return False
    return not arguments or not (arguments[0].startswith("-") or arguments[0] in COMMANDS)


def _explore(path: str | None = None) -> int:
    from tui.cli.put_off import put_off

    put_off("ssl", "asyncio.sslproto")
    from tui.cli.explore import open_explorer
    from tui.log import start_logging

    start_logging()
    return open_explorer(path)


def _no_core_dumps() -> None:
    """A core file would hold the secrets in memory."""
    try:
        import resource
    except ImportError:  # Windows has none
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
