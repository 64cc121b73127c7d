"""The words of the dialogs that stand before a change: what exactly will happen, to which files, of what sum."""

from __future__ import annotations

from collections.abc import Sequence

from tui.models import Artifact, Build
from tui.safe_text import clean
from tui.widgets.format import build_name, count, exact_size, size

COUNT_FROM = 11
"""From so many files on, the count must be typed instead of a word."""


def total_size(artifacts: Sequence[Artifact]) -> str:
    """The sum, with what is not known said."""
    known = [artifact.size_bytes for artifact in artifacts if artifact.size_bytes is not None]
    missing = len(artifacts) - len(known)
    return size(sum(known)) + (f" and {count(missing, 'file')} of unknown size" if missing else "")


def listing(artifacts: Sequence[Artifact]) -> list[str]:
    """One line a file, then the sum."""
    lines = [f"{size(a.size_bytes):>9}  {clean(a.title, 90)}" for a in artifacts]
    return [*lines, "", f"{count(len(artifacts), 'file')}, {total_size(artifacts)}"]


def delete_question(artifacts: Sequence[Artifact], build: Build | None, app_title: str) -> tuple[str, list[str]]:
    """Title and lines of the delete dialog: file, size, build, app, id, and that there is no way back."""
    where = f"Build {build_name(build)} of {clean(app_title, 60)}" if build else clean(app_title, 60)
    if len(artifacts) == 1:
        (artifact,) = artifacts
        lines = [
            clean(artifact.title, 200),
            exact_size(artifact.size_bytes),
            where,
            f"Id {artifact.ref.artifact}",
        ]
        title = "Delete this artifact?"
    else:
        lines, title = [where, "", *listing(artifacts)], f"Delete {count(len(artifacts), 'artifact')}?"
    return title, [*lines, "", "It is gone for good: the provider has no way back."]


def typed_answer(artifacts: Sequence[Artifact]) -> str:
    """What must be typed to confirm."""
    return str(len(artifacts)) if len(artifacts) >= COUNT_FROM else "delete"


def publish_question(artifacts: Sequence[Artifact], *, enabled: bool) -> tuple[str, list[str]]:
    """Title and lines of the dialog about public install pages."""
    what = clean(artifacts[0].title, 60) if len(artifacts) == 1 else count(len(artifacts), "artifact")
    lines = listing(artifacts)
    if enabled:
        return f"Make {what} public?", [
            *lines,
            "",
            "Anyone with the link can see the page and install the app.",
        ]
    return f"Switch the public page of {what} off?", [
        *lines,
        "",
        "The links that were given out stop working.",
    ]
