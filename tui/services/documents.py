"""Models as the JSON that commands print and that programs of the user's own read.

Never a download URL: it is a credential.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.models import App, Artifact, Build

if TYPE_CHECKING:
    from tui.services.doctor import Checked, Finding


def app_document(app: App, path: str) -> dict[str, Any]:
    """One app."""
    return {
        "path": path,
        "id": app.ref.app,
        "account": app.ref.account,
        "provider": app.provider,
        "title": app.title,
        "kind": app.kind,
        "bundle_id": app.bundle_id,
        "repository": app.repo_url,
        "web_url": app.web_url,
    }


def build_document(build: Build, path: str) -> dict[str, Any]:
    """One build; times in ISO 8601."""
    return {
        "path": path,
        "id": build.ref.build,
        "number": build.number,
        "status": build.status,
        "status_raw": build.status_raw,
        "branch": build.branch,
        "tag": build.tag,
        "workflow": build.workflow,
        "commit": build.commit_sha,
        "message": build.commit_message,
        "author": build.author,
        "trigger": build.trigger,
        "pull_request": build.pull_request,
        "reason": build.reason,
        "created_at": _time(build.created_at),
        "started_at": _time(build.started_at),
        "finished_at": _time(build.finished_at),
        "web_url": build.web_url,
    }


def artifact_document(artifact: Artifact, path: str) -> dict[str, Any]:
    """One artifact; sizes in bytes."""
    facts = artifact.facts
    return {
        "path": path,
        "id": artifact.ref.artifact,
        "title": artifact.title,
        "kind": artifact.kind,
        "type": artifact.kind_raw,
        "size_bytes": artifact.size_bytes,
        "is_public": artifact.is_public,
        "install_url": artifact.install_url,
        "created_at": _time(artifact.created_at),
        "action": artifact.action.name if artifact.action else None,
        "app": {"identifier": facts.identifier, "version": facts.version, "build": facts.build_number}
        if facts
        else None,
    }


def checked_document(checked: Checked) -> dict[str, Any]:
    """One account as the check found it."""
    error = checked.error
    return {
        "account": checked.account,
        "provider": checked.provider,
        "secret_from": checked.origin,
        "ok": error is None,
        "identity": checked.identity.label if checked.identity else None,
        "expires_at": _time(checked.identity.expires_at) if checked.identity else None,
        "calls_left": checked.budget.remaining if checked.budget else None,
        "error": error.message if error else None,
        "hint": error.hint if error else None,
        "findings": [finding_document(finding) for finding in checked.findings],
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding of the doctor."""
    return {"level": finding.level, "topic": finding.topic, "text": finding.text, "hint": finding.hint}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
