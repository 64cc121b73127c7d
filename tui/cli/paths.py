"""Paths as they are typed on the command line: of things, or `@NAME` of a saved dig."""

from __future__ import annotations

from tui.errors import PathError
from tui.paths import DigPath
from tui.safe_text import clean


def parse_path(text: str, *, inside: bool = False) -> DigPath:
    """The path that was typed, or that the dig stands for.

    Args:
        text: As typed.
        inside: Whether it may name a file inside an artifact; what works on whole artifacts must not take that for one.

    Raises:
        PathError: It cannot be read, there is no such dig, or it has a filter, which is for lists.
        ConfigError: config.toml is wrong; it is read for a dig only.
    """
    path, row_filter = parse_list(text)
    if row_filter:
        raise PathError(f"The dig {text} has a filter, and this command takes none.", hint="digsite ls takes it.")
    if path.member is not None and not inside:
        raise PathError(
            f"{clean(text)!r} names a file inside an artifact, and this command takes none.",
            hint="digsite cat prints it; digsite ls lists what is inside.",
        )
    return path


def parse_list(text: str) -> tuple[DigPath, str]:
    """The path of a list, and the filter of the dig it came from; empty where it has none.

    Raises:
        PathError: It cannot be read, or there is no such dig.
        ConfigError: config.toml is wrong.
    """
    if not text.startswith("@"):
        return DigPath.parse(text), ""
    from tui.config import load_config
    from tui.digs import expand

    dig = expand(text, load_config().habits.digs)
    return DigPath.parse(dig.path), dig.filter
