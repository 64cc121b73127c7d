"""App Store Connect's JSON:API into models. Only this module knows its names; each may be missing or null."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote

from tui.models import (
    AccountName,
    Action,
    ActionId,
    App,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Budget,
    Build,
    BuildId,
    BuildRef,
    IssueCounts,
    Status,
)
from tui.providers.fields import (
    get,
    get_id,
    get_int,
    get_list,
    get_mapping,
    get_size,
    get_str,
    get_time,
)

Included = Mapping[tuple[str, str], Mapping[str, object]]
"""The attributes of included resources, by their type and id."""

_WEB: Final = "https://appstoreconnect.apple.com"
"""`/apps/ID/ci` there shows an app's builds: observed, undocumented. A build's page needs the team's id."""
_COMPLETION: Final = {
    "SUCCEEDED": Status.SUCCEEDED,
    "FAILED": Status.FAILED,
    "ERRORED": Status.ERRORED,
    "CANCELED": Status.ABORTED,
    "SKIPPED": Status.SKIPPED,
}
_PROGRESS: Final = {"PENDING": Status.QUEUED, "RUNNING": Status.RUNNING}
_KINDS: Final = {
    "ARCHIVE": ArtifactKind.XCARCHIVE,
    "XCODEBUILD_ARCHIVE": ArtifactKind.XCARCHIVE,
    "STAPLED_NOTARIZED_ARCHIVE": ArtifactKind.XCARCHIVE,
    "LOG": ArtifactKind.LOGS,
    "LOG_BUNDLE": ArtifactKind.LOGS,
    "RESULT_BUNDLE": ArtifactKind.TEST_RESULTS,
    "TEST_PRODUCTS": ArtifactKind.PRODUCTS,
    "XCODEBUILD_PRODUCTS": ArtifactKind.PRODUCTS,
    "ARCHIVE_EXPORT": ArtifactKind.PRODUCTS,
}
"""The documented types, and two that third-party code has met (thatfactory/xcode-cloud-mcp)."""
_RATE: Final = re.compile(r"(user-hour-lim|user-hour-rem):(\d{1,9})")


def included(answer: object) -> Included:
    """What the answer brought along besides its data."""
    found: dict[tuple[str, str], Mapping[str, object]] = {}
    for resource in get_list(answer, "included"):
        kind, key = get_str(resource, "type"), get_str(resource, "id")
        if kind is not None and key is not None:
            found[kind, key] = get_mapping(resource, "attributes")
    return found


def _related(data: object, name: str, along: Included) -> tuple[str | None, Mapping[str, object]]:
    """The id and the attributes of a related resource; its id is told only when it was included."""
    link = get_mapping(data, "relationships", name, "data")
    kind, key = get_str(link, "type"), get_str(link, "id")
    if kind is None or key is None:
        return None, {}
    return key, along.get((kind, key), {})


def related_id(data: object, name: str, along: Included) -> str | None:
    """The id of a related resource that was included."""
    return _related(data, name, along)[0]


def stack(answer: object) -> str | None:
    """`Xcode 26.1 on macOS 26.1`, of a ciWorkflows answer that brought its versions along."""
    data, along = item(answer), included(answer)
    versions = (_related(data, name, along)[1] for name in ("xcodeVersion", "macOsVersion"))
    names = [name for version in versions if (name := get_str(version, "name") or get_str(version, "version"))]
    return " on ".join(names) or None


def parse_app(data: object, along: Included, account: AccountName, provider: str) -> App | None:
    """One ciProducts resource; None without an id. A FRAMEWORK has no app and so no bundle id."""
    product = get_id(data, "id")
    if product is None:
        return None
    app_id, app = _related(data, "app", along)
    return App(
        ref=AppRef(account, AppId(product)),
        title=get_str(data, "attributes", "name") or get_str(app, "name") or product,
        provider=provider,
        kind=get_str(data, "attributes", "productType"),
        bundle_id=get_str(app, "bundleId"),
        web_url=app_id and f"{_WEB}/apps/{quote(app_id, safe='', errors='replace')}/ci",
        created_at=get_time(data, "attributes", "createdDate"),
    )


def parse_build(data: object, along: Included, app: AppRef) -> Build | None:
    """One ciBuildRuns resource; None without an id."""
    run = get_id(data, "id")
    if run is None:
        return None
    attributes = get_mapping(data, "attributes")
    _, workflow = _related(data, "workflow", along)
    _, ref = _related(data, "sourceBranchOrTag", along)
    _, pull_request = _related(data, "pullRequest", along)
    status, status_raw = _parse_status(attributes)
    is_tag = get_str(ref, "kind") == "TAG"
    name = get_str(ref, "name")
    return Build(
        ref=BuildRef(app.account, app.app, BuildId(run)),
        number=get_int(attributes, "number"),
        status=status,
        status_raw=status_raw,
        branch=get_str(pull_request, "sourceBranchName") if is_tag or name is None else name,
        tag=name if is_tag else None,
        workflow=get_str(workflow, "name"),
        commit_sha=get_str(attributes, "sourceCommit", "commitSha"),
        commit_message=get_str(attributes, "sourceCommit", "message"),
        author=get_str(attributes, "sourceCommit", "author", "displayName"),
        trigger=get_str(attributes, "startReason"),
        pull_request=get_int(pull_request, "number"),
        pull_request_url=get_str(pull_request, "webUrl"),
        target_branch=get_str(pull_request, "destinationBranchName"),
        created_at=get_time(attributes, "createdDate"),
        started_at=get_time(attributes, "startedDate"),
        finished_at=get_time(attributes, "finishedDate"),
        reason=get_str(attributes, "cancelReason"),
        commit_url=get_str(attributes, "sourceCommit", "webUrl"),
        issues=_parse_issues(attributes),
    )


