"""What a search through everything that was listed finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tui.models.build import Status
from tui.models.ids import AppRef, ArtifactRef, BuildRef


@dataclass(frozen=True, slots=True)
class Hit:
    """An app, a build or an artifact, with the names around it; by its `ref` it is told which."""

    ref: AppRef | BuildRef | ArtifactRef
    provider: str
    app_title: str
    number: int | None = None
    status: Status | None = None
    branch: str | None = None
    workflow: str | None = None
    commit_message: str | None = None
    title: str | None = None
    """Of an artifact."""
    size_bytes: int | None = None
    created_at: datetime | None = None
    """Of the build, aware UTC."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Apps first, then builds, then artifacts; of these the newest builds' first."""

    hits: tuple[Hit, ...] = ()
    has_more: bool = False
    """There are more than were asked for."""
    is_partial: bool = False
    """The time was over before everything had been looked through."""
