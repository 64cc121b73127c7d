"""A notice of the terminal itself, shown by the desktop even when another window is in front."""

from __future__ import annotations

from collections.abc import Mapping

from tui.safe_text import clean


def notice(title: str, text: str, environ: Mapping[str, str]) -> str:
    """The sequence that makes a terminal show a notice; a terminal that knows none ignores it.

    OSC 777 for terminals of the rxvt and VTE families and foot, OSC 9 (iTerm2's) for all others; tmux hands a sequence
    on where it is wrapped and `allow-passthrough` is on.

    Args:
        title: May come from a server.
        text: May come from a server.
        environ: Tells which terminal it is.
    """
    title, text = (clean(words, 200).replace(";", ",") for words in (title, text))
    term = environ.get("TERM", "")
    if environ.get("VTE_VERSION") or term.startswith(("rxvt", "foot")):
        sequence = f"\x1b]777;notify;{title};{text}\x07"
    else:
        sequence = f"\x1b]9;{title}: {text}\x07"
    if environ.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sequence
