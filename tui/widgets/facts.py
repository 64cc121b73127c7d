"""Everything known of one thing as labelled lines, for the detail panel and for `digsite show`. Imports no Textual."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tui.models import App, Artifact, Build, IssueCounts
from tui.safe_text import clean
from tui.widgets.format import age, build_name, duration, exact_size, kind, status, timestamp

Facts = list[tuple[str, str]]
"""Label and value, both safe to show; unknown facts are left out."""


def app_facts(app: App) -> Facts:
    """What is known of an app."""
    return _known(
        ("App", app.title),
        ("Account", str(app.ref.account)),
        ("Provider", app.provider),
        ("Kind", app.kind),
        ("Bundle id", app.bundle_id),
        ("Owner", app.owner),
        ("Repository", app.repo_url),
        ("Id", str(app.ref.app)),
        ("State", "disabled" if app.is_disabled else None),
        ("Web", app.web_url),
    )


def build_facts(build: Build, now: datetime) -> Facts:
    """What is known of a build."""
    ended = build.finished_at or (now if build.started_at and not build.status.is_finished else None)
    running = (ended - build.started_at).total_seconds() if ended and build.started_at else None
    queued = (build.started_at - build.created_at).total_seconds() if build.started_at and build.created_at else None
    return _known(
        ("Build", build_name(build)),
        ("Status", status(build)),
        ("Reason", build.reason),
        ("Workflow", build.workflow),
        ("Branch", build.branch),
        ("Tag", build.tag),
        ("Pull request", f"#{build.pull_request}" if build.pull_request else None),
        ("Into", build.target_branch),
        ("Commit", build.commit_sha[:12] if build.commit_sha else None),
        ("Message", build.commit_message),
        ("Author", build.author),
        ("Started by", build.trigger),
        ("Created", _moment(build.created_at, now)),
        ("Queued", duration(queued)),
        ("Took" if build.finished_at else "Running", duration(running)),
        ("Issues", _issues(build.issues)),
        ("Stack", build.stack),
        ("Machine", build.machine),
        ("Credits", str(build.credit_cost) if build.credit_cost is not None else None),
        ("Id", str(build.ref.build)),
        ("Web", build.web_url),
    )


def artifact_facts(artifact: Artifact, now: datetime) -> Facts:
    """What is known of an artifact, the facts of the app inside it first."""
    inside = artifact.facts
    app = (
        [
            ("App", inside.title),
            ("Identifier", inside.identifier),
            (
                "Version",
                " ".join(p for p in (inside.version, f"({inside.build_number})" if inside.build_number else "") if p),
            ),
            ("Minimum OS", inside.minimum_os),
            ("Profile", inside.profile),
            ("Team", inside.team),
            ("Export", inside.export_method),
        ]
        if inside
        else []
    )
    public = {None: None, True: "yes, anyone with the link", False: "no"}[artifact.is_public]
    return _known(
        ("Artifact", artifact.title),
        ("Kind", kind(artifact)),
        ("Size", exact_size(artifact.size_bytes)),
        ("Public", public),
        ("Install page", artifact.install_url),
        *app,
        ("Action", artifact.action.name if artifact.action else None),
        ("Created", _moment(artifact.created_at, now)),
        ("Type", artifact.kind_raw),
        ("Id", str(artifact.ref.artifact)),
    )


def _known(*facts: tuple[str, str | None]) -> Facts:
    return [(label, clean(value)) for label, value in facts if value]


def _moment(moment: datetime | None, now: datetime) -> str | None:
    if moment is None:
        return None
    ago = age(moment, now)
    return f"{timestamp(moment)} ({ago} ago)" if ago != "now" else timestamp(moment)


def _issues(issues: IssueCounts | None) -> str | None:
    if issues is None:
        return None
    counts: Iterable[tuple[int | None, str]] = (
        (issues.errors, "errors"),
        (issues.test_failures, "test failures"),
        (issues.warnings, "warnings"),
        (issues.analyzer_warnings, "analyzer warnings"),
    )
    return ", ".join(f"{number} {what}" for number, what in counts if number) or None
