"""A provider that holds what a test gives it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tui.errors import NotFound, OutcomeUnknown
from tui.models import (
    Account,
    AccountName,
    App,
    AppId,
    AppRef,
    Artifact,
    ArtifactId,
    ArtifactKind,
    ArtifactRef,
    Build,
    BuildId,
    BuildQuery,
    BuildRef,
    Cursor,
    Page,
    Status,
    Verb,
)

ACME = AccountName("acme")


def app(name: str, title: str) -> App:
    return App(AppRef(ACME, AppId(name)), title, "fake")


def build(number: int, status: Status = Status.SUCCEEDED, branch: str = "main") -> Build:
    return Build(BuildRef(ACME, AppId("one"), BuildId(f"b{number}")), number, status, "", branch=branch)


def artifact(name: str, title: str, size: int = 10) -> Artifact:
    ref = ArtifactRef(ACME, AppId("one"), BuildId("b3"), ArtifactId(name))
    return Artifact(ref, title, ArtifactKind.FILE, "file", size_bytes=size, is_public=False)


@dataclass
class FakeProvider:
    """Lists in pages of two, as a stranger's plug-in might."""

    account: Account = field(default_factory=lambda: Account(ACME, "fake"))
    all_apps: list[App] = field(default_factory=list[App])
    all_builds: list[Build] = field(default_factory=list[Build])
    all_artifacts: list[Artifact] = field(default_factory=list[Artifact])
    refused: str | None = None
    lose_answer: bool = False
    carried_out: bool = True
    calls: list[str] = field(default_factory=list[str])

    @staticmethod
    def _page(items: Iterable[Any], cursor: Cursor | None) -> Page[Any]:
        listed, start = list(items), int(cursor or 0)
        more = Cursor(str(start + 2)) if start + 2 < len(listed) else None
        return Page(tuple(listed[start : start + 2]), next_cursor=more)

    async def apps(self, cursor: Cursor | None = None) -> Page[App]:
        return self._page(self.all_apps, cursor)

    async def app(self, ref: AppRef) -> App:
        raise NotFound("none")

    async def builds(self, app: AppRef, query: BuildQuery, cursor: Cursor | None = None) -> Page[Build]:
        matching = [
            b
            for b in self.all_builds
            if query.number in {None, b.number}
            and query.branch in {None, b.branch}
            and query.status in {None, b.status}
        ]
        return self._page(matching, cursor)

    async def build(self, ref: BuildRef) -> Build:
        for found in self.all_builds:
            if found.ref.build == ref.build:
                return found
        raise NotFound("none")

    async def artifacts(self, build: Build, cursor: Cursor | None = None) -> Page[Artifact]:
        return self._page(self.all_artifacts, cursor)

    async def artifact(self, artifact: Artifact) -> Artifact:
        self.calls.append("show")
        for found in self.all_artifacts:
            if found.ref == artifact.ref:
                return found
        raise NotFound("gone")

    def refusal(self, verb: Verb, artifact: Artifact) -> str | None:
        return self.refused

    async def set_public(self, artifact: Artifact, enabled: bool) -> Artifact:
        self.calls.append("patch")
        changed = replace(artifact, is_public=enabled)
        if self.carried_out:
            self.all_artifacts = [changed if a.ref == artifact.ref else a for a in self.all_artifacts]
        if self.lose_answer:
            raise OutcomeUnknown("The answer was lost.")
        return changed

    async def delete(self, ref: ArtifactRef) -> None:
        self.calls.append("delete")
        if self.carried_out:
            self.all_artifacts = [a for a in self.all_artifacts if a.ref != ref]
        if self.lose_answer:
            raise OutcomeUnknown("The answer was lost.")

    async def aclose(self) -> None:
        pass


def one_app() -> FakeProvider:
    """Builds of each kind, and two artifacts of one title."""
    return FakeProvider(
        all_apps=[app("one", "One"), app("two", "Twin"), app("three", "Twin")],
        all_builds=[
            build(5, Status.RUNNING),
            build(4, Status.FAILED),
            build(3),
            build(2, branch="feature/x"),
            build(1),
        ],
        all_artifacts=[artifact("a", "app.apk"), artifact("b", "log.txt"), artifact("c", "log.txt")],
    )
