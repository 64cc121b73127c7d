"""Builds that are under way: looked at from time to time, at a pace that costs little, until they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from tui.credentials.command import end_with_children, scrubbed_environment
from tui.errors import DigsiteError, NotFound
from tui.models import Build, BuildRef
from tui.providers import Provider

PERIOD_S: Final = 60.0
"""Between two looks at one build: sixty calls an hour at most."""
BLURRED_PERIOD_S: Final = 600.0
"""The longest pause while the terminal has no focus; it is reached by doubling."""
MAX_WATCHED: Final = 20
"""Builds that are looked at; of more only the first."""
HOOK_TIMEOUT_S: Final = 30.0


@dataclass
class _Watch:
    build: Build
    due_at: float
    period_s: float = PERIOD_S


@dataclass
class Following:
    """Knows which builds to look at, and when.

    Args:
        provider: Opens the account of a build.
        clock: Seconds that only go up.
    """

    provider: Callable[[BuildRef], Provider | None]
    clock: Callable[[], float] = monotonic
    has_focus: bool = True
    """Whether somebody looks; without, the pauses grow."""
    _shown: dict[BuildRef, _Watch] = field(default_factory=dict[BuildRef, _Watch])
    _followed: set[BuildRef] = field(default_factory=set[BuildRef])

    def show(self, builds: Sequence[Build]) -> None:
        """These are on the screen; those under way are looked at, beside the followed ones."""
        wanted = {build.ref: build for build in builds if not build.status.is_finished}
        for ref in [ref for ref in self._shown if ref not in wanted and ref not in self._followed]:
            del self._shown[ref]
        for build in wanted.values():
            self._watch(build)

    def follow(self, build: Build) -> None:
        """Looks at a build until it ends, shown or not, and tells of its end."""
        self._followed.add(build.ref)
        self._watch(build)

    def is_followed(self, ref: BuildRef) -> bool:
        """Whether the end of a build is told."""
        return ref in self._followed

    def unfollow(self, ref: BuildRef) -> None:
        """Its end is not told any more."""
        self._followed.discard(ref)

    def _watch(self, build: Build) -> None:
        watch = self._shown.get(build.ref)
        if watch is not None:
            watch.build = build
        elif len(self._shown) < MAX_WATCHED or build.ref in self._followed:
            self._shown[build.ref] = _Watch(build, self.clock() + PERIOD_S)

    def focus(self, *, has_focus: bool) -> None:
        """Somebody looks again, or nobody does."""
        if has_focus and not self.has_focus:
            for watch in self._shown.values():
                watch.due_at = min(watch.due_at, watch.due_at - watch.period_s + PERIOD_S)
                watch.period_s = PERIOD_S
        self.has_focus = has_focus

    @property
    def due(self) -> list[Build]:
        """The builds that are to be looked at now."""
        now = self.clock()
        return [watch.build for watch in self._shown.values() if watch.due_at <= now]

    async def look(self, build: Build) -> tuple[Build, bool]:
        """Looks at one build; gives it as it is now, and whether it is a followed one that has ended."""
        watch = self._shown.get(build.ref)
        if watch is None:
            return build, False
        watch.period_s = PERIOD_S if self.has_focus else min(watch.period_s * 2, BLURRED_PERIOD_S)
        watch.due_at = self.clock() + watch.period_s
        provider = self.provider(build.ref)
        if provider is None:
            return build, False
        try:
            now = await provider.build(build.ref)
        except NotFound:
            self._forget(build.ref)
            return build, False
        except DigsiteError:
            return build, False  # the next look tells
        watch.build = now
        if not now.status.is_finished:
            return now, False
        was_followed = build.ref in self._followed
        self._forget(build.ref)
        return now, was_followed

    def _forget(self, ref: BuildRef) -> None:
        self._shown.pop(ref, None)
        self._followed.discard(ref)


async def run_hook(command: Sequence[str], build: Build, *, timeout_s: float = HOOK_TIMEOUT_S) -> str | None:
    """Runs the program of `[notify] command`, without a shell and without digsite's secrets, with the build on stdin.

    Args:
        command: The program and its arguments.
        build: That has ended; written as one JSON object.
        timeout_s: After so long it is ended with all its children.

    Returns:
        Why it failed, in words; None when it did not.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=scrubbed_environment(),
            start_new_session=True,  # it cannot write over the explorer, and ends with all its children
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be used"
        return f"The notify command cannot be started: {reason}."
    try:
        async with asyncio.timeout(timeout_s):
            await process.communicate(hook_document(build))
    except TimeoutError:
        return f"The notify command did not end within {timeout_s:.0f} seconds."
    finally:
        await end_with_children(process)
    return f"The notify command failed with exit code {process.returncode}." if process.returncode else None


def hook_document(build: Build) -> bytes:
    """What the hook reads: one JSON object in ASCII, without a URL that is a credential."""
    document = {
        "version": 1,
        "kind": "build-ended",
        "account": build.ref.account,
        "app": build.ref.app,
        "build": build.ref.build,
        "number": build.number,
        "status": str(build.status),
        "branch": build.branch,
        "tag": build.tag,
        "workflow": build.workflow,
        "commit": build.commit_sha,
        "reason": build.reason,
        "duration_s": build.duration_s,
        "web_url": build.web_url,
    }
    return json.dumps(document).encode("ascii") + b"\n"
