"""Bitrise's objects as JSON: apps, builds, and what is known of the app inside an artifact."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from tui.demo import seeds
from tui.demo.bitrise_apps import AppSpec, BitriseStatus
from tui.demo.bitrise_builds import BitriseArtifact, BitriseBuild, app_slug
from tui.demo.contents import Kind

USER: Final = {"slug": "d3a0c0ffee15900d", "username": "grace", "email": "grace@acme.example"}
ORGANIZATION: Final = {"slug": "ac3e000000000001", "name": "Acme Mobile"}
_STATUS_TEXTS: Final = {
    BitriseStatus.NOT_FINISHED: "in-progress",
    BitriseStatus.SUCCESS: "success",
    BitriseStatus.FAILED: "error",
    BitriseStatus.ABORTED: "aborted",
    BitriseStatus.ABORTED_WITH_SUCCESS: "aborted",
}


def app_item(app: AppSpec) -> dict[str, object]:
    """An app."""
    return {
        "slug": app_slug(app),
        "title": app.title,
        "project_type": app.project_type,
        "provider": "github",
        "repo_owner": "acme",
        "repo_slug": app.repo,
        "repo_url": f"https://github.com/acme/{app.repo}.git",
        "avatar_url": None,
        "is_disabled": app.is_disabled,
        "is_public": False,
        "is_github_checks_enabled": True,
        "status": 1,
        "project_id": seeds.hexadecimal(16, "project", app.index),
        "owner": {"account_type": "organization", **ORGANIZATION},
    }


def build_item(build: BitriseBuild) -> dict[str, object]:
    """A build; no app inside it, as Bitrise has it."""
    prepared = build.started_at + timedelta(seconds=25) if build.started_at and build.finished_at else None
    pull_request, is_over = build.pull_request, build.finished_at is not None
    url = f"https://github.com/acme/{build.app.repo}"
    return {
        "slug": build.slug,
        "build_number": build.number,
        "status": int(build.status),
        "status_text": "on-hold" if build.outcome.is_on_hold else _STATUS_TEXTS[build.status],
        "is_on_hold": build.outcome.is_on_hold,
        "is_processed": is_over,
        "is_status_sent": is_over,
        "triggered_at": stamp(build.triggered_at),
        "started_on_worker_at": stamp(build.started_at),
        "environment_prepare_finished_at": stamp(prepared),
        "finished_at": stamp(build.finished_at),
        "abort_reason": build.outcome.abort_reason,
        "branch": build.shape.branch,
        "tag": build.shape.tag,
        "commit_hash": build.commit,
        "commit_message": build.message,
        "commit_view_url": f"{url}/commit/{build.commit}",
        "triggered_workflow": build.shape.workflow,
        "triggered_by": f"webhook-github/{build.author}" if build.shape.trigger else f"manual-{build.author}",
        "pipeline_workflow_id": None,
        "pull_request_id": pull_request,
        "pull_request_target_branch": "main" if pull_request else None,
        "pull_request_view_url": f"{url}/pull/{pull_request}" if pull_request else None,
        "stack_identifier": "linux-docker-android-22.04" if build.app.is_android else "osx-xcode-26.1.x",
        "machine_type_id": "g2.linux.medium" if build.app.is_android else "g2.mac.large",
        "credit_cost": 4 if is_over else None,
        "original_build_params": {"branch": build.shape.branch, "workflow_id": build.shape.workflow},
        "log_format": "json",
        "rebuildable": is_over,
        "utility": False,
    }


def everywhere_item(build: BitriseBuild) -> dict[str, object]:
    """A build as the list of all apps' builds has it: with its app, less four fields (Bitrise API, build-list-all)."""
    left_out = {"is_status_sent", "log_format", "pipeline_workflow_id", "rebuildable"}
    item = {name: value for name, value in build_item(build).items() if name not in left_out}
    return {**item, "repository": app_item(build.app)}


def artifact_meta(artifact: BitriseArtifact) -> dict[str, object] | None:
    """What the uploading step tells of an app (bitrise-steplib, steps-deploy-to-bitrise-io)."""
    app, number = artifact.build.app, artifact.build.number
    if artifact.recipe.kind in {Kind.APK, Kind.AAB}:
        info: dict[str, object] = {
            "app_name": app.module,
            "package_name": app.identifier,
            "version_code": str(number),
            "version_name": app.version,
            "min_sdk_version": "26",
        }
        build_type = "debug" if "debug" in artifact.recipe.title else "release"
        return {"app_info": info, "file_size_bytes": artifact.size, "module": "app", "build_type": build_type}
    if artifact.recipe.kind is not Kind.IPA:
        return None
    info = {
        "app_title": app.module,
        "bundle_id": app.identifier,
        "version": app.version,
        "build_number": str(number),
        "min_OS_version": "16.0",
        "device_family_list": [1, 2],
    }
    profile = {
        "team_name": "Acme Mobile",
        "profile_name": f"{app.module} Ad Hoc",
        "provisions_all_devices": False,
        "ipa_export_method": "app-store" if "AppStore" in artifact.recipe.title else "ad-hoc",
    }
    return {"app_info": info, "file_size_bytes": artifact.size, "provisioning_info": profile, "scheme": app.module}


def stamp(moment: datetime | None) -> str | None:
    """A time as Bitrise writes it, without fractions."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_stamp(moment: datetime) -> str:
    """A time with fractions; the log's cursors compare as text."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
