"""Which builds a rule wants."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from enum import Enum, auto
from fnmatch import fnmatchcase

from tui.models import App, Build
from tui.models.rules import ArchiveRule


class Choice(Enum):
    """What becomes of a build."""

    NOW = auto()
    LATER = auto()
    """It is not over, or too young; a later run looks again."""
    NEVER = auto()


class Selection:
    """Chooses among the builds of one app, which are to be offered newest first.

    Args:
        rule: What is wanted.
        now: Aware UTC.
    """

    def __init__(self, rule: ArchiveRule, now: datetime) -> None:
        self._rule = rule
        self._now = now
        self._matched: Counter[str] = Counter()

    def choose(self, build: Build) -> Choice:
        """What becomes of the next build."""
        rule, branch = self._rule, build.branch or build.tag or ""
        if not (fnmatchcase(branch, rule.branch) and fnmatchcase(build.workflow or "", rule.workflow)):
            return Choice.NEVER
        is_young = build.finished_at is not None and self._now - build.finished_at < rule.min_age
        if not build.status.is_finished or is_young:
            return Choice.LATER
        if rule.statuses and build.status not in rule.statuses:
            return Choice.NEVER
        self._matched[branch] += 1
        if rule.newest is not None and self._matched[branch] > rule.newest:
            return Choice.NEVER
        return Choice.NOW


def wants_app(rule: ArchiveRule, app: App) -> bool:
    """Whether a rule is about an app, by its title or its id."""
    return fnmatchcase(app.title, rule.app) or fnmatchcase(app.ref.app, rule.app)
