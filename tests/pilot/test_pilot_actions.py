"""What the explorer does with artifacts: download, publish, delete, each as a user confirmed it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.pilot.test_pilot_explorer import finished, is_apk
from tui.models import Artifact
from tui.screens.artifact_detail import ArtifactScreen
from tui.widgets.dialogs import ConfirmDialog, TextDialog

Drive = Callable[..., Any]


async def test_download_shows_progress_and_the_file_is_what_the_server_holds(drive: Drive, home: Any) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        await d.press("d")
        await d.until(lambda: "1 done" in d.dock_text)
        (transfer,) = d.services.transfers.snapshot().transfers
        content = transfer.target.read_bytes()
        assert len(content) == artifact.size_bytes
        assert hashlib.sha256(content).hexdigest() == d.demo.data.sha256(artifact.ref.artifact)
        assert transfer.target.is_relative_to(home)
        build = d.explorer.open_build
        branch = build.branch.replace("/", "_")
        assert transfer.target.parts[-5:-1] == ("demo-bitrise", "acme-android", branch, str(build.number))


async def test_bulk_download_asks_with_the_list_and_the_sum(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        rows = list(d.explorer.artifacts.rows.rows)
        assert len(rows) > 1
        await d.press("a", "d")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        text = d.screen_text()
        assert all(artifact.title in text for artifact in rows)
        assert f"{len(rows)} files" in text
        await d.press("enter")  # Cancel has the focus
        await d.until(lambda: not isinstance(d.app.screen, ConfirmDialog))
        assert d.services.transfers.snapshot().transfers == ()
        await d.press("d")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("y")
        await d.until(lambda: f"{len(rows)} done" in d.dock_text)
        assert d.explorer.artifacts.rows.marked == []


async def test_download_on_a_build_takes_all_its_artifacts(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        rows = d.explorer.builds.rows
        build = next(b for b in rows.rows if finished(b))
        rows.go_to(build.ref)
        await d.press("d")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press("y")
        await d.until(lambda: d.services.transfers.snapshot().transfers)
        assert len(d.services.transfers.snapshot().transfers) > 1


async def test_cancel_and_clear_transfers(drive: Drive) -> None:
    async with drive() as d:
        d.demo.faults.bytes_per_second = 50_000
        await d.open_app("acme-android")
        await d.open_build(finished)
        await d.go_to_artifact(is_apk)
        await d.press("d")
        await d.until(lambda: "1 running" in d.dock_text)
        await d.press("c")
        await d.until(lambda: "1 cancelled" in d.dock_text)
        (transfer,) = d.services.transfers.snapshot().transfers
        assert not transfer.target.exists()
        await d.press("c")
        await d.until(lambda: not d.services.transfers.snapshot().transfers)


async def test_public_page_off_and_on(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        rows = d.explorer.artifacts.rows
        if artifact.is_public:
            await d.press("p")
            await d.until(lambda: rows.find(artifact.ref).is_public is False)
            await d.settle()
        await d.press("p")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        assert "Anyone with the link" in d.screen_text()
        await d.press("y")
        await d.until(lambda: rows.find(artifact.ref).install_url)
        await d.settle()
        url = rows.find(artifact.ref).install_url
        assert url.startswith(d.demo.storage_url)
        await d.until(lambda: isinstance(d.app.screen, TextDialog))
        assert d.app.screen.text == url
        await d.press("escape", "i")
        await d.until(lambda: isinstance(d.app.screen, ArtifactScreen))
        assert url in [line.text for line in d.app.screen.lines]
        bodies = [r.body for r in d.demo.requests if r.method == "PATCH"]
        assert all(b'"is_public_page_enabled"' in body and body.count(b":") == 1 for body in bodies)


async def test_a_failed_toggle_is_put_back_and_says_why(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        d.demo.faults.fail("bitrise", "PATCH", "artifacts", 403, times=1)
        await d.press("p")
        if not artifact.is_public:
            await d.press("y")
        await d.until(lambda: d.toasts)
        assert d.explorer.artifacts.rows.find(artifact.ref).is_public == artifact.is_public
        assert any(artifact.title in toast for toast in d.toasts)


async def test_an_undo_that_is_declined_can_be_asked_for_again(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(lambda build: build.branch == "release/4.0" and finished(build))
        artifact = await d.go_to_artifact(lambda each: is_apk(each) and each.is_public)
        rows = d.explorer.artifacts.rows
        await d.press("p")
        await d.until(lambda: rows.find(artifact.ref).is_public is False)
        await d.settle()
        for answer in ("escape", "y"):
            await d.press("z")
            await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
            await d.press(answer)
        await d.until(lambda: rows.find(artifact.ref).is_public and rows.find(artifact.ref).install_url)


async def test_a_page_that_the_server_left_as_it_was_is_not_told_as_switched(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def as_before(artifact: Artifact, enabled: bool) -> Artifact:
        return artifact

    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        provider = await d.services.sessions[artifact.ref.account].provider()
        monkeypatch.setattr(provider, "set_public", as_before)
        await d.press("p")
        if not artifact.is_public:
            await d.press("y")
        await d.until(lambda: d.toasts)
        assert [toast for toast in d.toasts if "left the public page of" in toast] == d.toasts
        assert d.explorer.artifacts.rows.find(artifact.ref).is_public == artifact.is_public


async def test_a_page_of_which_nobody_knows_counts_as_public(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        rows = d.explorer.artifacts.rows
        if artifact.is_public:
            await d.press("p")
            await d.until(lambda: rows.find(artifact.ref).is_public is False)
            await d.settle()
        await d.press("p")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        d.demo.faults.fail("bitrise", "PATCH", "artifacts", 0, times=1)
        d.demo.faults.fail("bitrise", "GET", f"artifacts/{artifact.ref.artifact}", 400, times=1)
        told = len(d.toasts)
        await d.press("y")
        await d.until(lambda: len(d.toasts) > told)
        assert rows.find(artifact.ref).is_public is True


async def test_delete_names_everything_and_wants_the_word_typed(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        for keys in (["enter", "enter"], ["escape"]):
            await d.press("X")
            await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
            text = d.screen_text()
            for part in (artifact.title, f"{artifact.size_bytes:,} bytes", f"#{build.number}", "acme-android"):
                assert part in text
            await d.press(*keys[:1])
            await d.until(lambda: not isinstance(d.app.screen, ConfirmDialog))
            await d.press(*keys[1:])  # the second enter opens the detail of the row
            await d.press(*(["escape"] if isinstance(d.app.screen, ArtifactScreen) else []))
        assert not [r for r in d.demo.requests if r.method == "DELETE"]
        await d.press("delete")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press(*"delete", "enter")
        await d.until(lambda: d.explorer.artifacts.rows.find(artifact.ref) is None)
        assert len([r for r in d.demo.requests if r.method == "DELETE"]) == 1


async def test_bulk_delete_above_ten_wants_the_count_typed(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        rows = d.explorer.artifacts.rows
        model = rows.rows[0]
        from dataclasses import replace

        from tui.models import ArtifactId

        many = [replace(model, ref=replace(model.ref, artifact=ArtifactId(f"x{n}")), title=f"f{n}") for n in range(12)]
        rows.append(many)
        await d.press("a", "X")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        assert f"Type {len(rows.rows)} to confirm" in d.screen_text()
        assert all(f"{each.title}  id {each.ref.artifact}" in d.screen_text() for each in rows.rows)
        await d.press("escape")


async def test_delete_whose_answer_is_lost_is_looked_up_not_repeated(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        await d.open_build(finished)
        artifact = await d.go_to_artifact(is_apk)
        d.demo.faults.fail("bitrise", "DELETE", "artifacts", 0, times=1)
        await d.press("X")
        await d.until(lambda: isinstance(d.app.screen, ConfirmDialog))
        await d.press(*"delete", "enter")
        await d.until(lambda: d.explorer.artifacts.rows.find(artifact.ref) is None)
        assert len([r for r in d.demo.requests if r.method == "DELETE"]) == 1


async def test_xcode_cloud_says_why_it_cannot(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("Acme", account="demo-xcode-cloud")
        await d.open_build(finished)
        await d.press("p")
        await d.until(lambda: d.toasts)
        await d.press("X")
        await d.until(lambda: len(d.toasts) > 1)
        assert all("Xcode Cloud" in toast for toast in d.toasts)
        assert not [r for r in d.demo.requests if r.method not in {"GET", "HEAD"}]
