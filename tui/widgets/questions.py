"""The words of the dialogs that stand before a change: what exactly will happen, to which files, of what sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.models import Artifact, ArtifactRef, Build, BuildRef
from tui.safe_text import clean
from tui.widgets.format import build_name, count, exact_size, size

COUNT_FROM = 11
"""From so many files on, the count must be typed instead of a word."""


def total_size(artifacts: Sequence[Artifact]) -> str:
    """The sum, with what is not known said."""
    known = [artifact.size_bytes for artifact in artifacts if artifact.size_bytes is not None]
    missing = len(artifacts) - len(known)
    return size(sum(known)) + (f" and {count(missing, 'file')} of unknown size" if missing else "")


def listing(artifacts: Sequence[Artifact], details: Mapping[ArtifactRef, str] | None = None) -> list[str]:
    """One line a file, with what else tells it from others, then the sum."""
    known = details or {}
    lines = [f"{size(a.size_bytes):>9}  {clean(a.title, 90)}{known.get(a.ref, '')}" for a in artifacts]
    return [*lines, "", f"{count(len(artifacts), 'file')}, {total_size(artifacts)}"]


def _details(artifacts: Sequence[Artifact], places: Mapping[BuildRef, str]) -> dict[ArtifactRef, str]:
    """The place and the id of each of several files: their titles may be alike."""
    details: dict[ArtifactRef, str] = {}
    for artifact in artifacts if len(artifacts) > 1 else ():
        place = places.get(artifact.ref.build_ref)
        details[artifact.ref] = f"{f'  {clean(place, 60)}' if place else ''}  id {artifact.ref.artifact}"
    return details


def delete_question(
    artifacts: Sequence[Artifact], build: Build | None, app_title: str, places: Mapping[BuildRef, str] | None = None
) -> tuple[str, list[str]]:
    """Title and lines of the delete dialog: file, size, build, app, id, and that there is no way back.

    Args:
        artifacts: What is deleted.
        build: Of all of them; None where they are of several.
        app_title: Of its app; of several builds, in words what they are.
        places: Where each of several builds is, in a few words.
    """
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
        details = _details(artifacts, places or {})
        lines, title = [where, "", *listing(artifacts, details)], f"Delete {count(len(artifacts), 'artifact')}?"
    return title, [*lines, "", "It is gone for good: the provider has no way back."]


def typed_answer(artifacts: Sequence[Artifact]) -> str:
    """What must be typed to confirm."""
    return str(len(artifacts)) if len(artifacts) >= COUNT_FROM else "delete"


def publish_question(
    artifacts: Sequence[Artifact], *, enabled: bool, places: Mapping[BuildRef, str] | None = None
) -> tuple[str, list[str]]:
    """Title and lines of the dialog about public install pages; `places` as in `delete_question`."""
    what = clean(artifacts[0].title, 60) if len(artifacts) == 1 else count(len(artifacts), "artifact")
    lines = listing(artifacts, _details(artifacts, places or {}))
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
