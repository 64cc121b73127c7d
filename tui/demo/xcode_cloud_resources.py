"""The resources of demo-xcode-cloud, with the relations that each can show."""

from __future__ import annotations

from tui.demo import xcode_cloud_attributes as attributes
from tui.demo.json_api import Relations, Resource
from tui.demo.storage import Signer, object_name
from tui.demo.xcode_cloud_data import XcodeCloudData, branches
from tui.demo.xcode_cloud_products import ProductSpec, WorkflowSpec
from tui.demo.xcode_cloud_runs import Action, FileArtifact, Run


class Resources:
    """Makes one resource of each kind."""

    def __init__(self, data: XcodeCloudData, signer: Signer) -> None:
        self._data = data
        self._signer = signer

    def product(self, product: ProductSpec) -> Resource:
        """ciProducts; a framework has no app."""
        related: Relations = {
            "app": lambda: None if product.bundle_id is None else self.app(product),
            "bundleId": lambda: None if product.bundle_id is None else self.bundle_id(product),
            "primaryRepositories": lambda: [self.repository(product)],
        }
        return Resource(
            "ciProducts",
            attributes.product_id(product),
            attributes.product_attributes(product, self._data.opened_at),
            ("app", "workflows", "primaryRepositories", "additionalRepositories", "buildRuns"),
            related,
        )

    def app(self, product: ProductSpec) -> Resource:
        """apps."""
        return Resource("apps", attributes.app_id(product), attributes.app_attributes(product), ("ciProduct",))

    def bundle_id(self, product: ProductSpec) -> Resource:
        """bundleIds."""
        values = {
            "name": product.name,
            "platform": "UNIVERSAL",
            "identifier": product.bundle_id,
            "seedId": "A1B2C3",
        }
        return Resource("bundleIds", attributes.app_id(product), values)

    def repository(self, product: ProductSpec) -> Resource:
        """scmRepositories."""
        values = attributes.repository_attributes(product, self._data.opened_at)
        related = {"defaultBranch": lambda: self.reference(product, branches(product)[0])}
        linked = ("gitReferences", "pullRequests")
        return Resource("scmRepositories", attributes.repository_id(product), values, linked, related)

    def reference(self, product: ProductSpec, branch: str) -> Resource:
        """scmGitReferences."""
        values = attributes.reference_attributes(branch)
        related = {"repository": lambda: self.repository(product)}
        return Resource("scmGitReferences", attributes.reference_id(product, branch), values, (), related)

    def pull_request(self, product: ProductSpec, branch: str) -> Resource:
        """scmPullRequests."""
        values = attributes.pull_request_attributes(product, branch)
        related = {"repository": lambda: self.repository(product)}
        return Resource("scmPullRequests", attributes.pull_request_id(product, branch), values, (), related)

    def workflow(self, product: ProductSpec, workflow: WorkflowSpec) -> Resource:
        """ciWorkflows."""
        values = attributes.workflow_attributes(product, workflow, self._data.opened_at)
        related: Relations = {
            "product": lambda: self.product(product),
            "repository": lambda: self.repository(product),
            "xcodeVersion": lambda: Resource("ciXcodeVersions", "Xcode26B", {"name": "Xcode 26.1", "version": "17B55"}),
            "macOsVersion": lambda: Resource("ciMacOsVersions", "macOS26B", {"name": "macOS 26.1", "version": "25B78"}),
        }
        linked = ("repository", "buildRuns")
        return Resource("ciWorkflows", attributes.workflow_id(product, workflow), values, linked, related)

    def run(self, run: Run) -> Resource:
        """ciBuildRuns."""
        product, branch = run.product, run.branch
        related: Relations = {
            "builds": list,
            "workflow": lambda: self.workflow(product, run.workflow),
            "product": lambda: self.product(product),
            "sourceBranchOrTag": lambda: self.reference(product, branch),
            "destinationBranch": lambda: self.reference(product, "main") if run.is_pull_request else None,
            "pullRequest": lambda: self.pull_request(product, branch) if run.is_pull_request else None,
        }
        values = attributes.run_attributes(run, self._data.now())
        return Resource("ciBuildRuns", run.id, values, ("builds", "actions"), related)

    def action(self, action: Action) -> Resource:
        """ciBuildActions."""
        related = {"buildRun": lambda: self.run(action.run)}
        linked = ("buildRun", "artifacts", "issues", "testResults")
        return Resource("ciBuildActions", action.id, attributes.action_attributes(action), linked, related)

    def artifact(self, artifact: FileArtifact) -> Resource:
        """ciArtifacts, with a URL while it is kept."""
        path = f"/xcode-cloud/{artifact.id}/{object_name(artifact.title)}"
        url = None if artifact.action.is_expired else self._signer.url(path)
        return Resource("ciArtifacts", artifact.id, attributes.artifact_attributes(artifact, url))

    def issues(self, action: Action) -> list[Resource]:
        """ciIssues of an action."""
        return [
            Resource("ciIssues", attributes.issue_id(action, index), values)
            for index, values in enumerate(attributes.action_issues(action))
        ]

    def tests(self, action: Action) -> list[Resource]:
        """ciTestResults of an action."""
        return [
            Resource("ciTestResults", attributes.test_id(action, index), values)
            for index, values in enumerate(attributes.action_tests(action))
        ]
