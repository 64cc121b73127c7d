"""Bitrise's JSON into models. Only this module knows its field names; each field may be missing or null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from tui.models import (
    AccountName,
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
from tui.providers.fields import (
    get,
    get_bool,
    get_id,
    get_int,
    get_list,
    get_mapping,
    get_size,
    get_str,
    get_time,
    get_word,
)

_WEB: Final = "https://app.bitrise.io"
_STATUS: Final = {1: Status.SUCCEEDED, 2: Status.FAILED, 3: Status.ABORTED, 4: Status.ABORTED}
"""4 is "aborted with success": reported green to git, but aborted (Bitrise docs, build-statuses)."""
_INSTALLABLE: Final = {"ios-ipa": ArtifactKind.IPA, "android-apk": ArtifactKind.APK}
"""The types that can have an install page; an AAB is uploaded as `android-apk` too."""
UNREADABLE_NEXT: Final = "The list may be incomplete: where its next page is cannot be read."
_BY_SUFFIX: Final = {
    ".ipa": ArtifactKind.IPA,
    ".apk": ArtifactKind.APK,
    ".aab": ArtifactKind.AAB,
    ".xcarchive": ArtifactKind.XCARCHIVE,
    ".xcarchive.zip": ArtifactKind.XCARCHIVE,
    ".xcresult": ArtifactKind.TEST_RESULTS,
    ".xcresult.zip": ArtifactKind.TEST_RESULTS,
    ".log": ArtifactKind.LOGS,
}


def parse_app(data: object, account: AccountName, provider: str) -> App | None:
    """One app; None without a slug."""
    slug = get_id(data, "slug")
    if slug is None:
        return None
    return App(
        ref=AppRef(account, AppId(slug)),
        title=get_str(data, "title") or slug,
        provider=provider,
        kind=get_str(data, "project_type"),
        owner=get_str(data, "owner", "name"),
        repo_url=get_str(data, "repo_url"),
        web_url=f"{_WEB}/app/{quote(slug, safe='')}",
        is_disabled=get_bool(data, "is_disabled") or False,
    )


def parse_build(data: object, app: AppRef) -> Build | None:
    """One build; None without a slug."""
    slug = get_id(data, "slug")
    if slug is None:
        return None
    status, status_raw = _parse_status(data)
    return Build(
        ref=BuildRef(app.account, app.app, BuildId(slug)),
        number=get_int(data, "build_number"),
        status=status,
        status_raw=status_raw,
        branch=get_str(data, "branch"),
        tag=get_str(data, "tag"),
        workflow=get_str(data, "triggered_workflow") or get_str(data, "pipeline_workflow_id"),
        commit_sha=get_str(data, "commit_hash"),
        commit_message=get_str(data, "commit_message"),
        trigger=get_str(data, "triggered_by"),
        pull_request=get_int(data, "pull_request_id") or None,  # 0 stands for none
        pull_request_url=get_str(data, "pull_request_view_url"),
        target_branch=get_str(data, "pull_request_target_branch"),
        created_at=get_time(data, "triggered_at"),
        started_at=get_time(data, "started_on_worker_at"),
        finished_at=get_time(data, "finished_at"),
        reason=get_str(data, "abort_reason"),
        stack=get_str(data, "stack_identifier"),
        machine=get_str(data, "machine_type_id"),
        credit_cost=get_size(data, "credit_cost"),
        web_url=f"{_WEB}/build/{quote(slug, safe='')}",
        commit_url=get_str(data, "commit_view_url"),
    )


def parse_recent_build(data: object, account: AccountName, provider: str) -> tuple[App, Build] | None:
    """One build of the list of all apps, with its app; None without the slug of either."""
    app = parse_app(get_mapping(data, "repository"), account, provider)
    build = parse_build(data, app.ref) if app is not None else None
    return (app, build) if app is not None and build is not None else None


def _parse_status(data: object) -> tuple[Status, str]:
    """The state by `status`; the words of `status_text` are not documented.

    0 means not finished and is split here: on hold, else queued until it starts on a worker (Bitrise docs,
    build-statuses, names the three states).
    """
    number = get_int(data, "status")
    raw = get_str(data, "status_text") or get_word(data, "status") or "none given"
    if number == 0:
        if get_bool(data, "is_on_hold"):
            return Status.ON_HOLD, raw
        started = get_time(data, "started_on_worker_at") is not None
        return (Status.RUNNING if started else Status.QUEUED), raw
    if number in _STATUS:
        return _STATUS[number], raw
    return Status.UNKNOWN, raw if number is None else str(number)


def parse_artifact(data: object, build: Build) -> Artifact | None:
    """One artifact, of a list or read alone; None without a slug. Dated by its build: it has no date."""
    slug = get_id(data, "slug")
    if slug is None:
        return None
    ref = build.ref
    title = get_str(data, "title") or slug
    kind_raw = get_str(data, "artifact_type") or "none given"
    return Artifact(
        ref=ArtifactRef(ref.account, ref.app, ref.build, ArtifactId(slug)),
        title=title,
        kind=_kind(kind_raw, title),
        kind_raw=kind_raw,
        size_bytes=get_size(data, "file_size_bytes"),
        is_public=get_bool(data, "is_public_page_enabled"),
        install_url=get_str(data, "public_install_page_url"),
        created_at=build.finished_at or build.started_at or build.created_at,
        facts=_parse_facts(data),
        is_intermediate=bool(get_mapping(data, "intermediate_file_info")),
    )


def update_artifact(artifact: Artifact, data: object) -> Artifact:
    """The artifact with what a later answer says of it; what the answer leaves out stays, but for the URL."""
    size_bytes, is_public = get_size(data, "file_size_bytes"), get_bool(data, "is_public_page_enabled")
    return replace(
        artifact,
        title=get_str(data, "title") or artifact.title,
        size_bytes=artifact.size_bytes if size_bytes is None else size_bytes,
        is_public=artifact.is_public if is_public is None else is_public,
        install_url=get_str(data, "public_install_page_url"),
        facts=_parse_facts(data) or artifact.facts,
    )


def tells_public(data: object) -> bool:
    """Whether an answer says if the install page is on."""
    return get_bool(data, "is_public_page_enabled") is not None


def _kind(kind_raw: str, title: str) -> ArtifactKind:
    name = title.lower()
    by_suffix = next((kind for suffix, kind in _BY_SUFFIX.items() if name.endswith(suffix)), None)
    if kind_raw in _INSTALLABLE:
        return ArtifactKind.AAB if by_suffix is ArtifactKind.AAB else _INSTALLABLE[kind_raw]
    if kind_raw == "ios-xcarchive":
        return ArtifactKind.XCARCHIVE
    return by_suffix or ArtifactKind.FILE


def is_installable(artifact: Artifact) -> bool:
    """Whether it can have an install page: these two types only (Bitrise docs, managing-build-artifacts)."""
    return artifact.kind_raw in _INSTALLABLE and artifact.kind is not ArtifactKind.AAB


def _parse_facts(data: object) -> AppFacts | None:
    """`artifact_meta`, filled by the uploading step; keys as in bitrise-io/go-xcode and go-android."""
    meta = get_mapping(data, "artifact_meta")
    app = get_mapping(meta, "app_info")
    profile = get_mapping(meta, "provisioning_info")
    facts = AppFacts(
        title=get_str(app, "app_title") or get_str(app, "app_name"),
        identifier=get_str(app, "bundle_id") or get_str(app, "package_name"),
        version=get_word(app, "version") or get_word(app, "version_name"),
        build_number=get_word(app, "build_number") or get_word(app, "version_code"),
        minimum_os=get_word(app, "min_OS_version") or get_word(app, "min_sdk_version"),
        profile=get_str(profile, "profile_name"),
        team=get_str(profile, "team_name"),
        export_method=get_str(profile, "ipa_export_method"),
    )
    return None if facts == AppFacts() else facts


def parse_user(data: object) -> str | None:
    """The name of the user that a personal access token belongs to."""
    return get_str(data, "data", "username") or get_str(data, "data", "email")


def parse_error(data: object) -> str | None:
    """The server's message; its services use four shapes (bitrise-io/bitrise-cli:bitriseapi/client.go)."""
    for key in ("message", "error_msg", "error"):
        text = get_str(data, key)
        if text is not None:
            return text
    texts = [text for text in get_list(data, "errors") if isinstance(text, str)]
    return "; ".join(texts) or None


def next_page(data: object) -> tuple[str | None, str | None]:
    """The cursor of the next page, absent or empty on the last one; and a note where it is there but cannot be read."""
    paging = get(data, "paging")
    token = get_id(paging, "next")
    is_end = (paging is None or isinstance(paging, dict)) and get(paging, "next") in (None, "")
    return token, None if token or is_end else UNREADABLE_NEXT


def total_items(data: object) -> int | None:
    """The number of items on all pages."""
    return get_size(data, "paging", "total_item_count")


def items(data: object) -> list[object] | None:
    """The items of a list answer; None when it is not one."""
    value = get(data, "data")
    return value if isinstance(value, list) else None


def item(data: object) -> Mapping[str, object] | None:
    """The one thing in an answer; None when there is none."""
    return get_mapping(data, "data") or None


def download_url(data: object) -> str | None:
    """The presigned URL of an artifact, good for ten minutes."""
    return get_id(data, "expiring_download_url")
