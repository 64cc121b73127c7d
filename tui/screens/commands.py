"""What can be typed after `:`: all that keys do, by its name; key maps, themes, saved digs, accounts, paths, rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from textual.binding import Binding
from textual.screen import Screen

from tui.digs import expand
from tui.models import App, Artifact, Build
from tui.paths import DigPath, decode, encode, join
from tui.safe_text import clean
from tui.screens.explorer import Explorer
from tui.screens.looks import Looks
from tui.widgets.format import build_name
from tui.widgets.keymaps import KEYMAPS

if TYPE_CHECKING:
    from textual.app import App as Program

MOST: Final = 5_000
"""Rows of each list that are looked through, at every key."""
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "app.help": ("help", "?"),
    "app.quit": ("quit", "q", "q!", "qa"),
    "artifact.delete": ("delete", "rm"),
    "artifact.download": ("download", "get"),
    "artifact.publish": ("share",),
    "explorer.digs": ("digs", "saved digs"),
    "explorer.search": ("search", "find"),
    "explorer.feed": ("newest", "newest builds", "feed"),
    "storage.delete": ("delete", "rm"),
    "storage.download": ("download", "get"),
    "storage.publish": ("share",),
    "view.5": ("stats", "statistics"),
}
"""By a binding's id, where its description is not what people type: habits of k9s and vim, verbs of the shell."""
_PLACES: Final = ("view.", "explorer.accounts", "explorer.digs", "explorer.feed", "explorer.search", "history.")
"""What the explorer offers on every screen, by how the ids begin."""
_MOVES: Final = (".down", ".up", ".page-down", ".page-up", ".first", ".last", "-pane", "filter.keep", "filter.clear",
                 "app.palette", "app.palette-anywhere")  # fmt: skip
"""How the ids end of what only keys are good for."""


class Command(NamedTuple):
    """One line of the palette."""

    name: str
    about: str
    key: str = ""
    act: Callable[[], Awaitable[object]] | None = None
    """None goes to what `name` is the path of."""
    also: tuple[str, ...] = ()
    """Other names."""
    completion: str = ""
    """What tab makes of it, where that is not its name."""

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (self.name, *self.also)


