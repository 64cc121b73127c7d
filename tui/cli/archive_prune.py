"""The part of `digsite archive prune` that plans, asks and deletes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import click

from tui.cli import exit_codes
from tui.cli.asking import ask
from tui.cli.changing import open_for_changes, tell_not_tried
from tui.cli.output import document, is_interactive, report, table, warn
from tui.config import Config
from tui.errors import DigsiteError, PathError
from tui.paths import DigPath
from tui.services import Services
from tui.widgets.format import count, size


class Prune:
    """One call of prune.

    Args:
        place: The archive that must hold a copy.
        span: Of builds that ended longer ago.
        keep: Newest builds kept of each branch.
        yes: Does not ask.
        expect_count: Deletes nothing unless exactly so many are planned.
        dry_run: Prints the plan.
        as_json: Prints documents.
    """

    def __init__(
        self,
        place: str,
        span: timedelta,
        *,
        keep: int,
        yes: bool,
        expect_count: int | None,
        dry_run: bool,
        as_json: bool,
    ) -> None:
        self._place = place
        self._span = span
        self._keep = keep
        self._yes = yes
        self._expect_count = expect_count
        self._dry_run = dry_run
        self._as_json = as_json

    async def run(self, config: Config, path: DigPath) -> int:
        """Prunes the app at a path; gives the exit code."""
        if path.app is None or path.build is not None:
            raise PathError("prune wants an app.", hint="Name ACCOUNT/APP.")
        async with open_for_changes(config) as services:
            return await self._run(services, path)

    async def _run(self, services: Services, path: DigPath) -> int:
        from tui.archive.opening import open_store
        from tui.services.pins import Pins
        from tui.services.pruning import Candidate, Pruner

        found = await services.resolver.find(path)
        found.refuse_gaps()
        pruner = Pruner(open_store(self._place), services.changes, Pins(), services.config.retention_rules)
        plan = await pruner.plan(found, older_than=self._span, keep=self._keep)
        chosen = plan.candidates
        total = sum(each.entry.size_bytes for each in chosen)
        if self._expect_count is not None and self._expect_count != len(chosen):
            raise click.UsageError(
                f"{len(chosen)} artifacts are planned, not {self._expect_count}: nothing was deleted."
            )
        listed = [{"path": c.path, "id": c.artifact.ref.artifact, "size_bytes": c.entry.size_bytes} for c in chosen]
        kept = {"pinned": plan.pinned, "not_archived": plan.not_archived}
        if self._dry_run or not chosen:
            if self._as_json:
                document("archive-prune-plan", artifacts=listed, **kept)
            else:
                table([(size(each.entry.size_bytes).rjust(9), each.path) for each in chosen])
                warn(f"Would delete {count(len(chosen), 'artifact')}, {size(total)}; kept: {_kept(kept)}.")
            return exit_codes.DONE
        if not self._yes and not await self._confirmed(listed, total):
            warn("Nothing was deleted.")
            return exit_codes.FAILED
        deleted: list[str] = []

        def tell(candidate: Candidate, error: DigsiteError | None) -> None:
            if error is not None:
                warn(f"digsite: {candidate.path}:")
                report(error)
                return
            deleted.append(candidate.path)
            if not self._as_json:
                click.echo(f"deleted {candidate.path}")

        failures = await pruner.prune(found.provider, chosen, tell)
        not_tried = tell_not_tried([each.path for each in chosen[len(deleted) + len(failures) :]])
        if self._as_json:
            failed = [error.message for error in failures]
            document("archive-prune", deleted=deleted, failed=failed, not_tried=not_tried, **kept)
        return exit_codes.code_of_batch(failures, done=len(deleted))

    async def _confirmed(self, listed: Sequence[dict[str, Any]], total: int) -> bool:
        if not is_interactive():
            raise click.UsageError("prune asks before it deletes, and there is no terminal: add --yes --expect-count.")
        for each in listed:
            warn(f"{size(each['size_bytes']):>9}  {each['path']}  (id {each['id']})")
        question = f"Delete {count(len(listed), 'artifact')}, {size(total)}, at the provider? Type {len(listed)}"
        return await ask(question) == str(len(listed))


def _kept(kept: dict[str, int]) -> str:
    return f"{kept['pinned']:,} pinned, {kept['not_archived']:,} not in the archive"
