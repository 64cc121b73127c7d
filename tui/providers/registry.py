"""Finds providers by name: the built-in ones, and those that other packages offer.

A package offers one by an entry point of the group `digsite.providers`, whose name is the provider's name and
whose object is a `ProviderPlugin` or a class that makes one. What such a provider raises beside digsite's own
errors is turned into `PluginError` here, so that a faulty one never stops the program.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tui.errors import ConfigError, DigsiteError, PluginError
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
from tui.providers.protocol import ALL_BUILDS, Provider, ProviderPlugin, SetupField
from tui.safe_text import clean
from tui.secret import Secret

if TYPE_CHECKING:
    from tui.models.inspection import BuildVerb, GitRef, Issue, LogPart, StartRequest, TestResult, Workflow

GROUP: Final = "digsite.providers"
"""The entry-point group."""

_BUILT_IN: Final = {
    "bitrise": ("tui.providers.bitrise.plugin", "BitrisePlugin"),
    "xcode-cloud": ("tui.providers.xcode_cloud.plugin", "XcodeCloudPlugin"),
    "archive": ("tui.archive.plugin", "ArchivePlugin"),
}


def plugin_names() -> tuple[str, ...]:
    """All names, the built-in ones first; nothing is loaded. A plug-in cannot take a built-in name."""
    if not _is_any_offered():
        return tuple(_BUILT_IN)
    from importlib import metadata

    offered = {entry.name for entry in metadata.entry_points(group=GROUP)}
    return (*_BUILT_IN, *sorted(offered - _BUILT_IN.keys()))


def _is_any_offered() -> bool:
    """Whether an installed package may offer one.

    `importlib.metadata` knows better, but the first paint would wait for it: measured, 15 ms instead of 2 ms.
    """
    group = GROUP.encode()
    for folder in sys.path:
        try:
            with os.scandir(folder or os.curdir) as entries:
                found = [Path(entry.path) for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
        except FileNotFoundError:
            continue
        except OSError:
            return True  # an archive of packages, or something else that only the library can read
        for path in found:
            with suppress(OSError):  # most packages have no such file
                if group in (path / "entry_points.txt").read_bytes():
                    return True
    return False


def plugin(name: str) -> ProviderPlugin:
    """Loads one provider's plug-in.

    Raises:
        ConfigError: No provider has this name.
        PluginError: It cannot be loaded.
    """
    if name in _BUILT_IN:
        module, attribute = _BUILT_IN[name]
        return cast("ProviderPlugin", getattr(import_module(module), attribute)())
    from importlib import metadata

    entries = list(metadata.entry_points(group=GROUP, name=name))
    if not entries:
        known = ", ".join(plugin_names())
        raise ConfigError(f"There is no provider named {clean(name, 60)}.", hint=f"Known are: {known}.")
    if len({entry.value for entry in entries}) > 1:
        raise PluginError(
            f"Several packages offer a provider named {clean(name, 60)}.",
            hint="Uninstall all but one of them.",
        )
    with _guard(name):
        loaded = entries[0].load()
        made: object = loaded() if isinstance(loaded, type) else loaded
        found = getattr(made, "name", None)
    if found != name or not callable(getattr(made, "open", None)):
        raise PluginError(f"What the plug-in {clean(name, 60)} offers is not a provider of that name.")
    return _GuardedPlugin(cast("ProviderPlugin", made))


@contextmanager
def _guard(name: str) -> Iterator[None]:
    """Turns whatever foreign code raises into a `PluginError`, without its text, which may hold a secret."""
    try:
        yield
    except DigsiteError:
        raise
    except Exception as error:
        raise PluginError(
            f"The plug-in {clean(name, 60)} failed: {type(error).__name__}.",
            hint="The log has the details; report it to the plug-in's author.",
        ) from error


class _GuardedPlugin:
    """A plug-in of another package, whose failures are ours to word."""

    def __init__(self, inner: ProviderPlugin) -> None:
        self._inner = inner
        self.name = inner.name
        with _guard(self.name):
            self.title: str = inner.title
            self.badge: str = inner.badge
            self.default_url: str = inner.default_url
            self.secret_label: str = inner.secret_label
            self.fields: Sequence[SetupField] = tuple(inner.fields)

    def check_secret(self, secret: Secret, options: Mapping[str, str]) -> Secret:
        with _guard(self.name):
            return self._inner.check_secret(secret, options)

    def expires_at(self, secret: Secret) -> datetime | None:
        with _guard(self.name):
            return self._inner.expires_at(secret)

    def environment(self, environ: Mapping[str, str]) -> tuple[Account, Secret] | None:
        with _guard(self.name):
            return self._inner.environment(environ)

    def open(self, account: Account, secret: Secret) -> Provider:
        with _guard(self.name):
            return _GuardedProvider(self.name, self._inner.open(account, secret))


class _GuardedProvider:
    """An opened account of another package's provider, whose failures are ours to word."""

    def __init__(self, name: str, inner: Provider) -> None:
        self._name = name
        self._inner = inner

    @property
    def account(self) -> Account:
        with _guard(self._name):
            return self._inner.account

    @property
    def capabilities(self) -> Capabilities:
        with _guard(self._name):
            return self._inner.capabilities

    @property
    def budget(self) -> Budget | None:
        with _guard(self._name):
            return self._inner.budget

    @property
    def clock_offset_s(self) -> float | None:
        with _guard(self._name):
            return self._inner.clock_offset_s

    async def check(self) -> Identity:
        with _guard(self._name):
            return await self._inner.check()

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        with _guard(self._name):
            return await self._inner.apps(cursor)

    async def app(self, ref: AppRef) -> App:
        with _guard(self._name):
            return await self._inner.app(ref)

    async def builds(self, app: AppRef, query: BuildQuery = ALL_BUILDS, cursor: Cursor | None = None) -> Page[Build]:
        with _guard(self._name):
            return await self._inner.builds(app, query, cursor)

    async def build(self, ref: BuildRef) -> Build:
        with _guard(self._name):
            return await self._inner.build(ref)

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        with _guard(self._name):
            return await self._inner.artifacts(build, cursor)

    async def artifact(self, artifact: Artifact) -> Artifact:
        with _guard(self._name):
            return await self._inner.artifact(artifact)

    async def source(self, artifact: Artifact) -> Source:
        with _guard(self._name):
            return await self._inner.source(artifact)

    def refusal(self, verb: Verb, artifact: Artifact) -> str | None:
        with _guard(self._name):
            return self._inner.refusal(verb, artifact)

    async def set_public(self, artifact: Artifact, enabled: bool) -> Artifact:
        with _guard(self._name):
            return await self._inner.set_public(artifact, enabled)

    async def delete(self, ref: ArtifactRef) -> None:
        with _guard(self._name):
            await self._inner.delete(ref)

    def build_refusal(self, verb: BuildVerb, build: Build | None = None) -> str | None:
        with _guard(self._name):
            return self._inner.build_refusal(verb, build)

    async def log(self, build: Build, cursor: Cursor | None = None) -> LogPart:
        with _guard(self._name):
            return await self._inner.log(build, cursor)

    async def actions(self, build: Build) -> tuple[Action, ...]:
        with _guard(self._name):
            return await self._inner.actions(build)

    async def stack(self, build: Build) -> str | None:
        with _guard(self._name):
            return await self._inner.stack(build)

    async def issues(self, build: Build) -> tuple[Issue, ...]:
        with _guard(self._name):
            return await self._inner.issues(build)

    async def tests(self, build: Build) -> tuple[TestResult, ...]:
        with _guard(self._name):
            return await self._inner.tests(build)

    async def workflows(self, app: AppRef) -> tuple[Workflow, ...]:
        with _guard(self._name):
            return await self._inner.workflows(app)

    async def git_refs(self, app: AppRef, workflow: Workflow) -> AsyncIterator[GitRef]:
        with _guard(self._name):
            found = self._inner.git_refs(app, workflow)
        while True:
            with _guard(self._name):
                try:
                    ref = await anext(found)
                except StopAsyncIteration:
                    return
            yield ref

    async def start(self, request: StartRequest) -> Build:
        with _guard(self._name):
            return await self._inner.start(request)

    async def abort(self, ref: BuildRef, reason: str) -> None:
        with _guard(self._name):
            await self._inner.abort(ref, reason)

    async def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        with _guard(self._name):
            return await self._inner.call(method, path, body)

    async def recent_builds(self, cursor: Cursor | None = None) -> Page[tuple[App, Build]]:
        with _guard(self._name):
            return await self._inner.recent_builds(cursor)

    async def aclose(self) -> None:
        with _guard(self._name):
            await self._inner.aclose()
