"""Changes of several artifacts, and rows that the server does not have any more."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.pilot.conftest import Driver
from tests.pilot.test_pilot_explorer import finished, is_apk
from tui.models import Artifact
from tui.widgets.batch import BatchDialog
from tui.widgets.dialogs import ConfirmDialog
from tui.widgets.rowlist import GONE

Drive = Callable[..., Any]


def deletions(d: Driver) -> list[str]:
    """Ids of the artifacts whose deletion arrived at the server."""
    return [request.path.rsplit("/", 1)[-1] for request in d.demo.requests if request.method == "DELETE"]


async def confirm_deletion_of_all(d: Driver) -> Sequence[Artifact]:
    rows = list(d.explorer.artifacts.rows.rows)
    assert len(rows) > 2
    await d.press("a", "X")
    await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
    await d.press(*"delete", "enter")
    await d.until(lambda: isinstance(d.app.screen, BatchDialog))
    return rows


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_a_batch_stops_where_the_next_would_fail_alike_and_tells_each_result(drive: Drive, status: int) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        second = d.explorer.artifacts.rows.rows[1]
        # A token that is refused is tried once more, with a fresh header.
        d.demo.faults.fail("bitrise", "DELETE", second.ref.artifact, status, times=2)
        rows = await confirm_deletion_of_all(d)
        await d.until(lambda: "not tried" in d.screen_text())
        assert set(deletions(d)) == {rows[0].ref.artifact, rows[1].ref.artifact}
        report = d.screen_text().partition("Deleting")[2]
        told = [re.search(rf"{re.escape(row.title)}  (.*)", report) for row in rows]
        results = [found[1].split(" ")[0] for found in told if found]
        assert results[0] == "deleted"
        assert results[1] not in {"deleted", "not"}
        assert set(results[2:]) == {"not"}
        await d.press("escape")
        await d.until(lambda: not isinstance(d.app.screen, BatchDialog))
        assert [row.ref for row in d.explorer.artifacts.rows.rows] == [row.ref for row in rows[1:]]


async def test_esc_in_the_middle_waits_for_the_one_under_way_and_leaves_the_rest(
    drive: Drive, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        under_way, go_on = asyncio.Event(), asyncio.Event()
        delete = d.services.changes.delete

        async def held(provider: Any, artifact: Artifact) -> None:
            under_way.set()
            await go_on.wait()
            await delete(provider, artifact)

        monkeypatch.setattr(d.services.changes, "delete", held)
        rows = await confirm_deletion_of_all(d)
        await under_way.wait()
        await d.press("escape")
        await d.until(lambda: "stopping" in d.screen_text())
        await d.press("enter")  # does not close it while something is under way
        go_on.set()
        await d.until(lambda: "not tried" in d.screen_text())
        assert deletions(d) == [rows[0].ref.artifact]
        journal = [json.loads(line) for line in (home / "state" / "changes.jsonl").read_text().splitlines()]
        assert [entry["state"] for entry in journal] == ["sent", "done"]


async def test_an_artifact_that_is_gone_is_greyed_and_the_others_stay(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        rows = d.explorer.artifacts.rows
        artifact = await d.go_to_artifact(is_apk)
        others = [row.ref for row in rows.rows if row.ref != artifact.ref]
        provider = await d.services.sessions[artifact.ref.account].provider()
        await provider.delete(artifact.ref)  # somebody else
        await d.press("X")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press(*"delete", "enter")
        await d.until(lambda: rows.is_gone(artifact.ref))
        await d.pilot.pause()
        assert next(line for line in d.screen_text().splitlines() if GONE in line and artifact.title in line)
        assert all(not rows.is_gone(ref) for ref in others)
        toasts = len(d.toasts)
        await d.press("p")
        await d.until(lambda: len(d.toasts) > toasts)
        assert "gone on the server" in d.toasts[-1]
        await d.press("r")
        await d.until(lambda: [row.ref for row in rows.rows] == others)


async def test_a_build_that_is_gone_is_greyed_until_it_is_there_again(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        rows = d.explorer.builds.rows
        build = rows.rows[0]
        d.demo.faults.fail("bitrise", "GET", "artifacts", 404)
        await d.press("enter")
        await d.until(lambda: rows.is_gone(build.ref))
        assert d.explorer.artifacts.errors
        assert not any(rows.is_gone(other.ref) for other in rows.rows[1:])
        await d.press("escape", "r")
        await d.until(lambda: not rows.is_gone(build.ref))


async def test_what_was_confirmed_is_deleted_whatever_the_list_does_under_the_dialog(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        rows = d.explorer.artifacts.rows
        artifact = await d.go_to_artifact(is_apk)
        await d.press("X")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        rows.action_sort_next()
        rows.action_sort_reverse()
        d.explorer.refresh_pane(d.explorer.artifacts)
        await d.until(lambda: not d.explorer.artifacts.is_loading)
        rows.go_to(next(row.ref for row in rows.rows if row.ref != artifact.ref))
        await d.press(*"delete", "enter")
        await d.until(lambda: rows.find(artifact.ref) is None)
        assert deletions(d) == [artifact.ref.artifact]
