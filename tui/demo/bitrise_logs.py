"""The log of a Bitrise build as its API tells it: pieces while it runs, a link to the whole once it is archived."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from tui.demo import seeds
from tui.demo.bitrise_builds import BitriseBuild
from tui.demo.bitrise_items import precise_stamp
from tui.demo.log_failures import LogSubject
from tui.demo.logs import bitrise_log, bitrise_steps

_CHUNK_LINES: Final = 8
_SILENCE: Final = timedelta(seconds=3)
"""A build that has just started has no log yet."""
_LATE_PIECES: Final = 2.5
"""How late a piece can be, in pieces: later ones are there before it."""


def log_manifest(build: BitriseBuild, now: datetime, after: str, url: str | None) -> dict[str, object] | None:
    """The answer of the log's endpoint; None while there is no log.

    Pieces come unordered, and some later than their successors (bitrise-io/bitrise-cli, internal/build/service.go).

    Args:
        build: The build.
        now: Aware UTC.
        after: The cursor of the last answer; empty for the first.
        url: Where the whole text is.
    """
    if build.started_at is None or now < build.started_at + _SILENCE:
        return None
    lines = bitrise_log(build.subject)
    texts = ["\n".join(lines[at : at + _CHUNK_LINES]) + "\n" for at in range(0, len(lines), _CHUNK_LINES)]
    ends = build.finished_at or build.ends_at
    took = timedelta(seconds=200) if ends is None else ends - build.started_at
    chunks: list[dict[str, object]] = []
    for position, text in enumerate(texts, 1):
        is_late = seeds.number("late", build.slug, position) % 4 == 0
        written = build.started_at + took * (position - 1 + is_late * _LATE_PIECES) / len(texts)
        if (url is not None or written <= now) and precise_stamp(written) > after:
            chunks.append({"chunk": text, "position": position})
    chunks.sort(key=lambda chunk: seeds.number("chunk", build.slug, chunk["position"]))
    return {
        "expiring_raw_log_url": url,
        "is_archived": url is not None,
        "log_chunks": chunks,
        "generated_log_chunks_num": len(chunks),
        "timestamp": None,
        "next_after_timestamp": "" if url is not None else precise_stamp(now),
    }


def bitrise_yml(subject: LogSubject) -> str:
    """The configuration that a build ran with."""
    steps = "".join(f"    - {step}: {{}}\n" for step in bitrise_steps(subject))
    project = "android" if subject.is_android else "ios"
    return (
        'format_version: "17"\n'
        "default_step_lib_source: https://github.com/bitrise-io/bitrise-steplib.git\n"
        f"project_type: {project}\n"
        f"workflows:\n  {subject.workflow}:\n    steps:\n{steps}"
    )
