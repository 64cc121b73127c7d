"""The three lists of the drill-down: their columns, their order, and what a filter can look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from tui.models import AccountName, App, Artifact, Build, Status
from tui.models.filter import Fields
from tui.widgets.columns import Column, choose
from tui.widgets.format import GLYPHS, age, build_name, duration, kind, size, status
from tui.widgets.rowlist import RowList

Clock = Callable[[], datetime]
"""The time of now, aware UTC."""

_TONES = {
    Status.SUCCEEDED: "good",
    Status.FAILED: "bad",
    Status.ERRORED: "bad",
    Status.RUNNING: "busy",
    Status.QUEUED: "busy",
    Status.ON_HOLD: "warn",
    Status.ABORTED: "warn",
    Status.UNKNOWN: "warn",
    Status.SKIPPED: "muted",
}


def build_tone(build: Build) -> str:
    """The style of a build's status."""
    return _TONES[build.status]


def app_list(badge: Callable[[AccountName], str], keys: Sequence[str] = ()) -> RowList[App]:
    """Apps of all accounts, by title; `keys` are the columns that the user chose."""
    columns: Sequence[Column[App]] = (
            Column("badge", "Provider", lambda app: badge(app.ref.account), 3, tone=lambda _: "muted"),
            Column("title", "Title", lambda app: app.title, 14, grow=1, sort=lambda app: app.title.casefold()),
            Column("kind", "Kind", lambda app: app.kind or "", 8, drop=1, tone=lambda _: "muted",
                   sort=lambda app: app.kind),
            Column("account", "Account", lambda app: str(app.ref.account), 12, drop=2, tone=lambda _: "muted",
                   sort=lambda app: app.ref.account),
            Column("bundle", "Bundle id", lambda app: app.bundle_id or "", 20, grow=1, drop=3,
                   tone=lambda _: "muted", sort=lambda app: app.bundle_id, is_usual=False),
        )  # fmt: skip
    return RowList[App](
        choose(columns, keys),
        key=lambda app: app.ref,
        order=lambda app: (app.title.casefold(), app.ref.account, app.ref.app),
        id="app-list",
    )


APP_FIELDS: Fields[App] = Fields(
    haystack=lambda app: f"{app.title} {app.bundle_id or ''} {app.ref.account} {app.kind or ''}".lower(),
    texts={
        "account": lambda app: app.ref.account.lower(),
        "provider": lambda app: app.provider.lower(),
        "kind": lambda app: (app.kind or "").lower(),
    },
)


def build_list(now: Clock, keys: Sequence[str] = ()) -> RowList[Build]:
    """Builds of an app, newest first as the server gives them; `keys` are the columns that the user chose."""
    columns: Sequence[Column[Build]] = (
            Column("status", "Status", status, 11, tone=build_tone,
                   sort=lambda build: build.status),
            Column("number", "Number", build_name, 7, align="right",
                   sort=lambda build: build.number),
            Column("branch", "Branch", _branch, 10, grow=2, sort=_branch),
            Column("workflow", "Workflow", lambda build: build.workflow or "", 9, grow=1, drop=2,
                   tone=lambda _: "muted", sort=lambda build: build.workflow),
            Column("took", "Took", lambda build: duration(build.duration_s), 7, align="right", drop=3,
                   tone=lambda _: "muted", sort=lambda build: build.duration_s),
            Column("age", "Age", lambda build: age(build.created_at, now()), 3, align="right", drop=1,
                   tone=lambda _: "muted", sort=lambda build: build.created_at),
            Column("message", "Message", lambda build: build.commit_message or "", 20, grow=2, drop=4,
                   tone=lambda _: "muted", sort=lambda build: build.commit_message, is_usual=False),
            Column("author", "Author", lambda build: build.author or "", 12, drop=5,
                   tone=lambda _: "muted", sort=lambda build: build.author, is_usual=False),
            Column("commit", "Commit", lambda build: (build.commit_sha or "")[:8], 8, drop=6,
                   tone=lambda _: "muted", sort=lambda build: build.commit_sha, is_usual=False),
            Column("trigger", "Trigger", lambda build: build.trigger or "", 10, drop=7,
                   tone=lambda _: "muted", sort=lambda build: build.trigger, is_usual=False),
        )  # fmt: skip
    return RowList[Build](choose(columns, keys), key=lambda build: build.ref, id="build-list")


