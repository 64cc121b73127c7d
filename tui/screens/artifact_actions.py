"""What the explorer changes of chosen artifacts: publish and delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tui.errors import AuthError, DigsiteError, NotAllowed, NotFound, OutcomeUnknown, RateLimited
from tui.models import App, Artifact, Build, Verb
from tui.safe_text import clean
from tui.screens.undo import Undo
from tui.services import Services
from tui.widgets.batch import BatchDialog, Outcome
from tui.widgets.dialogs import ConfirmDialog, TextDialog
from tui.widgets.format import count
from tui.widgets.questions import delete_question, publish_question, total_size, typed_answer

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

Row = App | Build | Artifact
ENDS_A_BATCH = (AuthError, NotAllowed, RateLimited)
"""Errors that the next item of a batch would meet as well."""


class ArtifactActions:
    """Acts on rows of one explorer; answers and failures are shown there."""

    def __init__(self, screen: Explorer, services: Services, undo: Undo) -> None:
        self._screen = screen
        self._services = services
        self._undo = undo

    def _say(self, text: str, *, severity: str = "information") -> None:
        self._screen.notify(clean(text), severity=severity, markup=False)  # type: ignore[arg-type]  # a Literal

    def _run(self, work: Any, description: str) -> None:
        self._screen.run_worker(work, description=description)

    def _is_confirmed(self) -> bool:
        """Nothing is changed on the word of an old listing: the provider must have listed the rows in this run."""
        as_of = self._screen.artifacts.as_of
        if as_of is not None:
            self._say("This list is from the catalog, not from the provider: r loads it.", severity="warning")
        return as_of is None

    def _artifacts_only(self, rows: Sequence[Row], verb: str) -> list[Artifact]:
        artifacts = [row for row in rows if isinstance(row, Artifact)]
        there = [row for row in artifacts if not self._screen.artifacts.rows.is_gone(row.ref)]
        if not artifacts:
            self._say(f"Open a build and choose an artifact to {verb}.", severity="warning")
        elif not there:
            self._say("It is gone on the server: r loads the list again.", severity="warning")
        return there

    async def _allowed(self, verb: Verb, artifacts: Sequence[Artifact]) -> list[Artifact]:
        """Those with which it can be done; says why not of the first that cannot."""
        allowed, reasons = [], []
        for artifact in artifacts:
            provider = await self._services.sessions[artifact.ref.account].provider()
            reason = provider.refusal(verb, artifact)
            if reason is None:
                allowed.append(artifact)
            else:
                reasons.append(reason)
        if reasons:
            others = f" ({count(len(reasons), 'artifact')} left out)" if allowed else ""
            self._say(f"{reasons[0]}{others}", severity="warning")
        return allowed

    # Publish ----------------------------------------------------------------------------------------------

    def publish(self, rows: Sequence[Row]) -> None:
        """Switches public pages: on if any is off, else off; asks before anything becomes public."""
        if self._is_confirmed() and (artifacts := self._artifacts_only(rows, "publish")):
            self._run(self._publish(artifacts), "publish")

    async def _publish(self, artifacts: Sequence[Artifact], declined: Callable[[], None] = lambda: None) -> None:
        try:
            allowed = await self._allowed(Verb.PUBLISH, artifacts)
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        if not allowed:
            return
        enabled = not all(artifact.is_public for artifact in allowed)
        allowed = [artifact for artifact in allowed if artifact.is_public is not enabled]
        if enabled or len(allowed) > 1:
            title, lines = publish_question(allowed, enabled=enabled)
            verb = "Make public" if enabled else "Switch off"
            if not await self._screen.app.push_screen_wait(ConfirmDialog(title, lines, verb=verb)):
                declined()
                return
        done: list[Artifact] = []
        rows = self._screen.artifacts.rows

        async def switch(artifact: Artifact) -> str:
            rows.update_row(replace(artifact, is_public=enabled))  # at once; put back below if it fails
            try:
                provider = await self._services.sessions[artifact.ref.account].provider()
                result = await self._services.changes.publish(provider, artifact, enabled=enabled)
            except OutcomeUnknown:
                rows.update_row(replace(artifact, is_public=True))  # it may be, and no one must think that it is not
                raise
            except DigsiteError:
                rows.update_row(artifact)
                raise
            rows.update_row(result)
            done.append(result)
            return "now public" if enabled else "no longer public"

        await self._each(allowed, "Making public" if enabled else "Switching off", switch)
        rows.unmark(artifact.ref for artifact in done)
        if done:
            name = _step_name(done, enabled=enabled)
            self._undo.did(name, partial(self._switch_back, name, done))
        self._tell_published(done, enabled=enabled)

    def _switch_back(self, name: str, artifacts: Sequence[Artifact]) -> None:
        """Undoes a change of public pages; as before, nothing becomes public without a question, which may be no."""
        again = partial(self._undo.did, name, partial(self._switch_back, name, artifacts))
        self._run(self._publish(artifacts, again), "undo publish")

    def _tell_published(self, done: Sequence[Artifact], *, enabled: bool) -> None:
        if len(done) == 1 and enabled and done[0].install_url:
            self._screen.app.push_screen(TextDialog("Public: anyone with this link", done[0].install_url))
        elif done:
            self._say(f"{count(len(done), 'artifact')} {'now public' if enabled else 'no longer public'}.")

    # Delete -----------------------------------------------------------------------------------------------

    def delete(self, rows: Sequence[Row]) -> None:
        """Deletes artifacts for good, after a dialog that names them and wants a word typed."""
        if self._is_confirmed() and (artifacts := self._artifacts_only(rows, "delete")):
            self._run(self._delete(artifacts), "delete")

    async def _delete(self, artifacts: Sequence[Artifact]) -> None:
        app, build = self._screen.open_app, self._screen.open_build
        try:
            allowed = await self._allowed(Verb.DELETE, artifacts)
        except DigsiteError as error:
            self._say(str(error), severity="error")
            return
        if not allowed:
            return
        title, lines = delete_question(allowed, build, app.title if app else "")
        dialog = ConfirmDialog(title, lines, verb="Delete", typed=typed_answer(allowed))
        if not await self._screen.app.push_screen_wait(dialog):
            return
        deleted: list[Artifact] = []

        async def delete(artifact: Artifact) -> str:
            provider = await self._services.sessions[artifact.ref.account].provider()
            await self._services.changes.delete(provider, artifact)
            deleted.append(artifact)
            self._screen.artifacts.rows.take_away([artifact.ref])
            return "deleted"

        await self._each(allowed, "Deleting", delete)
        if deleted:
            self._undo.did(f"The deletion of {count(len(deleted), 'artifact')}", None)
            self._say(f"Deleted {count(len(deleted), 'artifact')}, {total_size(deleted)}.")

    # Several, one after the other -------------------------------------------------------------------------

    async def _each(self, artifacts: Sequence[Artifact], doing: str, act: Callable[[Artifact], Awaitable[str]]) -> None:
        """Changes each; a failure of one alone is told at once, those of several stand in a list of all results."""

        async def attempt(index: int) -> Outcome:
            return await self._attempt(artifacts[index], act)

        if len(artifacts) > 1:
            title = f"{doing} {count(len(artifacts), 'artifact')}"
            await self._screen.app.push_screen_wait(BatchDialog(title, [a.title for a in artifacts], attempt))
            return
        outcome = await attempt(0)
        if not outcome.is_done:
            self._say(f"{artifacts[0].title}: {outcome.text}", severity="error")

    async def _attempt(self, artifact: Artifact, act: Callable[[Artifact], Awaitable[str]]) -> Outcome:
        try:
            return Outcome(await act(artifact))
        except NotFound:
            self._screen.artifacts.rows.set_gone([artifact.ref], gone=True)
            return Outcome("gone on the server already", is_done=False)
        except DigsiteError as error:
            return Outcome(str(error), is_done=False, ends_batch=isinstance(error, ENDS_A_BATCH))

    # Install page -----------------------------------------------------------------------------------------

    def load_install_url(self) -> None:
        """Reads the artifact under the cursor again where its install page is on but not known yet."""
        row = self._screen.pane.rows.current
        if isinstance(row, Artifact) and row.is_public and not row.install_url:
            self._run(self._load_install_url(row), "read an artifact")

    async def _load_install_url(self, artifact: Artifact) -> None:
        try:
            provider = await self._services.sessions[artifact.ref.account].provider()
            self._screen.artifacts.rows.update_row(await provider.artifact(artifact))
        except NotFound:
            self._screen.artifacts.rows.set_gone([artifact.ref], gone=True)
        except DigsiteError as error:
            self._say(str(error), severity="error")


def _step_name(artifacts: Sequence[Artifact], *, enabled: bool) -> str:
    what = clean(artifacts[0].title, 60) if len(artifacts) == 1 else count(len(artifacts), "artifact")
    return f"Public page of {what} {'on' if enabled else 'off'}"
