"""Where a download goes below the folder the user chose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tui.models import App, Artifact, ArtifactRef, Build
from tui.safe_text import safe_filename, unique_filenames


def plain_targets(folder: Path, artifacts: Iterable[Artifact]) -> Mapping[ArtifactRef, Path]:
    """Each file straight into `folder`, twins told apart by their ids."""
    listed = list(artifacts)
    names = unique_filenames((artifact.title, str(artifact.ref.artifact)) for artifact in listed)
    return {artifact.ref: folder / names[str(artifact.ref.artifact)] for artifact in listed}


def tidy_targets(root: Path, app: App, build: Build, artifacts: Iterable[Artifact]) -> Mapping[ArtifactRef, Path]:
    """`root/ACCOUNT/APP/BUILD/TITLE`, every part made safe by itself."""
    number = str(build.number) if build.number is not None else str(build.ref.build)
    folder = root
    for part, unique in (
        (app.ref.account, ""),
        (app.title, str(app.ref.app)),
        (number, str(build.ref.build)),
    ):
        folder = folder / safe_filename(str(part), unique=unique)
    return plain_targets(folder, artifacts)
