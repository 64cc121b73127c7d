"""Typed ids. Their text comes from a provider: any shape, never validated, never used as a widget id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

AccountName = NewType("AccountName", str)
"""The name of an account in config.toml; unique in one run."""
AppId = NewType("AppId", str)
"""Bitrise app slug; Xcode Cloud ciProducts id."""
BuildId = NewType("BuildId", str)
"""Bitrise build slug; Xcode Cloud ciBuildRuns id."""
ActionId = NewType("ActionId", str)
"""Xcode Cloud ciBuildActions id."""
ArtifactId = NewType("ArtifactId", str)
"""Bitrise artifact slug; Xcode Cloud ciArtifacts id."""
Cursor = NewType("Cursor", str)
"""Where the next page starts; opaque, made by a provider and given back to the same provider."""


@dataclass(frozen=True, slots=True)
class AppRef:
    """Names one app of one account."""

    account: AccountName
    app: AppId


@dataclass(frozen=True, slots=True)
class BuildRef:
    """Names one build; carries its app because neither API's build does."""

    account: AccountName
    app: AppId
    build: BuildId

    @property
    def app_ref(self) -> AppRef:
        """The app it belongs to."""
        return AppRef(self.account, self.app)


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """Names one artifact; carries its parents because neither API's artifact does."""

    account: AccountName
    app: AppId
    build: BuildId
    artifact: ArtifactId

    @property
    def build_ref(self) -> BuildRef:
        """The build it belongs to."""
        return BuildRef(self.account, self.app, self.build)
