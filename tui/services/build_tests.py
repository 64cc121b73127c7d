"""Results of a build's tests: from the provider's list, else from a test report among the artifacts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tui.errors import NotFound
from tui.models import Artifact, ArtifactKind, Build, Source
from tui.models.inspection import BuildVerb, TestResult
from tui.peek.archive import PeekError
from tui.peek.junit import MAX_RESULTS, MAX_XML_BYTES, junit_results
from tui.providers import Provider
from tui.services.inside import Inside
from tui.services.resolve import all_artifacts
from tui.storage import Storage
from tui.threads import in_daemon_thread

_REPORT: Final = re.compile(r"junit|test[-_ .]?(?:results?|reports?)|^TEST-", re.IGNORECASE)
_MAX_REPORTS: Final = 400
"""XML files of one archive that are read; Gradle writes one a class."""
_MAX_TOTAL_BYTES: Final = 4 * MAX_XML_BYTES
"""Of all reports of a build."""


class BuildTests:
    """Reads test results.

    Args:
        storage: The bare client.
        look_inside: Opens an artifact as an archive.
    """

    def __init__(self, storage: Storage, look_inside: Callable[[Artifact], Awaitable[Inside]]) -> None:
        self._storage, self._look_inside = storage, look_inside

    async def read(self, provider: Provider, build: Build) -> tuple[TestResult, ...]:
        """The results, failures first.

        Raises:
            NotFound: The provider has no list, and no artifact is a test report.
            PeekError: The report cannot be read.
            DigsiteError: The provider or the storage cannot be asked.
        """
        refusal = provider.build_refusal(BuildVerb.TESTS, build)
        if refusal is None:
            return _failures_first(await provider.tests(build))
        reports = [artifact async for artifact in all_artifacts(provider, build) if _is_report(artifact)]
        collected = _Collected()
        for artifact in reports:
            await self._read_artifact(provider, artifact, collected)
        if not collected.results:
            raise NotFound(refusal, hint="Let a step deploy JUnit XML, or a zip of it, as an artifact.")
        return _failures_first(collected.results)

    async def _read_artifact(self, provider: Provider, artifact: Artifact, collected: _Collected) -> None:
        if artifact.title.lower().endswith(".xml"):
            source = await provider.source(artifact)
            data = await in_daemon_thread(lambda: self._download(source), name="tests")
            await collected.add(data)
            return
        inside = await self._look_inside(artifact)
        names = [entry.name for entry in inside.entries if entry.name.lower().endswith(".xml")]
        for name in names[:_MAX_REPORTS]:
            await collected.add(await inside.read(name, MAX_XML_BYTES + 1))

    def _download(self, source: Source) -> bytes:
        data = b""
        with self._storage.open(source.url, headers=source.headers) as body:
            while len(data) <= MAX_XML_BYTES and (piece := body.read()):
                data += piece
        return data


class _Collected:
    """What all reports of a build tell, within one limit: each of them may be as large as one is allowed to be."""

    def __init__(self) -> None:
        self.results: list[TestResult] = []
        self._left_bytes = _MAX_TOTAL_BYTES

    async def add(self, data: bytes) -> None:
        """Reads one report, in a thread.

        Raises:
            PeekError: It cannot be read, or all of them together are too much.
        """
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise PeekError("The test reports are too large to be read here.")
        most = MAX_RESULTS - len(self.results)
        results = await in_daemon_thread(lambda: junit_results(data, most), name="tests")
        self.results.extend(results or ())


def _is_report(artifact: Artifact) -> bool:
    is_named = artifact.kind is ArtifactKind.TEST_RESULTS or _REPORT.search(artifact.title) is not None
    return is_named and artifact.title.lower().endswith((".xml", ".zip"))


def _failures_first(results: Sequence[TestResult]) -> tuple[TestResult, ...]:
    return tuple(sorted(results, key=lambda test: not test.status.is_failure))