def _branch(build: Build) -> str:
    return build.tag or build.branch or ""


BUILD_FIELDS: Fields[Build] = Fields(
    haystack=lambda build: " ".join(
        (build_name(build), build.status, _branch(build), build.workflow or "", build.commit_message or "",
         build.commit_sha or "", build.author or "")
    ).lower(),
    texts={
        "branch": lambda build: (build.branch or "").lower(),
        "tag": lambda build: (build.tag or "").lower(),
        "status": lambda build: str(build.status),
        "workflow": lambda build: (build.workflow or "").lower(),
        "author": lambda build: (build.author or "").lower(),
        "number": lambda build: str(build.number or ""),
    },
    date=lambda build: build.created_at,
)  # fmt: skip


def artifact_list(
    now: Clock,
    change: Callable[[Artifact], str] = lambda _: "",
    keys: Sequence[str] = (),
    *,
    kept: Callable[[Artifact], str] = lambda _: "",
    has_archive: bool = False,
) -> RowList[Artifact]:
    """Artifacts of a build, under the headings of their actions where the provider has those.

    Args:
        now: The clock.
        change: How much more one takes than in the build before; empty where that is not known.
        keys: Columns that the user chose.
        kept: Whether one is archived or pinned, in a word.
        has_archive: Whether there is an archive, so that the word is worth a column.
    """
    columns: Sequence[Column[Artifact]] = (
            Column("title", "Title", lambda artifact: artifact.title or f"({artifact.ref.artifact})", 18, grow=1,
                   sort=lambda artifact: artifact.title.casefold()),
            Column("public", "Public", lambda artifact: "public" if artifact.is_public else "", 6, drop=1,
                   tone=lambda _: "warn", sort=lambda artifact: bool(artifact.is_public), is_sparse=True),
            Column("kind", "Kind", kind, 16, drop=4, tone=lambda _: "muted", sort=kind),
            Column("change", "Change", change, 6, align="right", drop=2, tone=lambda _: "muted", is_sparse=True),
            Column("size", "Size", lambda artifact: size(artifact.size_bytes), 8, align="right",
                   sort=lambda artifact: artifact.size_bytes),
            Column("age", "Age", lambda artifact: age(artifact.created_at, now()), 3, align="right", drop=3,
                   tone=lambda _: "muted", sort=lambda artifact: artifact.created_at),
            Column("kept", "Kept", kept, 8, drop=2, tone=lambda _: "good", sort=kept, is_usual=has_archive,
                   is_sparse=True),
            Column("type", "Type", lambda artifact: artifact.kind_raw, 12, drop=5, tone=lambda _: "muted",
                   sort=lambda artifact: artifact.kind_raw, is_usual=False),
            Column("id", "Id", lambda artifact: str(artifact.ref.artifact), 16, drop=6, tone=lambda _: "muted",
                   is_usual=False),
        )  # fmt: skip
    return RowList[Artifact](
        choose(columns, keys), key=lambda artifact: artifact.ref, group=_action_heading, id="artifact-list"
    )


def _action_heading(artifact: Artifact) -> str | None:
    action = artifact.action
    return f"{GLYPHS[action.status]} {action.name}" if action else None


ARTIFACT_FIELDS: Fields[Artifact] = Fields(
    haystack=lambda artifact: f"{artifact.title} {kind(artifact)} {artifact.kind_raw}".lower(),
    texts={
        "kind": lambda artifact: f"{kind(artifact)} {artifact.kind_raw}".lower(),
        "action": lambda artifact: (artifact.action.name if artifact.action else "").lower(),
        "public": lambda artifact: "yes" if artifact.is_public else "no",
    },
    date=lambda artifact: artifact.created_at,
)
