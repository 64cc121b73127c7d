"""Archives what the rules say: finds it at the providers, copies it, and writes down what is there.

A build's manifest is written last. What a run that was killed left in the archive is adopted by the next one.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final, TypeVar

from tui.archive.claims import CLAIM_LIFE, Claims
from tui.archive.copying import Copied, Copier, find_places
from tui.archive.layout import readable_name
from tui.archive.manifest import Entry, Lost
from tui.archive.selection import Choice, Selection, wants_app
from tui.archive.state import State
from tui.archive.store import Store, StoreDown
from tui.archive.stream import Stopped
from tui.errors import BadPayload, DigsiteError, Gone, NotFound, RateLimited, Unreachable
from tui.models import App, Artifact, Build, BuildQuery, BuildRef, Cursor, Source
from tui.models.rules import ArchiveRule, RetentionRule
from tui.paths import join
from tui.providers import Provider
from tui.services.archive_jobs import (
    Begun,
    Item,
    Job,
    Summary,
    Target,
    begin,
    find_folder,
    finish,
    holds,
    item_of,
    open_target,
)
from tui.services.indexing import check_budget
from tui.services.resolve import build_part, list_apps
from tui.services.session import ARCHIVE, Session
from tui.stats.retention import effective_rules, expiry, longest_days
from tui.storage import Storage
from tui.threads import in_daemon_thread

T = TypeVar("T")
_log = logging.getLogger(__name__)

_KEPT_BUDGET: Final = 0.05
_SOURCE_TIMEOUT_S: Final = 60.0
_MAY_COME: Final = timedelta(hours=1)
"""After its end, an empty build may still get its artifacts."""
_MISSING: Final = timedelta(days=14)
"""So long what the provider lists, but does not have, is asked for again."""
_END_S: Final = 10.0
"""How long the end of a run waits for copies under way to clean up."""


class Archiver:
    """Runs the rules once.

    Args:
        sessions: The accounts.
        storage: The bare client.
        state: What this machine remembers.
        retention: The user's retention rules: what is surely gone is not looked for.
        jobs: Downloads at once.
        dry_run: Only finds what would be copied.
        report: Told of every item.
    """

    def __init__(
        self,
        sessions: Iterable[Session],
        storage: Storage,
        state: State,
        *,
        retention: Sequence[RetentionRule],
        jobs: int,
        dry_run: bool,
        report: Callable[[Item], None],
    ) -> None:
        self.summary = Summary()
        self._sessions = [s for s in sessions if s.account.provider != ARCHIVE]
        self._storage = storage
        self._state = state
        self._retention = effective_rules(retention)
        self._dry_run = dry_run
        self._report = report
        self._copies = asyncio.Semaphore(jobs + 1)  # one more is proved meanwhile; each holds up to 16 MiB in memory
        self._downloads = threading.Semaphore(jobs)
        self._builds = asyncio.Semaphore(2 * jobs)
        self._stop = threading.Event()
        self._running: set[threading.Event] = set()
        self._down: StoreDown | None = None

    async def run(self, rules: Sequence[tuple[ArchiveRule, Store]]) -> Summary:
        """Archives by every rule; what fails is in the summary, and the rest goes on.

        Args:
            rules: Each with its opened destination.
        """
        targets = [open_target(rule, store) for rule, store in rules]
        async with self._claiming(targets):
            for target in targets:
                await self._run_rule(target)
        return self.summary

    async def run_build(self, job: Job) -> Summary:
        """Archives one build, or chosen artifacts of it; what fails is in the summary."""
        self.summary.builds += 1
        await self._builds.acquire()
        async with self._claiming([job.target]):
            await self._run_build(job)
        return self.summary

    @asynccontextmanager
    async def _claiming(self, targets: Sequence[Target]) -> AsyncIterator[None]:
        """Keeps what is claimed meanwhile, and gives it up at the end, when copies under way have been stopped."""
        claims = [target.claims for target in targets]
        keeping = asyncio.create_task(_keep(claims))
        try:
            yield
        finally:
            keeping.cancel()
            self._stop.set()
            await in_daemon_thread(lambda: self._settle(claims), name="archive-end")

    def _settle(self, claims: Sequence[Claims]) -> None:
        """Waits until copies that were stopped have cleaned up, then gives up what was claimed."""
        for running in list(self._running):
            running.wait(_END_S)
        for each in claims:
            each.release_all()

    async def _run_rule(self, target: Target) -> None:
        try:
            await in_daemon_thread(lambda: self._check_there(target.store), name="archive")
        except DigsiteError as error:
            self._fail(target.store.name, error)
            return
        for session in self._sessions:
            if not fnmatchcase(session.account.name, target.rule.account):
                continue
            try:
                provider = await session.provider()
                apps = await list_apps(provider)
            except DigsiteError as error:
                self._fail(session.account.name, error)
                continue
            if apps.gap is not None:
                self._fail(session.account.name, apps.gap)
            for app in apps.items:
                if wants_app(target.rule, app):
                    await self._run_app(target, provider, app)
                if self._down is not None:
                    return

    def _check_there(self, store: Store) -> None:
        """An empty place where an archive was is a disk that is not mounted, or a wrong path."""
        builds = len(self._state.held(store.name))
        if builds and not store.folders(""):
            raise StoreDown(
                f"{store.name} is empty, but {builds:,} builds of this machine's runs were there.",
                hint=f"Is it mounted? If you emptied it: delete {self._state.path}, and run again.",
            )

    async def _run_app(self, target: Target, provider: Provider, app: App) -> None:
        path = join(app.ref.account, app.title)
        now = datetime.now(UTC)
        selection = Selection(target.rule, now)
        tasks: list[asyncio.Task[bool]] = []
        settled, until = True, None
        unsettled: list[datetime] = []
        builds: list[Build] = []
        try:
            async for build in self._builds_of(target, provider, app):
                if until is None and build.created_at is not None and build.created_at <= now:
                    until = build.created_at  # a wrong clock's moment to come would hide what is built until then
                choice = selection.choose(build)
                if choice is Choice.LATER and build.created_at is not None:
                    unsettled.append(build.created_at)
                self.summary.builds += choice is Choice.NOW
                if choice is Choice.NOW and not self._state.is_done(target.store.name, target.mark, build.ref):
                    await self._builds.acquire()
                    job = Job(target, provider, app, build, f"{path}/{join(build_part(build))}")
                    tasks.append(asyncio.create_task(self._run_build(job)))
                    builds.append(build)
        except DigsiteError as error:
            self._fail(path, error)
            settled = False
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
        results = await _all(tasks)
        unsettled.extend(b.created_at for b, done in zip(builds, results, strict=True) if not done and b.created_at)
        border = min((moment for moment in unsettled if moment <= now), default=until)
        if settled and self._down is None and border is not None and not self._dry_run:
            self._state.set_walked(target.store.name, target.mark, app.ref, border)

    async def _builds_of(self, target: Target, provider: Provider, app: App) -> AsyncIterator[Build]:
        """Builds that may still matter, newest first, page after page.

        Raises:
            BadPayload: The list has gaps, told once all that it has was given: what is missing may be what is wanted.
        """
        gap: BadPayload | None = None
        given: set[BuildRef] = set()
        after = self._state.walked_until(target.store.name, target.mark, app.ref)
        days = longest_days(provider.account.provider, self._retention)
        if days is not None:
            oldest = datetime.now(UTC) - timedelta(days=days + 1)
            after = max(after, oldest) if after else oldest
        branch = target.rule.branch if not set("*?[") & set(target.rule.branch) else None
        cursor: Cursor | None = None
        while self._down is None:
            check_budget(provider, _KEPT_BUDGET)
            page = await provider.builds(app.ref, BuildQuery(branch=branch, after=after), cursor)
            if page.unreadable or page.note:
                gap = BadPayload(page.note or "The provider's list of builds has unreadable items.")
            for build in page.items:
                if after is not None and build.created_at is not None and build.created_at < after:
                    cursor = None
                    break
                if build.ref not in given:
                    given.add(build.ref)
                    yield build
            else:
                cursor = page.next_cursor
            if cursor is None:
                break
        if gap is not None:
            raise gap

    async def _run_build(self, job: Job) -> bool:
        """Archives one build; whether nothing of it is left to do."""
        try:
            if self._down is not None:
                return False
            return await self._archive(job)
        except StoreDown as error:
            if self._down is None:
                self._down = error
                self._stop.set()
                self._fail(job.target.store.name, error)
        except DigsiteError as error:
            self._fail(job.path, error)
        finally:
            self._builds.release()
        return False

    async def _archive(self, job: Job) -> bool:
        target = job.target
        folder, manifest = await in_daemon_thread(lambda: find_folder(target, job.app, job.build), name="archive")
        if manifest is not None and target.mark in manifest.rules:
            self._remember(job)
            return True
        check_budget(job.provider, _KEPT_BUDGET)
        artifacts = await whole_list(job.provider, job.build)
        wanted = [artifact for artifact in artifacts if job.wants(artifact)]
        if self._dry_run:
            todo = [artifact for artifact in wanted if not holds(manifest, artifact)]
            for artifact in todo:
                self._note(item_of(job, artifact, artifacts, "wanted"))
            return not todo
        if job.chosen is not None and len(wanted) < len(job.chosen):
            self._fail(job.path, NotFound("What was chosen is gone at the provider.", hint="Refresh the list."))
        if not wanted and job.chosen:
            return False
        if not wanted:
            self.summary.empty += 1
            if (ended := job.build.finished_at) is not None and datetime.now(UTC) - ended < _MAY_COME:
                return False
            self._remember(job)
            return True
        begun = await in_daemon_thread(lambda: begin(job, folder, manifest), name="archive")
        if begun is None:
            self.summary.busy += 1
            return False
        settled = await self._copy_all(job, begun, [a for a in wanted if not holds(begun.manifest, a)], artifacts)
        if settled:
            self._remember(job)
        return settled

    async def _copy_all(self, job: Job, begun: Begun, todo: Sequence[Artifact], siblings: Sequence[Artifact]) -> bool:
        """Copies what is missing, then writes the manifest; whether everything is there or lost for good."""
        folder, manifest, store = begun.folder, begun.manifest, job.target.store
        taken = {entry.file.casefold() for entry in manifest.entries}
        names = Counter(readable_name(artifact).casefold() for artifact in todo)
        taken |= {name for name, count in names.items() if count > 1}  # twins are all told apart by their ids
        sent = self._state.sent(store.name, folder)
        before = {each.artifact_id: each for each in manifest.lost}
        source_of = self._source_of(job.provider)
        copier = Copier(store, self._storage, source_of, self._stop, self._downloads, self._state)

        async def copy(artifact: Artifact) -> Copied:
            places = find_places(artifact, folder, taken, begun.there, sent)
            source = await self._early_source(job.provider, artifact) if places[0].held_bytes is None else None
            return await self._in_thread(lambda: copier.copy(artifact, places, source))

        tasks = [asyncio.create_task(self._copy(job, artifact, copy, siblings, before)) for artifact in todo]
        results = await _all(tasks)
        added = [result for result in results if isinstance(result, Entry)]
        lost = [result for result in results if isinstance(result, Lost)]
        told = {entry.artifact.ref.artifact for entry in added} | {each.artifact_id for each in lost}
        settled = None not in results and all(self._is_for_good(job, each, siblings) for each in lost)
        mark = job.target.mark
        rules = {*manifest.rules, *([mark] if settled and mark else [])}
        written = replace(
            manifest,
            build=job.build,
            entries=(*(e for e in manifest.entries if e.artifact.ref.artifact not in told), *added),
            lost=(*(each for each in manifest.lost if each.artifact_id not in told), *lost),
            rules=tuple(sorted(rules)),
            is_salvaged=False,
        )
        is_new = written != replace(manifest, build=job.build)
        await in_daemon_thread(lambda: finish(job, folder, added, written if is_new else None), name="archive")
        if written.entries:
            self._state.add_held(store.name, folder)
        self._state.forget_sent(store.name, folder)
        return settled

    def _is_for_good(self, job: Job, lost: Lost, siblings: Sequence[Artifact]) -> bool:
        """Whether what the provider did not have need not be asked for again: its days are over, or it was missing for
        long. Before that it may have been only for now, as where a token had no access for an hour."""
        day = job.build.finished_at or job.build.created_at
        kinds = [(a.kind, a.is_intermediate) for a in siblings if a.ref.artifact == lost.artifact_id]
        ends = [
            expiry(job.provider.account.provider, kind, day.date(), self._retention, is_intermediate=bool(intermediate))
            for kind, intermediate in kinds
            if day is not None
        ]
        now = datetime.now(UTC)
        return now - lost.at > _MISSING or any(end is not None and end.last_day < now.date() for end in ends)

    async def _copy(
        self,
        job: Job,
        artifact: Artifact,
        copy: Callable[[Artifact], Awaitable[Copied]],
        siblings: Sequence[Artifact],
        lost: Mapping[str, Lost],
    ) -> Entry | Lost | None:
        """Copies one artifact; None when it failed.

        Args:
            job: Its build.
            artifact: What is copied.
            copy: Does it.
            siblings: All artifacts of the build.
            lost: What earlier runs did not get, by id: that is told once.
        """
        async with self._copies:
            try:
                copied = await copy(artifact)
            except StoreDown:
                raise
            except (NotFound, Gone) as error:
                if artifact.ref.artifact in lost and job.chosen is None:
                    return lost[artifact.ref.artifact]
                self._note(item_of(job, artifact, siblings, "lost", error))
                return Lost(artifact.ref.artifact, artifact.title, error.message, datetime.now(UTC))
            except Stopped:
                return None
            except DigsiteError as error:
                self._note(item_of(job, artifact, siblings, "failed", error))
                return None
        self.summary.moved_bytes += copied.moved_bytes
        self._note(item_of(job, artifact, siblings, "adopted" if copied.is_adopted else "copied"))
        return copied.entry

    async def _in_thread(self, copy: Callable[[], Copied]) -> Copied:
        ended = threading.Event()
        self._running.add(ended)

        def work() -> Copied:
            try:
                return copy()
            finally:
                ended.set()
                self._running.discard(ended)

        return await in_daemon_thread(work, name="archive-copy")

    async def _early_source(self, provider: Provider, artifact: Artifact) -> Source | None:
        """A URL before there is room for the download; None when the provider is to be asked again, with patience."""
        if self._stop.is_set():
            raise Stopped
        try:
            return await provider.source(artifact)
        except (Unreachable, RateLimited):
            return None

    def _source_of(self, provider: Provider) -> Callable[[Artifact], Source]:
        loop = asyncio.get_running_loop()

        def fetch(artifact: Artifact) -> Source:  # in the thread of a copy
            waiting = asyncio.run_coroutine_threadsafe(_source(provider, artifact), loop)
            try:
                return waiting.result(_SOURCE_TIMEOUT_S)
            except TimeoutError as error:  # an OSError, which a store would take for its own
                waiting.cancel()
                raise Unreachable(f"No link came in {_SOURCE_TIMEOUT_S:.0f} s.") from error

        return fetch

    def _remember(self, job: Job) -> None:
        if not self._dry_run and job.target.mark:
            self._state.add_done(job.target.store.name, job.target.mark, job.build.ref)

    def _note(self, item: Item) -> None:
        self.summary.items.append(item)
        _log.info("archive: %s %s (%s)", item.what, item.path, item.error.message if item.error else item.size_bytes)
        self._report(item)

    def _fail(self, path: str, error: DigsiteError) -> None:
        _log.warning("archive: %s: %s", path, error.message)
        self.summary.failures.append((path, error))


async def _keep(claims: Sequence[Claims]) -> None:
    """Until it is cancelled; a build may take longer than a claim lives."""
    while True:
        await asyncio.sleep(CLAIM_LIFE.total_seconds() / 6)
        for each in claims:
            with suppress(DigsiteError):  # the copies meet it as well
                await in_daemon_thread(each.refresh, name="archive-claims")


async def _source(provider: Provider, artifact: Artifact) -> Source:
    return await provider.source(artifact)


async def whole_list(provider: Provider, build: Build) -> list[Artifact]:
    """All artifacts of a build, each once.

    Raises:
        BadPayload: The list has gaps.
    """
    found: list[Artifact] = []
    cursor: Cursor | None = None
    while True:
        page = await provider.artifacts(build, cursor)
        if page.unreadable or page.note:
            raise BadPayload(page.note or "The provider's list of artifacts has unreadable items.")
        found.extend(page.items)
        if (cursor := page.next_cursor) is None:
            return list({artifact.ref: artifact for artifact in found}.values())


async def _all(tasks: Sequence[asyncio.Task[T]]) -> list[T]:
    """The results of all tasks; the first error is raised when all have ended, and a cancellation ends them."""
    try:
        done = await asyncio.gather(*tasks, return_exceptions=True)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    results: list[T] = []
    for each in done:
        if isinstance(each, BaseException):
            raise each
        results.append(each)
    return results
