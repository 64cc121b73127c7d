"""What was started last in each app, so that the same is offered again; never values of environment variables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.errors import PathError
from tui.folders import state_dir, write_private
from tui.models import AppRef
from tui.models.inspection import GitRefKind, StartRequest

COMMIT: Final = "commit"
KINDS: Final = (str(GitRefKind.BRANCH), str(GitRefKind.TAG), COMMIT, str(GitRefKind.PULL_REQUEST))
"""What a build can be made of, in the order in which a dialog offers it."""
_MAX_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class StartChoice:
    """What a user chose."""

    workflow: str = ""
    kind: str = KINDS[0]
    """One of `KINDS`."""
    ref: str = ""
    """A branch, a tag, a commit, or a pull request as `12` or `#12 Its title`."""
    is_clean: bool = False

    def request(self, app: AppRef, environment: dict[str, str] | None = None) -> StartRequest:
        """What a provider is asked for.

        Raises:
            PathError: Workflow or reference is missing, or a pull request has no number.
        """
        ref = self.ref.strip()
        if not self.workflow.strip():
            raise PathError("Name the workflow.")
        if not ref:
            raise PathError(f"Name the {self.kind}.")
        number: int | None = None
        if self.kind == GitRefKind.PULL_REQUEST:
            digits = ref.removeprefix("#").partition(" ")[0]
            if not digits.isdecimal() or len(digits) > 9:
                raise PathError("A pull request is named by its number.")
            number = int(digits)
        return StartRequest(
            app=app,
            workflow=self.workflow.strip(),
            branch=ref if self.kind == GitRefKind.BRANCH else None,
            tag=ref if self.kind == GitRefKind.TAG else None,
            commit=ref if self.kind == COMMIT else None,
            pull_request=number,
            environment=environment or {},
            clean=self.is_clean,
        )


def parse_environment(words: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Variables from `NAME=value` words.

    Raises:
        PathError: One has no name or no `=`.
    """
    environment: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise PathError("An environment variable is written as NAME=value.")
        environment[name] = value
    return environment


def last_choice(app: AppRef) -> StartChoice:
    """What was started last in this app; an empty choice where nothing was, or the file cannot be read."""
    kept = _read(_path()).get(_key(app))
    if not isinstance(kept, dict):
        return StartChoice()
    texts = {name: value for name in ("workflow", "kind", "ref") if isinstance(value := kept.get(name), str)}
    if texts.get("kind") not in KINDS:
        texts.pop("kind", None)
    return StartChoice(**texts, is_clean=kept.get("clean") is True)


def remember_choice(app: AppRef, choice: StartChoice) -> None:
    """Keeps it for the next time.

    Raises:
        OSError: It cannot be written.
    """
    path = _path()
    kept = _read(path)
    kept.pop(_key(app), None)
    kept[_key(app)] = {"workflow": choice.workflow, "kind": choice.kind, "ref": choice.ref, "clean": choice.is_clean}
    newest = dict(list(kept.items())[-_MAX_KEPT:])
    write_private(path, json.dumps(newest, indent=1))


def _path() -> Path:
    return state_dir() / "starts.json"


def _key(app: AppRef) -> str:
    return f"{app.account}/{app.app}"


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
