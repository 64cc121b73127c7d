"""Start, repeat and abort builds: sent once, noted before, and looked up where the answer was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tui.errors import Conflict, DigsiteError, NotSupported, OutcomeUnknown
from tui.models import AppRef, Build, BuildRef, Status
from tui.models.inspection import BuildVerb, StartRequest
from tui.providers import Provider
from tui.services.journal import Journal, JournalError

DEFAULT_REASON = "Aborted with digsite"


class BuildChanges:
    """Sends changes of builds; at most one start is in flight for an app, and one abort for a build.

    Args:
        journal: Where each is noted before it is sent; None notes nothing.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self._in_flight: set[AppRef | BuildRef] = set()

    async def start(self, provider: Provider, request: StartRequest) -> Build:
        """Starts a build, or repeats one; gives it back.

        Raises:
            NotSupported: It cannot be done; the message says why.
            Conflict: Another start in this app is under way.
            NotFound: There is no such workflow, branch, tag or pull request.
            OutcomeUnknown: The answer was lost, and no build that is new for certain is the one.
            ProviderError: It failed; nothing is known to have started.
        """
        verb = BuildVerb.START if request.rebuild is None else BuildVerb.REBUILD
        if reason := provider.build_refusal(verb):
            raise NotSupported(reason)
        with self._alone(request.app, "A start in this app"):
            before = {build.ref for build in (await provider.builds(request.app)).items}
            with self._noted(str(verb), request.app, request.rebuild):
                try:
                    return await provider.start(request)
                except OutcomeUnknown as lost:
                    found = await _new_builds(provider, request, before)
                    if len(found) == 1:
                        return found[0]
                    raise OutcomeUnknown(
                        lost.message, hint=lost.hint or "Look at the newest builds before you start it again."
                    ) from lost

    async def abort(self, provider: Provider, build: Build, reason: str = DEFAULT_REASON) -> Build:
        """Ends a build; gives it back as the server then has it.

        Raises:
            NotSupported: It cannot be done with this build; the message says why.
            Conflict: Another abort of it is under way.
            OutcomeUnknown: The answer was lost, and the build still runs.
        """
        if refusal := provider.build_refusal(BuildVerb.ABORT, build):
            raise NotSupported(refusal)
        with self._alone(build.ref, "An abort of this build"), self._noted("abort", build.ref.app_ref, build.ref):
            try:
                await provider.abort(build.ref, reason)
            except OutcomeUnknown as lost:
                try:
                    seen = await provider.build(build.ref)
                except DigsiteError:
                    raise lost from None  # that the look failed says nothing of the change
                if seen.status is not Status.ABORTED:
                    raise
                return seen
        return await provider.build(build.ref)

    @contextmanager
    def _noted(self, change: str, app: AppRef, build: BuildRef | None) -> Iterator[None]:
        """Around a change that is sent: a line before, and one with what became of it."""
        if self._journal is None:
            yield
            return
        self._journal.write_build(change, app, build, "sent")
        state = "unknown"  # also when we are cancelled: the request may have arrived
        try:
            yield
            state = "done"
        except OutcomeUnknown:
            raise
        except DigsiteError:
            state = "failed"
            raise
        finally:
            with suppress(JournalError):  # the change is made; its outcome stays unknown in the journal
                self._journal.write_build(change, app, build, state)

    @contextmanager
    def _alone(self, ref: AppRef | BuildRef, what: str) -> Iterator[None]:
        if ref in self._in_flight:
            raise Conflict(f"{what} is still under way.", hint="Wait for it to end.")
        self._in_flight.add(ref)
        try:
            yield
        finally:
            self._in_flight.discard(ref)


async def _new_builds(provider: Provider, request: StartRequest, before: set[BuildRef]) -> list[Build]:
    """Builds that were not there before and can be the one that was asked for; none where nobody can tell."""
    try:
        listed = (await provider.builds(request.app)).items
    except DigsiteError:
        return []
    builds = [build for build in listed if build.ref not in before]
    if request.rebuild is not None:
        return [build for build in builds if request.workflow in {"", build.workflow}]
    return [
        build
        for build in builds
        if request.workflow == build.workflow
        and request.branch in {None, build.branch}
        and request.tag in {None, build.tag}
        and request.pull_request in {None, build.pull_request}
    ]
