"""What the explorer does with downloads: start them, ask where a name is taken, go on with those of an earlier run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.errors import DigsiteError
from tui.models import App, Artifact, ArtifactRef, Build, Verb
from tui.safe_text import clean
from tui.screens.download_dialog import DownloadDialog, DownloadOptions
from tui.services import Services
from tui.services.destinations import Origin
from tui.services.resolve import all_artifacts
from tui.transfers.destination import ConflictRule
from tui.transfers.snapshot import QueueSnapshot, TransferId, TransferState
from tui.widgets.choice import Choice, ChoiceDialog
from tui.widgets.dialogs import ConfirmDialog
from tui.widgets.format import count
from tui.widgets.questions import listing

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

Row = App | Build | Artifact
DOCK_LINGERS_POLLS = 20
"""Polls for which a finished transfer still stands in the dock: ten seconds."""
_SHOWN = 10
"""Taken names that the question lists."""
_SKIP_ALL = "skip"
_CHOICES = (
    Choice("rename", "k", "Keep both"),
    Choice(_SKIP_ALL, "s", "Skip them"),
    Choice("overwrite", "o", "Overwrite"),
)


class Downloads:
    """Downloads rows of one explorer; answers and failures are shown there."""

    def __init__(self, screen: Explorer, services: Services) -> None:
        self._screen = screen
        self._services = services
        self._settled_polls: Counter[TransferId] = Counter()

    def _say(self, text: str, *, severity: str = "information", timeout: float | None = None) -> None:
        self._screen.notify(clean(text), severity=severity, timeout=timeout, markup=False)  # type: ignore[arg-type]

    def shown(self) -> QueueSnapshot:
        """The transfers for the dock: those that go on, and those that ended lately. Asked at each of its polls."""
        snapshot = self._services.transfers.snapshot()
        settled = {TransferState.DONE, TransferState.CANCELLED}
        self._settled_polls.update(transfer.id for transfer in snapshot.transfers if transfer.state in settled)
        lately = tuple(t for t in snapshot.transfers if self._settled_polls[t.id] <= DOCK_LINGERS_POLLS)
        return replace(snapshot, transfers=lately)

    def start(self, rows: Sequence[Row], *, with_options: bool) -> None:
        """Downloads artifacts, or all artifacts of builds; several after a dialog with their list and sum."""
        if any(isinstance(row, App) for row in rows) or not rows:
            self._say("Open a build to download from it; d on a build takes all its artifacts.", severity="warning")
            return
        self._screen.run_worker(self._start(list(rows), with_options=with_options), description="download")

    async def _start(self, rows: Sequence[Row], *, with_options: bool) -> None:
        try:
            found = await self._found(rows)
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        if not found:
            self._say("There is no artifact to download.", severity="warning")
        elif await self.offer(found, with_options=with_options):
            self._screen.pane.rows.unmark(row.ref for row in rows)

    async def offer(self, found: Sequence[Origin], *, with_options: bool) -> bool:
        """Queues artifacts, several after a dialog with their list and sum; False when the user went back."""
        options: DownloadOptions | None = DownloadOptions(self._services.download_dir, self._services.template)
        if with_options and options is not None:
            options = await self._screen.app.push_screen_wait(DownloadDialog(found, options))
        elif len(found) > 1 and options is not None and not await self._confirm(found, options):
            options = None
        return options is not None and await self._queue(found, options)

    async def _confirm(self, found: Sequence[Origin], options: DownloadOptions) -> bool:
        targets = options.template.targets(options.folder, found)
        folder = os.path.commonpath([path.parent for path in targets.values()])
        lines = [*listing([one.artifact for one in found]), f"to {folder}"]
        dialog = ConfirmDialog(f"Download {count(len(found), 'file')}?", lines, verb="Download")
        answer: bool = await self._screen.app.push_screen_wait(dialog)
        return answer

    async def _queue(self, found: Sequence[Origin], options: DownloadOptions) -> bool:
        """Queues a batch; False when the user went back at the question about taken names."""
        targets = options.template.targets(options.folder, found)
        try:
            taken = set(await self._services.transfers.taken(targets))
        except OSError as error:
            self._say(f"{options.folder} cannot be read: {error.strerror}.", severity="error")
            return False
        if taken and options.rule is None:
            rule = await self._ask_rule({ref: targets[ref] for ref in targets if ref in taken})
            if rule is None:
                return False
            options = replace(options, rule=rule)
        skipped = taken if options.rule is ConflictRule.SKIP else set()
        for one in found:
            artifact = one.artifact
            if artifact.ref not in skipped:
                self._services.transfers.add(
                    artifact,
                    targets[artifact.ref],
                    label=artifact.title,
                    rule=options.rule or ConflictRule.RENAME,
                    unpack=options.unpack,
                )
        if skipped:
            self._say(f"{count(len(skipped), 'file')} skipped: another one has the name.")
        return True

    async def _ask_rule(self, taken: Mapping[ArtifactRef, Path]) -> ConflictRule | None:
        """Once for the whole batch."""
        lines = [str(path) for path in list(taken.values())[:_SHOWN]]
        if len(taken) > _SHOWN:
            lines.append(f"and {len(taken) - _SHOWN:,} more")
        title = f"{count(len(taken), 'name')} taken by other files: what to do?"
        answer = await self._screen.app.push_screen_wait(ChoiceDialog(title, lines, _CHOICES))
        return ConflictRule(answer) if answer is not None else None

    async def _found(self, rows: Sequence[Row]) -> list[Origin]:
        app, build = self._screen.open_app, self._screen.open_build
        if app is None:
            return []
        found: list[Origin] = []
        if build is not None:
            artifacts = await self._allowed([row for row in rows if isinstance(row, Artifact)])
            found += [Origin(app, build, artifact) for artifact in artifacts]
        for row in (row for row in rows if isinstance(row, Build)):
            provider = await self._services.sessions[row.ref.account].provider()
            found += [Origin(app, row, artifact) async for artifact in all_artifacts(provider, row)]
        return found

    async def _allowed(self, artifacts: Sequence[Artifact]) -> list[Artifact]:
        allowed: list[Artifact] = []
        for artifact in artifacts:
            provider = await self._services.sessions[artifact.ref.account].provider()
            reason = provider.refusal(Verb.DOWNLOAD, artifact)
            if reason is None:
                allowed.append(artifact)
            else:
                self._say(reason, severity="warning")
        return allowed

    def cancel(self) -> None:
        """Cancels what runs or waits, with what arrived kept; with nothing of that, clears what is finished."""
        transfers = self._services.transfers
        active = [t for t in transfers.snapshot().transfers if not t.state.is_final]
        for transfer in active:
            transfers.cancel(transfer.id)
        if not active:
            transfers.clear_finished()

    def restore(self) -> None:
        """Takes over what an earlier run left unfinished, and says so."""
        self._screen.run_worker(self._restore(), description="restore transfers")

    async def _restore(self) -> None:
        left = await self._services.keep_transfers()
        if not left:
            return
        states = {t.id: t.state for t in self._services.transfers.snapshot().transfers}
        open_ones = [transfer for transfer in left if states[transfer] is TransferState.PAUSED]
        failed = len(left) - len(open_ones)
        parts = [f"{count(len(open_ones), 'transfer')} interrupted"] if open_ones else []
        parts += [f"{count(failed, 'transfer')} failed"] if failed else []
        self._say(f"{' and '.join(parts)} in an earlier run: T shows them, enter there goes on.", timeout=15)
