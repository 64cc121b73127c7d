"""Models to rows and back. No URL is ever kept: a cached row has none until the provider has answered."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from tui.models import (
    AccountName,
    Action,
    ActionId,
    App,
    AppFacts,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    BuildRef,
    Status,
)

_MESSAGE_CHARS: Final = 2000
"""Kept of a commit message. Some have 100 kB, and every page that is listed again would write them all again."""

END_S: Final = int(datetime(2201, 1, 1, tzinfo=UTC).timestamp())
"""Moments are seconds from 0 to here. What a plug-in or an older catalog has beyond them would end in days that no sum
and no rule for the last day can take."""


def to_seconds(moment: datetime | None) -> int | None:
    """Whole seconds since 1970; None for what no build can mean."""
    seconds = -1 if moment is None else int(moment.timestamp())
    return seconds if 0 <= seconds < END_S else None


def to_moment(seconds: int | None) -> datetime | None:
    """Aware UTC; None for what no build can mean."""
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 <= seconds < END_S else None


def app_row(app: App) -> dict[str, Any]:
    """An app's columns."""
    return {
        "account": app.ref.account,
        "app": app.ref.app,
        "title": app.title,
        "provider": app.provider,
        "kind": app.kind,
        "bundle_id": app.bundle_id,
        "owner": app.owner,
        "is_disabled": app.is_disabled,
        "created_at": to_seconds(app.created_at),
    }


def app_of(row: sqlite3.Row) -> App:
    """The app of a row."""
    return App(
        ref=AppRef(AccountName(row["account"]), AppId(row["app"])),
        title=row["title"],
        provider=row["provider"],
        kind=row["kind"],
        bundle_id=row["bundle_id"],
        owner=row["owner"],
        is_disabled=bool(row["is_disabled"]),
        created_at=to_moment(row["created_at"]),
    )


def as_kept(build: Build) -> Build:
    """A build with no more of its commit message than the catalog keeps: for those that hold many."""
    message = build.commit_message
    if message is None or len(message) <= _MESSAGE_CHARS:
        return build
    return replace(build, commit_message=message[:_MESSAGE_CHARS])


def build_row(build: Build) -> dict[str, Any]:
    """A build's columns, without its app's."""
    return {
        "build": build.ref.build,
        "number": build.number,
        "status": build.status,
        "status_raw": build.status_raw,
        "branch": build.branch,
        "tag": build.tag,
        "workflow": build.workflow,
        "commit_sha": build.commit_sha,
        "commit_message": as_kept(build).commit_message,
        "author": build.author,
        "trigger_text": build.trigger,
        "pull_request": build.pull_request,
        "created_at": to_seconds(build.created_at),
        "started_at": to_seconds(build.started_at),
        "finished_at": to_seconds(build.finished_at),
        "reason": build.reason,
        "stack": build.stack,
    }


def build_of(row: sqlite3.Row, app: AppRef) -> Build:
    """The build of a row."""
    return Build(
        ref=BuildRef(app.account, app.app, BuildId(row["build"])),
        number=row["number"],
        status=_status(row["status"]),
        status_raw=row["status_raw"],
        branch=row["branch"],
        tag=row["tag"],
        workflow=row["workflow"],
        commit_sha=row["commit_sha"],
        commit_message=row["commit_message"],
        author=row["author"],
        trigger=row["trigger_text"],
        pull_request=row["pull_request"],
        created_at=to_moment(row["created_at"]),
        started_at=to_moment(row["started_at"]),
        finished_at=to_moment(row["finished_at"]),
        reason=row["reason"],
        stack=row["stack"],
    )


def action_row(action: Action) -> dict[str, Any]:
    """An action's columns, without its build's."""
    return {
        "action": action.id,
        "name": action.name,
        "kind": action.kind,
        "status": action.status,
        "status_raw": action.status_raw,
    }


def action_of(row: sqlite3.Row) -> Action:
    """The action of a row."""
    return Action(ActionId(row["action"]), row["name"], row["kind"], _status(row["status"]), row["status_raw"])


def artifact_row(artifact: Artifact) -> dict[str, Any]:
    """An artifact's columns, without its build's."""
    facts = artifact.facts
    known = {name: value for name in AppFacts.__slots__ if (value := getattr(facts, name))} if facts else None
    return {
        "artifact": artifact.ref.artifact,
        "title": artifact.title,
        "kind": artifact.kind,
        "kind_raw": artifact.kind_raw,
        "size_bytes": artifact.size_bytes,
        "is_public": artifact.is_public,
        "created_at": to_seconds(artifact.created_at),
        "facts": json.dumps(known) if known else None,
        "is_intermediate": artifact.is_intermediate,
    }


def artifact_of(row: sqlite3.Row, build: BuildRef, actions: dict[int, Action]) -> Artifact:
    """The artifact of a row."""
    return Artifact(
        ref=ArtifactRef(build.account, build.app, build.build, ArtifactId(row["artifact"])),
        title=row["title"],
        kind=ArtifactKind(row["kind"]) if row["kind"] in set(ArtifactKind) else ArtifactKind.FILE,
        kind_raw=row["kind_raw"],
        size_bytes=row["size_bytes"],
        is_public=None if row["is_public"] is None else bool(row["is_public"]),
        created_at=to_moment(row["created_at"]),
        action=actions.get(row["action_id"]),
        facts=AppFacts(**json.loads(row["facts"])) if row["facts"] else None,
        is_intermediate=bool(row["is_intermediate"]),
    )


def _status(text: str) -> Status:
    return Status(text) if text in set(Status) else Status.UNKNOWN
