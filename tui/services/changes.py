"""Publish and delete: sent once, on exactly what was confirmed, and never repeated on a guess.

A change whose answer was lost is looked up, not sent again; an artifact that is not what the user saw is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tui.errors import Conflict, DigsiteError, NotFound, NotSupported, OutcomeUnknown
from tui.models import Artifact, ArtifactRef, Verb
from tui.providers import Provider
from tui.safe_text import clean
from tui.services.journal import Journal, JournalError
from tui.services.listings import Listings


class Changes:
    """Sends changes; at most one is in flight for an artifact.

    Args:
        journal: Where each is noted before it is sent; None notes nothing.
        listings: Told of what is deleted, public or public no more.
    """

    def __init__(self, journal: Journal | None = None, listings: Listings | None = None) -> None:
        self._journal = journal
        self._listings = Listings() if listings is None else listings
        self._in_flight: set[ArtifactRef] = set()

    async def publish(self, provider: Provider, artifact: Artifact, *, enabled: bool) -> Artifact:
        """Switches the public install page; gives the artifact as the server then has it.

        Raises:
            NotSupported: It cannot be done with this artifact; the message says why.
            Conflict: The server took it and left the page as it was, or a change of the same artifact is under way.
            OutcomeUnknown: The answer was lost, or does not tell whether the page is on.
            ProviderError: It failed; nothing is known to have changed.
        """
        _refuse(provider, Verb.PUBLISH, artifact)
        with self._alone(artifact.ref), self._noted(f"public {_on_or_off(enabled)}", artifact):
            try:
                changed = await provider.set_public(artifact, enabled)
            except OutcomeUnknown as lost:
                try:
                    changed = await provider.artifact(artifact)
                except DigsiteError:
                    raise lost from None  # that the look failed says nothing of the change
                if changed.is_public is not enabled:
                    raise
            if changed.is_public is None:
                raise OutcomeUnknown(
                    f"The server does not tell whether the public page of {clean(artifact.title, 60)} is on.",
                    hint="Refresh the list and look again.",
                )
            self._listings.published(artifact.ref, is_public=changed.is_public)
            if changed.is_public is not enabled:
                raise Conflict(
                    f"The server left the public page of {clean(artifact.title, 60)} {_on_or_off(changed.is_public)}.",
                    hint="Refresh the list and look again.",
                )
        return changed

    async def delete(self, provider: Provider, artifact: Artifact) -> None:
        """Deletes an artifact for good, after a look that it still is what the user confirmed.

        Raises:
            NotSupported: The provider cannot delete; the message says why.
            Conflict: It changed since it was listed, or another change of it is under way.
            NotFound: It was gone already.
            OutcomeUnknown: The answer was lost, and the artifact is still there.
        """
        _refuse(provider, Verb.DELETE, artifact)
        with self._alone(artifact.ref):
            now = await provider.artifact(artifact)
            if (now.title, now.size_bytes) != (artifact.title, artifact.size_bytes):
                raise Conflict(
                    f"{artifact.title!r} changed on the server since it was listed; it was not deleted.",
                    hint="Refresh the list and look again.",
                )
            with self._noted("delete", artifact):
                try:
                    await provider.delete(artifact.ref)
                except OutcomeUnknown:
                    if not await _is_gone(provider, artifact):
                        raise
            self._listings.gone(artifact.ref)

    @contextmanager
    def _noted(self, change: str, artifact: Artifact) -> Iterator[None]:
        """Around a change that is sent: a line before, and one with what became of it."""
        if self._journal is None:
            yield
            return
        self._journal.write(change, artifact, "sent")
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
                self._journal.write(change, artifact, state)

    @contextmanager
    def _alone(self, ref: ArtifactRef) -> Iterator[None]:
        """Around the one change of it that is under way; one that finds it gone tells so."""
        if ref in self._in_flight:
            raise Conflict("A change of this artifact is still under way.", hint="Wait for it to end.")
        self._in_flight.add(ref)
        try:
            yield
        except NotFound:
            self._listings.gone(ref)
            raise
        except BaseException:
            self._listings.ask_again(ref.build_ref)  # it may have been made all the same
            raise
        finally:
            self._in_flight.discard(ref)


def _on_or_off(is_public: bool) -> str:
    return "on" if is_public else "off"


def _refuse(provider: Provider, verb: Verb, artifact: Artifact) -> None:
    if reason := provider.refusal(verb, artifact):
        raise NotSupported(reason)


async def _is_gone(provider: Provider, artifact: Artifact) -> bool:
    try:
        await provider.artifact(artifact)
    except NotFound:
        return True
    except DigsiteError:
        return False
    return False
