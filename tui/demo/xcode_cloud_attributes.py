"""Ids and attributes of the resources of demo-xcode-cloud, in Apple's shapes and with Apple's nulls.

Attributes are null, not absent, until they are known (observed in Apple's own examples of build runs and test
results, which their specification does not allow).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from tui.demo import seeds
from tui.demo.log_failures import Failure
from tui.demo.xcode_cloud_data import branches
from tui.demo.xcode_cloud_products import ActionType, Completion, ProductSpec, WorkflowSpec
from tui.demo.xcode_cloud_runs import (
    APP_IDS,
    ISSUE_IDS,
    PRODUCT_IDS,
    PULL_REQUEST_IDS,
    REFERENCE_IDS,
    REPOSITORY_IDS,
    SMALL_BITS,
    TEST_IDS,
    WORKFLOW_IDS,
    Action,
    FileArtifact,
    Run,
)

Attributes = Mapping[str, object]

DELETED_BRANCHES: Final = frozenset({"feature/offline-cart"})

_TESTS: Final = (
    ("CartTests", "testTotalIncludesShipping"), ("CartTests", "testEmptyCart"), ("CartTests", "testCoupon"),
    ("LoginTests", "testWrongPassword"), ("LoginTests", "testSessionExpires"), ("LoginTests", "testBiometrics"),
    ("SyncTests", "testOfflineQueue"), ("SyncTests", "testConflict"), ("FeedTests", "testPaging"),
    ("FeedTests", "testImagesArePrefetched"), ("ProfileTests", "testAvatarCache"), ("OnboardingTests", "testSkip"),
)  # fmt: skip
_SHIPPING: Final = 'XCTAssertEqual failed: ("24.9") is not equal to ("19.9")'
_CONFLICT: Final = "Asynchronous wait failed: Exceeded timeout of 10 seconds, with unfulfilled expectations: merged"
_FLAKY: Final = 7
"""The test that fails on one of its devices when another one fails on both."""
_COMPILER: Final = "Swift Compiler Error"
_ISSUES: Final = {
    Failure.TESTS: (
        ("TEST_FAILURE", _SHIPPING, "XCTAssertEqual", ("Tests/CartTests.swift", 57)),
        ("TEST_FAILURE", _CONFLICT, "XCTWaiter", ("Tests/SyncTests.swift", 112)),
    ),
    Failure.COMPILE: (
        ("ERROR", "Cannot find 'rememberSession' in scope", _COMPILER, ("Login/LoginView.swift", 84)),
        ("ERROR", "Value of optional type 'String?' must be unwrapped", _COMPILER, ("Login/LoginView.swift", 91)),
        ("ERROR", "Command SwiftCompile failed with a nonzero exit code", None, None),
    ),
    Failure.SIGNING: (
        ("ERROR", "Provisioning profile \"Ad Hoc\" doesn't include signing certificate \"Apple Distribution: "
         "Acme Mobile (A1B2C3D4E5)\".", "Code Signing Error", None),
        ("ERROR", "Exporting for Ad Hoc Distribution failed. Please download the logs artifact for more information.",
         None, None),
    ),
    Failure.DEPENDENCIES: (
        ("ERROR", "Could not resolve package dependencies: The requested URL returned error: 503",
         "Package Resolution", None),
    ),
    Failure.TIMEOUT: (
        ("ERROR", "Testing was cancelled: no output was received for 90 minutes.", None, None),
    ),
    Failure.LOST_RUNNER: (
        ("ERROR", "The build machine stopped responding. Try again later.", None, None),
    ),
}  # fmt: skip


def product_id(product: ProductSpec) -> str:
    """Id of a ciProducts resource."""
    return PRODUCT_IDS.uuid(product.index)


def app_id(product: ProductSpec) -> str:
    """Id of the apps resource of a product."""
    return APP_IDS.uuid(product.index)


def repository_id(product: ProductSpec) -> str:
    """Id of the scmRepositories resource of a product."""
    return REPOSITORY_IDS.uuid(product.index)


def workflow_id(product: ProductSpec, workflow: WorkflowSpec) -> str:
    """Id of a ciWorkflows resource."""
    return WORKFLOW_IDS.uuid(product.index << SMALL_BITS | product.workflows.index(workflow))


def reference_id(product: ProductSpec, branch: str) -> str:
    """Id of a scmGitReferences resource."""
    return REFERENCE_IDS.uuid(product.index << SMALL_BITS | branches(product).index(branch))


def pull_request_id(product: ProductSpec, branch: str) -> str:
    """Id of a scmPullRequests resource."""
    return PULL_REQUEST_IDS.uuid(product.index << SMALL_BITS | branches(product).index(branch))


def product_attributes(product: ProductSpec, opened_at: datetime) -> Attributes:
    """Of a ciProducts resource."""
    created = opened_at.replace(hour=8, minute=30, second=0, microsecond=0) - timedelta(days=product.created_days)
    return {"name": product.name, "createdDate": stamp(created), "productType": product.product_type}


def app_attributes(product: ProductSpec) -> Attributes:
    """Of an apps resource."""
    sku = (product.bundle_id or "").upper().replace(".", "-")
    return {"name": product.name, "bundleId": product.bundle_id, "sku": sku, "primaryLocale": "en-US"}


def repository_attributes(product: ProductSpec, opened_at: datetime) -> Attributes:
    """Of a scmRepositories resource."""
    path = f"acme/{product.repository}.git"
    return {
        "lastAccessedDate": stamp(opened_at),
        "httpCloneUrl": f"https://github.com/{path}",
        "sshCloneUrl": f"ssh://git@github.com/{path}",
        "ownerName": "acme",
        "repositoryName": product.repository,
    }


def reference_attributes(branch: str) -> Attributes:
    """Of a scmGitReferences resource."""
    is_tag = re.match(r"v\d", branch) is not None
    return {
        "name": branch,
        "canonicalName": f"refs/{'tags' if is_tag else 'heads'}/{branch}",
        "isDeleted": branch in DELETED_BRANCHES,
        "kind": "TAG" if is_tag else "BRANCH",
    }


def pull_request_attributes(product: ProductSpec, branch: str) -> Attributes:
    """Of a scmPullRequests resource."""
    number = 400 + seeds.number("pull request", product.index, branch) % 90
    return {
        "title": branch.partition("/")[2].replace("-", " ").capitalize(),
        "number": number,
        "webUrl": f"https://github.com/acme/{product.repository}/pull/{number}",
        "sourceRepositoryOwner": "acme",
        "sourceRepositoryName": product.repository,
        "sourceBranchName": branch,
        "destinationRepositoryOwner": "acme",
        "destinationRepositoryName": product.repository,
        "destinationBranchName": "main",
        "isClosed": branch in DELETED_BRANCHES,
        "isCrossRepository": False,
    }


def workflow_attributes(product: ProductSpec, workflow: WorkflowSpec, opened_at: datetime) -> Attributes:
    """Of a ciWorkflows resource."""
    patterns = [{"pattern": name, "isPrefix": False} for name in workflow.branches]
    by_branch = {"source": {"isAllMatch": False, "patterns": patterns}, "autoCancel": True}
    actions = [
        {
            "name": action.name,
            "actionType": action.action_type.value,
            "destination": "ANY_MAC" if action.platform == "MACOS" else "ANY_IOS_DEVICE",
            "scheme": product.module,
            "platform": action.platform,
            "isRequiredToPass": action.is_required,
        }
        for action in workflow.actions
    ]
    return {
        "name": workflow.name,
        "description": workflow.description,
        "branchStartCondition": by_branch if workflow.start_reason == "GIT_REF_CHANGE" else None,
        "tagStartCondition": None,
        "pullRequestStartCondition": None,
        "scheduledStartCondition": None,
        "manualBranchStartCondition": {"source": {"isAllMatch": True, "patterns": []}},
        "manualTagStartCondition": None,
        "manualPullRequestStartCondition": None,
        "actions": actions,
        "isEnabled": workflow.is_enabled,
        "isLockedForEditing": False,
        "clean": False,
        "containerFilePath": f"{product.module}.xcworkspace",
        "lastModifiedDate": stamp(opened_at - timedelta(days=40)),
    }


def run_attributes(run: Run, now: datetime) -> Attributes:
    """Of a ciBuildRuns resource."""
    author = {"displayName": run.author, "avatarUrl": ""}
    url = f"https://github.com/acme/{run.product.repository}/commit/"
    source = {
        "commitSha": run.commit,
        "message": run.message,
        "author": author,
        "committer": author,
        "webUrl": url + run.commit,
    }
    counts = None
    if run.completion is not None and run.completion is not Completion.SKIPPED:
        counts = _counted([issue for action in run.actions(now) for issue in action_issues(action)])
    return {
        "number": run.number,
        "createdDate": stamp(run.created_at),
        "startedDate": stamp(run.started_at),
        "finishedDate": stamp(run.finished_at),
        "sourceCommit": source,
        "destinationCommit": source if run.is_pull_request else None,
        "isPullRequestBuild": run.is_pull_request,
        "issueCounts": counts,
        "executionProgress": run.progress,
        "completionStatus": run.completion,
        "startReason": run.start_reason,
        "cancelReason": run.cancel_reason,
    }


def action_attributes(action: Action) -> Attributes:
    """Of a ciBuildActions resource."""
    progress = "PENDING" if action.started_at is None else "RUNNING"
    is_over = action.completion is not None
    return {
        "name": action.spec.name,
        "actionType": action.spec.action_type.value,
        "startedDate": stamp(action.started_at),
        "finishedDate": stamp(action.finished_at),
        "issueCounts": _counted(action_issues(action)) if action.finished_at is not None else None,
        "executionProgress": "COMPLETE" if is_over else progress,
        "completionStatus": action.completion,
        "isRequiredToPass": action.spec.is_required,
    }


def artifact_attributes(artifact: FileArtifact, url: str | None) -> Attributes:
    """Of a ciArtifacts resource."""
    return {
        "fileType": artifact.recipe.file_type,
        "fileName": artifact.title,
        "fileSize": artifact.size,
        "downloadUrl": url,
    }


def action_issues(action: Action) -> list[Attributes]:
    """The attributes of the ciIssues resources of an action."""
    if action.finished_at is None or action.completion is Completion.CANCELED:
        return []
    issues: list[Attributes] = []
    if action.failure is not None:
        issues += [_issue(*each) for each in _ISSUES[action.failure]]
    if action.failure is Failure.LOST_RUNNER:
        return issues
    is_analysis = action.spec.action_type is ActionType.ANALYZE
    for index in range(seeds.number("warnings", action.id) % 4):
        kind = "ANALYZER_WARNING" if is_analysis else "WARNING"
        text = "'onChange(of:perform:)' was deprecated in iOS 17.0"
        issues.append(_issue(kind, text, "Deprecation", ("Feed/FeedView.swift", 21 + index)))
    return issues


def issue_id(action: Action, index: int) -> str:
    """Id of a ciIssues resource."""
    return action.child_id(ISSUE_IDS, index)


def action_tests(action: Action) -> list[Attributes]:
    """The attributes of the ciTestResults resources of an action; only tests have some."""
    if action.spec.action_type is not ActionType.TEST or action.finished_at is None:
        return []
    if action.completion not in {Completion.SUCCEEDED, Completion.FAILED}:
        return []
    results = [_test(action, index, *names) for index, names in enumerate(_TESTS)]
    if action.failure is Failure.TIMEOUT:
        results = results[: len(_TESTS) // 2]
    return sorted(results, key=lambda result: result["status"] != "FAILURE")


def test_id(action: Action, index: int) -> str:
    """Id of a ciTestResults resource."""
    return action.child_id(TEST_IDS, index)


def stamp(moment: datetime | None) -> str | None:
    """A time as Apple writes it, with milliseconds."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _test(action: Action, index: int, class_name: str, name: str) -> Attributes:
    is_red = action.failure is Failure.TESTS
    fails = is_red and index in {0, _FLAKY}
    status = "SKIPPED" if index == 11 else "EXPECTED_FAILURE" if index == 10 else "SUCCESS"
    devices = ("iPhone 17 Pro", "iPad Air 11-inch (M3)")
    destinations = [
        {
            "uuid": TEST_IDS.uuid(seeds.number("device", action.id, index, device) >> 16),
            "deviceName": device,
            "osVersion": "26.1",
            "status": "FAILURE" if fails and (index == 0 or device == devices[1]) else status,
            "duration": seeds.between(2, 900, "duration", index, device) / 1000,
        }
        for device in devices
    ]
    place, message = (57, _SHIPPING) if index == 0 else (112, _CONFLICT)
    return {
        "className": class_name,
        "name": name,
        "status": ("FAILURE" if index == 0 else "MIXED") if fails else status,
        "fileSource": {"path": f"Tests/{class_name}.swift", "lineNumber": place} if fails else None,
        "message": message if fails else None,
        "destinationTestResults": destinations,
    }


def _issue(kind: str, message: str, category: str | None, place: tuple[str, int] | None) -> Attributes:
    source = None if place is None else {"path": f"/Volumes/workspace/repository/{place[0]}", "lineNumber": place[1]}
    return {"issueType": kind, "message": message, "fileSource": source, "category": category}


def _counted(issues: list[Attributes]) -> Attributes:
    kinds = [issue["issueType"] for issue in issues]
    return {
        "analyzerWarnings": kinds.count("ANALYZER_WARNING"),
        "errors": kinds.count("ERROR"),
        "testFailures": kinds.count("TEST_FAILURE"),
        "warnings": kinds.count("WARNING"),
    }
