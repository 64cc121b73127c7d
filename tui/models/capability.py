"""What can be done with an artifact, and which providers can."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Verb(StrEnum):
    """What a user may ask of an artifact."""

    DOWNLOAD = "download"
    PUBLISH = "publish"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider's API can do at all; for one artifact ask `Provider.refusal`."""

    publish: bool = False
    delete: bool = False
    server_filters: frozenset[str] = field(default_factory=frozenset[str])
    """Names of `BuildQuery` fields that the server filters by itself; the rest is filtered by paging."""
    groups_by_action: bool = False
    retention_days: int | None = None
    """After so many days a build's artifacts are gone, as the vendor's documents say; an estimate."""
    retention_rule: str | None = None
    """The rule in one sentence, with whose rule it is."""