def parse_action(data: object) -> Action | None:
    """One ciBuildActions resource; None without an id."""
    key = get_id(data, "id")
    if key is None:
        return None
    attributes = get_mapping(data, "attributes")
    kind = get_str(attributes, "actionType")
    status, status_raw = _parse_status(attributes)
    return Action(
        id=ActionId(key),
        name=get_str(attributes, "name") or kind or key,
        kind=kind,
        status=status,
        status_raw=status_raw,
        started_at=get_time(attributes, "startedDate"),
        finished_at=get_time(attributes, "finishedDate"),
        issues=_parse_issues(attributes),
    )


def parse_artifact(data: object, build: Build, action: Action) -> Artifact | None:
    """One ciArtifacts resource; None without an id. Dated by its action, or by its build: it has no date."""
    key = get_id(data, "id")
    if key is None:
        return None
    ref = build.ref
    kind_raw = get_str(data, "attributes", "fileType") or "none given"
    title = get_str(data, "attributes", "fileName") or f"{kind_raw} {key}"
    return Artifact(
        ref=ArtifactRef(ref.account, ref.app, ref.build, ArtifactId(key)),
        title=title,
        kind=ArtifactKind.IPA if title.lower().endswith(".ipa") else _KINDS.get(kind_raw, ArtifactKind.FILE),
        kind_raw=kind_raw,
        size_bytes=get_size(data, "attributes", "fileSize"),
        created_at=action.finished_at or build.finished_at or action.started_at or build.created_at,
        action=action,
    )


def download_url(data: object) -> str | None:
    """Where the file is for a limited time; missing or empty when it is gone."""
    return get_id(data, "attributes", "downloadUrl")


def file_size(data: object) -> int | None:
    """The length in bytes."""
    return get_size(data, "attributes", "fileSize")


def _parse_status(attributes: object) -> tuple[Status, str]:
    """`completionStatus` is null until `executionProgress` is COMPLETE."""
    progress, completion = get_str(attributes, "executionProgress"), get_str(attributes, "completionStatus")
    if completion is not None:
        return _COMPLETION.get(completion, Status.UNKNOWN), completion
    if progress is not None:
        return _PROGRESS.get(progress, Status.UNKNOWN), progress
    return Status.UNKNOWN, "none given"


def _parse_issues(attributes: object) -> IssueCounts | None:
    counts = get_mapping(attributes, "issueCounts")
    issues = IssueCounts(
        errors=get_size(counts, "errors"),
        warnings=get_size(counts, "warnings"),
        test_failures=get_size(counts, "testFailures"),
        analyzer_warnings=get_size(counts, "analyzerWarnings"),
    )
    return None if issues == IssueCounts() else issues


def items(answer: object) -> list[object] | None:
    """The resources of a list answer; None when it is not one."""
    value = get(answer, "data")
    return value if isinstance(value, list) else None


def item(answer: object) -> Mapping[str, object] | None:
    """The one resource of an answer; None when there is none."""
    return get_mapping(answer, "data") or None


def resource_id(answer: object) -> str | None:
    """The id of the one resource of an answer."""
    return get_id(answer, "data", "id")


def next_link(answer: object) -> str | None:
    """The address of the next page; absent or empty on the last one."""
    return get_id(answer, "links", "next")


def total_items(answer: object) -> int | None:
    """The number of items on all pages; Apple's answers for Xcode Cloud lack it."""
    return get_size(answer, "meta", "paging", "total")


def parse_error(answer: object) -> str | None:
    """The server's message: what each error says in detail, else its title, else its code."""
    texts = []
    for error in get_list(answer, "errors"):
        text = get_str(error, "detail") or get_str(error, "title") or get_str(error, "code")
        if text is not None:
            texts.append(text)
    return " ".join(texts) or None


def parse_budget(headers: Mapping[str, str], seen_at: datetime) -> Budget | None:
    """`X-Rate-Limit: user-hour-lim:3600;user-hour-rem:3590;` (Apple's docs, identifying-rate-limits)."""
    counts = dict(_RATE.findall(headers.get("x-rate-limit", "")))
    if counts.keys() != {"user-hour-lim", "user-hour-rem"}:
        return None
    return Budget(int(counts["user-hour-lim"]), int(counts["user-hour-rem"]), seen_at)
