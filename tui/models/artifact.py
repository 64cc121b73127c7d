"""Artifacts, and what is needed to fetch one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tui.models.build import Action
from tui.models.ids import ArtifactRef
from tui.secret import Secret


class ArtifactKind(StrEnum):
    """What a file is, as far as digsite treats kinds apart; the server's word is kept beside it."""

    IPA = "ipa"
    APK = "apk"
    AAB = "aab"
    XCARCHIVE = "xcarchive"
    LOGS = "logs"
    TEST_RESULTS = "test results"
    PRODUCTS = "products"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class AppFacts:
    """What the uploader told about the app inside an artifact (Bitrise `artifact_meta`); shape varies."""

    title: str | None = None
    identifier: str | None = None
    """Bundle id or package name."""
    version: str | None = None
    build_number: str | None = None
    minimum_os: str | None = None
    profile: str | None = None
    team: str | None = None
    export_method: str | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a build."""

    ref: ArtifactRef
    title: str
    """As the server spells it: hostile text, may hold anything."""
    kind: ArtifactKind
    kind_raw: str
    size_bytes: int | None = None
    is_public: bool | None = None
    """None where the provider has no public install pages."""
    install_url: str | None = None
    """The public install page; a list answer does not have it."""
    created_at: datetime | None = None
    """The build's or action's end: neither API dates an artifact. Aware UTC."""
    action: Action | None = None
    facts: AppFacts | None = None
    is_intermediate: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes of an artifact are right now. Never stored: the URL is a credential."""

    url: Secret
    size_bytes: int | None
    expires_at: datetime | None = None
    """Aware UTC; None when the lifetime is unknown."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
