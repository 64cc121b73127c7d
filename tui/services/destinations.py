"""Where a download goes below the folder the user chose."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.errors import ConfigError
from tui.models import App, Artifact, ArtifactRef, Build
from tui.safe_text import clean, safe_filename, unique_filenames

FIELDS: Final = ("account", "app", "branch", "build", "title")
"""What a template may name."""
DEFAULT_TEMPLATE: Final = "{account}/{app}/{branch}/{build}/{title}"
MAX_PARTS: Final = 20


class TemplateError(ConfigError):
    """A name template is wrong; the message says where."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One artifact and where it comes from."""

    app: App
    build: Build
    artifact: Artifact

    def values(self) -> dict[str, str]:
        """What the fields of a template stand for; text of the server, of any shape."""
        build = self.build
        return {
            "account": str(self.app.ref.account),
            "app": self.app.title or str(self.app.ref.app),
            "branch": build.branch or build.tag or "no-branch",
            "build": str(build.number) if build.number is not None else str(build.ref.build),
            "title": self.artifact.title,
        }

    def ids(self) -> dict[str, str]:
        """What tells apart two things of one name."""
        ref = self.artifact.ref
        return {"app": str(ref.app), "build": str(ref.build), "title": str(ref.artifact)}


class Template:
    """How files are named below a folder: `{account}/{app}/{branch}/{build}/{title}`.

    Args:
        text: Path components with fields in braces. Every component is made safe by itself, so no field can
            lead out of the folder.

    Raises:
        TemplateError: It cannot be used.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = text.split("/")
        _check(text, self._parts)

    def targets(self, root: Path, found: Iterable[Origin]) -> dict[ArtifactRef, Path]:
        """A path below `root` for each artifact; those that would get one name are told apart by their ids."""
        folders: dict[Path, list[tuple[str, ArtifactRef]]] = defaultdict(list)
        for one in found:
            values, ids = one.values(), one.ids()
            folder = root
            for part in self._parts[:-1]:
                unique = "".join(ids.get(name, "") for name in _fields_of(part))
                folder = folder / safe_filename(_filled(part, values), unique=unique)
            folders[folder].append((_filled(self._parts[-1], values), one.artifact.ref))
        targets: dict[ArtifactRef, Path] = {}
        for folder, named in folders.items():
            keys = _keys([ref for _, ref in named])
            names = unique_filenames((name, keys[ref]) for name, ref in named)
            targets |= {ref: folder / names[keys[ref]] for _, ref in named}
        return targets


def _keys(refs: Iterable[ArtifactRef]) -> dict[ArtifactRef, str]:
    """What tells the files of one folder apart: the artifact's id, and more where two providers use the same."""
    listed = list(refs)
    count = Counter(ref.artifact for ref in listed)
    return {
        ref: str(ref.artifact) if count[ref.artifact] == 1 else f"{ref.artifact}-{ref.build}-{ref.app}-{ref.account}"
        for ref in listed
    }


def _check(text: str, parts: list[str]) -> None:
    if not text.strip():
        raise TemplateError("The name template is empty.", hint="Such as {app}/{build}/{title}.")
    if text.startswith(("/", "~")) or "\\" in text or re.match(r"[A-Za-z]:", text):
        raise TemplateError("The name template stands below the folder: it has no root, '~' or '\\'.")
    for part in parts:
        if not part.strip():
            raise TemplateError("The name template has an empty part between two '/', or at its end.")
        if part.strip() in {".", ".."}:
            raise TemplateError(f"The name template leaves its folder: {part.strip()!r}.")
        for name in _fields_of(part):
            if name not in FIELDS:
                known = " ".join(f"{{{field}}}" for field in FIELDS)
                raise TemplateError(f"There is no field {{{clean(name, 40)}}} for a name.", hint=f"There are {known}.")
        if set("{}") & set(_FIELD.sub("", part)):
            raise TemplateError("The name template has a brace without its partner.")
    if len(parts) > MAX_PARTS:
        raise TemplateError(f"The name template has more than {MAX_PARTS} parts.")


_FIELD: Final = re.compile(r"\{([^{}]*)\}")


def _fields_of(part: str) -> list[str]:
    return _FIELD.findall(part)


def _filled(part: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: values[field[1]], part)


def free_name(folder: Path, name: str) -> Path:
    """A path in a folder that is not taken: `name`, else `name (2)`, ...; nothing is ever overwritten."""
    path, number = folder / name, 2
    while path.exists():
        path, number = folder / f"{Path(name).stem} ({number}){Path(name).suffix}", number + 1
    return path
