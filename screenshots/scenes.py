"""The scenes of the pictures: each drives the explorer on the demo to one screen, by keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scene import DOWNLOADS, INSTALL_URL, LISTED, NOW, Scene, Setting

from tui.errors import NotFound
from tui.models import Artifact, Status
from tui.services.indexing import Indexer
from tui.transfers.snapshot import QueueSnapshot, TransferId, TransferSnapshot, TransferState, summarise
from tui.widgets.pane import Pane
from tui.widgets.treemap import Treemap

# The drill-down -----------------------------------------------------------------------------------------------


async def apps(scene: Scene) -> None:
    """The first screen."""
    await scene.shows_apps()


async def drill(scene: Scene) -> None:
    """Down to the artifacts of a build."""
    await scene.open_app("acme-android")
    await scene.open_build()


async def actions(scene: Scene) -> None:
    """Artifacts of Xcode Cloud under their actions."""
    await scene.open_app("Acme", "demo-xcode-cloud")
    await scene.open_build()


async def builds(scene: Scene) -> None:
    """A filtered list of builds, two of them marked."""
    await scene.open_app("acme-monorepo")
    await scene.pilot.press("slash", *"status:failed", "enter", "space", "space")


async def hostile(scene: Scene) -> None:
    """Names that try to break a terminal."""
    await scene.open_app("Hostile names")
    await scene.pilot.press("enter")
    await scene.until(lambda: scene.explorer.artifacts.rows.rows)


async def error(scene: Scene) -> None:
    """One account failing, the other usable."""
    scene.demo.faults.fail("bitrise", "GET", "/apps$", 401, times=9)
    explorer = scene.explorer
    await scene.until(lambda: explorer.apps.errors and explorer.apps.rows.rows and not explorer.apps.is_loading)


async def dig(scene: Scene) -> None:
    """A saved dig, opened by its tab."""
    await apps(scene)
    await scene.pilot.press("greater_than_sign")
    await scene.until(lambda: scene.explorer.builds.rows.has_focus and scene.explorer.builds.rows.shown)


async def dock(scene: Scene) -> None:
    """Transfers, seen from the explorer."""
    await drill(scene)
    stand_still(scene)
    await scene.shows("2 running")


async def help_panel(scene: Scene) -> None:
    """All keys."""
    await drill(scene)
    await scene.rest()
    await scene.opens("question_mark")
    await scene.shows("Download")


async def palette(scene: Scene) -> None:
    """Names and commands, found by a few of their letters."""
    await drill(scene)
    await scene.rest()
    await scene.opens("colon")
    await scene.pilot.press(*"download")
    await scene.shows("Folder, name template")


async def saved_digs(scene: Scene) -> None:
    """The saved digs as a list."""
    await apps(scene)
    await scene.opens("ampersand")


# Accounts -----------------------------------------------------------------------------------------------------


async def welcome(scene: Scene) -> None:
    """The first run."""
    await scene.shows("Welcome")


async def accounts(scene: Scene) -> None:
    """The accounts with what was found of them."""
    await apps(scene)
    await scene.opens("at")
    await scene.shows("grace")  # whose token and whose key it is: both are asked for
    await scene.shows("team key")


async def add_bitrise(scene: Scene) -> None:
    """The form for an account at Bitrise."""
    await welcome(scene)
    await scene.opens("enter")
    await scene.shows("keyring")


async def add_xcode_cloud(scene: Scene) -> None:
    """The form for an account at Xcode Cloud."""
    await welcome(scene)
    await scene.opens("down", "enter")
    await scene.shows("keyring")


# Builds -------------------------------------------------------------------------------------------------------


async def at_a_failed_build(scene: Scene, app: str, account: str) -> None:
    """The cursor on the newest failed build of an app."""
    await scene.open_app(app, account)
    await scene.go_to_build(Status.FAILED)
    await scene.rest()


async def why_red(scene: Scene) -> None:
    """Why a build is red, at Bitrise."""
    await at_a_failed_build(scene, "acme-android", "demo-bitrise")
    await scene.pilot.press("e")
    await scene.shows("Cause")


async def why_red_xcode_cloud(scene: Scene) -> None:
    """Why a build is red, at Xcode Cloud."""
    await at_a_failed_build(scene, "Acme", "demo-xcode-cloud")
    await scene.pilot.press("e")
    await scene.shows("Cause")


async def build_view(scene: Scene) -> None:
    """Everything known of a build."""
    await at_a_failed_build(scene, "Acme", "demo-xcode-cloud")
    await scene.pilot.press("i")
    await scene.shows("Commit")


async def log(scene: Scene) -> None:
    """The log of a failed build, at its first error."""
    await at_a_failed_build(scene, "acme-android", "demo-bitrise")
    await scene.pilot.press("L")
    await scene.shows("Running workflow")
    await scene.pilot.press("e")
    await scene.shows("FAILED")


async def log_members(scene: Scene) -> None:
    """The logs of a build that has several."""
    await at_a_failed_build(scene, "Acme", "demo-xcode-cloud")
    await scene.opens("L")
    await scene.shows("m changes")
    await scene.opens("m")


async def tests(scene: Scene) -> None:
    """The tests of a build, failures first."""
    await at_a_failed_build(scene, "Acme", "demo-xcode-cloud")
    await scene.opens("t")
    await scene.shows("failed")


async def start(scene: Scene) -> None:
    """What to build."""
    await scene.open_app("acme-android")
    await scene.rest()
    await scene.opens("b")
    await scene.shows("primary")


async def newest(scene: Scene) -> None:
    """The newest builds of all apps."""
    await apps(scene)
    await scene.opens("N")
    pane = scene.app.screen.query_one(Pane)
    await scene.until(lambda: pane.rows.rows and not pane.is_loading)


# Artifacts ----------------------------------------------------------------------------------------------------


async def detail(scene: Scene) -> None:
    """Everything known of an artifact, the app inside it among it."""
    await drill(scene)
    await scene.go_to_artifact(".apk")
    await scene.opens("i")
    await scene.shows("Minimum OS")


async def inside(scene: Scene) -> None:
    """Inside an IPA, without downloading it."""
    await scene.open_app("Acme for iOS")
    await scene.open_build()
    await scene.go_to_artifact(".ipa")
    await scene.opens("x")
    await scene.until(lambda: scene.app.screen.has_class("-has-facts"))


async def folder_sizes(scene: Scene) -> None:
    """What takes the space in an IPA."""
    await inside(scene)
    await scene.opens("m")
    await scene.pilot.press("enter", "enter")
    await scene.shows("Frameworks/")


async def member(scene: Scene, ending: str) -> None:
    """A file of an IPA."""
    await inside(scene)
    rows = scene.app.screen.query_one(Pane).rows
    rows.go_to(next(entry.name for entry in rows.rows if entry.name.endswith(ending)))
    await scene.opens("enter")


async def text(scene: Scene) -> None:
    """A property list, as text."""
    await member(scene, "Info.plist")


async def hexadecimal(scene: Scene) -> None:
    """Bytes that are no text."""
    await member(scene, "/Acme")


async def icon(scene: Scene) -> None:
    """A picture, in half blocks."""
    await member(scene, "@2x.png")


async def changes(scene: Scene) -> None:
    """What grew since the green build before."""
    await drill(scene)
    await scene.rest()
    await scene.opens("C")


async def public_artifact(scene: Scene) -> Artifact:
    """The cursor on an artifact with an install page of which the address stands still."""
    await drill(scene)
    rows = scene.explorer.artifacts.rows
    await scene.until(lambda: any(artifact.is_public for artifact in rows.rows))
    public = replace(next(artifact for artifact in rows.rows if artifact.is_public), install_url=INSTALL_URL)
    rows.update_row(public)
    rows.go_to(public.ref)
    await scene.rest()
    return public


async def code(scene: Scene) -> None:
    """The install page as a QR code."""
    await public_artifact(scene)
    await scene.opens("Q")


async def copy_menu(scene: Scene) -> None:
    """What can be copied."""
    await public_artifact(scene)
    await scene.opens("Y")


async def programs(scene: Scene) -> None:
    """What can be run on an artifact."""
    await drill(scene)
    await scene.go_to_artifact(".apk")
    await scene.opens("semicolon")


async def command_line(scene: Scene) -> None:
    """The commands that do the same."""
    await drill(scene)
    await scene.go_to_artifact(".apk")
    await scene.opens("equals_sign")


async def delete(scene: Scene) -> None:
    """The question before a delete."""
    await drill(scene)
    await scene.rest()
    await scene.opens("X")


async def publish(scene: Scene) -> None:
    """The question before an artifact becomes public."""
    await scene.open_app("Acme for iOS")
    await scene.open_build()
    await scene.go_to_artifact("AppStore.ipa")
    await scene.opens("p")


async def options(scene: Scene) -> None:
    """Downloading with options."""
    await drill(scene)
    await scene.rest()
    await scene.opens("D")
    await scene.shows("Unpack zip archives: no")


# Transfers ----------------------------------------------------------------------------------------------------


def stand_still(scene: Scene) -> None:
    """A queue with one transfer of each kind, in the middle of it all."""
    (*found,) = scene.explorer.artifacts.rows.rows

    def transfer(number: int, state: TransferState, share: float, rate: float = 0.0) -> TransferSnapshot:
        artifact = found[number % len(found)]
        size = artifact.size_bytes or 0
        done = int(size * share)
        return TransferSnapshot(
            id=TransferId(f"{number}"),
            artifact=artifact,
            label=artifact.title,
            target=DOWNLOADS / artifact.title,
            state=state,
            done_bytes=done,
            size_bytes=size,
            rate=rate,
            eta_s=(size - done) / rate if rate else None,
            error=NotFound("The storage does not have this file any more.", hint="Ask the provider again: r.")
            if state is TransferState.FAILED
            else None,
        )

    snapshot: QueueSnapshot = summarise(
        (
            transfer(0, TransferState.DONE, 1.0),
            transfer(1, TransferState.RUNNING, 0.62, 2_400_000.0),
            transfer(2, TransferState.RUNNING, 0.2, 900_000.0),
            transfer(3, TransferState.FAILED, 0.0),
            transfer(4, TransferState.PAUSED, 0.4),
            transfer(5, TransferState.QUEUED, 0.0),
        )
    )
    scene.services.transfers.snapshot = lambda: snapshot  # type: ignore[method-assign]


async def transfers(scene: Scene) -> None:
    """All transfers."""
    await drill(scene)
    stand_still(scene)
    await scene.opens("T")
    await scene.pilot.press("down")


async def limits(scene: Scene) -> None:
    """How many at once, and how fast."""
    await transfers(scene)
    await scene.opens("L")


# The catalog --------------------------------------------------------------------------------------------------


async def index(scene: Scene) -> None:
    """A day of builds of some apps, as `digsite index` lists them."""
    catalog = scene.services.catalog
    if catalog is None:
        return
    indexer = Indexer(catalog, lambda _: None)
    for session in scene.services.sessions.values():
        provider = await session.provider()
        for app in (await provider.apps(None)).items:
            if app.title in {"acme-android", "Acme for iOS", "Acme"}:
                catalog.keep_apps(session.account.name, [app], complete=False)
                await indexer.walk(await indexer.plan([session], app=app, since=NOW - LISTED))
    catalog.settle()


async def view(scene: Scene, key: str) -> None:
    """One of the numbered views."""
    await apps(scene)
    await scene.opens(key)
    pane = scene.app.screen.query_one(Pane)
    await scene.until(lambda: not pane.is_loading)


async def statistics(scene: Scene) -> None:
    """What takes the space."""
    await view(scene, "5")


async def treemap(scene: Scene) -> None:
    """The same as areas, by app."""
    await view(scene, "5")
    pane = scene.app.screen.query_one(Pane)
    await scene.pilot.press("tab")
    await scene.until(lambda: not pane.is_loading)
    await scene.pilot.press("t")
    await scene.until(lambda: scene.app.screen.query_one(Treemap).has_focus)


async def expiring(scene: Scene) -> None:
    """What the providers will drop."""
    await view(scene, "6")
    pane = scene.app.screen.query_one(Pane)
    while not pane.rows.rows:
        await scene.pilot.press("tab")
        await scene.until(lambda: not pane.is_loading)


async def public(scene: Scene) -> None:
    """What anyone with the link can install."""
    await view(scene, "7")


async def search(scene: Scene) -> None:
    """The search in everything that was listed."""
    await apps(scene)
    await scene.opens("ctrl+f")
    await scene.pilot.press(*"acme release")
    await scene.shows("found")


SETTINGS: Mapping[str, Setting] = {
    "apps": Setting(apps),
    "artifacts": Setting(drill),
    "xcode-cloud": Setting(actions),
    "builds": Setting(builds),
    "hostile": Setting(hostile),
    "error": Setting(error),
    "tabs": Setting(
        dig,
        digs={
            "red": "demo-bitrise/acme-android?branch:main status:failed",
            "nightly": "demo-bitrise/acme-monorepo?workflow:nightly",
            "store": "demo-xcode-cloud/Acme/latest-green",
        },
    ),
    "dock": Setting(dock),
    "help": Setting(help_panel),
    "palette": Setting(palette),
    "digs": Setting(saved_digs, digs={"red": "demo-bitrise/acme-android?branch:main status:failed"}),
    "welcome": Setting(welcome, has_accounts=False),
    "accounts": Setting(accounts),
    "add-bitrise": Setting(add_bitrise, has_accounts=False),
    "add-xcode-cloud": Setting(add_xcode_cloud, has_accounts=False),
    "why-red": Setting(why_red),
    "why-red-xcode-cloud": Setting(why_red_xcode_cloud),
    "build": Setting(build_view),
    "log": Setting(log),
    "log-members": Setting(log_members),
    "tests": Setting(tests),
    "start": Setting(start),
    "newest": Setting(newest),
    "detail": Setting(detail),
    "inside": Setting(inside),
    "folder-sizes": Setting(folder_sizes),
    "text": Setting(text),
    "hex": Setting(hexadecimal),
    "picture": Setting(icon),
    "changes": Setting(changes),
    "qr": Setting(code),
    "copy-menu": Setting(copy_menu),
    "programs": Setting(programs),
    "command-line": Setting(command_line),
    "delete": Setting(delete),
    "publish": Setting(publish),
    "download": Setting(options),
    "transfers": Setting(transfers),
    "limits": Setting(limits),
    "statistics": Setting(statistics, is_indexed=True),
    "treemap": Setting(treemap, is_indexed=True),
    "expiring": Setting(expiring, is_indexed=True),
    "public": Setting(public, is_indexed=True),
    "search": Setting(search, is_indexed=True),
}
