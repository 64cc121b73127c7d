"""Frozen dataclasses and enums. No I/O and no formatting.

Here are those that every list needs; `inspection`, `totals`, `findings` and `rules` are imported where they are used:
to make a dataclass takes half a millisecond, and the first screen needs none of these.
"""

from tui.models.account import Account, Budget, Identity, Store
from tui.models.artifact import AppFacts, Artifact, ArtifactKind, Source
from tui.models.build import Action, App, Build, BuildQuery, IssueCounts, Status
from tui.models.capability import Capabilities, Verb
from tui.models.ids import (
    AccountName,
    ActionId,
    AppId,
    AppRef,
    ArtifactId,
    ArtifactRef,
    BuildId,
    BuildRef,
    Cursor,
)
from tui.models.page import Page

__all__ = [
    "Account",
    "AccountName",
    "Action",
    "ActionId",
    "App",
    "AppFacts",
    "AppId",
    "AppRef",
    "Artifact",
    "ArtifactId",
    "ArtifactKind",
    "ArtifactRef",
    "Budget",
    "Build",
    "BuildId",
    "BuildQuery",
    "BuildRef",
    "Capabilities",
    "Cursor",
    "Identity",
    "IssueCounts",
    "Page",
    "Source",
    "Status",
    "Store",
    "Verb",
]
