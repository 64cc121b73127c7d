"""What the paths given to a command name: the artifacts, each with its path, before anything is done to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.cli.paths import parse_path
from tui.errors import PathError
from tui.models import Artifact, ArtifactRef
from tui.services import Services
from tui.services.resolve import Found, all_artifacts


@dataclass(frozen=True, slots=True)
class Selected:
    """One artifact, where it was found, and its path."""

    artifact: Artifact
    found: Found
    path: str


async def select(services: Services, paths: Sequence[str], *, whole_builds: bool) -> list[Selected]:
    """Looks all paths up, each artifact once, before the first change.

    Args:
        services: The accounts.
        paths: As typed.
        whole_builds: Whether the path of a build stands for all its artifacts.

    Raises:
        PathError: A path names no artifact.
        NotFound: A part of a path does not exist.
    """
    chosen: dict[ArtifactRef, Selected] = {}
    for text in paths:
        path = parse_path(text)
        if path.build is None or (path.artifact is None and not whole_builds):
            wanted = "a build or an artifact" if whole_builds else "an artifact"
            raise PathError(f"The path {text!r} names no artifact.", hint=f"This command wants {wanted}.")
        found = await services.resolver.find(path)
        artifacts = found.artifacts
        if not artifacts and found.build is not None:
            artifacts = tuple([a async for a in all_artifacts(found.provider, found.build)])
        for artifact in artifacts:
            named = found.path_of(artifact, found.siblings or artifacts)
            chosen.setdefault(artifact.ref, Selected(artifact, found, named))
    return list(chosen.values())
