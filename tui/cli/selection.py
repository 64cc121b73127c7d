"""What the paths given to a command name: the artifacts, each with its path, before anything is done to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.cli.output import warn
from tui.cli.paths import parse_path
from tui.errors import PathError
from tui.models import Artifact, ArtifactRef
from tui.services import Services
from tui.services.resolve import Found, list_artifacts


@dataclass(frozen=True, slots=True)
class Selected:
    """One artifact, where it was found, and its path."""

    artifact: Artifact
    found: Found
    path: str


async def select(
    services: Services, paths: Sequence[str], *, whole_builds: bool = False, to_change: bool = False
) -> list[Selected]:
    """Looks all paths up, each artifact once, before the first change.

    Args:
        services: The accounts.
        paths: As typed.
        whole_builds: Whether the path of a build stands for all its artifacts.
        to_change: Whether a list with gaps is refused; what only reads goes on with a warning.

    Raises:
        PathError: A path names no artifact.
        NotFound: A part of a path does not exist.
        BadPayload: A list that a path was looked up in has gaps.
    """
    chosen: dict[ArtifactRef, Selected] = {}
    for text in paths:
        path = parse_path(text)
        if path.build is None or (path.artifact is None and not whole_builds):
            wanted = "a build or an artifact" if whole_builds else "an artifact"
            raise PathError(f"The path {text!r} names no artifact.", hint=f"This command wants {wanted}.")
        found = await services.resolver.find(path, partly=not to_change)
        if to_change:
            found.refuse_gaps()
        artifacts, gap = found.artifacts, found.gap
        if not artifacts and found.build is not None:
            listed = await list_artifacts(found.provider, found.build)
            artifacts, gap = listed.items, gap or listed.gap
        if gap is not None:
            warn(f"digsite: {gap.message}")
        for artifact in artifacts:
            named = found.path_of(artifact, found.siblings or artifacts)
            chosen.setdefault(artifact.ref, Selected(artifact, found, named))
    return list(chosen.values())
