"""What a provider is. Built-in ones and plug-ins implement the same two protocols."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from tui.models import (
    Account,
    Action,
    App,
    AppRef,
    Artifact,
    ArtifactRef,
    Budget,
    Build,
    BuildQuery,
    BuildRef,
    Capabilities,
    Cursor,
    Identity,
    Page,
    Source,
    Verb,
)
from tui.secret import Secret

if TYPE_CHECKING:
    from tui.models.inspection import BuildVerb, GitRef, Issue, LogPart, StartRequest, TestResult, Workflow

ALL_BUILDS: Final = BuildQuery()
"""The query that leaves nothing out."""


class Provider(Protocol):
    """One account at one CI system, opened.

    Every method may raise a `DigsiteError` of the `ProviderError` family and nothing else, and stops at once
    when cancelled. Lists come newest first where the system knows an order.
    """

    @property
    def account(self) -> Account:
        """The account it was opened for."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this system can do at all."""
        ...

    @property
    def budget(self) -> Budget | None:
        """What is left of the call limit, as of the last answer; None where there is no limit to show."""
        ...

    @property
    def clock_offset_s(self) -> float | None:
        """The server's clock minus ours in seconds; None as long as no answer told its time."""
        ...

    async def check(self) -> Identity:
        """Proves the credential with the cheapest call that every kind of credential may make."""
        ...

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        """One page of apps."""
        ...

    async def app(self, ref: AppRef) -> App:
        """One app; `NotFound` when there is none."""
        ...

    async def builds(self, app: AppRef, query: BuildQuery = ALL_BUILDS, cursor: Cursor | None = None) -> Page[Build]:
        """One page of builds, newest first. One filtered on our side may be empty and still have a next."""
        ...

    async def build(self, ref: BuildRef) -> Build:
        """One build."""
        ...

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        """One page of artifacts; those of all actions together, each with its `action`."""
        ...

    async def artifact(self, artifact: Artifact) -> Artifact:
        """The same artifact, read again: with the install URL, and with the server's state of now."""
        ...

    async def source(self, artifact: Artifact) -> Source:
        """Where to download it from, asked for at the moment of use; the URL lives for minutes."""
        ...

    def refusal(self, verb: Verb, artifact: Artifact) -> str | None:
        """Why this cannot be done, in one sentence for people; None when it can be tried."""
        ...

    async def set_public(self, artifact: Artifact, enabled: bool) -> Artifact:
        """Switches the public install page; gives the artifact as the server then has it.

        Raises:
            OutcomeUnknown: The answer was lost; re-read before saying anything.
        """
        ...

    async def delete(self, ref: ArtifactRef) -> None:
        """Deletes it for good.

        Raises:
            OutcomeUnknown: The answer was lost; re-read before saying anything.
        """
        ...

    def build_refusal(self, verb: BuildVerb, build: Build | None = None) -> str | None:
        """Why this cannot be done with a build, or with this one, in one sentence; None when it can be tried."""
        ...

    async def log(self, build: Build, cursor: Cursor | None = None) -> LogPart:
        """What there is of the log now, or what came after `cursor`; `NotFound` while there is none yet."""
        ...

    async def actions(self, build: Build) -> tuple[Action, ...]:
        """The actions of a build, in their order; empty where the system has none."""
        ...

    async def stack(self, build: Build) -> str | None:
        """What it is built with: a stack, or versions of Xcode and macOS; None where the system does not tell."""
        ...

    async def issues(self, build: Build) -> tuple[Issue, ...]:
        """What the build found wrong, errors first; empty where the system has no such list."""
        ...

    async def tests(self, build: Build) -> tuple[TestResult, ...]:
        """Results of tests, failures first; empty where the system has no such list."""
        ...

    async def workflows(self, app: AppRef) -> tuple[Workflow, ...]:
        """What can be started."""
        ...

    def git_refs(self, app: AppRef, workflow: Workflow) -> AsyncIterator[GitRef]:
        """Branches, tags and pull requests that can be built, as their pages arrive."""
        ...

    async def start(self, request: StartRequest) -> Build:
        """Starts a build, sent once.

        Raises:
            NotFound: There is no such workflow, branch, tag or pull request.
            OutcomeUnknown: The answer was lost; look at the newest builds before saying anything.
        """
        ...

    async def abort(self, ref: BuildRef, reason: str) -> None:
        """Ends a build that is under way.

        Raises:
            OutcomeUnknown: The answer was lost; re-read before saying anything.
        """
        ...

    async def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        """Any call of the system's API, as the account: `digsite api`. Gives the parsed answer.

        Args:
            method: GET, POST, PATCH or DELETE; all but GET are sent once and refused where the account is read-only.
            path: Below the API's address, with its query.
            body: Sent as JSON.
        """
        ...

    async def recent_builds(self, cursor: Cursor | None = None) -> Page[tuple[App, Build]]:
        """One page of the newest builds of all apps, newest first; `NotSupported` where the system has no such list."""
        ...

    async def aclose(self) -> None:
        """Closes its connections."""
        ...


@dataclass(frozen=True, slots=True)
class SetupField:
    """One question of the set-up: `digsite accounts add` and the welcome screen ask the same."""

    name: str
    """The key in config.toml."""
    label: str
    help: str
    required: bool = False


class ProviderPlugin(Protocol):
    """What an entry point of the group `digsite.providers` names: how to open accounts of one CI system."""

    @property
    def name(self) -> str:
        """The word in config.toml: `bitrise`."""
        ...

    @property
    def title(self) -> str:
        """For people: `Bitrise`."""
        ...

    @property
    def badge(self) -> str:
        """At most three letters, shown beside an app."""
        ...

    @property
    def default_url(self) -> str:
        """The API's address."""
        ...

    @property
    def secret_label(self) -> str:
        """What the secret is called: `Personal access token`."""
        ...

    @property
    def fields(self) -> Sequence[SetupField]:
        """What an account needs beside its secret."""
        ...

    def check_secret(self, secret: Secret, options: Mapping[str, str]) -> Secret:
        """Looks at the form of a secret before anything is sent, and gives it back cleaned.

        Raises:
            CredentialError: It cannot be right; the message says why and never repeats it.
        """
        ...

    def expires_at(self, secret: Secret) -> datetime | None:
        """When a secret ends by itself, aware UTC, as far as it tells without asking anybody."""
        ...

    def environment(self, environ: Mapping[str, str]) -> tuple[Account, Secret] | None:
        """The account that the environment alone describes, named as the provider; None when it does not.

        Raises:
            ConfigError: The variables are there but contradict each other or cannot be read.
        """
        ...

    def open(self, account: Account, secret: Secret) -> Provider:
        """Makes a provider; no network, no file, no slow import before its first call.

        Raises:
            ConfigError: The account's options are wrong.
            CredentialError: The secret is malformed.
        """
        ...
