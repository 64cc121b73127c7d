"""What is done with artifacts that stand in a view of the catalog: each is looked up at its provider first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tui.errors import DigsiteError, NotFound
from tui.models import App, AppRef, Artifact, ArtifactRef, Build, BuildRef, Verb
from tui.safe_text import clean
from tui.screens.artifact_actions import ENDS_A_BATCH
from tui.screens.downloads import Downloads
from tui.screens.undo import Undo
from tui.services import Services
from tui.services.destinations import Origin
from tui.services.resolve import Listed, list_artifacts
from tui.widgets.batch import BatchDialog, Outcome
from tui.widgets.dialogs import ConfirmDialog
from tui.widgets.format import build_name, count
from tui.widgets.questions import delete_question, publish_question, total_size, typed_answer

if TYPE_CHECKING:
    from tui.screens.explorer import Explorer

Settled = Callable[[], None]
"""Told when something changed at the provider or was found to be gone, so that the view reads again."""


class CatalogActions:
    """Acts on artifacts by their refs; answers and failures are shown in the explorer's app."""

    def __init__(self, screen: Explorer, services: Services, undo: Undo, downloads: Downloads) -> None:
        self._screen, self._services, self._undo, self._downloads = screen, services, undo, downloads

    def _say(self, text: str, *, severity: str = "information") -> None:
        self._screen.notify(clean(text, 400), severity=severity, markup=False)  # type: ignore[arg-type]  # a Literal

    def _run(self, work: Any, description: str) -> None:
        self._screen.run_worker(work, description=description)

    # Looking up -------------------------------------------------------------------------------------------

    async def _found(self, refs: Sequence[ArtifactRef], verb: Verb) -> list[Origin]:
        """Those that are there and with which it can be done; says why not of the rest."""
        apps: dict[AppRef, App] = {}
        builds: dict[BuildRef, tuple[Build, Listed[Artifact]]] = {}
        found: list[Origin] = []
        reasons: list[str] = []
        for ref in refs:
            try:
                reason = await self._look_up(ref, verb, apps, builds, found)
            except DigsiteError as error:
                reason = str(error)
            if reason is not None:
                reasons.append(reason)
        if reasons:
            others = f" ({count(len(reasons), 'artifact')} left out)" if len(refs) > 1 else ""
            self._say(f"{reasons[0]}{others}", severity="warning")
        return found

    async def _look_up(
        self,
        ref: ArtifactRef,
        verb: Verb,
        apps: dict[AppRef, App],
        builds: dict[BuildRef, tuple[Build, Listed[Artifact]]],
        found: list[Origin],
    ) -> str | None:
        """Adds one to what is found; else gives the reason. A build is asked for once."""
        provider = await self._services.resolver.session(ref.account).provider()
        app_ref, build_ref = ref.build_ref.app_ref, ref.build_ref
        if app_ref not in apps:
            apps[app_ref] = await provider.app(app_ref)
        if build_ref not in builds:
            build = await provider.build(build_ref)
            builds[build_ref] = build, await list_artifacts(provider, build)
        build, listed = builds[build_ref]
        artifact = next((each for each in listed.items if each.ref == ref), None)
        if artifact is None and listed.gap is not None:
            return f"It is not in the list. {listed.gap.message}"
        if artifact is None:
            self._services.listings.gone(ref)
            return "It is gone on the server."
        reason = provider.refusal(verb, artifact)
        if reason is None:
            found.append(Origin(apps[app_ref], build, artifact))
        return reason

    # Acting -----------------------------------------------------------------------------------------------

    def download(self, refs: Sequence[ArtifactRef], done: Settled) -> None:
        """Downloads them; several after a dialog with their list and sum."""
        self._run(self._download(refs, done), "download")

    async def _download(self, refs: Sequence[ArtifactRef], done: Settled) -> None:
        found = await self._found(refs, Verb.DOWNLOAD)
        if found and await self._downloads.offer(found, with_options=False):
            done()

    def publish(self, refs: Sequence[ArtifactRef], done: Settled) -> None:
        """Switches public pages: on if any is off, else off; asks before anything becomes public."""
        self._run(self._publish(refs, done), "publish")

    async def _publish(
        self, refs: Sequence[ArtifactRef], done: Settled, declined: Callable[[], None] = lambda: None
    ) -> None:
        found = await self._found(refs, Verb.PUBLISH)
        enabled = not all(one.artifact.is_public for one in found)
        found = [one for one in found if one.artifact.is_public is not enabled]
        artifacts = [one.artifact for one in found]
        if not found:
            done()
            return
        if enabled or len(found) > 1:
            title, lines = publish_question(artifacts, enabled=enabled, places=_places(found))
            verb = "Make public" if enabled else "Switch off"
            if not await self._screen.app.push_screen_wait(ConfirmDialog(title, lines, verb=verb)):
                declined()
                return
        changed: list[Artifact] = []

        async def switch(one: Origin) -> str:
            provider = await self._services.sessions[one.artifact.ref.account].provider()
            result = await self._services.changes.publish(provider, one.artifact, enabled=enabled)
            self._screen.artifacts.rows.update_row(result)
            changed.append(result)
            return "now public" if enabled else "no longer public"

        await self._each(found, "Making public" if enabled else "Switching off", switch)
        if changed:
            told = f"{count(len(changed), 'artifact')} {'now public' if enabled else 'no longer public'}"
            step = f"Public page of {count(len(changed), 'artifact')} {'on' if enabled else 'off'}"
            self._undo.did(step, partial(self._switch_back, step, [artifact.ref for artifact in changed], done))
            self._say(f"{told}; z takes it back.")
        done()

    def _switch_back(self, step: str, refs: Sequence[ArtifactRef], done: Settled) -> None:
        """Undoes a change of public pages, which stays to be undone where the question was declined."""
        again = partial(self._undo.did, step, partial(self._switch_back, step, refs, done))
        self._run(self._publish(refs, done, again), "undo publish")

    def delete(self, refs: Sequence[ArtifactRef], done: Settled) -> None:
        """Deletes them for good, after a dialog that names them and wants a word typed."""
        self._run(self._delete(refs, done), "delete")

    async def _delete(self, refs: Sequence[ArtifactRef], done: Settled) -> None:
        found = await self._found(refs, Verb.DELETE)
        artifacts = [one.artifact for one in found]
        if not found:
            done()
            return
        builds = {one.build.ref: one.build for one in found}
        build = next(iter(builds.values())) if len(builds) == 1 else None
        where = found[0].app.title if build is not None else _of_builds(found)
        title, lines = delete_question(artifacts, build, where, _places(found))
        dialog = ConfirmDialog(title, lines, verb="Delete", typed=typed_answer(artifacts))
        if not await self._screen.app.push_screen_wait(dialog):
            return
        deleted: list[Artifact] = []

        async def delete(one: Origin) -> str:
            provider = await self._services.sessions[one.artifact.ref.account].provider()
            await self._services.changes.delete(provider, one.artifact)
            self._screen.artifacts.rows.take_away([one.artifact.ref])
            deleted.append(one.artifact)
            return "deleted"

        await self._each(found, "Deleting", delete)
        if deleted:
            self._undo.did(f"The deletion of {count(len(deleted), 'artifact')}", None)
            self._say(f"Deleted {count(len(deleted), 'artifact')}, {total_size(deleted)}.")
        done()

    async def _each(self, found: Sequence[Origin], doing: str, act: Callable[[Origin], Any]) -> None:
        """Changes each; a failure of one alone is told at once, those of several stand in a list of all results."""

        async def attempt(index: int) -> Outcome:
            try:
                return Outcome(await act(found[index]))
            except NotFound:
                return Outcome("gone on the server already", is_done=False)
            except DigsiteError as error:
                return Outcome(str(error), is_done=False, ends_batch=isinstance(error, ENDS_A_BATCH))

        if len(found) > 1:
            title = f"{doing} {count(len(found), 'artifact')}"
            places = _places(found)
            names = [
                f"{places[one.build.ref]}  {one.artifact.title}" if places else one.artifact.title for one in found
            ]
            await self._screen.app.push_screen_wait(BatchDialog(title, names, attempt))
        else:
            outcome = await attempt(0)
            if not outcome.is_done:
                self._say(f"{found[0].artifact.title}: {outcome.text}", severity="error")


def _places(found: Sequence[Origin]) -> dict[BuildRef, str]:
    """Where each build is, where there are several: its number, with its app where there are several, too."""
    builds = {one.build.ref: one for one in found}
    if len(builds) == 1:
        return {}
    is_one_app = len({one.app.ref for one in found}) == 1
    return {
        ref: build_name(one.build) if is_one_app else f"{clean(one.app.title, 40)} {build_name(one.build)}"
        for ref, one in builds.items()
    }


def _of_builds(found: Sequence[Origin]) -> str:
    builds = count(len({one.build.ref for one in found}), "build")
    titles = {one.app.ref: one.app.title for one in found}
    return f"Of {builds} of {found[0].app.title}" if len(titles) == 1 else f"Of {builds} of {len(titles)} apps"
