"""The log of a Bitrise build, and what starts another one, in Bitrise's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.errors import NotSupported, OutcomeUnknown
from tui.models import Build, BuildId, BuildRef, Cursor, Source, Status
from tui.models.inspection import LogChunk, LogPart, StartRequest
from tui.providers import presigned
from tui.providers.fields import get_bool, get_id, get_int, get_list, get_mapping, get_str
from tui.secret import Secret

_REPEATED: Final = (
    "base_repository_url",
    "branch",
    "branch_dest",
    "branch_dest_repo_owner",
    "branch_repo_owner",
    "commit_hash",
    "commit_message",
    "commit_paths",
    "diff_url",
    "environments",
    "head_repository_url",
    "machine_type_id",
    "pipeline_id",
    "pull_request_author",
    "pull_request_head_branch",
    "pull_request_id",
    "pull_request_merge_branch",
    "pull_request_repository_url",
    "pull_request_unverified_merge_branch",
    "stack",
    "tag",
    "workflow_id",
)
"""What of `original_build_params` starts the same build again (Bitrise API, v0.BuildTriggerParamsBuildParams)."""


def parse_log(data: object) -> LogPart:
    """The log manifest: a link to the whole text once it is archived, pieces of it before.

    The link can be missing from an archived log too; then its pieces are the log (bitrise-io/bitrise-cli,
    internal/build/service.go).
    """
    is_archived = get_bool(data, "is_archived") or False
    url = get_id(data, "expiring_raw_log_url")
    if is_archived and url is not None:
        return LogPart(source=Source(Secret(url), None, presigned.expiry(url)), is_complete=True)
    parsed = (_parse_chunk(chunk) for chunk in get_list(data, "log_chunks"))
    after = get_id(data, "next_after_timestamp")
    return LogPart(
        chunks=tuple(chunk for chunk in parsed if chunk is not None),
        next_cursor=None if after is None else Cursor(after),
        is_complete=is_archived and after is None,
    )


def _parse_chunk(data: object) -> LogChunk | None:
    position, text = get_int(data, "position"), get_str(data, "chunk")
    return None if position is None or text is None else LogChunk(position, text)


def start_params(request: StartRequest) -> Mapping[str, object]:
    """`build_params` for a new build (Bitrise docs, triggering-and-aborting-builds).

    Raises:
        NotSupported: A clean build is asked for.
    """
    if request.clean:
        raise NotSupported("Bitrise starts no clean builds: every build has a fresh machine; caches are steps.")
    params: dict[str, object] = {
        "workflow_id": request.workflow,
        "branch": request.branch,
        "tag": request.tag,
        "commit_hash": request.commit,
        "pull_request_id": request.pull_request,
    }
    if request.environment:
        # Sent as it was given: a dollar sign in a value is a dollar sign.
        params["environments"] = [
            {"key": key, "value": value, "is_expand": False} for key, value in request.environment.items()
        ]
    return {name: value for name, value in params.items() if value is not None}


def rebuild_params(data: object) -> Mapping[str, object]:
    """`build_params` that repeat a build: what it was started with, at the commit that it took."""
    original = get_mapping(data, "original_build_params")
    params = {name: original[name] for name in _REPEATED if original.get(name)}
    for name, key in (
        ("commit_hash", "commit_hash"),
        ("branch", "branch"),
        ("tag", "tag"),
        ("commit_message", "commit_message"),
    ):
        value = get_str(data, key)
        if value is not None:
            params.setdefault(name, value)
    workflow = get_str(data, "triggered_workflow")
    if workflow is not None and "pipeline_id" not in params:
        params.setdefault("workflow_id", workflow)
    return params


def parse_started(data: object, request: StartRequest) -> Build:
    """The build that a trigger's answer names, as far as it tells; queued.

    Its fields outside of `results` are deprecated (Bitrise API, v0.BuildTriggerRespModel).

    Raises:
        OutcomeUnknown: The answer names none.
    """
    results = get_list(data, "results")
    result = results[0] if results else data
    slug = get_id(result, "build_slug")
    if slug is None:
        raise OutcomeUnknown(
            "Bitrise took the request but named no build.",
            hint="Look at the newest builds of the app before starting it again.",
        )
    return Build(
        ref=BuildRef(request.app.account, request.app.app, BuildId(slug)),
        number=get_int(result, "build_number"),
        status=Status.QUEUED,
        status_raw=get_str(result, "status") or "none given",
        branch=request.branch,
        tag=request.tag,
        workflow=get_str(result, "triggered_workflow") or request.workflow,
        commit_sha=request.commit,
        pull_request=request.pull_request,
    )
