"""Starting runs: from the names that people use to the ids that Apple takes, by paging."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from tui.errors import NotFound, NotSupported, OutcomeUnknown, ProviderError
from tui.http import ApiClient
from tui.models import AppRef, Build
from tui.models.inspection import GitRef, GitRefKind, StartRequest, Workflow
from tui.providers.xcode_cloud import inside, parse
from tui.providers.xcode_cloud.listing import Listing, readable

_TYPES: Final = {
    GitRefKind.BRANCH: ("sourceBranchOrTag", "scmGitReferences"),
    GitRefKind.TAG: ("sourceBranchOrTag", "scmGitReferences"),
    GitRefKind.PULL_REQUEST: ("pullRequest", "scmPullRequests"),
}
"""The relationship and the type of each kind of reference."""
_PREFIXES: Final = {GitRefKind.BRANCH: "refs/heads/", GitRefKind.TAG: "refs/tags/"}


class Starting:
    """What can be started, and the start itself."""

    def __init__(self, client: ApiClient, listing: Listing) -> None:
        self._client = client
        self._listing = listing

    async def workflows(self, app: AppRef) -> tuple[Workflow, ...]:
        """The workflows of a product."""
        page = await self._listing.all(
            ("v1", "ciProducts", app.app, "workflows"),
            lambda data, _along: inside.parse_workflow(data),
            what="product",
        )
        return page.items

    async def git_refs(self, workflow_id: str) -> AsyncIterator[GitRef]:
        """Branches and tags of a workflow's repository, then its open pull requests.

        The API filters by no name, so a search has to read all pages (App Store Connect API docs, scmGitReferences).
        """
        answer = await self._client.get("v1", "ciWorkflows", workflow_id, "repository", what="workflow")
        repository = readable(parse.resource_id(answer), "repository")
        async for ref in self._refs(repository, "gitReferences", inside.parse_git_ref):
            yield ref
        async for ref in self._refs(repository, "pullRequests", inside.parse_pull_request):
            yield ref

    async def start(self, request: StartRequest) -> Build:
        """Creates a run; it is pending then.

        Raises:
            NotFound: There is no such workflow, branch, tag or pull request.
            NotSupported: A commit or environment variables are given, which Apple's API does not take.
            OutcomeUnknown: The answer was lost or cannot be read.
        """
        self._client.check_writable()
        body = inside.run_body(await self._related(request), clean=request.clean)
        answer = await self._client.post("v1", "ciBuildRuns", what="workflow", body=body)
        build = parse.parse_build(parse.item(answer), parse.included(answer), request.app)
        if build is None:
            raise OutcomeUnknown(
                "Xcode Cloud took the request but named no run.",
                hint="Look at the newest builds of the product before starting it again.",
            )
        return build

    async def _refs(
        self, repository: str, name: str, parse_ref: Callable[[object], GitRef | None]
    ) -> AsyncIterator[GitRef]:
        segments = ("v1", "scmRepositories", repository, name)
        async for page in self._listing.pages(segments, lambda data, _along: parse_ref(data), what="repository"):
            for ref in page.items:
                yield ref

    async def _related(self, request: StartRequest) -> dict[str, tuple[str, str]]:
        if request.rebuild is not None:
            return {"buildRun": ("ciBuildRuns", request.rebuild.build)}
        if request.commit is not None:
            raise NotSupported("Xcode Cloud builds the newest commit of a branch, a tag or a pull request, no other.")
        if request.environment:
            raise NotSupported("Apple's API takes no environment variables; they belong to the workflow.")
        workflow = await self._workflow(request.app, request.workflow)
        related = {"workflow": ("ciWorkflows", workflow.id)}
        wanted = _wanted(request)
        if wanted is not None:
            kind, name = wanted
            relation, resource = _TYPES[kind]
            related[relation] = (resource, (await self._git_ref(workflow, kind, name)).id)
        return related

    async def _workflow(self, app: AppRef, wanted: str) -> Workflow:
        for workflow in await self.workflows(app):
            if wanted in {workflow.id, workflow.name}:
                return workflow
        raise NotFound("This product has no workflow of that name.", hint="Names count capitals; look at the list.")

    async def _git_ref(self, workflow: Workflow, kind: GitRefKind, wanted: str) -> GitRef:
        async for ref in self.git_refs(workflow.id):
            name = ref.name.partition(" ")[0] if kind is GitRefKind.PULL_REQUEST else ref.name
            if ref.kind is kind and name == wanted.removeprefix(_PREFIXES.get(kind, "")):
                return ref
        raise NotFound(
            f"The repository of this workflow has no such {kind}.",
            hint="A closed pull request or a deleted branch cannot be built.",
        )


def _wanted(request: StartRequest) -> tuple[GitRefKind, str] | None:
    """The one reference that is asked for; None leaves the choice to Xcode Cloud.

    Raises:
        ProviderError: There are several.
    """
    number = None if request.pull_request is None else f"#{request.pull_request}"
    given = [
        (kind, name)
        for kind, name in (
            (GitRefKind.BRANCH, request.branch),
            (GitRefKind.TAG, request.tag),
            (GitRefKind.PULL_REQUEST, number),
        )
        if name is not None
    ]
    if len(given) > 1:
        raise ProviderError("Xcode Cloud builds a branch, a tag or a pull request: name one of them.")
    return given[0] if given else None
