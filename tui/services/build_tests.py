"""Results of a build's tests: from the provider's list, else from a test report among the artifacts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tui.errors import NotFound
from tui.models import Artifact, ArtifactKind, Build, Source
from tui.models.inspection import BuildVerb, TestResult
from tui.peek.junit import MAX_XML_BYTES, junit_results
from tui.providers import Provider
from tui.services.inside import Inside
from tui.services.resolve import all_artifacts
from tui.storage import Storage
from tui.threads import in_daemon_thread

_REPORT: Final = re.compile(r"junit|test[-_ .]?(?:results?|reports?)|^TEST-", re.IGNORECASE)
_MAX_REPORTS: Final = 400
"""XML files of one archive that are read; Gradle writes one a class."""


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
        results: list[TestResult] = []
        for artifact in reports:
            results += await self._of_artifact(provider, artifact)
        if not results:
            raise NotFound(refusal, hint="Let a step deploy JUnit XML, or a zip of it, as an artifact.")
        return _failures_first(results)

    async def _of_artifact(self, provider: Provider, artifact: Artifact) -> list[TestResult]:
        if artifact.title.lower().endswith(".xml"):
            source = await provider.source(artifact)
            data = await in_daemon_thread(lambda: self._download(source), name="tests")
            return list(junit_results(data) or ())
        inside = await self._look_inside(artifact)
        names = [entry.name for entry in inside.entries if entry.name.lower().endswith(".xml")]
        results: list[TestResult] = []
        for name in names[:_MAX_REPORTS]:
            results += junit_results(await inside.read(name, MAX_XML_BYTES + 1)) or ()
        return results

    def _download(self, source: Source) -> bytes:
        data = b""
        with self._storage.open(source.url, headers=source.headers) as body:
            while len(data) <= MAX_XML_BYTES and (piece := body.read()):
                data += piece
        return data


def _is_report(artifact: Artifact) -> bool:
    is_named = artifact.kind is ArtifactKind.TEST_RESULTS or _REPORT.search(artifact.title) is not None
    return is_named and artifact.title.lower().endswith((".xml", ".zip"))


def _failures_first(results: Sequence[TestResult]) -> tuple[TestResult, ...]:
    return tuple(sorted(results, key=lambda test: not test.status.is_failure))
