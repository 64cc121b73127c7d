"""Downloads with options, the list of transfers, and going on after a restart."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from textual.widgets import Button, Input

from tests.pilot.conftest import Driver
from tests.pilot.test_pilot_explorer import finished, is_apk
from tui.models import Artifact
from tui.screens.download_dialog import DownloadDialog
from tui.screens.explorer import Explorer
from tui.screens.transfers import LimitsDialog, TransfersScreen
from tui.transfers.claim import part_path
from tui.transfers.snapshot import TransferSnapshot, TransferState
from tui.widgets.choice import ChoiceDialog

Drive = Callable[..., AbstractAsyncContextManager[Driver]]
SLOW = 50_000


def transfers(d: Driver) -> tuple[TransferSnapshot, ...]:
    return d.services.transfers.snapshot().transfers


async def at_an_apk(d: Driver) -> Artifact:
    await d.open_app("acme-android")
    await d.open_build(finished)
    return await d.go_to_artifact(is_apk)


async def start_slowly(d: Driver) -> None:
    d.demo.faults.bytes_per_second = SLOW
    await at_an_apk(d)
    await d.press("d")
    await d.until(lambda: transfers(d) and transfers(d)[0].done_bytes)


async def open_list(d: Driver) -> TransfersScreen:
    await d.press("T")
    await d.until(lambda: isinstance(d.app.screen, TransfersScreen) and d.app.screen.rows.has_focus)
    screen = d.app.screen
    assert isinstance(screen, TransfersScreen)
    return screen


async def open_options(d: Driver) -> DownloadDialog:
    await d.press("D")
    await d.until(lambda: isinstance(d.app.screen, DownloadDialog) and d.app.screen.query("#preview"))
    await d.pilot.pause()
    screen = d.app.screen
    assert isinstance(screen, DownloadDialog)
    return screen


async def test_the_list_shows_state_reason_and_what_is_done_with_them(drive: Drive) -> None:
    async with drive() as d:
        await start_slowly(d)
        screen = await open_list(d)
        assert "▶ running" in d.screen_text()
        assert str(transfers(d)[0].target) in "".join(d.screen_text().split()), "the whole path, on several lines"
        await d.press("p")
        await d.until(lambda: transfers(d)[0].state is TransferState.PAUSED)
        screen.poll()
        await d.pilot.pause()
        assert "‖ paused" in d.screen_text()
        await d.press("enter")
        await d.until(lambda: transfers(d)[0].state is TransferState.RUNNING)
        await d.press("p")
        await d.until(lambda: transfers(d)[0].state is TransferState.PAUSED)
        d.demo.faults.bytes_per_second = None
        await d.press("p")
        await d.until(lambda: transfers(d)[0].state is TransferState.DONE)
        screen.poll()
        await d.pilot.pause()
        assert str(transfers(d)[0].sha256) in d.screen_text()
        await d.press("C")
        assert transfers(d) == ()
        await d.pilot.pause()
        assert "No transfers." in d.screen_text()
        await d.press("escape")
        assert isinstance(d.app.screen, Explorer)


async def test_cancel_asks_whether_to_keep_what_arrived(drive: Drive) -> None:
    async with drive() as d:
        await start_slowly(d)
        part = part_path(transfers(d)[0].target)
        await open_list(d)
        await d.press("c")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        await d.press("escape")
        await d.until(lambda: isinstance(d.app.screen, TransfersScreen))
        assert transfers(d)[0].state is TransferState.RUNNING
        await d.press("c")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        await d.press("enter")  # to keep has the focus
        await d.until(lambda: transfers(d)[0].state is TransferState.CANCELLED)
        assert part.exists()
        await d.press("r")
        await d.until(lambda: transfers(d)[0].state is TransferState.RUNNING)
        await d.press("c")
        await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))
        await d.press("r")
        await d.until(lambda: transfers(d)[0].state is TransferState.CANCELLED and not part.exists())


async def test_a_failed_one_says_why_and_can_be_tried_again(drive: Drive) -> None:
    async with drive() as d:
        d.demo.faults.fail("storage", "GET", ".", 404)
        await at_an_apk(d)
        await d.press("d")
        await d.until(lambda: transfers(d) and transfers(d)[0].state is TransferState.FAILED)
        await open_list(d)
        assert "no longer has the file" in d.screen_text()
        await d.press("r")
        await d.until(lambda: transfers(d)[0].state is TransferState.DONE)


async def test_the_order_and_the_limits_can_be_changed(drive: Drive) -> None:
    async with drive() as d:
        d.services.transfers.set_limits(jobs=1, limit_rate=None)
        d.demo.faults.bytes_per_second = SLOW
        await d.open_app("acme-android")
        await d.open_build(finished)
        await d.press("a", "d")
        await d.pilot.pause()
        await d.until(lambda: len(d.app.screen_stack) > 1)
        await d.press("y")
        await d.until(lambda: len(transfers(d)) > 2)
        screen = await open_list(d)
        before = [t.id for t in transfers(d)]
        await d.press("G", "K")
        assert [t.id for t in transfers(d)] == [*before[:-2], before[-1], before[-2]]
        assert screen.rows.current is not None
        assert screen.rows.current.id == before[-1], "the cursor stays on what was moved"
        await d.press("J")
        assert [t.id for t in transfers(d)] == before
        await d.press("L")
        await d.until(lambda: isinstance(d.app.screen, LimitsDialog))
        await d.press(*"nonsense", "enter")
        assert isinstance(d.app.screen, LimitsDialog)
        d.app.screen.query_one("#jobs", Input).value = "3"
        d.app.screen.query_one("#rate", Input).value = "2M"
        await d.press("enter")
        await d.until(lambda: isinstance(d.app.screen, TransfersScreen))
        queue = d.services.transfers
        assert (queue.jobs, queue.limit_rate) == (3, 2 << 20)
        await d.until(lambda: sum(t.state is TransferState.RUNNING for t in transfers(d)) == 3)


async def test_after_a_restart_enter_goes_on_where_it_stopped(drive: Drive) -> None:
    async with drive() as d:
        await start_slowly(d)
    async with drive() as d:
        d.demo.faults.bytes_per_second = None
        await d.until(lambda: any("1 transfer interrupted in an earlier run" in toast for toast in d.toasts))
        (left,) = transfers(d)
        assert (left.state, left.note) == (TransferState.PAUSED, "interrupted")
        assert left.done_bytes > 0
        await d.loaded()
        d.demo.requests.clear()
        await open_list(d)
        await d.press("enter")
        await d.until(lambda: transfers(d)[0].state is TransferState.DONE)
        assert transfers(d)[0].sha256 == d.demo.data.sha256(left.artifact.ref.artifact)
        (request,) = [request for request in d.demo.requests if request.server == "storage"]
        assert request.headers["range"] != "bytes=0-"
        assert request.headers["range"].startswith("bytes=")
    async with drive() as d:
        await d.loaded()
        assert transfers(d) == ()


async def test_a_download_with_options_goes_where_the_preview_said(drive: Drive, tmp_path: Path) -> None:
    async with drive() as d:
        artifact = await at_an_apk(d)
        screen = await open_options(d)
        folder, template = screen.query_one("#folder", Input), screen.query_one("#template", Input)
        folder.value = str(tmp_path / "there")
        template.value = "{app}/../{title}"
        await d.until(lambda: "leaves its folder" in screen.preview)
        assert screen.query_one("#start", Button).disabled
        await d.press("enter")
        assert isinstance(d.app.screen, DownloadDialog), "a wrong template starts nothing"
        template.value = "{nothing}"
        await d.until(lambda: "no field {nothing}" in screen.preview)
        template.value = "{app}-{build}/{title}"
        build = d.explorer.open_build
        assert build is not None
        wanted = tmp_path / "there" / f"acme-android-{build.number}" / artifact.title
        await d.until(lambda: screen.preview == str(wanted))
        assert transfers(d) == ()
        await d.press("enter")
        await d.until(lambda: transfers(d) and transfers(d)[0].state is TransferState.DONE)
        assert transfers(d)[0].target == wanted
        assert wanted.stat().st_size == artifact.size_bytes


async def test_options_can_unpack(drive: Drive) -> None:
    async with drive() as d:
        await at_an_apk(d)
        screen = await open_options(d)
        screen.query_one("#unpack", Button).focus()
        await d.press("enter")
        await d.until(lambda: "yes" in d.screen_text())
        screen.query_one("#start", Button).focus()
        await d.press("enter")
        await d.until(lambda: transfers(d) and transfers(d)[0].state is TransferState.DONE)
        folder = transfers(d)[0].unpacked
        assert folder is not None
        assert (folder / "AndroidManifest.xml").is_file()


async def test_taken_names_are_asked_about_once_for_the_batch(drive: Drive) -> None:
    async with drive() as d:
        await d.open_app("acme-android")
        build = await d.open_build(finished)
        artifacts = list(d.explorer.artifacts.rows.rows)
        branch = str(build.branch).replace("/", "_")
        folder = d.services.download_dir / "demo-bitrise" / "acme-android" / branch / str(build.number)
        folder.mkdir(parents=True)
        for artifact in artifacts[:2]:
            (folder / artifact.title).write_text("mine")

        async def to_the_question() -> None:
            await d.press("a", "d")
            await d.until(lambda: len(d.app.screen_stack) > 1)
            await d.press("y")
            await d.until(lambda: isinstance(d.app.screen, ChoiceDialog))

        await to_the_question()
        assert "2 names taken" in d.screen_text()
        await d.press("escape")
        await d.until(lambda: isinstance(d.app.screen, Explorer))
        assert transfers(d) == ()
        await to_the_question()
        await d.press("s")
        await d.until(lambda: len(transfers(d)) == len(artifacts) - 2)
        await d.until(lambda: all(t.state is TransferState.DONE for t in transfers(d)))
        assert [(folder / artifact.title).read_text() for artifact in artifacts[:2]] == ["mine", "mine"]
        await to_the_question()
        await d.press("o")
        await d.until(lambda: len(transfers(d)) == 2 * len(artifacts) - 2)
        await d.until(lambda: all(t.state is TransferState.DONE for t in transfers(d)))
        assert all((folder / artifact.title).stat().st_size == artifact.size_bytes for artifact in artifacts)
        assert sorted(path.name for path in folder.iterdir()) == sorted(artifact.title for artifact in artifacts)