class Commands:
    """What can be done from one screen.

    Args:
        screen: Where the palette was opened.
        explorer: What it stands on.
        looks: Key maps.
    """

    def __init__(self, screen: Screen[Any], explorer: Explorer, looks: Looks) -> None:
        self._screen, self._explorer, self._looks = screen, explorer, looks
        self._app: Program[Any] = screen.app

    # What has a name --------------------------------------------------------------------------------------

    @cached_property
    def named(self) -> list[Command]:
        """All but rows and paths; of two with the same name the first."""
        found: dict[str, Command] = {}
        for command in (*self._bound(), *self._places(), *self._chosen()):
            found.setdefault(command.name, command)
        return list(found.values())

    def _bound(self) -> Iterator[Command]:
        """What the keys of this screen do, here and now."""
        active = [each for each in self._screen.active_bindings.values() if each.enabled]
        for node, binding, *_ in sorted(active, key=lambda each: each.node is not self._screen):
            is_place = self._screen is not self._explorer and (binding.id or "").startswith(_PLACES)
            if not is_place and not binding.system:
                yield from self._of_binding(binding, partial(self._app.run_action, binding.action, node))

    def _places(self) -> Iterator[Command]:
        """Where the explorer goes, from the screens above it."""
        for binding in self._explorer.BINDINGS:
            if isinstance(binding, Binding) and (binding.id or "").startswith(_PLACES):
                yield from self._of_binding(binding, partial(self._act_at_home, binding.action))

    def _of_binding(self, binding: Binding, act: Callable[[], Awaitable[object]]) -> Iterator[Command]:
        id_ = binding.id or ""
        if id_ and binding.description and not id_.endswith(_MOVES):
            name, *also = _WORDS.get(id_, (binding.description.lower(),))
            key = self._app.get_key_display(Binding(binding.key.split(",")[0], ""))
            yield Command(name, binding.tooltip, key, act, tuple(also))

    def _chosen(self) -> Iterator[Command]:
        for name in KEYMAPS:
            yield Command(f"keys {name}", "Key map, for this run", act=partial(self._use_keymap, name))
        for name in self._app.available_themes:
            own = name.removeprefix("digsite-")
            also = (f"theme {name}",) if own != name else ()
            yield Command(f"theme {own}", "Theme", act=partial(self._use_theme, name), also=also)
        for name, text in self._explorer.services.config.habits.digs.items():
            yield Command(f"@{name}", text)
        for account in self._explorer.services.sessions:
            yield Command(encode(account), "Account", completion=f"{encode(account)}/")

    # Rows and paths ---------------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> list[Command]:
        """The rows that are loaded."""
        explorer = self._explorer
        found: list[Command] = []
        for app in islice(explorer.apps.rows.rows, MOST):
            path = f"{join(app.ref.account, app.title)}/"
            act = partial(self._go_to, app)
            found.append(Command(clean(app.title, 100), f"App of {app.ref.account}", act=act, completion=path))
        for build in islice(explorer.builds.rows.rows, MOST):
            parts = (build.branch or build.tag, build.workflow, str(build.status))
            name = build_name(build)
            about = clean(" · ".join(part for part in parts if part), 100)
            found.append(Command(name, about, act=partial(self._go_to, build), also=(name.removeprefix("#"),)))
        found += (
            Command(clean(artifact.title, 100), "Artifact", act=partial(self._go_to, artifact))
            for artifact in islice(explorer.artifacts.rows.rows, MOST)
        )
        return found

    def paths(self, typed: str) -> list[Command]:
        """A path as it was typed, then those that are loaded and begin so; none where it is no path."""
        whole = self.whole(typed)
        if "/" not in whole:
            return []
        below = [path for path in self._below(whole) if path.startswith(whole)]
        return [Command(whole, "Go there"), *(Command(path, "Go there") for path in islice(below, 50) if path != whole)]

    def whole(self, typed: str) -> str:
        """The path that is meant: `acme-android/…` without its account, `latest-green@main` of the app that is open.

        A text that is no path stays as it is.
        """
        head, slash, rest = typed.partition("/")
        if typed.partition("@")[0] in {"latest", "latest-green"}:
            app, rest = self._app_here, typed.replace("/", "%2F")  # of the branch
        elif slash and decode(head) not in self._explorer.services.sessions:
            app = self._app_called(decode(head))
        else:
            app = None
        return typed if app is None else f"{self._explorer.path_of(app)}/{rest}"

    def _app_called(self, name: str) -> App | None:
        wanted = name.casefold()
        apps = self._explorer.apps.rows.rows
        called = [app for app in apps if app.title.casefold() == wanted]
        called = called or [app for app in apps if wanted and app.title.casefold().startswith(wanted)]
        return called[0] if len(called) == 1 else None

    @property
    def _app_here(self) -> App | None:
        current = self._explorer.pane.rows.current
        return current if isinstance(current, App) else self._explorer.open_app

    def _below(self, whole: str) -> Iterator[str]:
        """Paths of the level that a path has got to."""
        explorer, parent = self._explorer, whole.rpartition("/")[0]
        match parent.count("/"):
            case 0:
                start = decode(whole.rpartition("/")[2])
                for app in explorer.apps.rows.rows:
                    if app.title.startswith(start):
                        yield f"{explorer.path_of(app)}/"
            case 1:
                yield from (f"{parent}/latest", f"{parent}/latest-green", f"{parent}/latest-green@")
                yield from map(explorer.path_of, islice(explorer.builds.rows.rows, MOST))
            case 2:
                yield from map(explorer.path_of, islice(explorer.artifacts.rows.rows, MOST))

    # What is done -----------------------------------------------------------------------------------------

    async def go(self, typed: str) -> None:
        """Takes the explorer to a path or a saved dig.

        Raises:
            DigsiteError: It cannot be found.
        """
        digs = self._explorer.services.config.habits.digs
        dig = expand(self.whole(typed), digs)
        name = typed[1:] if typed[1:] in digs and typed.startswith("@") else None
        await self._explorer.go(DigPath.parse(dig.path), dig.filter, name)

    async def home(self) -> None:
        """Leaves the screens above the explorer."""
        while self._app.screen is not self._explorer:
            await self._app.screen.dismiss(None)

    async def _act_at_home(self, action: str) -> None:
        await self.home()
        await self._app.run_action(action, self._explorer)

    async def _go_to(self, row: App | Build | Artifact) -> None:
        await self.home()
        match row:
            case App():
                self._explorer.apps.rows.go_to(row.ref)
                self._explorer.show_builds(row)
            case Build():
                self._explorer.builds.rows.go_to(row.ref)
                self._explorer.show_artifacts(row)
            case Artifact():
                self._explorer.artifacts.rows.go_to(row.ref)
                self._explorer.focus_pane(self._explorer.artifacts)

    async def _use_keymap(self, name: str) -> None:
        self._looks.use_keymap(name)

    async def _use_theme(self, name: str) -> None:
        self._app.theme = name
